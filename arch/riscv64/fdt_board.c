/* SPDX-License-Identifier: MIT */
/*
 * What the port asks of a device tree. The questions are in the header; the bindings answered here are those of the
 * devicetree specification (memory, reserved-memory, chosen, cpus) and of Linux's documentation (riscv,*, sifive,*).
 */
#include "arch/riscv64/fdt_board.h"

#include "lib/string.h"

#define SUPERVISOR_EXTERNAL 9u /* cause of the interrupt, in interrupts-extended as in scause */

/* The first child of the node at `path`. */
static bool first_child(const struct fdt *tree, const char *path, struct fdt_node *node) {
    return fdt_node_find(tree, path, strlen(path), node) && fdt_node_child(tree, node);
}

static bool string_is(const char *s, const char *expected) {
    return s != NULL && strcmp(s, expected) == 0;
}

/* Looks for range number *index of the node; if it is not among them, takes their number off *index. Nothing is
 * translated: memory has no bus above, and reserved ranges are RAM addresses even in a tree that forgets `ranges`. */
static bool range_take(const struct fdt *tree, const struct fdt_node *node, uint32_t *index, struct fdt_range *ret) {
    uint32_t count = fdt_node_regs(tree, node);
    struct fdt_range range;

    for (uint32_t i = 0; i < count; i++) {
        if (!fdt_node_reg_local(tree, node, i, &range))
            continue;
        if (*index == 0) {
            *ret = range;
            return true;
        }
        (*index)--;
    }
    return false;
}

bool fdt_memory(const struct fdt *tree, uint32_t index, struct fdt_range *ret) {
    struct fdt_node node = fdt_root(tree);

    for (bool more = fdt_node_child(tree, &node); more; more = fdt_node_sibling(tree, &node))
        if (string_is(fdt_prop_string(tree, &node, "device_type"), "memory") && fdt_node_okay(tree, &node) &&
            range_take(tree, &node, &index, ret))
            return true;
    return false;
}

bool fdt_reserved(const struct fdt *tree, uint32_t index, struct fdt_range *ret) {
    struct fdt_node node;

    for (bool more = first_child(tree, "/reserved-memory", &node); more; more = fdt_node_sibling(tree, &node))
        if (range_take(tree, &node, &index, ret))
            return true;
    return false;
}

/* Looks for the D (which implies F) and Sstc extensions in an ISA string: "rv64", then single letters, and names of
 * several letters, which begin with s, x or z and end at an underscore. Any may carry a version, "2p1". */
static void isa_read(const char *isa, struct fdt_cpu *cpu) {
    for (isa += strnlen(isa, strlen("rv64")); *isa != '\0';) {
        size_t length = 1;

        if (*isa == 's' || *isa == 'x' || *isa == 'z') {
            while (isa[length] != '\0' && isa[length] != '_')
                length++;
            if (strncmp(isa, "sstc", 4) == 0 && (length == 4 || (isa[4] >= '0' && isa[4] <= '9')))
                cpu->sstc = true;
        } else if (*isa == 'd' || *isa == 'g') {
            cpu->fpu = true;
        }
        isa += length;
    }
}

/* The phandle of the interrupt controller that is a child of the processor's node, 0 if there is none. */
static uint32_t cpu_irq_node(const struct fdt *tree, const struct fdt_node *cpu) {
    struct fdt_node node = *cpu;
    struct fdt_value unused;
    uint64_t phandle = 0;

    for (bool more = fdt_node_child(tree, &node); more; more = fdt_node_sibling(tree, &node)) {
        if (fdt_prop(tree, &node, "interrupt-controller", &unused) &&
            (fdt_prop_number(tree, &node, "phandle", &phandle) ||
             fdt_prop_number(tree, &node, "linux,phandle", &phandle)))
            return (uint32_t)phandle;
    }
    return 0;
}

/* Fills *ret from a child of /cpus. False, with *ret untouched, if it is no processor. */
static bool cpu_read(const struct fdt *tree, const struct fdt_node *node, struct fdt_cpu *ret) {
    struct fdt_cpu cpu = {.okay = fdt_node_okay(tree, node)};
    const char *mmu = fdt_prop_string(tree, node, "mmu-type");
    const char *isa = fdt_prop_string(tree, node, "riscv,isa");
    struct fdt_value list;

    if (!string_is(fdt_prop_string(tree, node, "device_type"), "cpu") || !fdt_prop_number(tree, node, "reg", &cpu.hart))
        return false;
    cpu.mmu = mmu != NULL && strcmp(mmu, "riscv,none") != 0;
    if (fdt_prop(tree, node, "riscv,isa-extensions", &list)) { /* where both are, the list is the newer and exact one */
        cpu.fpu = fdt_prop_lists(tree, node, "riscv,isa-extensions", "f") &&
                  fdt_prop_lists(tree, node, "riscv,isa-extensions", "d");
        cpu.sstc = fdt_prop_lists(tree, node, "riscv,isa-extensions", "sstc");
    } else if (isa != NULL) {
        isa_read(isa, &cpu);
    }
    cpu.irq_node = cpu_irq_node(tree, node);
    *ret = cpu;
    return true;
}

