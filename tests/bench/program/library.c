/* SPDX-License-Identifier: MIT */
/*
 * bench: the functions of lib/ that programs call all day, with no system call in them.
 */
#include "lib/format.h"

#include "bench.h"
#include "os2/string.h"

#define ROUNDS 200u
#define SIZE 4096u
#define TEXT "a line of sixty-three letters, as long as those that gen writes"
#define HIDE(variable) __asm__ volatile("" : "+r"(variable)::"memory") /* gcc knows nothing of it */

static _Alignas(8) char bytes[2][SIZE + 8];

static void loop_copy(struct bench_context *c, uint64_t rounds) {
    for (; rounds; rounds--) {
        char *from = bytes[1] + c->value;
        HIDE(from);
        memcpy(bytes[0], from, SIZE);
    }
}

static void loop_fill(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--) {
        char *to = bytes[0];
        HIDE(to);
        memset(to, 1, SIZE);
    }
}

static void loop_length(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--) {
        const char *text = TEXT;
        size_t length;
        HIDE(text);
        length = strlen(text);
        HIDE(length);
    }
}

static void loop_format(struct bench_context *c, uint64_t rounds) {
    for (; rounds; rounds--)
        format(bytes[0], SIZE, "%7lu %7lu %7u %s %x\n", c->value, c->value * 31, 7u, "poem.txt", 0xbeefu);
}

static void library(const char *name, bench_loop *loop, uint64_t value, const char *text) {
    struct bench_context context = {.value = value};
    struct bench_count count;

    if (!bench_wanted(name))
        return;
    count = bench_measure(loop, &context, ROUNDS);
    bench_result(name, count.mean, &count, text);
}

void bench_library(void) {
    library("copy_4k", loop_copy, 0, "memcpy of 4096 aligned bytes; the loop subtracted");
    library("copy_4k_skewed", loop_copy, 3, "the same from an address that is 3 more than a multiple of 8");
    library("fill_4k", loop_fill, 0, "memset of 4096 bytes; the loop subtracted");
    library("length_63", loop_length, 0, "strlen of 63 bytes; the loop subtracted");
    library("format_line", loop_format, 123456,
            "a line of 40 bytes with four numbers and a string; the loop subtracted");
}
