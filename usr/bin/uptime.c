/* SPDX-License-Identifier: MIT */
/* uptime: for how long the machine has been up, and how busy its cores were. */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/time.h"

/* How much of the time since boot all cores together were busy, in tenths of a core. */
static uint64_t busy_tenths(unsigned machine, uint64_t cores) {
    uint64_t ticks = os2_clock(NULL), busy = 0;

    for (uint64_t i = 0; i < cores; i++) {
        struct os2_message m;
        if (os2_machine_info(machine, OS2_MACHINE_CORE, i, &m) >= 0 && m.caller)
            busy += m.w[2] < ticks ? ticks - m.w[2] : 0;
    }
    return ticks ? busy * 10 / ticks : 0;
}

int main(void) {
    unsigned machine = os2_start_handle("machine");
    uint64_t seconds = os2_now_ns() / 1000000000, tenths;
    struct os2_message about;

    if (!machine || os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &about) < 0) {
        os2_error("no handle to look at the machine with");
        return 1;
    }
    tenths = busy_tenths(machine, about.label);
    os2_printf("up ");
    if (seconds >= 86400)
        os2_printf("%lu days ", seconds / 86400);
    os2_printf("%lu:%02lu:%02lu, %lu cores, %lu.%lu of them busy so far\n", seconds / 3600 % 24, seconds / 60 % 60,
               seconds % 60, about.label, tenths / 10, tenths % 10);
    return 0;
}
