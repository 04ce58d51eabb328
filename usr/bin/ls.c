/* SPDX-License-Identifier: MIT */
/* ls: list the files with their sizes. */
#include "os2/call.h"
#include "os2/files.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/stream.h"

int main(void) {
    char path[OS2_FILES_PATH + 1];
    uint64_t size;
    unsigned files;
    int status = os2_names_lookup(os2_start_handle("names"), "files", true, &files);

    for (uint64_t i = 0; status >= 0; i++) {
        status = os2_files_list(files, i, path, &size);
        if (status >= 0)
            os2_printf("%8lu  %s\n", size, path);
    }
    if (status != OS2_E_INVALID) { /* the end of the list */
        os2_error("%s", os2_status_text(status));
        return 1;
    }
    return 0;
}
