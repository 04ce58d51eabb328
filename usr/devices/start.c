/* SPDX-License-Identifier: MIT */
/*
 * A device's reset, and the start and end of its driver.
 *
 * Registers are claimed each time they are needed: they belong to the driver while it lives, and can be claimed again
 * once it has ended, though its memory is still kept (ipc/end.c of the kernel). That memory goes back when the control
 * handle is closed, so the reset comes before that. Where the device does not answer to the reset, the handle stays
 * open for good, and the memory is nobody's.
 */
#include "devices/devices.h"

#include "arch_user.h"
#include "drivers/virtio.h"
#include "lib/cpio.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/log.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/time.h"

#define BACKOFF_FIRST_MS 100u
#define BACKOFF_LAST_MS 10000u
#define ENDS_MOST 8u
#define ENDS_WINDOW_MS 60000u
#define RESET_MS 1000u
#define KEPT_PAGES 160u /* of the quota, for small drivers beside a large one */

/* ---- Reset. ---- */

static bool claim(struct devices *devices, const struct device_registers *registers) {
    uint64_t at;
    return os2_device_claim(devices->machine, OS2_DEVICE_MEMORY, registers->base, registers->order, &at) >= 0;
}

static void release(const struct device_registers *registers) {
    os2_block_free((void *)(uintptr_t)(OS2_EXCHANGE_BASE + registers->base));
}

/* Writes 0 to the status register, and waits until the device shows it. */
static bool reset_status(uint64_t at, unsigned width) {
    uint64_t limit = os2_deadline_ms(RESET_MS);

    arch_device_write(at, width, 0);
    while (arch_device_read(at, width) != 0)
        if (os2_clock(NULL) >= limit)
            return false;
    return true;
}

/* The register, with those around it claimed for as long as that takes. */
static bool reset_virtio(struct devices *devices, const struct device *device, uint64_t physical, unsigned width) {
    for (unsigned i = 0; i < device->registers_count; i++) {
        const struct device_registers *registers = &device->registers[i];
        bool good;
        if (physical < registers->base || physical >= registers->base + (OS2_PAGE_SIZE << registers->order))
            continue;
        if (!claim(devices, registers))
            return false;
        good = reset_status(OS2_EXCHANGE_BASE + physical, width);
        release(registers);
        return good;
    }
    return false;
}

bool device_reset(struct devices *devices, struct device *device) {
    switch (device->bus) {
    case BUS_VIRTIO_MMIO:
        return reset_virtio(devices, device, device->base + VIRTIO_MMIO_STATUS, 4);
    case BUS_VIRTIO_PCI:
        pci_master(device, false);
        return reset_virtio(devices, device, device->common + VIRTIO_PCI_STATUS, 1);
    default:
        return true; /* none that is driven so is a bus master */
    }
}

/* ---- Start. ---- */

static int give_registers(struct devices *devices, const struct device *device, struct os2_child *child) {
    for (unsigned i = 0; i < device->registers_count; i++) {
        uint64_t at;
        int status = os2_device_claim(devices->machine, OS2_DEVICE_MEMORY, device->registers[i].base,
                                      device->registers[i].order, &at);
        if (status < 0)
            return status;
        status = os2_process_give(child->control, (void *)(uintptr_t)at, 0, OS2_PROT_READ | OS2_PROT_WRITE);
        if (status < 0) {
            os2_block_free((void *)(uintptr_t)at);
            return status;
        }
    }
    return OS2_OK;
}

/* Has another device of the table this interrupt? Two drivers cannot be bound to one. */
static bool irq_taken(const struct devices *devices, const struct device *device) {
    for (unsigned i = 0; i < devices->count; i++)
        if (&devices->device[i] != device && devices->device[i].irq &&
            devices->device[i].irq_number == device->irq_number)
            return true;
    return false;
}

static int give_interrupt(struct devices *devices, struct device *device, struct os2_child *child) {
    uint64_t handle;

    if (!device->irq && device->irq_number) {
        if (irq_taken(devices, device))
            os2_log(devices->machine, "%s shares interrupt %u, which has a driver: it has none\n", device->name,
                    device->irq_number);
        else if (os2_device_claim(devices->machine, OS2_DEVICE_IRQ, device->irq_number, 1, &handle) >= 0)
            device->irq = (unsigned)handle;
        device->irq_number = device->irq ? device->irq_number : 0;
    }
    return device->irq ? os2_child_grant(child, "irq", device->irq, OS2_RIGHTS_ALL) : OS2_OK;
}

static int give_ports(struct devices *devices, const struct device *device, struct os2_child *child) {
    uint64_t handle;
    int status;

    if (!device->ports)
        return OS2_OK;
    status = os2_device_claim(devices->machine, OS2_DEVICE_PORTS, device->base, device->ports, &handle);
    if (status >= 0) {
        status = os2_child_grant(child, "ports", (unsigned)handle, OS2_RIGHTS_ALL);
        os2_handle_close((unsigned)handle);
    }
    return status;
}

/* The handle "init": this process, which knows by the badge whose driver asks. */
static int give_supervisor(struct devices *devices, const struct device *device, struct os2_child *child) {
    unsigned self;
    int status = os2_handle_mint(0, OS2_HANDLE_INBOX, DEVICES_DRIVER_BADGE + (uint64_t)(device - devices->device),
                                 OS2_RIGHT_GIVE | OS2_RIGHT_SEND, &self);
    if (status < 0)
        return status;
    status = os2_child_grant(child, "init", self, OS2_RIGHT_SEND);
    os2_handle_close(self);
    return status;
}

