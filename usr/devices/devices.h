/* SPDX-License-Identifier: MIT */
/*
 * What the device manager's files share: the table of devices, and how each part is asked.
 *
 *     find.c   walks the device tree, and knows which driver is for what
 *     pci.c    PCI: functions, their registers, interrupts and capabilities
 *     start.c  a device's reset, its driver's start and end
 */
#ifndef DEVICES_DEVICES_H
#define DEVICES_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fdt.h"
#include "os2/devices.h"
#include "os2/spawn.h"

#define DEVICES_MAX 24u
#define DEVICE_BLOCKS_MAX 4u
#define DEVICE_SLOT 3u

enum device_bus { BUS_VIRTIO_MMIO, BUS_VIRTIO_PCI, BUS_PLAIN };

/* Registers, as they are claimed. */
struct device_registers {
    uint64_t base;
    unsigned order;
};

/* What a driver is for. */
struct device_kind {
    const char *compatible; /* of nodes of the tree; null: not by that */
    const char *slot;       /* the node must have such a child, which says where the device is on a bus; null: none */
    unsigned virtio;        /* virtio's number of the kind; 0: not by that */
    enum os2_device_class class;
    const char *program, *name;
    uint64_t quota; /* pages, beside the least for its program, if there are so many */
    bool numbered;  /* its name has a number behind: disk0, disk1 */
};

struct device {
    const struct device_kind *kind;
    enum device_bus bus;
    char name[OS2_START_NAME + 1];
    struct device_registers registers[DEVICE_BLOCKS_MAX];
    unsigned registers_count;
    uint64_t base;       /* mmio: physical address; plain: the same, or the first port */
    unsigned ports;      /* plain: so many ports from base on; 0: it is in memory */
    unsigned irq_number; /* 0: none */
    unsigned irq;        /* handle; 0: none, it polls */
    uint64_t
        slot[DEVICE_SLOT]; /* of kinds with `slot`: the bus's clock in Hz, 0: not known; its place; how fast, in Hz */

    /* PCI: */
    uint64_t function; /* address of its configuration, in this process */
    uint64_t common, notify, isr, config;
    uint32_t notify_multiplier;

    enum os2_device_state state;
    struct os2_child child;
    uint64_t started_ms, restart_ms;
    uint64_t window_ms; /* since when `ends` are counted */
    unsigned ends, backoff_ms, restarts;
    int told; /* why it could not be started, as said last: said once */
};

struct devices {
    unsigned machine; /* handle with OS2_RIGHT_DEVICES and OS2_RIGHT_LOG */
    const void *archive;
    size_t archive_size;
    struct fdt tree;
    bool has_tree;
    struct device device[DEVICES_MAX];
    unsigned count;
};

/* find.c: fills the table, in the order in which they have their names. */
void devices_find(struct devices *devices);
const struct device_kind *devices_kind_virtio(unsigned virtio);

/* An empty place of the table; null: it is full, which has been said. */
struct device *devices_add(struct devices *devices, const struct device_kind *kind, enum device_bus bus);

/* pci.c */
void pci_find(struct devices *devices, const struct fdt_node *bridge);
/* Whether the function may read and write memory by itself. */
void pci_master(const struct device *device, bool on);

/* start.c. `bit` is that of the driver's end. */
void device_start(struct devices *devices, struct device *device, uint64_t bit);
void device_ended(struct devices *devices, struct device *device);
/* False: it does not answer, or its registers are somebody else's. */
bool device_reset(struct devices *devices, struct device *device);

uint64_t devices_now_ms(void);

#define DEVICES_DRIVER_BADGE UINT64_C(0x100) /* + place in the table: of a driver's handle "init" */

#endif
