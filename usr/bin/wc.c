/* SPDX-License-Identifier: MIT */
/* wc: count lines, words and bytes of files, or of the input. */
#include "os2/call.h"
#include "os2/read.h"
#include "os2/stream.h"

struct counts {
    uint64_t lines, words, bytes;
    bool in_word;
};

static int count_block(void *context, struct os2_stream_block *block) {
    struct counts *c = context;

    for (uint64_t i = 0; i < block->used; i++) {
        char byte = block->bytes[i];
        bool blank = byte == ' ' || (byte >= '\t' && byte <= '\r');
        c->lines += byte == '\n';
        c->words += c->in_word && blank;
        c->in_word = !blank;
    }
    c->bytes += block->used;
    return os2_block_free(block->bytes);
}

static void counts_print(struct counts *c, const char *name) {
    os2_printf("%7lu %7lu %7lu%s%s\n", c->lines, c->words + c->in_word, c->bytes, name ? " " : "", name ? name : "");
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
