/* SPDX-License-Identifier: MIT */
/* tee: gives its input on, and writes it to files too; -a: behind what these have. */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/tool.h"

#define FILES 4

static struct os2_file files[FILES];

int main(int argc, char **argv) {
    struct os2_stream_block block;
    unsigned append;
    int first = os2_tool_options(argc, argv, "a", &append, NULL), failed = 0, status;

    if (first < 0 || argc - first > FILES)
        return os2_tool_usage("[-a] [FILE...], four at the most");
    for (int i = first; i < argc; i++) {
        struct os2_file *file = &files[i - first];
        status = os2_file_open(file, argv[i], OS2_OPEN_WRITE | OS2_OPEN_CREATE | (append ? 0 : OS2_OPEN_TRUNCATE));
        if (status < 0)
            failed = os2_tool_failed(argv[i], status);
        file->offset = append ? file->size : 0;
    }
    while ((status = os2_in_block(&block)) > 0) {
        for (int i = first; i < argc; i++) {
            struct os2_file *file = &files[i - first];
            status = file->handle ? os2_file_write(file, block.bytes, block.used) : OS2_OK;
            if (status < 0) {
                failed = os2_tool_failed(argv[i], status);
                os2_file_close(file);
            }
        }
        if (os2_out_block(&block) < 0)
            return 1;
    }
    for (int i = 0; i < FILES; i++)
        os2_file_close(&files[i]);
    return status < 0 ? os2_tool_failed("input", status) : failed;
}
