/* SPDX-License-Identifier: MIT */
/* Clients of the device manager (os2/devices.h). */
#include "os2/devices.h"

#include "os2/call.h"
#include "os2/string.h"

int os2_devices_list(unsigned devices, unsigned index, struct os2_device_facts *ret_facts) {
    struct os2_message m = {.label = OS2_DEVICES_LIST, .w = {index}};
    int status = os2_request(devices, 0, &m);

    if (status < 0)
        return status;
    *ret_facts = (struct os2_device_facts){
        .class = (enum os2_device_class)(m.label & 0xff),
        .state = (enum os2_device_state)(m.label >> 8 & 0xff),
        .restarts = (unsigned)(m.label >> 16),
        .slot = (unsigned)m.w[2],
    };
    memcpy(ret_facts->name, &m.w[0], sizeof(ret_facts->name) - 1);
    memcpy(ret_facts->driver, &m.w[3], sizeof(ret_facts->driver) - 1);
    return OS2_OK;
}

int os2_devices_restart(unsigned devices, uint64_t slot) {
    struct os2_message m = {.label = OS2_DEVICES_RESTART, .w = {slot}};
    return os2_request(devices, 0, &m);
}
