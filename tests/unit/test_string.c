/* SPDX-License-Identifier: MIT */
/*
 * lib/string.c against the C library: on every small size, alignment and overlap, and on random ones, up to both ends
 * of memory beside which there is none.
 *
 * The functions have the C library's names, so the file is included here under other names. It is built once with each
 * port's way of copying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include COPY

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

/* ---- At random. ---- */

enum { ROOM = 4 * 4096, TIMES = 60000 };

static uint64_t seed = 1;

static size_t below(size_t limit) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % limit);
}

/* ROOM bytes with no memory before and behind. */
static unsigned char *island(void) {
    unsigned char *all = mmap(NULL, ROOM + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(all != MAP_FAILED);
    assert_int_equal(mprotect(all + 4096, ROOM, PROT_READ | PROT_WRITE), 0);
    return all + 4096;
}

/* Mostly short; mostly at one of the ends. */
static size_t some_size(size_t most) {
    size_t size = below(4) ? below(100) : below(3000);
    return size < most ? size : most;
}

static size_t some_place(size_t size) {
    size_t last = ROOM - size, near = below(20);

    switch (below(3)) {
    case 0:
        return near < last ? near : 0;
    case 1:
        return last;
    default:
        return below(last + 1);
    }
}

static void test_random_memory(void **state) {
    unsigned char *a = island(), *b = island(), *source = island();

    (void)state;
    for (size_t i = 0; i < ROOM; i++)
        a[i] = b[i] = source[i] = (unsigned char)below(256);
    for (unsigned i = 0; i < TIMES; i++) {
        size_t size = some_size(ROOM), to = some_place(size), from = some_place(size);
        unsigned char byte = (unsigned char)below(256);

        switch (below(5)) {
        case 0:
            memcpy(a + to, source + from, size);
            assert_ptr_equal(lib_memcpy(b + to, source + from, size), b + to);
            break;
        case 1:
            memset(a + to, byte, size);
            assert_ptr_equal(lib_memset(b + to, byte + 256, size), b + to);
            break;
        case 2: /* a little up or down: nearly all of it overlaps */
            from = to + below(40);
            from = from + size > ROOM ? to : from;
            if (below(2)) {
                size_t other = from;
                from = to;
                to = other;
            }
            /* fall through */
        default:
            memmove(a + to, a + from, size);
            assert_ptr_equal(lib_memmove(b + to, b + from, size), b + to);
            break;
        }
        if (i % 64 == 0 || size > 2000)
            assert_true(memcmp(a, b, ROOM) == 0);
        else
            assert_true(memcmp(a + to, b + to, size) == 0 && (to == 0 || a[to - 1] == b[to - 1]) &&
                        (to + size == ROOM || a[to + size] == b[to + size]));
    }
    assert_true(memcmp(a, b, ROOM) == 0);
}

/* Strings of few letters, so that they are often alike for long. */
static void test_random_strings(void **state) {
    char *a = (char *)island(), *b = (char *)island();

    (void)state;
    memset(a, 'x', ROOM);
    memset(b, 'x', ROOM);
    for (unsigned i = 0; i < TIMES; i++) {
        size_t size = some_size(ROOM - 1), rest = some_size(ROOM - 1), max = below(4) ? below(size + 20) : SIZE_MAX;
        char *s = a + some_place(size + 1), *t = b + some_place((size < rest ? rest : size) + 1);

        memcpy(t, s, size);
        t[size] = s[size];
        s[size] = '\0';
        switch (below(4)) {
        case 0:
            t[size] = '\0';
            break;
        case 1:
            t[below(size + 1)] = below(2) ? '\x80' : 'a';
            t[size] = '\0';
            break;
        case 2:
            t[below(size + 1)] = '\0';
            break;
        default:
            t[rest] = '\0';
            break;
        }
        assert_int_equal(lib_strlen(s), size);
        assert_int_equal(lib_strlen(t), strlen(t));
        assert_int_equal(lib_strnlen(s, max), strnlen(s, max));
        assert_int_equal(sign(lib_strcmp(s, t)), sign(strcmp(s, t)));
        assert_int_equal(sign(lib_strcmp(t, s)), sign(strcmp(t, s)));
        assert_int_equal(sign(lib_strncmp(s, t, max)), sign(strncmp(s, t, max)));
        assert_int_equal(sign(lib_memcmp(s, t, size)), sign(memcmp(s, t, size)));
        memset(s, below(2) ? 'x' : '\xff', size + 1);
        memset(t, 'x', strlen(t) + 1);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_and_move), cmocka_unit_test(test_set),
        cmocka_unit_test(test_compare),       cmocka_unit_test(test_length),
        cmocka_unit_test(test_random_memory), cmocka_unit_test(test_random_strings),
    };

    if (argc == 3 && strcmp(argv[1], "--seed") == 0)
        seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
