/* SPDX-License-Identifier: MIT */
/* df: how full the disks are. */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/stream.h"
#include "os2/tool.h"

int main(void) {
    struct os2_mount mount;
    int status, failed = 0;

    os2_printf("%-16s %6s %6s %6s %5s\n", "FOLDER", "SIZE", "USED", "FREE", "FULL");
    for (unsigned i = 0; (status = os2_file_mount(i, &mount)) >= 0; i++) {
        char size[OS2_TOOL_SIZE], used[OS2_TOOL_SIZE], left[OS2_TOOL_SIZE];
        uint64_t total, free;

        status = os2_file_space(mount.path, &total, &free);
        if (status < 0) {
            failed = os2_tool_failed(mount.path, status);
            continue;
        }
        os2_printf("%-16s %6s %6s %6s %4lu%%\n", mount.path, os2_tool_size(total, size),
                   os2_tool_size(total - free, used), os2_tool_size(free, left),
                   total ? (total - free) * 100 / total : 100);
    }
    return status == OS2_E_INVALID ? failed : os2_tool_failed("the list", status);
}
