/* SPDX-License-Identifier: MIT */
/*
 * PCI, as far as a driver in a process needs it: which functions there are, where their registers are, and how they
 * interrupt. Their configuration is in memory (PCI Express Base 4.0, 7.2.2); the tree names the place.
 *
 * Addresses. Where the tree has `ranges`, nobody has given the functions any: they get them here, one behind the other,
 * from the first window for 32-bit memory. Where it has none, a PC's firmware has chosen, and they stay as they are.
 *
 * Interrupts. A function with MSI-X gets one message of its own, where the kernel has such. This process writes its
 * table; where that is in a BAR of its own, as QEMU's is, the driver never has it. Else the function's pin is a line,
 * which the tree's interrupt-map names; that is known of the first bus only.
 *
 * Bridges below the host's: those to which firmware has given a bus are followed.
 */
#include "devices/devices.h"

#include "arch_user.h"
#include "os2/call.h"
#include "os2/log.h"
#include "os2/tree.h"

enum {
    CONFIG_VENDOR = 0,
    CONFIG_DEVICE = 2,
    CONFIG_COMMAND = 4,
    CONFIG_STATUS = 6,
    CONFIG_HEADER = 14,
    CONFIG_BAR = 16,
    CONFIG_SECONDARY = 25,
    CONFIG_SUBSYSTEM = 46,
    CONFIG_CAPABILITIES = 52,
    CONFIG_PIN = 61
};
#define COMMAND_PORTS 1u
#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define COMMAND_NO_LINE 0x400u
#define STATUS_CAPABILITIES 0x10u
#define HEADER_MANY 0x80u
#define HEADER_BRIDGE 1u
#define BAR_PORTS 1u
#define BAR_WIDE 4u
#define BAR_FLAGS 0xfu

#define CAPABILITY_VENDOR 9u
#define CAPABILITY_MSIX 17u
#define CAPABILITIES_MOST 48u
enum { MSIX_CONTROL = 2, MSIX_TABLE = 4 };
#define MSIX_ON 0x8000u
#define MSIX_MASK 0x4000u

/* Of virtio's: virtio 1.2, 4.1.4. */
#define VIRTIO_VENDOR 0x1af4u
#define VIRTIO_MODERN 0x1040u /* + the number of the kind */
#define VIRTIO_FIRST 0x1000u
enum { VIRTIO_TYPE = 3, VIRTIO_BAR = 4, VIRTIO_OFFSET = 8, VIRTIO_MULTIPLIER = 16 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY, TYPE_ISR, TYPE_DEVICE, TYPES };

#define BARS 6u
#define BUSES_MOST 8u /* each is 1 MiB of configuration, a block of its own */
#define BUS_SHIFT 20
#define BUS_ORDER (BUS_SHIFT - OS2_PAGE_SHIFT)

struct bridge {
    struct devices *devices;
    const struct fdt_node *node;
    uint64_t base; /* of the first bus's configuration */
    unsigned buses, claimed;
    bool assign;                   /* addresses are to be given */
    uint64_t next, end, to_memory; /* the window, as the bus sees it; + to_memory: as processors do */
};

struct function {
    struct bridge *bridge;
    uint64_t at; /* its configuration, in this process */
    unsigned bus, device;
    uint64_t bar[BARS], size[BARS]; /* as processors see it; size 0: none, or of ports */
};

static uint32_t get(uint64_t function, unsigned offset, unsigned width) {
    return arch_device_read(function + offset, width);
}

static void put(uint64_t function, unsigned offset, unsigned width, uint32_t value) {
    arch_device_write(function + offset, width, value);
}

void pci_master(const struct device *device, bool on) {
    uint32_t command = get(device->function, CONFIG_COMMAND, 2) & ~COMMAND_MASTER;
    put(device->function, CONFIG_COMMAND, 2, command | (on ? COMMAND_MASTER : 0));
}

/* ---- Addresses. ---- */

