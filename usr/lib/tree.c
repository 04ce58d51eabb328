/* SPDX-License-Identifier: MIT */
/*
 * The console's UART in a device tree (os2/tree.h): which node, where its registers are, whose interrupt it has.
 */
#include "os2/tree.h"

#include "os2/string.h"

static enum os2_uart_kind tree_uart_kind(const struct fdt *tree, const struct fdt_node *node) {
    static const struct {
        const char *compatible;
        enum os2_uart_kind kind;
    } known[] = {
        {"snps,dw-apb-uart", OS2_UART_DW_APB}, {"starfive,jh7110-uart", OS2_UART_DW_APB},
        {"sifive,uart0", OS2_UART_SIFIVE},     {"ns16550a", OS2_UART_NS16550},
        {"ns16550", OS2_UART_NS16550},
    };

    if (!fdt_node_okay(tree, node))
        return OS2_UART_NONE;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (fdt_node_compatible(tree, node, known[i].compatible))
            return known[i].kind;
    return OS2_UART_NONE;
}

/*
 * Is the node's address on its bus an I/O port? On an ISA bus the first of its two cells says so with a 1, and the port
 * is what remains of it. QEMU's microvm has no such bus in its tree and writes ports as plain addresses: what a
 * processor sees below 64 KiB is taken for a port, because no UART lies in memory there.
 */
#define TREE_PORTS UINT64_C(0x10000)
static bool tree_is_port(const struct fdt *tree, const struct fdt_node *node, uint64_t *address) {
    struct fdt_node bus = *node;

    bus.depth--;
    if (!fdt_prop_lists(tree, &bus, "device_type", "isa") || *address >> 32 != 1)
        return false;
    *address &= UINT32_MAX;
    return *address < TREE_PORTS;
}

bool os2_tree_place(const struct fdt *tree, const struct fdt_node *node, struct os2_tree_place *ret_place) {
    struct fdt_range reg;
    bool ports;

    if (node->depth == 0 || !fdt_node_reg_local(tree, node, 0, &reg))
        return false;
    ports = tree_is_port(tree, node, &reg.base);
    if (!ports && !fdt_node_reg(tree, node, 0, &reg))
        return false;
    *ret_place = (struct os2_tree_place){reg.base, reg.size, ports || reg.base < TREE_PORTS};
    return true;
}

/* ---- Whose interrupt it is: Devicetree Specification 0.4, section 2.4. ---- */

#define TREE_NEXUS 4  /* so many maps one behind the other */
#define TREE_CELLS 8u /* of a unit address with its interrupt specifier */

/* A specifier on its way to a controller: `unit` cells of address, then `count` of the interrupt. */
struct tree_irq {
    struct fdt_node parent;
    uint32_t unit, count;
    uint32_t cell[TREE_CELLS];
};

static uint32_t tree_number(const struct fdt *tree, const struct fdt_node *node, const char *name, uint32_t otherwise) {
    uint64_t number = otherwise;

    fdt_prop_number(tree, node, name, &number);
    return (uint32_t)number;
}

/* Cell number `at` of a value that is known to have it. */
static uint32_t tree_cell(const struct fdt_value *value, uint32_t at) {
    uint64_t cell = 0;

    fdt_value_cells(value, at, 1, &cell);
    return (uint32_t)cell;
}

/* So many cells at the front of the value are done with. False: it has not so many. */
static bool tree_skip(struct fdt_value *value, uint32_t cells) {
    if (value->size / 4 < cells)
        return false;
    value->bytes += 4 * (size_t)cells;
    value->size -= 4 * cells;
    return true;
}

/* The interrupt parent of the node: what it, or the nearest node above that says so, names; or the nearest node above
 * that takes specifiers itself. */
static bool tree_irq_parent(const struct fdt *tree, const struct fdt_node *node, struct fdt_node *ret) {
    struct fdt_node at = *node;
    struct fdt_value value;

    for (;; at.depth--) {
        if (at.depth < node->depth && fdt_prop(tree, &at, "#interrupt-cells", &value)) {
            *ret = at;
            return true;
        }
        if (fdt_prop(tree, &at, "interrupt-parent", &value) && value.size == 4)
            return fdt_node_phandle(tree, tree_cell(&value, 0), ret);
        if (at.depth == 0)
            return false;
    }
}

/* Reads what the parent's specifiers have, and `unit` cells before that, at the start of the value. False: so many are
 * not there, or do not fit. */
static bool tree_irq_read(const struct fdt *tree, struct tree_irq *irq, const struct fdt_value *value, uint32_t unit) {
    uint32_t count = tree_number(tree, &irq->parent, "#interrupt-cells", 0);

    if (unit > TREE_CELLS || count > TREE_CELLS - unit || count == 0 || value->size / 4 < unit + count)
        return false;
    irq->unit = unit;
    irq->count = count;
    for (uint32_t i = 0; i < unit + count; i++)
        irq->cell[i] = tree_cell(value, i);
    return true;
}

/* The node's first interrupt, as its parent is told. */
static bool tree_irq_first(const struct fdt *tree, const struct fdt_node *node, struct tree_irq *ret) {
    struct fdt_value value, reg;
    uint32_t address;

    if (fdt_prop(tree, node, "interrupts-extended", &value)) {
        if (value.size < 4 || !fdt_node_phandle(tree, tree_cell(&value, 0), &ret->parent))
            return false;
        tree_skip(&value, 1);
    } else if (!fdt_prop(tree, node, "interrupts", &value) || !tree_irq_parent(tree, node, &ret->parent)) {
        return false;
    }
    if (!tree_irq_read(tree, ret, &value, 0))
        return false;
    /* A map compares the unit address too: the first of reg. */
    address = tree_number(tree, &ret->parent, "#address-cells", 0);
    if (address && fdt_prop(tree, &ret->parent, "interrupt-map", &value)) {
        if (address > TREE_CELLS - ret->count || !fdt_prop(tree, node, "reg", &reg) || reg.size / 4 < address)
            return false;
        for (uint32_t i = ret->count; i-- > 0;)
            ret->cell[address + i] = ret->cell[i];
        for (uint32_t i = 0; i < address; i++)
            ret->cell[i] = tree_cell(&reg, i);
        ret->unit = address;
    }
    return true;
}

