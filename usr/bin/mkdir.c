/* SPDX-License-Identifier: MIT */
/* mkdir: make folders; -p: also those that they are in, and none that is there is wrong. */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/string.h"
#include "os2/tool.h"

/* Makes the folder and those above it. */
static int make_all(const char *path) {
    static char part[OS2_FILES_PATH];
    struct os2_file_facts facts;
    int status = os2_path_absolute(path, part);

    for (size_t i = 1; status >= 0 && part[i]; i++) {
        if (part[i] != '/')
            continue;
        part[i] = 0;
        status = os2_file_stat(part, &facts);
        if (status == OS2_FILE_E_NONE)
            status = os2_file_mkdir(part);
        part[i] = '/';
    }
    if (status >= 0)
        status = os2_file_mkdir(part);
    if (status == OS2_FILE_E_EXISTS && os2_file_stat(part, &facts) >= 0 && facts.kind & OS2_FILE_FOLDER)
        return OS2_OK;
    return status;
}

int main(int argc, char **argv) {
    unsigned above;
    int first = os2_tool_options(argc, argv, "p", &above, NULL), failed = 0;

    if (first < 0 || first == argc)
        return os2_tool_usage("[-p] FOLDER...");
    for (int i = first; i < argc; i++) {
        int status = above ? make_all(argv[i]) : os2_file_mkdir(argv[i]);
        if (status < 0)
            failed = os2_tool_failed(argv[i], status);
    }
    return failed;
}
