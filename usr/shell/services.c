/* SPDX-License-Identifier: MIT */
/*
 * Finding services (shell/services.h). A service that has just ended is known for a moment longer than it lives, so a
 * handle is looked at before it is used, and looked up a while.
 */
#include "shell/services.h"

#include "os2/call.h"
#include "os2/devices.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define SERVICE_TRIES 100u
#define SERVICE_PAUSE_MS 20u

static unsigned console_handle, names_handle, devices_handle;

/* Forgets a handle whose process has ended; withdrawing a watch that was never asked for tells. */
static void handle_check(unsigned *handle) {
    if (*handle && os2_watch(*handle, 0) == OS2_E_DIED) {
        os2_handle_close(*handle);
        *handle = 0;
    }
}

unsigned services_names(void) {
    /* One that has just been killed is handed out until its supervisor knows. */
    handle_check(&names_handle);
    for (unsigned tries = 0; !names_handle && tries < SERVICE_TRIES; tries++) {
        if (tries)
            os2_sleep_ms(SERVICE_PAUSE_MS);
        if (os2_supervisor_names(os2_start_handle("init"), &names_handle) >= 0)
            handle_check(&names_handle);
    }
    return names_handle;
}

/* Looks a service up, with a new handle to the name service if that has ended. */
static unsigned service_find(const char *name, unsigned *handle) {
    handle_check(handle);
    for (unsigned tries = 0; !*handle && tries < SERVICE_TRIES; tries++) {
        if (tries)
            os2_sleep_ms(SERVICE_PAUSE_MS);
        if (services_names() && os2_names_lookup(names_handle, name, true, handle) >= 0)
            handle_check(handle);
    }
    return *handle;
}

unsigned services_console(void) {
    return service_find("console", &console_handle);
}

void services_disks(void) {
    unsigned devices = 0;

    for (unsigned tries = 0; !devices && tries < SERVICE_TRIES; tries++) {
        if (tries)
            os2_sleep_ms(SERVICE_PAUSE_MS);
        if (!services_names() || os2_names_lookup(names_handle, "devices", false, &devices) < 0)
            devices = 0;
    }
    if (devices)
        os2_handle_close(devices);
}

int services_restart_driver(uint64_t slot) {
    return service_find("devices", &devices_handle) ? os2_devices_restart(devices_handle, slot) : OS2_E_DIED;
}