/* One step through the interrupt-map of its parent. */
static bool tree_irq_map(const struct fdt *tree, struct tree_irq *irq) {
    struct fdt_value map, mask = {0};
    uint32_t cells = irq->unit + irq->count;

    if (!fdt_prop(tree, &irq->parent, "interrupt-map", &map))
        return false;
    if (fdt_prop(tree, &irq->parent, "interrupt-map-mask", &mask) && mask.size / 4 < cells)
        return false;
    while (map.size / 4 > cells) {
        bool same = true;
        struct tree_irq next;
        for (uint32_t i = 0; i < cells; i++)
            same &= ((irq->cell[i] ^ tree_cell(&map, i)) & (mask.size ? tree_cell(&mask, i) : UINT32_MAX)) == 0;
        if (!fdt_node_phandle(tree, tree_cell(&map, cells), &next.parent) || !tree_skip(&map, cells + 1) ||
            !tree_irq_read(tree, &next, &map, tree_number(tree, &next.parent, "#address-cells", 0)))
            return false;
        if (same) {
            *irq = next;
            return true;
        }
        tree_skip(&map, next.unit + next.count);
    }
    return false;
}

/*
 * Is this a controller that the kernel drives? That is the first one of a kind that it knows; of I/O APICs, all. Their
 * inputs are counted one behind the other in the order of the tree, as firmware counts them for the kernel, and each
 * has 24 (82093AA): *ret_first is the number of the first input.
 */
#define TREE_IOAPIC "intel,ce4100-ioapic"
#define TREE_IOAPIC_INPUTS 24u
static bool tree_is_controller(const struct fdt *tree, const struct fdt_node *node, unsigned *ret_first) {
    static const char *const known[] = {"sifive,plic-1.0.0", "riscv,plic0", TREE_IOAPIC};
    struct fdt_node at = fdt_root(tree);
    unsigned before = 0;

    do {
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (!fdt_node_compatible(tree, &at, known[i]) || !fdt_node_okay(tree, &at))
                continue;
            *ret_first = before;
            if (at.at[at.depth] == node->at[node->depth])
                return true;
            if (strcmp(known[i], TREE_IOAPIC) != 0)
                return false;
            before += TREE_IOAPIC_INPUTS;
        }
    } while (fdt_node_next(tree, &at, 0));
    return false;
}

/* The kernel's number of an interrupt on its way; 0: it is not the kernel's. */
static unsigned tree_irq_number(const struct fdt *tree, struct tree_irq *irq) {
    unsigned first;

    for (unsigned i = 0; i < TREE_NEXUS; i++) {
        if (tree_is_controller(tree, &irq->parent, &first))
            return first + irq->cell[irq->unit];
        if (!tree_irq_map(tree, irq))
            break;
    }
    return 0;
}

unsigned os2_tree_irq(const struct fdt *tree, const struct fdt_node *node, bool *ret_foreign) {
    struct fdt_value value;
    struct tree_irq irq;
    unsigned number = tree_irq_first(tree, node, &irq) ? tree_irq_number(tree, &irq) : 0;

    *ret_foreign =
        !number && (fdt_prop(tree, node, "interrupts-extended", &value) || fdt_prop(tree, node, "interrupts", &value));
    return number;
}

/* IEEE 1275, PCI binding: three cells of address, of which the first has the device's number, and the pin. */
unsigned os2_tree_pci_irq(const struct fdt *tree, const struct fdt_node *bridge, unsigned device, unsigned pin) {
    struct tree_irq irq = {.parent = *bridge, .unit = 3, .count = 1, .cell = {device << 11, 0, 0, pin}};
    return tree_irq_map(tree, &irq) ? tree_irq_number(tree, &irq) : 0;
}

static bool tree_uart(const struct fdt *tree, const struct fdt_node *node, struct os2_tree_uart *ret) {
    struct os2_tree_uart uart = {.kind = tree_uart_kind(tree, node)};
    struct os2_tree_place place;

    if (uart.kind == OS2_UART_NONE || !os2_tree_place(tree, node, &place))
        return false;
    uart.base = place.base;
    uart.size = place.size;
    uart.ports = place.ports;
    uart.base += tree_number(tree, node, "reg-offset", 0);
    uart.shift = tree_number(tree, node, "reg-shift", 0);
    uart.io_width = tree_number(tree, node, "reg-io-width", 1) == 4 ? 4 : 1;
    if (uart.kind == OS2_UART_SIFIVE) {
        uart.shift = 2;
        uart.io_width = 4;
    }
    if (uart.shift > 4)
        return false;
    uart.irq = os2_tree_irq(tree, node, &uart.irq_foreign);
    *ret = uart;
    return true;
}

bool os2_tree_console(const struct fdt *tree, struct os2_tree_uart *ret_uart) {
    struct fdt_node node;
    const char *options;

    if (fdt_stdout(tree, &node, &options) && tree_uart(tree, &node, ret_uart))
        return true;
    node = fdt_root(tree);
    while (fdt_node_next(tree, &node, 0))
        if (tree_uart(tree, &node, ret_uart))
            return true;
    return false;
}
