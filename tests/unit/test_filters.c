/* SPDX-License-Identifier: MIT */
/*
 * The programs that count, change and write text eight bytes at a time, against loops that take each byte by itself:
 * wc, upper and gen. The test is the library that they call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int wc_main(int argc, char **argv);
int upper_main(int argc, char **argv);
int gen_main(int argc, char **argv);

#define main wc_main
#include "usr/bin/wc.c"
#undef main
#define main upper_main
#include "usr/demos/upper.c"
#undef main
#define main gen_main
#include "usr/demos/gen.c"
#undef main

enum { ROOM = 3 * 4096, TIMES = 2000 };

static _Alignas(8) char memory[ROOM], made[ROOM];
static uint64_t made_used;
static uint64_t seed = 1;

static size_t below(size_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % limit;
}

/* ---- The library. ---- */

int os2_block_alloc(unsigned order, void **ret_block) {
    *ret_block = aligned_alloc(4096, OS2_PAGE_SIZE << order);
    return OS2_OK;
}

int os2_block_free(void *block) {
    assert_ptr_equal(block, memory);
    return OS2_OK;
}

int os2_out_block(struct os2_stream_block *block) {
    assert_true(made_used + block->used <= ROOM);
    memcpy(made + made_used, block->bytes, block->used);
    made_used += block->used;
    if (block->bytes != memory)
        free(block->bytes);
    return OS2_OK;
}

bool os2_out_is_pipe(void) {
    return true;
}

uint64_t os2_quota_left(void) {
    return 9; /* a block of one page each time */
}

bool os2_string_size(const char *text, uint64_t *ret_size) {
    *ret_size = strtoull(text, NULL, 10);
    return true;
}

int os2_in_block(struct os2_stream_block *ret_block) {
    (void)ret_block;
    return 0;
}

int os2_read_each(const char *path, os2_read_function *take, void *context) {
    (void)path, (void)take, (void)context;
    return OS2_OK;
}

int os2_read_arguments(int argc, char **argv, os2_read_function *take, void *context) {
    (void)argc, (void)argv, (void)take, (void)context;
    return 0;
}

int os2_printf(const char *format, ...) {
    (void)format;
    return OS2_OK;
}

void os2_error(const char *format, ...) {
    fail_msg("%s", format);
}

const char *os2_status_text(int status) {
    (void)status;
    return "";
}

/* ---- The tests. ---- */

/* Bytes on both sides of what is looked for, with and without the high bit. */
static size_t some_text(void) {
    static const unsigned char edges[] =
        "\x08\x09\x0a\x0b\x0d\x0e\x1f \x21\x7f\x80\x88\x89\x8a\x8d\x8e\xa0\xff`az{@AZ[";
    size_t size = below(3) ? below(64) : below(ROOM);
    bool sparse = below(4); /* else each byte begins or ends a word */

    for (size_t i = 0; i < ROOM; i++)
        memory[i] = !sparse    ? "w\n"[i % 2]
                    : below(3) ? 'w'
                               : (char)(below(2) ? edges[below(sizeof(edges) - 1)] : below(256));
    return size;
}

static void test_wc(void **state) {
    struct counts counts = {0};
    uint64_t lines = 0, words = 0, bytes = 0;
    bool in_word = false;

    (void)state;
    for (unsigned i = 0; i < TIMES; i++) {
        struct os2_stream_block block = {.bytes = memory, .used = some_text()};
        for (uint64_t at = 0; at < block.used; at++) {
            bool blank = memory[at] == ' ' || (memory[at] >= '\t' && memory[at] <= '\r');
            lines += memory[at] == '\n';
            words += !in_word && !blank;
            in_word = !blank;
        }
        bytes += block.used;
        count_block(&counts, &block);
        assert_int_equal(counts.lines, lines);
        assert_int_equal((counts.edges + counts.in_word) / 2, words);
        assert_int_equal(counts.bytes, bytes);
    }
}

static void test_upper(void **state) {
    (void)state;
    for (unsigned i = 0; i < TIMES; i++) {
        struct os2_stream_block block = {.bytes = memory, .used = some_text()};
        static char wanted[ROOM];
        for (uint64_t at = 0; at < block.used; at++)
            wanted[at] = memory[at] >= 'a' && memory[at] <= 'z' ? (char)(memory[at] - 'a' + 'A') : memory[at];
        made_used = 0;
        upper_block(NULL, &block);
        assert_memory_equal(made, wanted, block.used);
    }
}

static void test_gen(void **state) {
    char size[] = "11000", program[] = "gen", *argv[] = {program, size, NULL};

    (void)state;
    made_used = 0;
    assert_int_equal(gen_main(2, argv), 0);
    assert_int_equal(made_used, 11000);
    for (unsigned i = 0; i < 11000; i += LINE) {
        char wanted[LINE + 2];
        snprintf(wanted, sizeof(wanted), "%012u  every page has one owner, and a message moves it \n", i / LINE);
        assert_memory_equal(made + i, wanted, i + LINE < 11000 ? LINE : 11000 - i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wc),
        cmocka_unit_test(test_upper),
        cmocka_unit_test(test_gen),
    };

    return cmocka_run_group_tests_name("filters", tests, NULL, NULL);
}
