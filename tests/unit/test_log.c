/* SPDX-License-Identifier: MIT */
/* The log: who may write and read it, and that no text passes for somebody else's. */
#include <stdio.h>

#include "core/log.h"
#include "tests/unit/machine.h"

static char got[LOG_SIZE + 1];

/* All that is there. */
static const char *text(void) {
    got[log_read(got, LOG_SIZE)] = '\0';
    return got;
}

static int set_up(void **unused) {
    (void)unused;
    boot(16);
    text(); /* from here on the console is not written to */
    return 0;
}

static void writes(const char *name, unsigned slot, const char *words) {
    char padded[16] = {0};
    strncpy(padded, name, sizeof padded - 1);
    log_text(padded, slot, slot, words, strlen(words));
}

/* With the right alone, be it to write or to read. */
static void test_rights(void **unused) {
    (void)unused;
    struct process *p = spawn(init, 20, NULL);
    uint64_t target = handle_target(OS2_HANDLE_MACHINE, ALL & ~OS2_RIGHT_LOG, 0, 0);
    unsigned handle = handle_put(p->handles, target, 0);
    for (unsigned length = 0; length < 2; length++) {
        assert_int_equal(CALL(p, OS2_SYS_log, length, 'x'), OS2_E_HANDLE);
        assert_int_equal(CALL(p, OS2_SYS_log | HANDLE(handle), length, 'x'), OS2_E_RIGHTS);
    }
    assert_string_equal(text(), "");
    assert_int_equal(CALL(init, OS2_SYS_log | HANDLE(OS2_INIT_MACHINE), 2, 'x' | '\n' << 8), OS2_OK);
    assert_string_equal(text(), "init(1): x\n");
    assert_int_equal(CALL(init, OS2_SYS_log | HANDLE(OS2_INIT_MACHINE), OS2_LOG_CHUNK + 1), OS2_E_INVALID);
}

/* A line that begins with '[' is the kernel's, and nothing moves a terminal's cursor. */
static void test_forged(void **unused) {
    (void)unused;
    writes("[ 1", 5, "[9] \x1b[2J\r\b\x7f\x80\tb\n[\n");
    assert_string_equal(text(), "? 1(5): [9] ?[2J????\tb\n? 1(5): [\n");
    writes("a\n[", 6, "c\n");
    assert_string_equal(text(), "a?"
                                "?(6): c\n");
}

/* A line that one has begun no other goes on with. */
static void test_writers(void **unused) {
    (void)unused;
    writes("a", 5, "one");
    writes("a", 5, " and a half");
    writes("b", 6, "two\n");
    writes("a", 5, "three");
    log_line("four");
    assert_memory_equal(text(), "a(5): one and a half\nb(6): two\na(5): three\n[", 44);
    assert_non_null(strstr(got, "] four\n"));
}

/* What is too much pushes out the oldest, and how much that was is said. */
static void test_lost(void **unused) {
    (void)unused;
    enum { LINES = LOG_SIZE / 16 + 10 };
    for (unsigned i = 0; i < LINES; i++)
        writes("a", 5, "123456789\n"); /* 16 bytes with its name */
    unsigned lost = 0, more = 0;
    const char *said = strstr(text(), "[log: ");
    assert_int_equal(strlen(got), LOG_SIZE);
    for (; said; said = strstr(said + 1, "[log: ")) {
        assert_int_equal(sscanf(said, "[log: %u bytes lost]", &more), 1);
        lost += more;
    }
    assert_in_range(lost, 16, LINES * 64);
    writes("a", 5, "end\n");
    assert_non_null(strstr(text(), "a(5): end\n"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(test_rights), TEST(test_forged), TEST(test_writers), TEST(test_lost)};
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
