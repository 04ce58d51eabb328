/* SPDX-License-Identifier: MIT */
/*
 * wc: count lines, words and bytes of files, or of the input.
 *
 * Eight bytes at a time: in each byte of a word a bit says whether it is a blank, and where that changes a word of the
 * text begins or ends. Such edges, and line ends, are summed up in the bytes of a word, 255 times before one could
 * overflow.
 */
#include "os2/call.h"
#include "os2/read.h"
#include "os2/stream.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGHS EACH(0x80u)
#define SUMS_MAX 255u

struct counts {
    uint64_t lines, edges, bytes;
    bool in_word;
};

/* The sum of eight bytes. */
static uint64_t sum(uint64_t w) {
    const uint64_t half = UINT64_C(0x00ff00ff00ff00ff);
    return ((w & half) + (w >> 8 & half)) * UINT64_C(0x0001000100010001) >> 48;
}

/* Counts 8 * n bytes, n at most SUMS_MAX. A bit moves into the high one of its byte where a sum reaches 0x80. */
static void count_words(struct counts *c, const uint64_t *at, uint64_t n) {
    uint64_t lines = 0, edges = 0, last = c->in_word ? HIGHS : 0;

#pragma GCC unroll 2
    for (uint64_t i = 0; i < n; i++) {
        uint64_t w = at[i], low = w & EACH(0x7fu);
        uint64_t below_tab = EACH(0x80u + '\t' - 1) - low, above_return = low + EACH(0x80u - '\r' - 1);
        uint64_t no_space = (low ^ EACH(' ')) + EACH(0x7fu);
        uint64_t no_control = below_tab | above_return, no_blank = ((no_control & no_space) | w) & HIGHS;

        edges += (no_blank ^ (no_blank << 8 | last >> 56)) >> 7;
        last = no_blank;
        if (__builtin_expect((no_control & HIGHS) != HIGHS, 0)) /* few have one */
            lines += (~(((low ^ EACH('\n')) + EACH(0x7fu)) | w) & HIGHS) >> 7;
    }
    c->lines += sum(lines);
    c->edges += sum(edges);
    c->in_word = last >> 63;
}

static int count_block(void *context, struct os2_stream_block *block) {
    struct counts *c = context;
    const char *at = block->bytes, *end = at + block->used;

    c->bytes += block->used;
    while (end - at >= 8) {
        uint64_t n = (uint64_t)(end - at) / 8;
        n = n < SUMS_MAX ? n : SUMS_MAX;
        count_words(c, __builtin_assume_aligned(at, 8), n);
        at += n * 8;
    }
    for (; at < end; at++) {
        bool blank = *at == ' ' || (*at >= '\t' && *at <= '\r');
        c->lines += *at == '\n';
        c->edges += c->in_word == blank;
        c->in_word = !blank;
    }
    return os2_block_free(block->bytes);
}

static void counts_print(struct counts *c, const char *name) {
    os2_printf("%7lu %7lu %7lu%s%s\n", c->lines, (c->edges + c->in_word) / 2, c->bytes, name ? " " : "",
               name ? name : "");
}

static int count_input(void) {
    struct counts counts = {0};
    struct os2_stream_block block;
    int status;

    while ((status = os2_in_block(&block)) > 0)
        count_block(&counts, &block);
    if (status < 0) {
        os2_error("input: %s", os2_status_text(status));
        return 1;
    }
    counts_print(&counts, NULL);
    return 0;
}

int main(int argc, char **argv) {
    int failed = 0;

    if (argc == 1)
        return count_input();
    for (int i = 1; i < argc; i++) {
        struct counts counts = {0};
        int status = os2_read_each(argv[i], count_block, &counts);
        if (status < 0) {
            os2_error("%s: %s", argv[i], status == OS2_E_WOULD_WAIT ? "no such file" : os2_status_text(status));
            failed = 1;
        } else {
            counts_print(&counts, argv[i]);
        }
    }
    return failed;
}