/* The next room of this size in the window; 0: there is none. */
static uint64_t window_take(struct bridge *bridge, uint64_t size) {
    uint64_t align = size < OS2_PAGE_SIZE ? OS2_PAGE_SIZE : size;
    uint64_t at = (bridge->next + align - 1) & ~(align - 1);

    if (at < bridge->next || at >= bridge->end || align > bridge->end - at)
        return 0;
    bridge->next = at + align; /* no two share a page */
    return at;
}

/* One BAR: asks for its size, gives it an address where that is to be done. Returns how many words it has. */
static unsigned read_bar(struct function *f, unsigned index) {
    unsigned offset = CONFIG_BAR + 4 * index;
    uint32_t low = get(f->at, offset, 4), high = 0;
    bool wide = !(low & BAR_PORTS) && (low & BAR_WIDE) && index + 1 < BARS;
    uint64_t mask, at;

    if (low & BAR_PORTS)
        return 1;
    put(f->at, offset, 4, UINT32_MAX);
    mask = get(f->at, offset, 4) & ~BAR_FLAGS;
    put(f->at, offset, 4, low);
    if (wide) {
        high = get(f->at, offset + 4, 4);
        put(f->at, offset + 4, 4, UINT32_MAX);
        mask |= (uint64_t)get(f->at, offset + 4, 4) << 32;
        put(f->at, offset + 4, 4, high);
    } else if (mask) {
        mask |= UINT64_C(0xffffffff) << 32;
    }
    at = (uint64_t)high << 32 | (low & ~BAR_FLAGS);
    if (mask && f->bridge->assign) {
        at = window_take(f->bridge, -mask);
        put(f->at, offset, 4, (uint32_t)at);
        if (wide)
            put(f->at, offset + 4, 4, (uint32_t)(at >> 32));
    }
    if (mask && at) {
        f->bar[index] = at + f->bridge->to_memory;
        f->size[index] = -mask;
    }
    return wide ? 2 : 1;
}

/* With the function deaf meanwhile: its addresses are nonsense for a moment. */
static void read_bars(struct function *f) {
    uint32_t command = get(f->at, CONFIG_COMMAND, 2) & ~(COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER);

    put(f->at, CONFIG_COMMAND, 2, command);
    for (unsigned i = 0; i < BARS;)
        i += read_bar(f, i);
    put(f->at, CONFIG_COMMAND, 2, command | COMMAND_MEMORY);
}

static struct device_registers bar_registers(const struct function *f, unsigned bar) {
    struct device_registers registers = {f->bar[bar] & ~(OS2_PAGE_SIZE - 1), 0};

    while (OS2_PAGE_SIZE << registers.order < f->size[bar])
        registers.order++;
    return registers;
}

/* The driver is to have this BAR. */
static bool add_bar(struct device *device, const struct function *f, unsigned bar) {
    struct device_registers registers = bar_registers(f, bar);

    for (unsigned i = 0; i < device->registers_count; i++)
        if (device->registers[i].base == registers.base)
            return true;
    if (device->registers_count == DEVICE_BLOCKS_MAX)
        return false;
    device->registers[device->registers_count++] = registers;
    return true;
}

/* ---- Capabilities. ---- */

/* The next one behind `at` (0: the first) with this number; 0: there is none. */
static unsigned capability(const struct function *f, unsigned at, unsigned number) {
    if (!(get(f->at, CONFIG_STATUS, 2) & STATUS_CAPABILITIES))
        return 0;
    at = get(f->at, at ? at + 1 : CONFIG_CAPABILITIES, 1) & ~3u;
    for (unsigned i = 0; at && i < CAPABILITIES_MOST; i++) {
        if (get(f->at, at, 1) == number)
            return at;
        at = get(f->at, at + 1, 1) & ~3u;
    }
    return 0;
}

