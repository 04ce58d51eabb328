/* SPDX-License-Identifier: MIT */
/*
 * The device tree: programs find their devices in one, here as on RISC-V.
 *
 * QEMU's microvm has its own, in the firmware configuration device as "etc/fdt". For any other PC a small one is built:
 * the console, the clock and PCI's configuration space. A 16550 that answers at its port is a node below an ISA bus,
 * whose first address cell says 1 for I/O ports (IEEE 1275, ISA binding); the cells of an interrupt are the I/O APIC's
 * input and how it is signalled, as in microvm's tree: 0 rising edge, 1 low level, 2 high level, 3 falling edge.
 *
 * Either tree says how each interrupt it names is signalled, and the I/O APICs are set up after that. An input that no
 * tree names is as the bus it belongs to has it: ISA's as the MADT says, all others low level, which is PCI's.
 */
#include "arch/x86_64/x86.h"
#include "lib/fdt.h"
#include "lib/string.h"

/* ---- QEMU's firmware configuration device (docs/specs/fw_cfg). ---- */

#define FW_SELECT 0x510
#define FW_DATA 0x511
#define FW_SIGNATURE 0
#define FW_DIRECTORY 0x19
#define FW_FILE_BYTES 64
#define TREE_MAX 0x100000
#define HEADER 40 /* of a tree */

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

/* How an input is signalled: as the second cell of an interrupt says it, and as the I/O APIC wants it. */
static const uint8_t mode_of[] = {0, X86_IRQ_LEVEL | X86_IRQ_LOW, X86_IRQ_LEVEL, X86_IRQ_LOW};
static const uint8_t sense_of[] = {[0] = 0, [X86_IRQ_LEVEL | X86_IRQ_LOW] = 1, [X86_IRQ_LEVEL] = 2, [X86_IRQ_LOW] = 3};

/* ---- The built one. ---- */

#define NOP 4
extern const uint8_t x86_tree[], x86_tree_end[], x86_tree_stdout[], x86_tree_stdout_end[], x86_tree_ioapic[],
    x86_tree_ioapic_base[], x86_tree_ioapic_end[], x86_tree_serial[], x86_tree_interrupt[], x86_tree_interrupt_cells[],
    x86_tree_interrupt_end[], x86_tree_serial_end[], x86_tree_pci[], x86_tree_pci_base[], x86_tree_pci_buses[],
    x86_tree_pci_end[];
#define TREE_SIZE ((size_t)(x86_tree_end - x86_tree))

static void put32(uint8_t *to, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void put64(uint8_t *to, uint64_t value) {
    put32(to, (uint32_t)(value >> 32));
    put32(to + 4, (uint32_t)value);
}

/* What lies between two labels is not there on this machine. */
static void cut(uint8_t *tree, const uint8_t *from, const uint8_t *end) {
    for (; from < end; from += 4)
        put32(tree + (from - x86_tree), NOP);
}

/* The tree of tree.S, made that of this machine. */
static void build(uint8_t *tree, const struct boot_range *pci) {
    const struct x86_facts *f = &x86_facts;
    memcpy(tree, x86_tree, TREE_SIZE);
    uint8_t *base = tree + (x86_tree_ioapic_base - x86_tree), *cells = tree + (x86_tree_interrupt_cells - x86_tree);
    put64(base, f->ioapic[0].base);
    put32(cells, f->isa_gsi[4]);
    put32(cells + 4, sense_of[f->isa_mode[4] & 3]);
    put64(tree + (x86_tree_pci_base - x86_tree), pci->base);
    put64(tree + (x86_tree_pci_base - x86_tree) + 8, pci->size);
    put32(tree + (x86_tree_pci_buses - x86_tree) + 4, pci->size ? (uint32_t)(pci->size >> 20) - 1 : 0);
    if (pci->size == 0)
        cut(tree, x86_tree_pci, x86_tree_pci_end);
    if (port_read8(0x3f8 + 5) == 0xff) {
        cut(tree, x86_tree_stdout, x86_tree_stdout_end);
        cut(tree, x86_tree_serial, x86_tree_serial_end);
    }
    if (f->ioapic_count == 0) {
        cut(tree, x86_tree_ioapic, x86_tree_ioapic_end);
        cut(tree, x86_tree_interrupt, x86_tree_interrupt_end);
    }
}

/* ---- What it says of interrupts. ---- */

static void set_modes(const struct fdt *tree) {
    struct fdt_node node = fdt_root(tree);
    do {
        struct fdt_value value;
        uint64_t irq, sense;
        if (fdt_prop(tree, &node, "interrupts", &value))
            for (uint32_t at = 0; fdt_value_cells(&value, at, 1, &irq) && fdt_value_cells(&value, at + 1, 1, &sense);
                 at += 2)
                ioapic_mode(irq < X86_IRQS ? (unsigned)irq : X86_IRQS, mode_of[sense & 3]);
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
    put32(tree + 4, used);
    return used;
}

void tree_make(struct boot_info *info) {
    for (unsigned irq = 0; irq < X86_IRQS; irq++)
        ioapic_mode(irq, X86_IRQ_LEVEL | X86_IRQ_LOW);
    for (unsigned isa = 0; isa < 16; isa++)
        ioapic_mode(x86_facts.isa_gsi[isa], x86_facts.isa_mode[isa]);

    uint32_t size = fw_open("etc/fdt");
    bool given = size != 0 && size <= TREE_MAX;
    if (!given)
        size = TREE_SIZE;
    uint64_t at = x86_room(info, size);
    uint8_t *bytes = arch_phys_to_virt(at);
    if (given) {
        fw_read(bytes, size);
        size = trim(bytes, size);
    } else {
        build(bytes, &info->pci);
    }
    info->tree = (struct boot_range){at, size};
    info->kept[info->kept_count++] = info->tree;

    struct fdt tree;
    if (fdt_open(&tree, bytes, size))
        set_modes(&tree);
    else
        log_line("the device tree of the firmware cannot be read");
}
