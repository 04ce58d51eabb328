/* SPDX-License-Identifier: MIT */
/*
 * lib/string.c against the C library, on every small size, alignment and overlap.
 *
 * The functions have the C library's names, so the file is included here under other names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define memcpy lib_memcpy
#define memmove lib_memmove
#define memset lib_memset
#define memcmp lib_memcmp
#define strlen lib_strlen
#define strnlen lib_strnlen
#define strcmp lib_strcmp
#define strncmp lib_strncmp
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp

enum { SIZES = 40, ALIGNS = 9, BUFFER = 128 };

static void fill(unsigned char *buffer) {
    for (int i = 0; i < BUFFER; i++)
        buffer[i] = (unsigned char)(i * 7 + 1);
}

/* Every size and pair of alignments; bytes outside the range must stay. */
static void test_copy_and_move(void **state) {
    (void)state;
    for (size_t size = 0; size < SIZES; size++) {
        for (size_t to = 0; to < ALIGNS; to++) {
            for (size_t from = 0; from < ALIGNS; from++) {
                unsigned char a[BUFFER], b[BUFFER], source[BUFFER];

                fill(source);
                memset(a, 0xee, sizeof(a));
                memset(b, 0xee, sizeof(b));
                memcpy(a + to, source + from, size);
                assert_ptr_equal(lib_memcpy(b + to, source + from, size), b + to);
                assert_memory_equal(a, b, BUFFER);

                fill(a); /* overlapping, both directions */
                fill(b);
                memmove(a + to, a + from, size);
                assert_ptr_equal(lib_memmove(b + to, b + from, size), b + to);
                assert_memory_equal(a, b, BUFFER);
            }
        }
    }
}

static void test_set(void **state) {
    (void)state;
    for (size_t size = 0; size < SIZES; size++) {
        for (size_t to = 0; to < ALIGNS; to++) {
            unsigned char a[BUFFER], b[BUFFER];

            fill(a);
            fill(b);
            memset(a + to, 0x1a5, size);
            assert_ptr_equal(lib_memset(b + to, 0x1a5, size), b + to);
            assert_memory_equal(a, b, BUFFER);
        }
    }
}

static int sign(int x) {
    return (x > 0) - (x < 0);
}

static void test_compare(void **state) {
    static const char *const words[] = {"", "a", "ab", "abc", "b", "\x80", "a\x80", "abd"};
    enum { WORDS = sizeof(words) / sizeof(words[0]) };

    (void)state;
    for (int i = 0; i < WORDS; i++) {
        for (int j = 0; j < WORDS; j++) {
            assert_int_equal(sign(strcmp(words[i], words[j])), sign(lib_strcmp(words[i], words[j])));
            for (size_t max = 0; max < 5; max++)
                assert_int_equal(sign(strncmp(words[i], words[j], max)), sign(lib_strncmp(words[i], words[j], max)));
        }
    }
    assert_int_equal(lib_memcmp("abc", "abd", 2), 0);
    assert_true(lib_memcmp("abc", "abd", 3) < 0);
    assert_true(lib_memcmp("\xff", "\x01", 1) > 0);
    assert_int_equal(lib_memcmp("x", "y", 0), 0);
}

static void test_length(void **state) {
    (void)state;
    assert_int_equal(lib_strlen(""), 0);
    assert_int_equal(lib_strlen("hello"), 5);
    assert_int_equal(lib_strnlen("hello", 3), 3);
    assert_int_equal(lib_strnlen("hello", 9), 5);
    assert_int_equal(lib_strnlen("", 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_and_move),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
