/* SPDX-License-Identifier: MIT */
/* What small tools have in common (os2/tool.h). */
#include "os2/tool.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/wallclock.h"

/* The bit of a letter; -1: there is none. */
static int option_find(const char *letters, char letter) {
    for (int i = 0; letters[i]; i++)
        if (letters[i] == letter && letter != ':')
            return i;
    return -1;
}

int os2_tool_options(int argc, char **argv, const char *letters, unsigned *ret_flags, const char **ret_value) {
    int at = 1;

    *ret_flags = 0;
    for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        const char *option = argv[at] + 1;
        if (strcmp(option, "-") == 0)
            return at + 1;
        for (; *option; option++) {
            int bit = option_find(letters, *option);
            if (bit < 0) {
                os2_error("there is no option -%c", *option);
                return -1;
            }
            *ret_flags |= 1u << bit;
            if (letters[bit + 1] != ':')
                continue;
            if (!option[1] && at + 1 == argc) {
                os2_error("-%c needs a value", *option);
                return -1;
            }
            *ret_value = option[1] ? option + 1 : argv[++at];
            break;
        }
    }
    return at;
}

int os2_tool_failed(const char *path, int status) {
    os2_error("%s: %s", path, os2_status_text(status));
    return 1;
}

int os2_tool_usage(const char *arguments) {
    os2_error("give %s", arguments);
    return 2;
}

const char *os2_tool_size(uint64_t bytes, char text[OS2_TOOL_SIZE]) {
    static const char units[] = "KMGTPE";
    unsigned unit = 0;

    if (bytes < 1024) {
        format(text, OS2_TOOL_SIZE, "%lu", bytes);
        return text;
    }
    while (unit < 5 && bytes >= UINT64_C(1024) * 1024) {
        bytes = bytes / 1024 + (bytes % 1024 != 0);
        unit++;
    }
    if (bytes <= 10 * 1024 - 103) { /* tenths, rounded up, below 10 */
        uint64_t tenths = (bytes * 10 + 1023) / 1024;
        format(text, OS2_TOOL_SIZE, "%lu.%lu%c", tenths / 10, tenths % 10, units[unit]);
    } else {
        format(text, OS2_TOOL_SIZE, "%lu%c", (bytes + 1023) / 1024, units[unit]);
    }
    return text;
}

const char *os2_tool_date(uint64_t seconds, char text[OS2_TOOL_DATE]) {
    struct os2_date date;

    if (!seconds)
        return "-";
    os2_date_of(seconds, &date);
    format(text, OS2_TOOL_DATE, "%04u-%02u-%02u %02u:%02u:%02u", date.year, date.month, date.day, date.hour,
           date.minute, date.second);
    return text;
}

const char *os2_tool_name(const char *path) {
    const char *name = path;
    for (; *path; path++)
        if (path[0] == '/' && path[1])
            name = path + 1;
    return name;
}

bool os2_tool_join(char *to, size_t size, const char *folder, const char *name) {
    size_t length = strlen(folder);
    return format(to, size, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", name) < size;
}
