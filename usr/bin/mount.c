/* SPDX-License-Identifier: MIT */
/* mount: list the file systems that there are, and where. */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/stream.h"
#include "os2/tool.h"

int main(void) {
    struct os2_mount mount;
    int status;

    for (unsigned i = 0; (status = os2_file_mount(i, &mount)) >= 0; i++)
        os2_printf("%s: %s on %s, read%s\n", mount.path, mount.kind, mount.device,
                   mount.read_only ? " only" : " and write");
    return status == OS2_E_INVALID ? 0 : os2_tool_failed("the list", status);
}
