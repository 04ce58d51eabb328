/* SPDX-License-Identifier: MIT */
/* mv: give files and folders other names, on the same disk. A file that has the new name is replaced. */
#include "os2/file.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/tool.h"

int main(int argc, char **argv) {
    static char target[OS2_FILES_PATH];
    struct os2_file_facts facts;
    unsigned none;
    int first = os2_tool_options(argc, argv, "", &none, NULL), failed = 0;
    const char *to = argv[argc - 1];
    bool into;

    if (first < 0 || argc - first < 2)
        return os2_tool_usage("FROM... TO");
    into = os2_file_stat(to, &facts) >= 0 && facts.kind & OS2_FILE_FOLDER;
    if (argc - first > 2 && !into)
        return os2_tool_failed(to, OS2_FILE_E_NO_FOLDER);
    for (int i = first; i < argc - 1; i++) {
        int status = OS2_FILE_E_NAME;
        if (into ? os2_tool_join(target, sizeof(target), to, os2_tool_name(argv[i]))
                 : os2_string_copy(target, sizeof(target), to))
            status = os2_file_rename(argv[i], target);
        if (status < 0)
            failed = os2_tool_failed(argv[i], status);
    }
    return failed;
}
