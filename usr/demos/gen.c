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

/* Fills `bytes` with the text that starts at `offset` of the whole. */
static void gen_fill(char *bytes, uint64_t size, uint64_t offset) {
    static const char words[] = "  every page has one owner, and a message moves it ";
    char line[LINE + 1];

    for (uint64_t at = 0; at < size;) {
        uint64_t number = (offset + at) / LINE, skip = (offset + at) % LINE, part = LINE - skip;
        for (unsigned i = 12; i-- > 0; number /= 10)
            line[i] = (char)('0' + number % 10);
        memcpy(line + 12, words, LINE - 13);
        line[LINE - 1] = '\n';
        if (part > size - at)
            part = size - at;
        memcpy(bytes + at, line + skip, part);
        at += part;
    }
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
        gen_fill(block.bytes, block.used, offset);
        offset += block.used;
        if (os2_out_block(&block) < 0)
            return 1;
    }
    return 0;
}
