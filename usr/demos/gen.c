/* SPDX-License-Identifier: MIT */
/*
 * gen: write so many bytes of text.
 *
 * Lines of 64 bytes that count themselves. To a neighbour in a pipeline they go in blocks as large as is sensible,
 * which move; each block's text is made in the block.
 */
#include "os2/call.h"
#include "os2/spawn.h"
#include "os2/stream.h"
#include "os2/string.h"

#define LINE 64u

#define DIGITS 12u

/* The next line to write. */
static union {
    char text[LINE + 1];
    uint64_t words[LINE / 8];
} line = {"000000000000  every page has one owner, and a message moves it \n"};
_Static_assert(sizeof("000000000000  every page has one owner, and a message moves it \n") == LINE + 1, "a line");

static void gen_next(void) {
    unsigned i = DIGITS - 1;
    while (++line.text[i] > '9' && i > 0)
        line.text[i--] = '0';
}

/* Fills `bytes`, the start of a block, whose size is that of whole lines or the rest of the text. */
static void gen_fill(char *bytes, uint64_t size) {
    for (; size >= LINE; size -= LINE, bytes += LINE) {
        uint64_t *to = __builtin_assume_aligned(bytes, sizeof *to);
#pragma GCC unroll 8
        for (unsigned i = 0; i < LINE / sizeof *to; i++)
            to[i] = line.words[i];
        gen_next();
    }
    memcpy(bytes, line.text, size);
}

/* The order of a block for what is left: no larger than that, than an eighth of the quota, and than one leaf. */
static unsigned gen_order(uint64_t left) {
    uint64_t pages = os2_quota_left() / 8;
    unsigned order = 0, most = os2_out_is_pipe() ? OS2_STREAM_ORDER : 2;
    while (order < most && (UINT64_C(2) << order) <= pages && OS2_PAGE_SIZE << order < left)
        order++;
    return order;
}

int main(int argc, char **argv) {
    uint64_t size, offset = 0;

    if (argc != 2 || !os2_string_size(argv[1], &size)) {
        os2_error("how many bytes? (a number, with K, M or G behind it)");
        return 2;
    }
    while (offset < size) {
        struct os2_stream_block block = {.order = gen_order(size - offset)};
        void *memory;
        int status;

        while ((status = os2_block_alloc(block.order, &memory)) == OS2_E_MEMORY && block.order > 0)
            block.order--;
        if (status < 0) {
            os2_error("%s", os2_status_text(status));
            return 1;
        }
        block.bytes = memory;
        block.used = OS2_PAGE_SIZE << block.order;
        if (block.used > size - offset)
            block.used = size - offset;
        gen_fill(block.bytes, block.used);
        offset += block.used;
        if (os2_out_block(&block) < 0)
            return 1;
    }
    return 0;
}
