/* SPDX-License-Identifier: MIT */
/* touch: make files that are not there, empty. */
#include "os2/file.h"
#include "os2/tool.h"

int main(int argc, char **argv) {
    int failed = 0;

    if (argc == 1)
        return os2_tool_usage("FILE...");
    for (int i = 1; i < argc; i++) {
        static struct os2_file file;
        int status = os2_file_open(&file, argv[i], OS2_OPEN_WRITE | OS2_OPEN_CREATE);
        if (status < 0)
            failed = os2_tool_failed(argv[i], status);
        os2_file_close(&file);
    }
    return failed;
}
