/* SPDX-License-Identifier: MIT */
/* head: the first lines of files, or of the input. */
#include "os2/call.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/tool.h"

#define LINES 10u
#define ENOUGH OS2_E_WOULD_WAIT /* to end the reading with */

static uint64_t wanted = LINES;

static int head_line(void *context, const char *line, size_t size) {
    uint64_t *left = context;
    int status;

    if (!*left)
        return ENOUGH;
    status = os2_out_write(line, size);
    if (status >= 0)
        status = os2_out_write("\n", 1);
    return status < 0 ? status : --*left ? OS2_OK : ENOUGH;
}

static int head(const char *path) {
    uint64_t left = wanted;
    int status = os2_tool_lines(path, head_line, &left);

    if (status >= 0 || status == ENOUGH)
        return 0;
    if (os2_out_flush() < 0)
        return 1;
    return os2_tool_failed(path ? path : "input", status);
}

int main(int argc, char **argv) {
    const char *value = NULL;
    unsigned flags;
    int first = os2_tool_options(argc, argv, "n:", &flags, &value);

    if (first < 0 || (value && !os2_string_number(value, &wanted)))
        return os2_tool_usage("[-n LINES] [FILE...]");
    return os2_tool_each(argc, argv, first, head);
}
