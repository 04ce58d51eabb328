/* SPDX-License-Identifier: MIT */
/*
 * The device tree: programs find their devices in one, here as on RISC-V.
 *
 * QEMU's microvm has its own, in the firmware configuration device as "etc/fdt". For any other PC a small one is built:
 * what a console needs. A 16550 that answers at its port is a node below an ISA bus, whose first address cell says 1
 * for I/O ports (IEEE 1275, ISA binding); the cells of an interrupt are the I/O APIC's input and how it is signalled,
 * as in microvm's tree: 0 rising edge, 1 low level, 2 high level, 3 falling edge.
 *
 * Either tree says how each interrupt it names is signalled, and the I/O APICs are set up after that. An input that no
 * tree names is as the bus it belongs to has it: ISA's as the MADT says, all others low level, which is PCI's.
 */
#include "arch/x86_64/x86.h"
#include "core/fdt.h"
#include "core/log.h"
#include "core/string.h"

/* ---- QEMU's firmware configuration device (docs/specs/fw_cfg). ---- */

#define FW_SELECT 0x510
#define FW_DATA 0x511
#define FW_SIGNATURE 0
#define FW_DIRECTORY 0x19
#define FW_FILE_BYTES 64
#define TREE_MAX 0x100000

static void fw_read(void *to, size_t size) {
    for (uint8_t *p = to; size--; p++)
        *p = port_read8(FW_DATA);
}

static uint32_t big32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Select a file of the device; 0: there is none, or no such device. Returns its size. */
static uint32_t fw_open(const char *name) {
    uint8_t bytes[FW_FILE_BYTES];
    if (!(cpuid(1, 0).c >> 31)) /* no hypervisor: the ports are somebody else's */
        return 0;
    port_write16(FW_SELECT, FW_SIGNATURE);
    fw_read(bytes, 4);
    if (memcmp(bytes, "QEMU", 4) != 0)
        return 0;
    port_write16(FW_SELECT, FW_DIRECTORY);
    fw_read(bytes, 4);
    for (uint32_t count = big32(bytes); count; count--) {
        fw_read(bytes, FW_FILE_BYTES);
        bytes[FW_FILE_BYTES - 1] = 0;
        if (strcmp((const char *)bytes + 8, name) == 0) {
            port_write16(FW_SELECT, (uint16_t)(bytes[4] << 8 | bytes[5]));
            return big32(bytes);
        }
    }
    return 0;
}

/* ---- Building. ---- */

static const char names[] =
    "#address-cells\0#size-cells\0#interrupt-cells\0compatible\0device_type\0interrupt-controller\0"
    "interrupt-parent\0interrupts\0phandle\0ranges\0reg\0stdout-path\0";
#define BUILT_MAX 4096
#define HEADER 40
#define MEMRESERVE 16 /* the end of that block: two zeros of 64 bits */
enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, END = 9 };
#define IOAPIC_PHANDLE 1

struct writer {
    uint8_t *base;
    size_t at;
};

static void word(struct writer *w, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        w->base[w->at++] = (uint8_t)(value >> shift);
}
static void bytes(struct writer *w, const void *from, size_t size) {
    memcpy(w->base + w->at, from, size);
    w->at += size;
    while (w->at % 4)
        w->base[w->at++] = 0;
}
static void begin(struct writer *w, const char *name) {
    word(w, BEGIN_NODE);
    bytes(w, name, strlen(name) + 1);
}
static void property(struct writer *w, const char *name, uint32_t size) {
    uint32_t at = 0;
    while (strcmp(names + at, name) != 0)
        at += (uint32_t)strlen(names + at) + 1;
    word(w, PROPERTY);
    word(w, size);
    word(w, at);
}
static void number(struct writer *w, const char *name, uint32_t value) {
    property(w, name, 4);
    word(w, value);
}
static void numbers(struct writer *w, const char *name, const uint32_t *values, unsigned count) {
    property(w, name, 4 * count);
    for (unsigned i = 0; i < count; i++)
        word(w, values[i]);
}
static void text(struct writer *w, const char *name, const char *value) {
    property(w, name, (uint32_t)strlen(value) + 1);
    bytes(w, value, strlen(value) + 1);
}

