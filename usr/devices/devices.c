/* SPDX-License-Identifier: MIT */
/*
 * The device manager: finds the machine's devices, and starts one driver for each that has one.
 *
 * init starts it as a service, with the right to claim devices, and copies of the device tree and of the archive of
 * drivers; arguments: address and size of each. A driver gets what its device needs, and nothing else: the registers as
 * blocks, one interrupt, the log, and a handle "init" to this process. Through that it asks for the name service, as
 * services ask init, which this process asks in turn: so a driver is a service like others, but not init's to know.
 *
 * Order matters, because a device may be a bus master:
 *
 *   1. All devices are found and reset. Only then is init asked for the name service, for the first time. What init
 *      keeps of a device manager before this one, and the kernel of its drivers (ipc/end.c), goes back then.
 *   2. Drivers are started.
 *   3. When a driver ends its device is reset, and then its control handle is closed.
 *
 * A driver that ends is started again like a service of init: after 100 ms, doubled each time up to 10 s. One that has
 * ended ENDS_MOST times within ENDS_WINDOW_MS is given up (start.c); the others go on.
 */
#include "devices/devices.h"

#include "os2/call.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define BIT_NAMES (UINT64_C(1) << 63)
#define NAMES_RETRY_MS 200u

static struct devices devices;

uint64_t devices_now_ms(void) {
    return os2_now_ns() / 1000000;
}

static int serve_list(const struct os2_message *m) {
    struct os2_message answer = {.caller = m->caller};
    const struct device *device;

    if (m->w[0] >= devices.count)
        return OS2_E_INVALID;
    device = &devices.device[m->w[0]];
    answer.label = (uint64_t)device->kind->class | (uint64_t)device->state << 8 | (uint64_t)device->restarts << 16;
    memcpy(&answer.w[0], device->name, OS2_START_NAME);
    answer.w[2] = device->state == OS2_DEVICE_RUNS ? device->child.id & OS2_ID_SLOT_MASK : 0;
    for (size_t i = 0; i < OS2_START_NAME && device->kind->program[i]; i++)
        ((char *)&answer.w[3])[i] = device->kind->program[i];
    return os2_reply(0, &answer);
}

/* Ends a driver, which is then started again. */
static int serve_restart(const struct os2_message *m) {
    for (unsigned i = 0; i < devices.count; i++) {
        struct device *device = &devices.device[i];
        if (device->state != OS2_DEVICE_RUNS || (device->child.id & OS2_ID_SLOT_MASK) != m->w[0])
            continue;
        device->ends = device->backoff_ms = 0; /* it is wanted, so it is not counted */
        os2_process_kill(device->child.control);
        return os2_reply(0, &(struct os2_message){.caller = m->caller});
    }
    return OS2_E_INVALID;
}

static void serve(const struct os2_message *m) {
    int status = OS2_E_INVALID;

    if (!m->caller)
        return;
    if (m->badge >= DEVICES_DRIVER_BADGE)
        status = m->label == OS2_SUPERVISOR_NAMES ? os2_supervisor_pass_names(m->caller) : OS2_E_RIGHTS;
    else if (m->label == OS2_DEVICES_LIST)
        status = serve_list(m);
    else if (m->label == OS2_DEVICES_RESTART)
        status = m->badge == 0 ? serve_restart(m) : OS2_E_RIGHTS;
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(m->caller, status);
}

/* Starts those whose time has come; disks first, where there is not enough memory for all. */
static void start_due(void) {
    uint64_t now = devices_now_ms();

    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < devices.count; i++) {
            struct device *device = &devices.device[i];
            if ((device->kind->class == OS2_CLASS_DISK) == (pass == 0) && device->state == OS2_DEVICE_WAITS &&
                device->restart_ms <= now)
                device_start(&devices, device, UINT64_C(1) << i);
        }
}

static uint64_t next_deadline(bool registered) {
    uint64_t next = UINT64_MAX, now = devices_now_ms();

    for (unsigned i = 0; i < devices.count; i++)
        if (devices.device[i].state == OS2_DEVICE_WAITS && devices.device[i].restart_ms < next)
            next = devices.device[i].restart_ms;
    if (!registered && now + NAMES_RETRY_MS < next)
        next = now + NAMES_RETRY_MS;
    return next == UINT64_MAX ? OS2_FOREVER : os2_deadline_ms(next > now ? next - now : 0);
}

static bool arguments(int argc, char **argv) {
    uint64_t number[4];

    for (int i = 0; i < 4; i++)
        if (argc != 5 || !os2_string_number(argv[i + 1], &number[i]))
            return false;
    devices.machine = os2_start_handle("machine");
    devices.has_tree = number[1] && fdt_open(&devices.tree, (const void *)(uintptr_t)number[0], number[1]);
    devices.archive = (const void *)(uintptr_t)number[2];
    devices.archive_size = number[3];
    return true;
}

int main(int argc, char **argv) {
    bool registered;

    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    if (!arguments(argc, argv))
        return 1;
    devices_find(&devices);
    for (unsigned i = 0; i < devices.count; i++)
        device_reset(&devices, &devices.device[i]);
    registered = os2_names_serve("devices", BIT_NAMES) >= 0;
    for (;;) {
        struct os2_message m = {0};
        int status;

        start_due();
        m.w[4] = next_deadline(registered);
        status = os2_receive(OS2_F_DEADLINE, &m);
        if (status >= 0 && m.control & OS2_I_BITS) {
            registered &= !(m.bits & BIT_NAMES);
            for (unsigned i = 0; i < devices.count; i++)
                if (m.bits & UINT64_C(1) << i)
                    device_ended(&devices, &devices.device[i]);
        }
        if (status >= 0 && m.control & OS2_I_MESSAGE)
            serve(&m);
        if (!registered)
            registered = os2_names_serve("devices", BIT_NAMES) >= 0;
    }
}
