/* SPDX-License-Identifier: MIT */
/*
 * Reading files by their names (os2/read.h).
 */
#include "os2/read.h"

#include "os2/call.h"
#include "os2/files.h"
#include "os2/names.h"
#include "os2/start.h"

#define READ_ORDER 4u

int os2_read_each(const char *path, os2_read_function *take, void *context) {
    static unsigned files;
    uint64_t file, size, offset = 0;
    int status = OS2_OK;

    if (!files)
        status = os2_names_lookup(os2_start_handle("names"), "files", true, &files);
    if (status >= 0)
        status = os2_files_open(files, path, &file, &size);
    while (status >= 0 && offset < size) {
        struct os2_stream_block block = {0};
        void *memory;

        while (block.order < READ_ORDER && OS2_PAGE_SIZE << block.order < size - offset)
            block.order++;
        status = os2_files_read(files, file, offset, block.order, &memory, &block.used);
        if (status < 0)
            break;
        block.bytes = memory;
        offset += block.used;
        if (!block.used) {
            os2_block_free(memory);
            return OS2_E_INVALID;
        }
        status = take(context, &block);
    }
    return status;
}

int os2_read_whole(const char *path, void **ret_block, uint64_t *ret_size) {
    unsigned files;
    int status = os2_names_lookup(os2_start_handle("names"), "files", true, &files);

    if (status < 0)
        return status;
    status = os2_files_load(files, path, ret_block, ret_size);
    os2_handle_close(files);
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
            os2_error("%s: %s", argv[i], status == OS2_E_WOULD_WAIT ? "no such file" : os2_status_text(status));
            failed = 1;
        }
    }
    return failed;
}