/* Where the device is, as the driver's arguments say it: drivers/virtio.h, and drivers/sd_spi.c for slots. */
#define PLACES 5u
static unsigned place_words(const struct device *device, char text[PLACES][24], const char **words) {
    uint64_t places[PLACES] = {0};
    unsigned count = 1;

    if (device->bus == BUS_VIRTIO_PCI) {
        words[0] = "pci";
        places[0] = OS2_EXCHANGE_BASE + device->common;
        places[1] = OS2_EXCHANGE_BASE + device->notify;
        places[2] = device->notify_multiplier;
        places[3] = device->isr ? OS2_EXCHANGE_BASE + device->isr : 0;
        places[4] = device->config ? OS2_EXCHANGE_BASE + device->config : 0;
        count = PLACES;
    } else {
        words[0] = device->ports ? "ports" : "mmio";
        places[0] = device->ports ? device->base : OS2_EXCHANGE_BASE + device->base;
        for (unsigned i = 0; device->kind->slot && i < DEVICE_SLOT; i++)
            places[count++] = device->slot[i];
    }
    for (unsigned i = 0; i < count; i++) {
        format(text[i], sizeof(text[i]), "0x%lx", places[i]);
        words[i + 1] = text[i];
    }
    return count + 1;
}

static int start_child(struct devices *devices, struct device *device, struct os2_child *child) {
    const char *argv[2 + 1 + PLACES] = {device->kind->program, device->name};
    char text[PLACES][24];
    unsigned argc = 2 + place_words(device, text, argv + 2);
    int status = os2_child_grant(child, "machine", devices->machine, OS2_RIGHT_LOG);

    if (status >= 0)
        status = give_supervisor(devices, device, child);
    if (status >= 0)
        status = give_ports(devices, device, child);
    if (status >= 0)
        status = give_interrupt(devices, device, child);
    if (status >= 0)
        status = give_registers(devices, device, child);
    if (status < 0)
        return status;
    if (device->bus == BUS_VIRTIO_PCI)
        pci_master(device, true);
    return os2_child_start(child, argc, argv);
}

static uint64_t quota_for(const struct device_kind *kind, uint64_t least) {
    uint64_t left = os2_quota_left(), most = left > KEPT_PAGES ? left - KEPT_PAGES : 0;
    return least + kind->quota < most ? least + kind->quota : most < least ? least : most;
}

/* Plans the next start. */
static void wait(struct device *device) {
    if (device->backoff_ms < BACKOFF_FIRST_MS)
        device->backoff_ms = BACKOFF_FIRST_MS;
    device->state = OS2_DEVICE_WAITS;
    device->restart_ms = devices_now_ms() + device->backoff_ms;
    device->backoff_ms = device->backoff_ms * 2 < BACKOFF_LAST_MS ? device->backoff_ms * 2 : BACKOFF_LAST_MS;
}

static void give_up(struct devices *devices, struct device *device, const char *why) {
    device->state = OS2_DEVICE_GIVEN_UP;
    os2_log(devices->machine, "%s: given up: %s\n", device->name, why);
}

void device_start(struct devices *devices, struct device *device, uint64_t bit) {
    struct cpio_file file;
    struct os2_child_plan plan = {.process = {.end_bits = bit, .name = device->kind->program}};
    const char *reason = NULL;
    uint64_t least;
    int status;

    if (!cpio_find(devices->archive, devices->archive_size, device->kind->program, &file) ||
        os2_child_least(file.bytes, file.size, 0, &least) < 0) {
        give_up(devices, device, "its driver is not in the archive");
        return;
    }
    plan.image = file.bytes;
    plan.image_size = file.size;
    plan.process.quota = quota_for(device->kind, least);
    status = os2_child_create(&plan, &device->child, &reason);
    if (status >= 0) {
        status = start_child(devices, device, &device->child);
        if (status < 0)
            os2_child_drop(&device->child);
    }
    device->started_ms = devices_now_ms();
    if (status == OS2_E_BUSY) {
        give_up(devices, device, "its registers are in a page that another driver has");
    } else if (status < 0) {
        if (status != device->told)
            os2_log(devices->machine, "cannot start %s for %s: %s; I try again\n", device->kind->program, device->name,
                    reason ? reason : os2_status_text(status));
        wait(device);
    } else {
        device->state = OS2_DEVICE_RUNS;
    }
    device->told = status < 0 ? status : OS2_OK;
}

/* ---- End. ---- */

/* Counts an end. False: there were too many within the window. */
static bool may_start_again(struct device *device) {
    uint64_t now = devices_now_ms();

    if (now - device->window_ms >= ENDS_WINDOW_MS || device->ends == 0) {
        device->window_ms = now;
        device->ends = 0;
    }
    if (now - device->started_ms >= BACKOFF_LAST_MS)
        device->backoff_ms = 0;
    device->restarts++;
    return ++device->ends < ENDS_MOST;
}

void device_ended(struct devices *devices, struct device *device) {
    struct os2_process_end end = {0};
    char how[128];

    if (device->state != OS2_DEVICE_RUNS || os2_process_end(device->child.control, 0, &end) < 0)
        return;
    os2_child_describe(&device->child, &end, how, sizeof(how));
    if (!device_reset(devices, device)) {
        os2_log(devices->machine, "%s ended: %s\n", device->name, how);
        give_up(devices, device, "the device does not answer to a reset; its driver's memory is kept");
        return;
    }
    os2_child_drop(&device->child);
    if (!may_start_again(device)) {
        os2_log(devices->machine, "%s ended: %s\n", device->name, how);
        give_up(devices, device, "it ended too often");
        return;
    }
    wait(device);
    os2_log(devices->machine, "%s ended: %s; starting it again in %lu ms\n", device->name, how,
            device->restart_ms - devices_now_ms());
}
