/* SPDX-License-Identifier: MIT */
/* Clients of the device manager (os2/devices.h). */
#include "os2/devices.h"

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

int os2_devices_wait(unsigned names) {
    struct os2_device_facts facts;
    unsigned devices, driver;
    int status = os2_names_lookup(names, "devices", true, &devices);

    for (unsigned i = 0; status >= 0; i++) {
        while ((status = os2_devices_list(devices, i, &facts)) >= 0 && facts.state == OS2_DEVICE_WAITS)
            os2_sleep_ms(WAIT_MS);
        if (status >= 0 && facts.state == OS2_DEVICE_RUNS) {
            status = os2_names_lookup(names, facts.name, true, &driver);
            if (status >= 0)
                os2_handle_close(driver);
        }
    }
    os2_handle_close(devices);
    return status == OS2_E_INVALID ? OS2_OK : status; /* past the last one */
}

int os2_devices_restart(unsigned devices, uint64_t slot) {
    struct os2_message m = {.label = OS2_DEVICES_RESTART, .w = {slot}};
    return os2_request(devices, 0, &m);
}
