/* SPDX-License-Identifier: MIT */
/* Clients of the device manager (os2/devices.h). */
#include "os2/devices.h"

#include <stdbool.h>

#include "os2/call.h"
#include "os2/names.h"
#include "os2/string.h"
#include "os2/time.h"

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

#define WAIT_MS 5u

/* Whether there is nothing to wait for: the device's driver serves, or was given up. */
static bool device_settled(unsigned names, const struct os2_device_facts *facts) {
    unsigned driver;

    if (facts->state != OS2_DEVICE_RUNS)
        return facts->state == OS2_DEVICE_GIVEN_UP;
    if (os2_names_lookup(names, facts->name, false, &driver) < 0)
        return false;
    os2_handle_close(driver);
    return true;
}

int os2_devices_wait(unsigned names) {
    struct os2_device_facts facts;
    unsigned devices;
    int status = os2_names_lookup(names, "devices", true, &devices);

    if (status < 0)
        return status;
    for (unsigned i = 0; (status = os2_devices_list(devices, i, &facts)) >= 0;) {
        if (device_settled(names, &facts))
            i++;
        else
            os2_sleep_ms(WAIT_MS);
    }
    os2_handle_close(devices);
    return status == OS2_E_INVALID ? OS2_OK : status; /* past the last one */
}

int os2_devices_restart(unsigned devices, uint64_t slot) {
    struct os2_message m = {.label = OS2_DEVICES_RESTART, .w = {slot}};
    return os2_request(devices, 0, &m);
}
