/* SPDX-License-Identifier: MIT */
/*
 * core/format.c against the C library's snprintf: the same text for every conversion the kernel has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/format.h"

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
    check_same("%%|%c|%5c|%-5c|", 'x', 'y', 'z');
    check_same("%s|%8s|%-8s|%2s", "abc", "abc", "abc", "abc");
    check_same("%.2s|%8.2s|%-8.2s|%.9s|%.*s", "abc", "abc", "abc", "abc", 1, "abc");
    check_same("%*s|%*s|%-*s|", 6, "abc", -6, "abc", 6, "abc");
}

static void test_numbers(void **state) {
    static const long long values[] = {0, 1, -1, 9, 10, 255, -4096, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        long v = values[i];

        check_same("%d|%u|%x", (int)v, (unsigned)v, (unsigned)v);
        check_same("%ld|%lu|%lx|%lld|%zu|%zx|%zd", v, (unsigned long)v, (unsigned long)v, values[i], (size_t)v,
                   (size_t)v, v);
        check_same("%8d|%-8d|%08d|%3x|%03x", (int)v, (int)v, (int)v, (unsigned)v, (unsigned)v);
        check_same("%16lx|%016lx|%-16lx|", (unsigned long)v, (unsigned long)v, (unsigned long)v);
        check_same("%.5d|%10.5d|%-10.5d|%.0d|%*.*d", (int)v, (int)v, (int)v, (int)v, 12, 7, (int)v);
    }
    check_same("%p|%20p|%-20p|", (void *)0x80200000, (void *)0x1, (void *)0xfff);
}

/* What printf has and the kernel has not comes out as it was written. */
static void test_unknown(void **state) {
    char buffer[32];
    const char *volatile text = "a%qb%"; /* not seen by the compiler's check */
    const char *volatile nothing = NULL;

    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    assert_int_equal(format(buffer, sizeof(buffer), text), 5);
#pragma GCC diagnostic pop
    assert_string_equal(buffer, "a%qb%");
    assert_int_equal(format(buffer, sizeof(buffer), "%s", nothing), 6);
    assert_string_equal(buffer, "(null)");
    assert_int_equal(format(buffer, sizeof(buffer), "%p", NULL), 3);
    assert_string_equal(buffer, "0x0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_unknown),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
