/* SPDX-License-Identifier: MIT */
/* cmp: whether two files are the same, and if not, from where on. Status 0: they are, 1: not, 2: something is wrong. */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/string.h"
#include "os2/tool.h"

#define BLOCK_ORDER 4u

struct side {
    const char *path;
    struct os2_file file;
    struct os2_stream_block block;
    uint64_t at; /* in the block */
    bool ended;
};

static struct side sides[2];
static uint64_t offset, line = 1;

/* Has more bytes at hand, unless the file has ended. A status. */
static int side_fill(struct side *s) {
    int status;

    if (s->ended || s->at < s->block.used)
        return OS2_OK;
    if (s->block.bytes)
        os2_block_free(s->block.bytes);
    s->block.bytes = NULL;
    s->block.used = s->at = 0;
    status = os2_file_read_block(&s->file, BLOCK_ORDER, &s->block);
    s->ended = status == 0;
    return status < 0 ? status : OS2_OK;
}

/* Goes over what both have at hand. False: a byte is not the same, which has been said. */
static bool compare_part(struct side *a, struct side *b) {
    uint64_t left = a->block.used - a->at, other = b->block.used - b->at;

    for (left = left < other ? left : other; left; left--, offset++) {
        char byte = a->block.bytes[a->at++];
        if (byte != b->block.bytes[b->at++]) {
            os2_printf("%s %s differ: byte %lu, line %lu\n", a->path, b->path, offset + 1, line);
            return false;
        }
        line += byte == '\n';
    }
    return true;
}

static int compare(struct side *a, struct side *b) {
    for (;;) {
        for (unsigned i = 0; i < 2; i++) {
            int status = side_fill(&sides[i]);
            if (status < 0)
                return os2_tool_failed(sides[i].path, status) + 1;
        }
        if (a->ended || b->ended) {
            if (a->ended != b->ended)
                os2_printf("%s ends after byte %lu\n", a->ended ? a->path : b->path, offset);
            return a->ended != b->ended;
        }
        if (!compare_part(a, b))
            return 1;
    }
}

int main(int argc, char **argv) {
    if (argc != 3)
        return os2_tool_usage("FILE FILE");
    for (unsigned i = 0; i < 2; i++) {
        int status;
        sides[i].path = argv[1 + i];
        status = os2_file_open(&sides[i].file, argv[1 + i], OS2_OPEN_READ);
        if (status < 0)
            return os2_tool_failed(argv[1 + i], status) + 1;
    }
    return compare(&sides[0], &sides[1]);
}
