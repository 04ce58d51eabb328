/* SPDX-License-Identifier: MIT */
/* cores: what each core has done since the machine started. */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/time.h"

int main(void) {
    unsigned machine = os2_start_handle("machine");
    struct os2_message about;

    if (!machine || os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &about) < 0) {
        os2_error("no handle to look at the machine with");
        return 1;
    }
    os2_printf("%4s %8s %10s %8s %8s %6s %10s %s\n", "CORE", "FIRMWARE", "TURNS", "STEALS", "STOLEN", "IDLE",
               "INTERRUPTS", "STATE");
    for (uint64_t i = 0; i < about.label; i++) {
        struct os2_message m;
        uint64_t rate, ticks = os2_clock(&rate), idle;
        if (os2_machine_info(machine, OS2_MACHINE_CORE, i, &m) < 0)
            continue;
        idle = ticks ? m.w[2] * 100 / ticks : 0;
        os2_printf("%4lu %8lu %10lu %8lu %8lu %5lu%% %10lu %s\n", i, m.label, m.w[0], m.w[1] >> 32, m.w[1] & 0xffffffff,
                   idle < 100 ? idle : 100, m.w[3], m.caller ? "runs" : "off");
    }
    return 0;
}
