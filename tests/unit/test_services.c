/* SPDX-License-Identifier: MIT */
/*
 * The table of services (usr/init/table.c): what its lines say, that wrong ones are told by their number and left out,
 * and that nothing that a file may hold does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/table.h"

static struct table_service services[TABLE_SERVICES];
static unsigned line;
static const char *reason;

/* Reads a copy of just that size, so that the sanitizer sees who reads on. */
static unsigned read_bytes(const char *text, size_t size) {
    char *copy = malloc(size + !size);
    unsigned count;

    memcpy(copy, text, size);
    memset(services, 0, sizeof(services));
    reason = NULL;
    count = table_read(copy, size, services, &line, &reason);
    free(copy);
    return count;
}

static unsigned read_text(const char *text) {
    return read_bytes(text, strlen(text));
}

static void everything(void **state) {
    (void)state;
    assert_int_equal(read_text("# all words\n"
                               "service names\n"
                               "    pages 8 16   # few\n"
                               "\n"
                               "service net2\n"
                               "\tprogram net\n"
                               "\targuments eth0 10.0.0.2\n"
                               "\tgrant uart log devices observe tree archive drivers names console control\n"
                               "\tpages 100\n"
                               "\tstack 16\n"
                               "\twatchdog 500\n"
                               "\tquantum 0x20\n"
                               "\tends 0\n"
                               "\tafter names\n"
                               "\tlast"),
                     2);
    assert_int_equal(line, 0);
    assert_string_equal(services[0].name, "names");
    assert_string_equal(services[0].program, "names");
    assert_int_equal(services[0].least, 8);
    assert_int_equal(services[0].most, 16);
    assert_int_equal(services[0].ends, 8);
    assert_int_equal(services[0].grants, 0);
    assert_false(services[0].last);
    assert_string_equal(services[1].name, "net2");
    assert_string_equal(services[1].program, "net");
    assert_int_equal(services[1].argument_count, 2);
    assert_string_equal(services[1].arguments[0], "eth0");
    assert_string_equal(services[1].arguments[1], "10.0.0.2");
    assert_int_equal(services[1].grants, (1u << GRANTS) - 1);
    assert_int_equal(services[1].least, 100);
    assert_int_equal(services[1].most, 0);
    assert_int_equal(services[1].stack_order, 4);
    assert_int_equal(services[1].watchdog_ms, 500);
    assert_int_equal(services[1].quantum, 32);
    assert_int_equal(services[1].ends, 0);
    assert_int_equal(services[1].after, 1);
    assert_true(services[1].last);
}

/* Each grant has its own bit, in the order of its names. */
static void grants(void **state) {
    char text[64];

    (void)state;
    for (unsigned i = 0; i < GRANTS; i++) {
        strcpy(text, "service a\ngrant ");
        strcat(text, table_grant_names[i]);
        assert_int_equal(read_text(text), 1);
        assert_int_equal(line, 0);
        assert_int_equal(services[0].grants, 1u << i);
    }
    assert_int_equal(GRANT_UART, 1);
    assert_int_equal(GRANT_CONTROL, 1u << (GRANTS - 1));
}

/* Each line is refused with its number and a reason, and what stands around it counts. */
static void malformed(void **state) {
    static const char *const lines[] = {
        "serviec b",
        "service",
        "service a",
        "service b c",
        "service abcdefghijklmnopq",
        "program",
        "program b c",
        "program abcdefghijklmnopq",
        "arguments 1 2 3 4 5",
        "grant all",
        "grant log logs",
        "pages",
        "pages x",
        "pages 9 8",
        "pages 1 2 3",
        "stack 3",
        "stack 32",
        "stack",
        "watchdog 0",
        "watchdog 1 2",
        "quantum 0",
        "quantum",
        "ends 1001",
        "ends -1",
        "after a",
        "after z",
        "last one",
        "1 2 3 4 5 6 7 8 9 10 11 12 13",
        "program 0123456789012345678901234567890123456789",
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        strcpy(text, "service a\n");
        strcat(text, lines[i]);
        strcat(text, "\nends 3\n");
        assert_int_equal(read_text(text), 1);
        assert_int_equal(line, 2);
        assert_non_null(reason);
        assert_int_equal(services[0].ends, 3);
        assert_string_equal(services[0].program, "a");
        assert_int_equal(services[0].grants, 0);
    }
    assert_int_equal(read_text("pages 1 2\nservice a\n"), 1);
    assert_int_equal(line, 1);
    assert_int_equal(read_text("service a\nlast\nservice b\nlast\n"), 2);
    assert_int_equal(line, 4);
    assert_false(services[1].last);
}

static void many(void **state) {
    char text[64 * 16], *to = text;

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        to += sprintf(to, "service s%u\n", i);
    assert_int_equal(read_text(text), TABLE_SERVICES);
    assert_int_equal(line, TABLE_SERVICES + 1);
}

/* Random bytes, and a good table with bytes changed. */
static void rubbish(void **state) {
    static const char good[] = "service names\npages 8 16\nservice shell\nlast\ngrant observe control\nafter names\n";
    static const char letters[] = "service\n grant#pages 0123456789\tlast\0\r";
    char text[sizeof(good)];

    (void)state;
    srand(1);
    for (unsigned run = 0; run < 20000; run++) {
        memcpy(text, good, sizeof(good));
        for (unsigned i = 0; i < 1 + run % 60; i++)
            text[(unsigned)rand() % (sizeof(good) - 1)] = letters[(unsigned)rand() % (sizeof(letters) - 1)];
        unsigned count = read_bytes(text, (unsigned)rand() % sizeof(good));
        assert_true(count <= TABLE_SERVICES);
        for (unsigned i = 0; i < count; i++) {
            assert_true(memchr(services[i].name, 0, TABLE_NAME) && services[i].name[0]);
            assert_true(services[i].after < UINT32_C(1) << i || !services[i].after);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything), cmocka_unit_test(grants),  cmocka_unit_test(malformed),
        cmocka_unit_test(many),       cmocka_unit_test(rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