/* Where virtio's structures are, the first of each kind. False: one that must be is not. */
static bool find_structures(struct device *device, const struct function *f) {
    uint64_t place[TYPES] = {0};
    unsigned at = 0;

    for (unsigned i = 0; i < CAPABILITIES_MOST && (at = capability(f, at, CAPABILITY_VENDOR)); i++) {
        unsigned type = get(f->at, at + VIRTIO_TYPE, 1), bar = get(f->at, at + VIRTIO_BAR, 1);
        uint32_t offset = get(f->at, at + VIRTIO_OFFSET, 4);
        if (type < TYPE_COMMON || type > TYPE_DEVICE || place[type] || bar >= BARS || offset >= f->size[bar] ||
            !add_bar(device, f, bar))
            continue;
        place[type] = f->bar[bar] + offset;
        if (type == TYPE_NOTIFY)
            device->notify_multiplier = get(f->at, at + VIRTIO_MULTIPLIER, 4);
    }
    device->common = place[TYPE_COMMON];
    device->notify = place[TYPE_NOTIFY];
    device->isr = place[TYPE_ISR];
    device->config = place[TYPE_DEVICE];
    return device->common && device->notify && device->isr;
}

/* ---- Interrupts. ---- */

/* One message for the function, in the first entry of its table. False: it has no MSI-X, or the kernel no messages. */
static bool use_message(struct devices *devices, struct device *device, const struct function *f) {
    unsigned at = capability(f, 0, CAPABILITY_MSIX), irq;
    uint32_t table = at ? get(f->at, at + MSIX_TABLE, 4) : 0, data;
    uint64_t address, block, entry;

    if (!at || (table & 7) >= BARS || !f->size[table & 7])
        return false;
    struct device_registers registers = bar_registers(f, table & 7);
    if (os2_device_claim_msi(devices->machine, (uint64_t)(device - devices->device), &irq, &address, &data) < 0)
        return false;
    if (os2_device_claim(devices->machine, OS2_DEVICE_MEMORY, registers.base, registers.order, &block) < 0) {
        os2_handle_close(irq);
        return false;
    }
    entry = OS2_EXCHANGE_BASE + f->bar[table & 7] + (table & ~7u);
    arch_device_write(entry, 4, (uint32_t)address);
    arch_device_write(entry + 4, 4, (uint32_t)(address >> 32));
    arch_device_write(entry + 8, 4, data);
    arch_device_write(entry + 12, 4, 0); /* not masked */
    os2_block_free((void *)(uintptr_t)block);
    put(f->at, at + MSIX_CONTROL, 2, (get(f->at, at + MSIX_CONTROL, 2) & ~MSIX_MASK) | MSIX_ON);
    put(f->at, CONFIG_COMMAND, 2, get(f->at, CONFIG_COMMAND, 2) | COMMAND_NO_LINE);
    device->irq = irq;
    device->isr = 0; /* there is nothing to read */
    return true;
}

static void use_line(struct devices *devices, struct device *device, const struct function *f) {
    unsigned pin = get(f->at, CONFIG_PIN, 1);

    if (pin >= 1 && pin <= 4 && f->bus == 0)
        device->irq_number = os2_tree_pci_irq(&devices->tree, f->bridge->node, f->device, pin);
    put(f->at, CONFIG_COMMAND, 2, get(f->at, CONFIG_COMMAND, 2) & ~COMMAND_NO_LINE);
}

/* ---- Functions, buses. ---- */

/* Virtio's number of the kind; 0: it is no virtio device. */
static unsigned virtio_kind(const struct function *f) {
    unsigned device = get(f->at, CONFIG_DEVICE, 2);

    if (get(f->at, CONFIG_VENDOR, 2) != VIRTIO_VENDOR || device < VIRTIO_FIRST)
        return 0;
    return device >= VIRTIO_MODERN ? device - VIRTIO_MODERN : get(f->at, CONFIG_SUBSYSTEM, 2);
}

