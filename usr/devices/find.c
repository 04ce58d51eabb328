/* SPDX-License-Identifier: MIT */
/*
 * Which devices there are, by the device tree, and which driver is for what.
 *
 * A virtio device in memory is told by its own registers what it is: the tree names the places where there may be one.
 * Numbers of names follow the order in the tree: disk0 is the first disk.
 */
#include "devices/devices.h"

#include "arch_user.h"
#include "drivers/virtio.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/log.h"
#include "os2/string.h"
#include "os2/tree.h"

/* A disk's driver holds the blocks of its clients' requests: two of the largest. */
static const struct device_kind kinds[] = {
    {.virtio = 2,
     .class = OS2_CLASS_DISK,
     .program = "virtio_blk",
     .name = "disk",
     .quota = 2 * 512 + 64,
     .numbered = true},
    {.virtio = 4, .class = OS2_CLASS_RANDOM, .program = "virtio_rng", .name = "random", .quota = 8},
    {.compatible = "google,goldfish-rtc", .class = OS2_CLASS_CLOCK, .program = "rtc", .name = "clock", .quota = 8},
    {.compatible = "motorola,mc146818", .class = OS2_CLASS_CLOCK, .program = "rtc", .name = "clock", .quota = 8},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct device_kind *devices_kind_virtio(unsigned virtio) {
    for (size_t i = 0; i < KINDS; i++)
        if (virtio && kinds[i].virtio == virtio)
            return &kinds[i];
    return NULL;
}

struct device *devices_add(struct devices *devices, const struct device_kind *kind, enum device_bus bus) {
    unsigned number = 0;
    struct device *device = &devices->device[devices->count];

    for (unsigned i = 0; i < devices->count; i++)
        number += devices->device[i].kind == kind;
    if (devices->count == DEVICES_MAX || (number && !kind->numbered)) {
        os2_log(devices->machine, "one more device for %s: it is left alone\n", kind->program);
        return NULL;
    }
    devices->count++;
    *device = (struct device){.kind = kind, .bus = bus, .state = OS2_DEVICE_WAITS};
    if (kind->numbered)
        format(device->name, sizeof(device->name), "%s%u", kind->name, number);
    else
        os2_string_copy(device->name, sizeof(device->name), kind->name);
    return device;
}

/* What is at this place? 0: nothing, or none that is known. */
static unsigned probe_mmio(struct devices *devices, uint64_t base) {
    uint64_t page = base & ~(OS2_PAGE_SIZE - 1), at, registers;
    unsigned kind = 0;

    if (os2_device_claim(devices->machine, OS2_DEVICE_MEMORY, page, 0, &at) < 0)
        return 0;
    registers = at + (base - page);
    if (arch_device_read(registers + VIRTIO_MMIO_MAGIC, 4) == VIRTIO_MMIO_MAGIC_VALUE)
        kind = arch_device_read(registers + VIRTIO_MMIO_DEVICE, 4);
    if (kind && arch_device_read(registers + VIRTIO_MMIO_VERSION, 4) != VIRTIO_MMIO_VERSION_MODERN) {
        os2_log(devices->machine, "the virtio device at 0x%lx is of before virtio 1.0: no driver\n", base);
        kind = 0;
    }
    os2_block_free((void *)(uintptr_t)at);
    return kind;
}

static void found_mmio(struct devices *devices, const struct fdt_node *node) {
    const struct device_kind *kind;
    struct device *device;
    struct fdt_range reg;
    bool foreign;

    if (!fdt_node_reg(&devices->tree, node, 0, &reg))
        return;
    kind = devices_kind_virtio(probe_mmio(devices, reg.base));
    device = kind ? devices_add(devices, kind, BUS_VIRTIO_MMIO) : NULL;
    if (!device)
        return;
    device->base = reg.base;
    device->registers[0] = (struct device_registers){reg.base & ~(OS2_PAGE_SIZE - 1), 0};
    device->registers_count = 1;
    device->irq_number = os2_tree_irq(&devices->tree, node, &foreign);
}

/* A device that the tree says all of. */
static void found_plain(struct devices *devices, const struct fdt_node *node, const struct device_kind *kind) {
    struct os2_tree_place place;
    struct device *device = os2_tree_place(&devices->tree, node, &place) ? devices_add(devices, kind, BUS_PLAIN) : NULL;
    bool foreign;

    if (!device)
        return;
    device->base = place.base;
    if (place.ports) {
        device->ports = (unsigned)place.size;
    } else {
        device->registers[0] = (struct device_registers){place.base & ~(OS2_PAGE_SIZE - 1), 0};
        device->registers_count = 1;
    }
    device->irq_number = os2_tree_irq(&devices->tree, node, &foreign);
}

static const struct device_kind *kind_compatible(const struct devices *devices, const struct fdt_node *node) {
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].compatible && fdt_node_compatible(&devices->tree, node, kinds[i].compatible))
            return &kinds[i];
    return NULL;
}

void devices_find(struct devices *devices) {
    struct fdt_node node;

    if (!devices->has_tree)
        return;
    node = fdt_root(&devices->tree);
    while (fdt_node_next(&devices->tree, &node, 0)) {
        if (!fdt_node_okay(&devices->tree, &node))
            continue;
        if (fdt_node_compatible(&devices->tree, &node, "virtio,mmio"))
            found_mmio(devices, &node);
        else if (fdt_node_compatible(&devices->tree, &node, "pci-host-ecam-generic"))
            pci_find(devices, &node);
        else if (kind_compatible(devices, &node))
            found_plain(devices, &node, kind_compatible(devices, &node));
    }
}
