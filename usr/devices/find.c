/* SPDX-License-Identifier: MIT */
/*
 * Which devices there are, by the device tree, and which driver is for what.
 *
 * A virtio device in memory is told by its own registers what it is: the tree names the places where there may be one.
 * Numbers of names follow the order in the tree: disk0 is the first disk.
 *
 * A controller of a bus that is not searched, SPI, has a driver only where a child of its node says that the device is
 * there which the driver is for.
 */
#include "devices/devices.h"

#include "arch_user.h"
#include "drivers/virtio.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/log.h"
#include "os2/string.h"
#include "os2/tree.h"

/* A disk's driver holds the blocks of its clients' requests: two of the largest, or one where it does one at a time. */
static const struct device_kind kinds[] = {
    {.virtio = 2,
     .class = OS2_CLASS_DISK,
     .program = "virtio_blk",
     .name = "disk",
     .quota = 2 * 512 + 64,
     .numbered = true},
    {.virtio = 4, .class = OS2_CLASS_RANDOM, .program = "virtio_rng", .name = "random", .quota = 8},
    {.compatible = "sifive,spi0",
     .slot = "mmc-spi-slot",
     .class = OS2_CLASS_DISK,
     .program = "sd_spi",
     .name = "disk",
     .quota = 512 + 64,
     .numbered = true},
    {.compatible = "google,goldfish-rtc", .class = OS2_CLASS_CLOCK, .program = "rtc", .name = "clock", .quota = 8},
    {.compatible = "motorola,mc146818", .class = OS2_CLASS_CLOCK, .program = "rtc", .name = "clock", .quota = 8},
};
#define SLOT_HZ 10000000u /* where the tree does not say how fast a slot can be: every SD card takes that */
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
        number += strcmp(devices->device[i].kind->name, kind->name) == 0;
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

/* The child that `kind` wants, or nothing where it wants none. */
static bool find_slot(const struct devices *devices, const struct fdt_node *node, const struct device_kind *kind,
                      struct fdt_node *ret_child) {
    struct fdt_node child = *node;

    if (!kind->slot)
        return true;
    for (bool more = fdt_node_child(&devices->tree, &child); more; more = fdt_node_sibling(&devices->tree, &child))
        if (fdt_node_okay(&devices->tree, &child) && fdt_node_compatible(&devices->tree, &child, kind->slot)) {
            *ret_child = child;
            return true;
        }
    return false;
}

/* The rate of the clock that the node names, where that is one that never changes; else 0. */
static uint64_t clock_of(const struct fdt *tree, const struct fdt_node *node) {
    struct fdt_value clocks;
    struct fdt_node clock;
    uint64_t phandle, rate;

    if (fdt_prop(tree, node, "clocks", &clocks) && fdt_value_cells(&clocks, 0, 1, &phandle) &&
        fdt_node_phandle(tree, (uint32_t)phandle, &clock) && fdt_node_compatible(tree, &clock, "fixed-clock") &&
        fdt_prop_number(tree, &clock, "clock-frequency", &rate))
        return rate;
    return 0;
}

static void slot_facts(const struct fdt *tree, struct device *device, const struct fdt_node *node,
                       const struct fdt_node *child) {
    device->slot[0] = clock_of(tree, node);
    fdt_prop_number(tree, child, "reg", &device->slot[1]);
    device->slot[2] = SLOT_HZ;
    fdt_prop_number(tree, child, "spi-max-frequency", &device->slot[2]);
}

/* A device that the tree says all of. */
static void found_plain(struct devices *devices, const struct fdt_node *node, const struct device_kind *kind) {
    struct os2_tree_place place;
    struct fdt_node child;
    struct device *device;
    bool foreign;

    if (!os2_tree_place(&devices->tree, node, &place) || !find_slot(devices, node, kind, &child))
        return;
    device = devices_add(devices, kind, BUS_PLAIN);
    if (!device)
        return;
    device->base = place.base;
    if (place.ports) {
        device->ports = (unsigned)place.size;
    } else {
        device->registers[0] = (struct device_registers){place.base & ~(OS2_PAGE_SIZE - 1), 0};
        device->registers_count = 1;
    }
    if (kind->slot) /* such drivers take no interrupts: drivers/spi.h */
        slot_facts(&devices->tree, device, node, &child);
    else
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
