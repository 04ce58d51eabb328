/* SPDX-License-Identifier: MIT */
/* devices: list the devices that have a driver. ID is the driver's process. */
#include "os2/devices.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/stream.h"

static const char *state_text(enum os2_device_state state) {
    static const char *const texts[] = {"runs", "waits", "given up"};
    return state <= OS2_DEVICE_GIVEN_UP ? texts[state] : "?";
}

int main(void) {
    struct os2_device_facts facts;
    unsigned devices;
    int status = os2_names_lookup(os2_start_handle("names"), "devices", true, &devices);

    if (status >= 0)
        os2_printf("%-16s %-16s %-8s %4s %8s\n", "NAME", "DRIVER", "STATE", "ID", "RESTARTS");
    for (unsigned i = 0; status >= 0; i++) {
        char id[12] = "-";
        status = os2_devices_list(devices, i, &facts);
        if (status < 0)
            break;
        if (facts.slot)
            format(id, sizeof(id), "%u", facts.slot);
        os2_printf("%-16s %-16s %-8s %4s %8u\n", facts.name, facts.driver, state_text(facts.state), id, facts.restarts);
    }
    if (status == OS2_E_INVALID) /* past the last one */
        return 0;
    os2_error("%s", os2_status_text(status));
    return 1;
}