bool fdt_cpu(const struct fdt *tree, uint32_t index, struct fdt_cpu *ret) {
    struct fdt_node node;
    struct fdt_cpu cpu;

    for (bool more = first_child(tree, "/cpus", &node); more; more = fdt_node_sibling(tree, &node)) {
        if (cpu_read(tree, &node, &cpu) && index-- == 0) {
            *ret = cpu;
            return true;
        }
    }
    return false;
}

uint32_t fdt_timebase(const struct fdt *tree) {
    struct fdt_node node;
    uint64_t frequency = 0;

    if (fdt_node_find(tree, "/cpus", strlen("/cpus"), &node) &&
        fdt_prop_number(tree, &node, "timebase-frequency", &frequency))
        return (uint32_t)frequency;
    for (bool more = first_child(tree, "/cpus", &node); more; more = fdt_node_sibling(tree, &node))
        if (fdt_prop_number(tree, &node, "timebase-frequency", &frequency))
            return (uint32_t)frequency;
    return 0;
}

struct fdt_chosen fdt_chosen(const struct fdt *tree) {
    struct fdt_chosen chosen = {.arguments = ""};
    struct fdt_node node;
    const char *arguments;
    uint64_t start, end;

    if (!fdt_node_find(tree, "/chosen", strlen("/chosen"), &node))
        return chosen;
    arguments = fdt_prop_string(tree, &node, "bootargs");
    if (arguments != NULL)
        chosen.arguments = arguments;
    if (fdt_prop_number(tree, &node, "linux,initrd-start", &start) &&
        fdt_prop_number(tree, &node, "linux,initrd-end", &end) && end > start) {
        chosen.initrd.base = start;
        chosen.initrd.size = end - start;
    }
    return chosen;
}

bool fdt_plic(const struct fdt *tree, uint32_t index, struct fdt_plic *ret) {
    struct fdt_plic plic = {.node = fdt_root(tree)};
    uint64_t sources;

    while (fdt_node_next(tree, &plic.node, 0)) {
        if (!fdt_node_compatible(tree, &plic.node, "sifive,plic-1.0.0") &&
            !fdt_node_compatible(tree, &plic.node, "riscv,plic0"))
            continue;
        if (fdt_node_okay(tree, &plic.node) && fdt_node_reg(tree, &plic.node, 0, &plic.reg) &&
            fdt_prop_number(tree, &plic.node, "riscv,ndev", &sources) && index-- == 0) {
            plic.sources = (uint32_t)sources;
            *ret = plic;
            return true;
        }
    }
    return false;
}

/* How many cells follow this phandle in interrupts-extended. One is what riscv,cpu-intc has, by its binding, and what a
 * controller that cannot be found is taken to have. */
static uint32_t interrupt_cells(const struct fdt *tree, uint64_t phandle) {
    struct fdt_node node;
    uint64_t cells = 1;

    if (fdt_node_phandle(tree, (uint32_t)phandle, &node))
        fdt_prop_number(tree, &node, "#interrupt-cells", &cells);
    return (uint32_t)cells;
}

bool fdt_plic_context(const struct fdt *tree, const struct fdt_plic *plic, const struct fdt_cpu *cpu, uint32_t *ret) {
    struct fdt_value entries;
    uint64_t phandle, cause;
    uint32_t context = 0;

    if (cpu->irq_node == 0 || !fdt_prop(tree, &plic->node, "interrupts-extended", &entries))
        return false;
    for (uint32_t at = 0; fdt_value_cells(&entries, at, 1, &phandle); context++) {
        if (phandle == cpu->irq_node && fdt_value_cells(&entries, at + 1, 1, &cause) && cause == SUPERVISOR_EXTERNAL) {
            *ret = context;
            return true;
        }
        uint32_t cells = interrupt_cells(tree, phandle);
        if (cells > entries.size) /* and so at does not wrap */
            return false;
        at += 1 + cells;
    }
    return false;
}
