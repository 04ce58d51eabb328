/* SPDX-License-Identifier: MIT */
/*
 * lib/format.c against the C library's snprintf: the same text for every conversion that it has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/format.h"

/* Both formatters get the same arguments; text, length and the bytes behind the buffer must agree. */
__attribute__((format(printf, 1, 2))) static void check_same(const char *text, ...) {
    for (size_t size = 0; size <= 80; size += size < 12 ? 1 : 34) {
        char a[96], b[96];
        va_list list;
        size_t length;

        memset(a, 0xee, sizeof(a));
        memset(b, 0xee, sizeof(b));
        va_start(list, text);
        length = (size_t)vsnprintf(a, size, text, list);
        va_end(list);
        va_start(list, text);
        assert_int_equal(format_list(b, size, text, list), length);
        va_end(list);
        if (size > 0)
            assert_string_equal(a, b);
        for (size_t i = length < size ? length + 1 : size; i < sizeof(b); i++)
            assert_int_equal((unsigned char)b[i], 0xee);
    }
}

static void test_text(void **state) {
    (void)state;
    check_same("plain");
    check_same("%%|%s|%s|", "abc", "");
    check_same("%6s|%-6s|%.2s|%-5.1s|%.*s|%*s|", "abc", "abc", "abc", "abc", 2, "abc", 5, "abc");
    check_same("%c|%3c|%-3c|%p", 'a', 'b', 'c', (void *)0x1234);
}

static void test_numbers(void **state) {
    static const int64_t values[] = {0, 1, -1, 9, 10, 255, -4096, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        long v = values[i];

        check_same("%d|%u|%x", (int)v, (unsigned)v, (unsigned)v);
        check_same("%ld|%lu|%lx", v, (unsigned long)v, (unsigned long)v);
        check_same("%8d|%08d|%3x|%03x|%1d|%20d", (int)v, (int)v, (unsigned)v, (unsigned)v, (int)v, (int)v);
        check_same("%16lx|%016lx|%03ld|%3ld|", (unsigned long)v, (unsigned long)v, v, v);
        check_same("%-8d|%*u|%-12lx|", (int)v, 7, (unsigned)v, (unsigned long)v);
    }
}

/* What printf has and this has not comes out as it was written. */
static void test_unknown(void **state) {
    char buffer[32];
    const char *volatile text = "a%qb%"; /* not seen by the compiler's check */

    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    assert_int_equal(format(buffer, sizeof(buffer), text), 5);
#pragma GCC diagnostic pop
    assert_string_equal(buffer, "a%qb%");
}

/* Texts of several times what is collected before the sink gets it, cut anywhere. */
static void test_long(void **state) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    uint64_t random = 1;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char string[320], a[1500], b[1500];
        unsigned n[6];
        size_t size, length;

        for (unsigned j = 0; j < 6; j++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            n[j] = (unsigned)(random >> 33) % (random >> 63 ? 300 : 12);
        }
        for (unsigned j = 0; j < n[0]; j++)
            string[j] = letters[(i + j) % 26];
        string[n[0]] = 0;
        size = n[1] * 5;
        memset(a, 0xee, sizeof(a));
        memset(b, 0xee, sizeof(b));
        length = (size_t)snprintf(a, size, "%s|%*s|%-*s|%.*s|%0*d|%-*x|%s", string, (int)n[2], string, (int)n[3], "xy",
                                  (int)n[4], string, (int)n[5], (int)i - 100, (int)n[4], i, string);
        assert_int_equal(format(b, size, "%s|%*s|%-*s|%.*s|%0*d|%-*x|%s", string, (int)n[2], string, (int)n[3], "xy",
                                (int)n[4], string, (int)n[5], (int)i - 100, (int)n[4], i, string),
                         length);
        assert_memory_equal(a, b, sizeof(a));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
