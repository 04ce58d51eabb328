/* SPDX-License-Identifier: MIT */
/*
 * watch: runs a program again and again, each time on a cleared screen; ^C ends it. The program gets what this one has:
 * the names, the console, and the right to look at the machine.
 */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"
#include "os2/tool.h"

#define SECONDS 2u
#define BIT_ENDED 1u
#define QUOTA_SHARE 2u

/* Grants a copy of a handle of this program. */
static int grant(struct os2_child *child, const char *name) {
    unsigned handle = os2_start_handle(name);
    return handle ? os2_child_grant(child, name, handle, OS2_RIGHTS_ALL) : OS2_OK;
}

/* Runs the program once. A status; it has been said then. */
static int run(const void *image, uint64_t size, int argc, char **argv) {
    struct os2_child_plan plan = {.image = image,
                                  .image_size = size,
                                  .process = {.quota = os2_quota_left() / QUOTA_SHARE,
                                              .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS,
                                              .end_bits = BIT_ENDED,
                                              .name = os2_tool_name(argv[0])}};
    const char *reason = NULL;
    struct os2_child child;
    int status = os2_child_create(&plan, &child, &reason);

    if (status >= 0) {
        child.columns = os2_start_columns();
        status = grant(&child, "names");
        status = status < 0 ? status : grant(&child, "console.out");
        status = status < 0 ? status : grant(&child, "machine");
        status = status < 0 ? status : os2_child_start(&child, (unsigned)argc, (const char *const *)argv);
    }
    if (status < 0)
        os2_error("%s: cannot start: %s", argv[0], reason ? reason : os2_status_text(status));
    while (status >= 0) {
        struct os2_message m = {0};
        status = os2_receive(0, &m);
        if (status >= 0 && m.control & OS2_I_BITS)
            break;
    }
    os2_child_drop(&child);
    return status;
}

int main(int argc, char **argv) {
    static char path[OS2_FILES_PATH];
    uint64_t seconds = SECONDS, size;
    const char *value = NULL;
    unsigned flags;
    int first = os2_tool_options(argc, argv, "n:", &flags, &value), status;
    bool has_slash = false;
    void *image;

    if (first < 0 || first == argc || (value && !os2_string_number(value, &seconds)))
        return os2_tool_usage("[-n SECONDS] PROGRAM [ARGUMENT...]");
    for (const char *c = argv[first]; *c; c++)
        has_slash |= *c == '/';
    if (!os2_tool_join(path, sizeof(path), has_slash ? "." : OS2_FOLDER_FIRST, argv[first]))
        return os2_tool_failed(argv[first], OS2_FILE_E_NAME);
    status = os2_file_load(argv[first][0] == '/' ? argv[first] : path, &image, &size);
    if (status < 0)
        return os2_tool_failed(argv[first], status);
    for (;;) {
        os2_printf("\x1b[H\x1b[2Jevery %lu s:", seconds);
        for (int i = first; i < argc; i++)
            os2_printf(" %s", argv[i]);
        os2_printf("    up %lu s\n", os2_now_ns() / 1000000000);
        if (os2_out_flush() < 0 || run(image, size, argc - first, argv + first) < 0)
            return 1;
        os2_sleep_ms(seconds * 1000);
    }
}
