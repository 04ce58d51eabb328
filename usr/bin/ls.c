/* SPDX-License-Identifier: MIT */
/* ls: list the files, or those named, with their sizes. */
#include "os2/call.h"
#include "os2/files.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/stream.h"

static int list_all(unsigned files) {
    char path[OS2_FILES_PATH + 1];
    uint64_t size;
    int status = OS2_OK;

    for (uint64_t i = 0; status >= 0; i++) {
        status = os2_files_list(files, i, path, &size);
        if (status >= 0)
            os2_printf("%8lu  %s\n", size, path);
    }
    if (status == OS2_E_INVALID) /* the end of the list */
        return 0;
    os2_error("%s", os2_status_text(status));
    return 1;
}

int main(int argc, char **argv) {
    unsigned files;
    int status = os2_names_lookup(os2_start_handle("names"), "files", true, &files), failed = 0;

    if (status < 0) {
        os2_error("%s", os2_status_text(status));
        return 1;
    }
    if (argc == 1)
        return list_all(files);
    for (int i = 1; i < argc; i++) {
        uint64_t file, size;

        status = os2_files_open(files, argv[i], &file, &size);
        if (status >= 0) {
            os2_printf("%8lu  %s\n", size, argv[i]);
            continue;
        }
        os2_error("%s: %s", argv[i], status == OS2_E_WOULD_WAIT ? "no such file" : os2_status_text(status));
        failed = 1;
    }
    return failed;
}
