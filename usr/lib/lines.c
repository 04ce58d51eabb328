/* SPDX-License-Identifier: MIT */
/*
 * Lines of files and of the input (os2/tool.h). A line within a block is handed on where it lies; one that goes over a
 * block's end is put together on the heap first.
 */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/heap.h"
#include "os2/read.h"
#include "os2/string.h"
#include "os2/tool.h"

#define LINES_LEAST 256u

struct lines {
    os2_tool_line *take;
    void *context;
    char *rest; /* of a line that has not ended; null: none */
    size_t used, room;
    int status;
};

/* Adds to the line that has not ended. */
static int lines_add(struct lines *l, const char *bytes, size_t size) {
    if (l->used + size > l->room) {
        size_t room = 2 * (l->used + size) > LINES_LEAST ? 2 * (l->used + size) : LINES_LEAST;
        char *more = os2_heap_alloc(room);
        if (!more)
            return OS2_E_MEMORY;
        if (l->used)
            memcpy(more, l->rest, l->used);
        os2_heap_free(l->rest);
        l->rest = more;
        l->room = room;
    }
    memcpy(l->rest + l->used, bytes, size);
    l->used += size;
    return OS2_OK;
}

static int lines_take(struct lines *l, const char *bytes, size_t size) {
    int status;

    if (!l->used)
        return l->take(l->context, bytes, size);
    status = lines_add(l, bytes, size);
    if (status >= 0)
        status = l->take(l->context, l->rest, l->used);
    l->used = 0;
    return status;
}

static int lines_block(void *context, struct os2_stream_block *block) {
    struct lines *l = context;
    const char *at = block->bytes, *end = at + block->used;

    while (at < end && l->status >= 0) {
        const char *line = at;
        while (at < end && *at != '\n')
            at++;
        if (at < end)
            l->status = lines_take(l, line, (size_t)(at++ - line));
        else
            l->status = lines_add(l, line, (size_t)(at - line));
    }
    os2_block_free(block->bytes);
    return l->status;
}

int os2_tool_lines(const char *path, os2_tool_line *take, void *context) {
    struct lines l = {.take = take, .context = context};
    struct os2_stream_block block;
    int status;

    if (path) {
        status = os2_read_each(path, lines_block, &l);
    } else {
        while ((status = os2_in_block(&block)) > 0 && (status = lines_block(&l, &block)) >= 0) {
        }
    }
    if (status >= 0 && l.used)
        status = take(context, l.rest, l.used);
    os2_heap_free(l.rest);
    return status;
}

int os2_tool_each(int argc, char **argv, int first, int (*one)(const char *path)) {
    int failed = 0;

    if (first == argc)
        return one(NULL);
    for (int i = first; i < argc; i++) {
        struct os2_file_facts facts;
        int status = os2_file_stat(argv[i], &facts);
        if (status < 0) {
            failed = os2_tool_failed(argv[i], status);
            continue;
        }
        if (argc - first > 1)
            os2_printf("%s==> %s <==\n", i > first ? "\n" : "", argv[i]);
        failed |= one(argv[i]);
    }
    return failed;
}
