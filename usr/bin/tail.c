/* SPDX-License-Identifier: MIT */
/* tail: the last lines of files, or of the input. The lines are kept in a ring until the end is known. */
#include "os2/call.h"
#include "os2/heap.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/tool.h"

#define LINES 10u
#define LINES_MOST 100000u

struct line {
    size_t size;
    char text[];
};

static uint64_t wanted = LINES;
static struct line **ring;
static uint64_t count; /* of lines read */

static int tail_line(void *context, const char *text, size_t size) {
    struct line *line = os2_heap_alloc(sizeof(*line) + size), **place;

    (void)context;
    if (!line)
        return OS2_E_MEMORY;
    line->size = size;
    memcpy(line->text, text, size);
    place = &ring[count++ % wanted];
    os2_heap_free(*place);
    *place = line;
    return OS2_OK;
}

static void tail_print(void) {
    for (uint64_t i = count > wanted ? count - wanted : 0; i < count; i++) {
        struct line **place = &ring[i % wanted];
        os2_out_write((*place)->text, (*place)->size);
        os2_out_write("\n", 1);
        os2_heap_free(*place);
        *place = NULL;
    }
}

static int tail(const char *path) {
    int status;

    count = 0;
    status = wanted ? os2_tool_lines(path, tail_line, NULL) : OS2_OK;
    tail_print();
    return status < 0 ? os2_tool_failed(path ? path : "input", status) : 0;
}

int main(int argc, char **argv) {
    const char *value = NULL;
    unsigned flags;
    int first = os2_tool_options(argc, argv, "n:", &flags, &value);

    if (first < 0 || (value && !os2_string_number(value, &wanted)) || wanted > LINES_MOST)
        return os2_tool_usage("[-n LINES] [FILE...]");
    ring = os2_heap_alloc((wanted + 1) * sizeof(struct line *));
    if (!ring)
        return os2_tool_failed("lines", OS2_E_MEMORY);
    for (uint64_t i = 0; i < wanted; i++)
        ring[i] = NULL;
    return os2_tool_each(argc, argv, first, tail);
}