static void nodes(struct writer *w) {
    const struct x86_facts *f = &x86_facts;
    begin(w, "");
    number(w, "#address-cells", 2);
    number(w, "#size-cells", 2);
    text(w, "compatible", "pc");
    bool serial = port_read8(0x3f8 + 5) != 0xff;
    begin(w, "chosen");
    if (serial)
        text(w, "stdout-path", "/isa/serial@i3f8");
    word(w, END_NODE);
    if (f->ioapic_count) {
        begin(w, "interrupt-controller");
        text(w, "compatible", "intel,ce4100-ioapic");
        numbers(w, "reg", (uint32_t[]){(uint32_t)(f->ioapic[0].base >> 32), (uint32_t)f->ioapic[0].base, 0, 0x1000}, 4);
        property(w, "interrupt-controller", 0);
        number(w, "#interrupt-cells", 2);
        number(w, "phandle", IOAPIC_PHANDLE);
        word(w, END_NODE);
    }
    begin(w, "isa");
    text(w, "device_type", "isa");
    text(w, "compatible", "isa");
    number(w, "#address-cells", 2);
    number(w, "#size-cells", 1);
    if (f->ioapic_count)
        number(w, "interrupt-parent", IOAPIC_PHANDLE);
    if (serial) {
        begin(w, "serial@i3f8");
        text(w, "compatible", "ns16550a");
        numbers(w, "reg", (uint32_t[]){1, 0x3f8, 8}, 3);
        if (f->ioapic_count) {
            unsigned mode = f->isa_mode[4];
            uint32_t sense = mode & X86_IRQ_LEVEL ? (mode & X86_IRQ_LOW ? 1 : 2) : mode & X86_IRQ_LOW ? 3 : 0;
            numbers(w, "interrupts", (uint32_t[]){f->isa_gsi[4], sense}, 2);
        }
        word(w, END_NODE);
    }
    word(w, END_NODE);
    word(w, END_NODE);
    word(w, END);
}

/* A flattened tree, version 17 (Devicetree Specification 0.4, chapter 5). Returns its size. */
static uint32_t build(uint8_t *to) {
    struct writer w = {to, HEADER + MEMRESERVE};
    memset(to, 0, BUILT_MAX);
    nodes(&w);
    uint32_t structure = HEADER + MEMRESERVE, strings = (uint32_t)w.at;
    bytes(&w, names, sizeof names - 1);
    uint32_t total = (uint32_t)w.at;
    w.at = 0;
    uint32_t header[] = {0xd00dfeed, total, structure, strings,          HEADER,
                         17,         16,    0,         sizeof names - 1, strings - structure};
    for (unsigned i = 0; i < sizeof header / sizeof header[0]; i++)
        word(&w, header[i]);
    return total;
}

/* ---- What it says of interrupts. ---- */

static void set_modes(const struct fdt *tree) {
    static const uint8_t modes[] = {0, X86_IRQ_LEVEL | X86_IRQ_LOW, X86_IRQ_LEVEL, X86_IRQ_LOW};
    struct fdt_node node = fdt_root(tree);
    do {
        struct fdt_value value;
        uint64_t irq, sense;
        if (fdt_prop(tree, &node, "interrupts", &value))
            for (uint32_t at = 0; fdt_value_cells(&value, at, 1, &irq) && fdt_value_cells(&value, at + 1, 1, &sense);
                 at += 2)
                ioapic_mode(irq < X86_IRQS ? (unsigned)irq : X86_IRQS, modes[sense & 3]);
    } while (fdt_node_next(tree, &node, 0));
}

/* QEMU's tree ends in a megabyte of nothing: cut it off. Returns the size that is used. */
static uint32_t trim(uint8_t *tree, uint32_t size) {
    uint32_t total = fdt_total(tree);
    if (total == 0 || total > size)
        return size;
    uint32_t nodes_end = big32(tree + 8) + big32(tree + 36), strings_end = big32(tree + 12) + big32(tree + 32);
    uint32_t used = nodes_end > strings_end ? nodes_end : strings_end;
    if (used < HEADER || used > total)
        return size;
    struct writer w = {tree, 4};
    word(&w, used);
    return used;
}

void tree_make(struct boot_info *info) {
    for (unsigned irq = 0; irq < X86_IRQS; irq++)
        ioapic_mode(irq, X86_IRQ_LEVEL | X86_IRQ_LOW);
    for (unsigned isa = 0; isa < 16; isa++)
        ioapic_mode(x86_facts.isa_gsi[isa], x86_facts.isa_mode[isa]);

    uint32_t size = fw_open("etc/fdt");
    bool given = size != 0 && size <= TREE_MAX;
    uint64_t at = x86_room(info, given ? size : BUILT_MAX);
    if (given) {
        fw_read(arch_phys_to_virt(at), size);
        size = trim(arch_phys_to_virt(at), size);
    } else {
        size = build(arch_phys_to_virt(at));
    }
    info->tree = (struct boot_range){at, size};
    info->kept[info->kept_count++] = info->tree;

    struct fdt tree;
    if (fdt_open(&tree, arch_phys_to_virt(at), size))
        set_modes(&tree);
    else
        log_line("the device tree of the firmware cannot be read");
}
