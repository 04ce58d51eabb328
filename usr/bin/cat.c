/* SPDX-License-Identifier: MIT */
/* cat: print files one after the other, or the input. */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/stream.h"

static int cat_block(void *context, struct os2_stream_block *block) {
    (void)context;
    return os2_out_block(block);
}

static int cat_input(void) {
    struct os2_stream_block block;
    int status;

    while ((status = os2_in_block(&block)) > 0)
        if (os2_out_block(&block) < 0)
            return 1;
    if (status < 0)
        os2_error("input: %s", os2_status_text(status));
    return status < 0;
}

int main(int argc, char **argv) {
    int failed = 0;

    if (argc == 1)
        return cat_input();
    for (int i = 1; i < argc; i++) {
        int status = os2_file_each(argv[i], cat_block, NULL);
        if (status < 0 && os2_out_flush() < 0)
            return 1; /* nobody reads on */
        if (status < 0) {
            os2_error("%s: %s", argv[i], status == OS2_E_WOULD_WAIT ? "no such file" : os2_status_text(status));
            failed = 1;
        }
    }
    return failed;
}