static void found_function(struct function *f) {
    struct devices *devices = f->bridge->devices;
    const struct device_kind *kind = devices_kind_virtio(virtio_kind(f));
    struct device *device;

    if (!kind)
        return;
    device = devices_add(devices, kind, BUS_VIRTIO_PCI);
    if (!device)
        return;
    device->function = f->at;
    read_bars(f);
    if (!find_structures(device, f)) {
        os2_log(devices->machine, "%s: on PCI, but not as virtio 1.0 has it, or without addresses\n", device->name);
        device->state = OS2_DEVICE_GIVEN_UP;
        return;
    }
    if (!use_message(devices, device, f))
        use_line(devices, device, f);
}

static void scan_bus(struct bridge *bridge, unsigned bus);

/* False: there is no such function. */
static bool scan_function(struct bridge *bridge, unsigned bus, unsigned device, uint64_t at, bool *ret_many) {
    struct function f = {.bridge = bridge, .at = at, .bus = bus, .device = device};
    unsigned header, secondary;

    if (get(at, CONFIG_VENDOR, 2) == 0xffff)
        return false;
    header = get(at, CONFIG_HEADER, 1);
    *ret_many = header & HEADER_MANY;
    if ((header & ~HEADER_MANY) == 0) {
        found_function(&f);
    } else if ((header & ~HEADER_MANY) == HEADER_BRIDGE && !bridge->assign) {
        secondary = get(at, CONFIG_SECONDARY, 1);
        if (secondary > bus)
            scan_bus(bridge, secondary);
    }
    return true;
}

static void scan_bus(struct bridge *bridge, unsigned bus) {
    uint64_t at;

    if (bus >= bridge->buses || bridge->claimed == BUSES_MOST)
        return;
    if (os2_device_claim(bridge->devices->machine, OS2_DEVICE_MEMORY, bridge->base + ((uint64_t)bus << BUS_SHIFT),
                         BUS_ORDER, &at) < 0) {
        os2_log(bridge->devices->machine, "PCI's configuration of bus %u cannot be reached\n", bus);
        return;
    }
    bridge->claimed++;
    for (unsigned device = 0; device < 32; device++) {
        bool many = false;
        for (unsigned function = 0; function == 0 || (many && function < 8); function++) {
            bool others = many;
            if (!scan_function(bridge, bus, device, at + ((uint64_t)device << 15 | function << 12), &many) &&
                function == 0)
                break;
            many |= others;
        }
    }
}

/* The first window for memory that 32 bits reach: three cells of the bus's address, the processors' address, and two of
 * size (IEEE 1275, PCI binding). */
#define RANGE_KIND 0x03000000u
#define RANGE_MEMORY 0x02000000u
static void find_window(struct bridge *bridge) {
    const struct fdt *tree = &bridge->devices->tree;
    struct fdt_node parent = *bridge->node;
    struct fdt_value ranges;
    uint64_t cells = 2, kind, bus, memory, size;

    parent.depth--;
    fdt_prop_number(tree, &parent, "#address-cells", &cells);
    bridge->assign = fdt_prop(tree, bridge->node, "ranges", &ranges);
    for (uint32_t at = 0; bridge->assign && cells <= 2 && fdt_value_cells(&ranges, at, 1, &kind); at += 5 + cells) {
        if (!fdt_value_cells(&ranges, at + 1, 2, &bus) || !fdt_value_cells(&ranges, at + 3, cells, &memory) ||
            !fdt_value_cells(&ranges, at + 3 + cells, 2, &size))
            return;
        if ((kind & RANGE_KIND) != RANGE_MEMORY || bridge->end)
            continue;
        bridge->next = bus ? bus : OS2_PAGE_SIZE; /* 0 is no address */
        bridge->end = bus + size;
        bridge->to_memory = memory - bus;
    }
}

void pci_find(struct devices *devices, const struct fdt_node *node) {
    struct bridge bridge = {.devices = devices, .node = node};
    struct fdt_range reg;

    if (node->depth == 0 || !fdt_node_reg(&devices->tree, node, 0, &reg))
        return;
    bridge.base = reg.base;
    bridge.buses = (unsigned)(reg.size >> BUS_SHIFT);
    find_window(&bridge);
    scan_bus(&bridge, 0);
}
