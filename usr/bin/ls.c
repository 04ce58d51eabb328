/* SPDX-License-Identifier: MIT */
/* ls: list the files of the working folder, or those named, with their sizes. */
#include "os2/call.h"
#include "os2/file.h"

static int list_folder(const char *path) {
    const struct os2_files_entry *entry;
    struct os2_folder folder;
    int status = os2_folder_open(&folder, path);

    if (status < 0)
        return status;
    while ((status = os2_folder_next(&folder, &entry)) > 0)
        os2_printf("%8lu  %s%s\n", entry->bytes, entry->name, entry->kind & OS2_FILE_FOLDER ? "/" : "");
    os2_folder_close(&folder);
    return status;
}

static int list(const char *path) {
    struct os2_file_facts facts;
    int status = os2_file_stat(path, &facts);

    if (status >= 0 && facts.kind & OS2_FILE_FOLDER)
        status = list_folder(path);
    else if (status >= 0)
        os2_printf("%8lu  %s\n", facts.size, path);
    if (status < 0)
        os2_error("%s: %s", path, os2_status_text(status));
    return status < 0;
}

int main(int argc, char **argv) {
    int failed = argc == 1 ? list(".") : 0;

    for (int i = 1; i < argc; i++)
        failed |= list(argv[i]);
    return failed;
}
