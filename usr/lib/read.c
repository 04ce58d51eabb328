/* SPDX-License-Identifier: MIT */
/*
 * Reading files by their names (os2/read.h).
 */
#include "os2/read.h"

#include "os2/call.h"
#include "os2/file.h"

#define READ_ORDER 4u

int os2_read_each(const char *path, os2_read_function *take, void *context) {
    struct os2_file file;
    struct os2_stream_block block;
    int status = os2_file_open(&file, path, OS2_OPEN_READ);

    if (status < 0)
        return status;
    while ((status = os2_file_read_block(&file, READ_ORDER, &block)) > 0)
        if ((status = take(context, &block)) < 0)
            break;
    os2_file_close(&file);
    return status;
}

static int read_input(os2_read_function *take, void *context) {
    struct os2_stream_block block;
    int status;

    while ((status = os2_in_block(&block)) > 0)
        if (take(context, &block) < 0)
            return 1;
    if (status < 0)
        os2_error("input: %s", os2_status_text(status));
    return status < 0;
}

int os2_read_arguments(int argc, char **argv, os2_read_function *take, void *context) {
    int failed = 0;

    if (argc == 1)
        return read_input(take, context);
    for (int i = 1; i < argc; i++) {
        int status = os2_read_each(argv[i], take, context);
        if (status < 0 && os2_out_flush() < 0)
            return 1; /* nobody reads on */
        if (status < 0) {
            os2_error("%s: %s", argv[i], os2_status_text(status));
            failed = 1;
        }
    }
    return failed;
}
