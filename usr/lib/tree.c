/* SPDX-License-Identifier: MIT */
/*
 * A small reader of flattened device trees (os2/tree.h).
 *
 * The structure block is a sequence of big-endian words: BEGIN_NODE name, PROP size name-offset bytes, END_NODE, NOP,
 * END; names and bytes are padded to four. A node is named by the offset of its BEGIN_NODE. Everything is found by
 * walking from the start: a program looks for its device once. Each step checks what is left of the block, and the
 * depth of nesting is bounded, so rubbish ends the walk.
 */
#include "os2/tree.h"

#include "os2/string.h"

#define TREE_MAGIC 0xd00dfeedu
#define TREE_HEADER 40u
#define TREE_DEPTH 16

enum tree_kind { TREE_BEGIN = 1, TREE_END_NODE = 2, TREE_PROPERTY = 3, TREE_NOP = 4, TREE_END = 9 };

struct tree_token {
    enum tree_kind kind;
    size_t at;        /* where it starts */
    const char *name; /* of a node or property, zero-terminated */
    struct os2_tree_value value;
};

static uint32_t tree_word(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The string at `bytes`, if its zero comes within `size`. */
static const char *tree_string(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == 0)
            return (const char *)bytes;
    return NULL;
}

/* Reads the token at *at and moves *at behind it. False at the end and at what is no token. */
static bool tree_next(const struct os2_tree *tree, size_t *at, struct tree_token *ret) {
    for (;;) {
        size_t left, used = 4;
        const uint8_t *b;

        if (*at > tree->structure_size || tree->structure_size - *at < 4)
            return false;
        left = tree->structure_size - *at;
        b = tree->structure + *at;
        *ret = (struct tree_token){.kind = (enum tree_kind)tree_word(b), .at = *at};
        switch (ret->kind) {
        case TREE_NOP:
            *at += 4;
            continue;
        case TREE_END_NODE:
            break;
        case TREE_BEGIN:
            ret->name = tree_string(b + 4, left - 4);
            if (!ret->name)
                return false;
            used += strlen(ret->name) + 1;
            break;
        case TREE_PROPERTY: {
            uint32_t size, name;
            if (left < 12)
                return false;
            size = tree_word(b + 4);
            name = tree_word(b + 8);
            if (size > left - 12 || name >= tree->strings_size)
                return false;
            ret->name = tree_string(tree->strings + name, tree->strings_size - name);
            if (!ret->name)
                return false;
            ret->value = (struct os2_tree_value){.bytes = b + 12, .size = size};
            used = 12 + (size_t)size;
            break;
        }
        case TREE_END:
        default:
            return false;
        }
        *at += (used + 3) & ~(size_t)3;
        return true;
    }
}

bool os2_tree_open(const void *bytes, size_t size, struct os2_tree *ret_tree) {
    const uint8_t *b = bytes;
    uint32_t total, structure, strings, structure_size, strings_size;

    if (size < TREE_HEADER || tree_word(b) != TREE_MAGIC)
        return false;
    total = tree_word(b + 4);
    structure = tree_word(b + 8);
    strings = tree_word(b + 12);
    strings_size = tree_word(b + 32);
    structure_size = tree_word(b + 36);
    if (total > size || structure > total || structure_size > total - structure || strings > total ||
        strings_size > total - strings)
        return false;
    *ret_tree = (struct os2_tree){.structure = b + structure,
                                  .strings = b + strings,
                                  .structure_size = structure_size,
                                  .strings_size = strings_size};
    return true;
}

/* Whether a node's name is the path component, which may leave out "@address". */
static bool tree_name_matches(const char *name, const char *part, size_t length) {
    if (strncmp(name, part, length) != 0 || strlen(name) < length)
        return false;
    return name[length] == 0 || name[length] == '@';
}

long os2_tree_find(const struct os2_tree *tree, const char *path, size_t length) {
    struct tree_token token;
    size_t at = 0, part = 0;
    int depth = 0, matched = 0; /* nodes open, and how many of the innermost are the path so far */

    if (length == 0 || path[0] != '/')
        return -1;
    while (tree_next(tree, &at, &token)) {
        if (token.kind == TREE_END_NODE) {
            if (depth-- == 0 || depth < matched)
                return -1; /* the node that matched so far has ended without the next part in it */
        } else if (token.kind == TREE_BEGIN) {
            if (depth++ != matched)
                continue;
            if (matched > 0) {
                size_t end = part;
                while (end < length && path[end] != '/')
                    end++;
                if (!tree_name_matches(token.name, path + part, end - part))
                    continue;
                part = end;
            }
            matched++;
            while (part < length && path[part] == '/')
                part++;
            if (part == length)
                return (long)token.at;
        }
    }
    return -1;
}

bool os2_tree_property(const struct os2_tree *tree, long node, const char *name, struct os2_tree_value *ret_value) {
    struct tree_token token;
    size_t at = (size_t)node;

    if (node < 0 || !tree_next(tree, &at, &token) || token.kind != TREE_BEGIN)
        return false;
    /* Properties come before child nodes. */
    while (tree_next(tree, &at, &token) && token.kind == TREE_PROPERTY) {
        if (strcmp(token.name, name) == 0) {
            *ret_value = token.value;
            return true;
        }
    }
    return false;
}

static uint32_t tree_number(const struct os2_tree *tree, long node, const char *name, uint32_t otherwise) {
    struct os2_tree_value value;
    if (!os2_tree_property(tree, node, name, &value) || value.size < 4)
        return otherwise;
    return tree_word(value.bytes);
}

/* Whether a list of strings holds this one. */
static bool tree_list_has(const struct os2_tree_value *list, const char *text) {
    size_t at = 0;
    while (at < list->size) {
        const char *entry = tree_string(list->bytes + at, list->size - at);
        if (!entry)
            return false;
        if (strcmp(entry, text) == 0)
            return true;
        at += strlen(entry) + 1;
    }
    return false;
}

static bool tree_okay(const struct os2_tree *tree, long node) {
    struct os2_tree_value state;
    return !os2_tree_property(tree, node, "status", &state) || tree_list_has(&state, "okay") ||
           tree_list_has(&state, "ok");
}

static enum os2_uart_kind tree_uart_kind(const struct os2_tree *tree, long node) {
    static const struct {
        const char *compatible;
        enum os2_uart_kind kind;
    } known[] = {
        {"snps,dw-apb-uart", OS2_UART_DW_APB}, {"starfive,jh7110-uart", OS2_UART_DW_APB},
        {"sifive,uart0", OS2_UART_SIFIVE},     {"ns16550a", OS2_UART_NS16550},
        {"ns16550", OS2_UART_NS16550},
    };
    struct os2_tree_value compatible;

    if (!os2_tree_property(tree, node, "compatible", &compatible) || !tree_okay(tree, node))
        return OS2_UART_NONE;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (tree_list_has(&compatible, known[i].compatible))
            return known[i].kind;
    return OS2_UART_NONE;
}

/* The nodes from the root down to `node`, which is the last one; returns how many, 0 if there is no such node. */
static unsigned tree_chain(const struct os2_tree *tree, long node, long chain[TREE_DEPTH]) {
    struct tree_token token;
    unsigned depth = 0;
    size_t at = 0;

    while (tree_next(tree, &at, &token)) {
        if (token.kind == TREE_BEGIN) {
            if (depth == TREE_DEPTH)
                return 0;
            chain[depth++] = (long)token.at;
            if ((long)token.at == node)
                return depth;
        } else if (token.kind == TREE_END_NODE && depth-- == 0) {
            return 0;
        }
    }
    return 0;
}

/* A number of `cells` words; more than two cells keep the low 64 bits. */
static uint64_t tree_cells(const uint8_t *bytes, uint32_t cells) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < cells; i++)
        value = value << 32 | tree_word(bytes + i * 4);
    return value;
}

/* Turns an address on the bus `chain[level]` into one of its parent's bus. False: the bus does not map it. */
static bool tree_translate(const struct os2_tree *tree, const long *chain, unsigned level, uint64_t *address) {
    uint32_t child = tree_number(tree, chain[level], "#address-cells", 2) & 7;
    uint32_t parent = tree_number(tree, chain[level - 1], "#address-cells", 2) & 7;
    uint32_t sizes = tree_number(tree, chain[level], "#size-cells", 1) & 7;
    size_t entry = 4 * (size_t)(child + parent + sizes);
    struct os2_tree_value ranges;

    if (!os2_tree_property(tree, chain[level], "ranges", &ranges))
        return false;
    if (!ranges.size) /* one to one */
        return true;
    for (size_t at = 0; entry && ranges.size - at >= entry; at += entry) {
        const uint8_t *b = ranges.bytes + at;
        uint64_t from = tree_cells(b, child), to = tree_cells(b + 4 * child, parent);
        uint64_t size = tree_cells(b + 4 * (child + parent), sizes);
        if (*address >= from && *address - from < size) {
            *address = to + (*address - from);
            return true;
        }
    }
    return false;
}

/*
 * Is this address of `bus` an I/O port? On an ISA bus the first of its two cells says so with a 1, and the port is what
 * remains of it. QEMU's microvm has no such bus in its tree and writes ports as plain addresses: what a processor sees
 * below 64 KiB is taken for a port, because no UART lies in memory there.
 */
#define TREE_PORTS UINT64_C(0x10000)
static bool tree_is_port(const struct os2_tree *tree, long bus, uint64_t *address) {
    struct os2_tree_value kind;
    if (!os2_tree_property(tree, bus, "device_type", &kind) || !tree_list_has(&kind, "isa") || *address >> 32 != 1)
        return false;
    *address &= UINT32_MAX;
    return *address < TREE_PORTS;
}

/* ---- Whose interrupt it is: Devicetree Specification 0.4, section 2.4. ---- */

#define TREE_NEXUS 4  /* so many maps one behind the other */
#define TREE_CELLS 8u /* of a unit address with its interrupt specifier */

/* A specifier on its way to a controller: `unit` cells of address, then `count` of the interrupt. */
struct tree_irq {
    long parent;
    uint32_t unit, count;
    uint32_t cell[TREE_CELLS];
};

/* The node with this phandle; -1: none. */
static long tree_phandle(const struct os2_tree *tree, uint32_t phandle) {
    struct tree_token token;
    size_t at = 0;
    long node = -1;

    while (tree_next(tree, &at, &token)) {
        if (token.kind == TREE_BEGIN)
            node = (long)token.at;
        else if (token.kind == TREE_PROPERTY && token.value.size == 4 && tree_word(token.value.bytes) == phandle &&
                 (strcmp(token.name, "phandle") == 0 || strcmp(token.name, "linux,phandle") == 0))
            return node;
    }
    return -1;
}

/* The interrupt parent of the last node in the chain: what it, or the nearest node above that says so, names; or the
 * nearest node above that takes specifiers itself. -1: none. */
static long tree_irq_parent(const struct os2_tree *tree, const long *chain, unsigned depth) {
    struct os2_tree_value value;

    for (unsigned level = depth; level-- > 0;) {
        if (level + 1 < depth && os2_tree_property(tree, chain[level], "#interrupt-cells", &value))
            return chain[level];
        if (os2_tree_property(tree, chain[level], "interrupt-parent", &value) && value.size == 4)
            return tree_phandle(tree, tree_word(value.bytes));
    }
    return -1;
}

/* Reads `unit` and `count` cells at the start of `bytes`. False: so many are not there, or do not fit. */
static bool tree_irq_read(struct tree_irq *irq, const uint8_t *bytes, size_t size, uint32_t unit, uint32_t count) {
    if (unit > TREE_CELLS || count > TREE_CELLS - unit || count == 0 || size < 4 * (size_t)(unit + count))
        return false;
    irq->unit = unit;
    irq->count = count;
    for (uint32_t i = 0; i < unit + count; i++)
        irq->cell[i] = tree_word(bytes + 4 * i);
    return true;
}

/* The node's first interrupt, as its parent is told. */
static bool tree_irq_first(const struct os2_tree *tree, const long *chain, unsigned depth, struct tree_irq *ret) {
    struct os2_tree_value value, reg;
    long node = chain[depth - 1];
    uint32_t address;

    if (os2_tree_property(tree, node, "interrupts-extended", &value)) {
        if (value.size < 4)
            return false;
        ret->parent = tree_phandle(tree, tree_word(value.bytes));
        value.bytes += 4;
        value.size -= 4;
    } else if (os2_tree_property(tree, node, "interrupts", &value)) {
        ret->parent = tree_irq_parent(tree, chain, depth);
    } else {
        return false;
    }
    if (!tree_irq_read(ret, value.bytes, value.size, 0, tree_number(tree, ret->parent, "#interrupt-cells", 0)))
        return false;
    /* A map compares the unit address too: the first of reg. */
    address = tree_number(tree, ret->parent, "#address-cells", 0);
    if (address && os2_tree_property(tree, ret->parent, "interrupt-map", &value)) {
        if (!os2_tree_property(tree, node, "reg", &reg) || reg.size < 4 * (size_t)address ||
            address > TREE_CELLS - ret->count)
            return false;
        for (uint32_t i = ret->count; i-- > 0;)
            ret->cell[address + i] = ret->cell[i];
        for (uint32_t i = 0; i < address; i++)
            ret->cell[i] = tree_word(reg.bytes + 4 * i);
        ret->unit = address;
    }
    return true;
}

/* One step through the interrupt-map of its parent. */
static bool tree_irq_map(const struct os2_tree *tree, struct tree_irq *irq) {
    struct os2_tree_value map, mask = {0};
    uint32_t cells = irq->unit + irq->count;

    if (!os2_tree_property(tree, irq->parent, "interrupt-map", &map))
        return false;
    if (os2_tree_property(tree, irq->parent, "interrupt-map-mask", &mask) && mask.size < 4 * (size_t)cells)
        return false;
    while (map.size >= 4 * (size_t)(cells + 1)) {
        long parent = tree_phandle(tree, tree_word(map.bytes + 4 * (size_t)cells));
        bool same = true;
        struct tree_irq next = {.parent = parent};
        for (uint32_t i = 0; i < cells; i++)
            same &= ((irq->cell[i] ^ tree_word(map.bytes + 4 * i)) &
                     (mask.size ? tree_word(mask.bytes + 4 * i) : UINT32_MAX)) == 0;
        map.bytes += 4 * (size_t)(cells + 1);
        map.size -= 4 * (size_t)(cells + 1);
        if (!tree_irq_read(&next, map.bytes, map.size, tree_number(tree, parent, "#address-cells", 0),
                           tree_number(tree, parent, "#interrupt-cells", 0)))
            return false;
        if (same) {
            *irq = next;
            return true;
        }
        map.bytes += 4 * (size_t)(next.unit + next.count);
        map.size -= 4 * (size_t)(next.unit + next.count);
    }
    return false;
}

/* The controller that the kernel drives: the first one of a kind that it knows. -1: none. */
static long tree_controller(const struct os2_tree *tree) {
    static const char *const known[] = {"sifive,plic-1.0.0", "riscv,plic0", "intel,ce4100-ioapic"};
    struct tree_token token;
    size_t at = 0;

    while (tree_next(tree, &at, &token)) {
        struct os2_tree_value compatible;
        if (token.kind != TREE_BEGIN || !os2_tree_property(tree, (long)token.at, "compatible", &compatible) ||
            !tree_okay(tree, (long)token.at))
            continue;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (tree_list_has(&compatible, known[i]))
                return (long)token.at;
    }
    return -1;
}

/* The kernel's number of the node's first interrupt; 0 where it has none that the kernel hears of. *ret_foreign: it has
 * one, of somebody else. */
static unsigned tree_irq(const struct os2_tree *tree, const long *chain, unsigned depth, bool *ret_foreign) {
    long node = chain[depth - 1];
    struct os2_tree_value value;
    struct tree_irq irq;

    *ret_foreign = os2_tree_property(tree, node, "interrupts-extended", &value) ||
                   os2_tree_property(tree, node, "interrupts", &value);
    if (!tree_irq_first(tree, chain, depth, &irq))
        return 0;
    for (unsigned i = 0; i < TREE_NEXUS; i++) {
        if (irq.parent >= 0 && irq.parent == tree_controller(tree)) {
            *ret_foreign = false;
            return irq.cell[irq.unit];
        }
        if (!tree_irq_map(tree, &irq))
            break;
    }
    return 0;
}

static bool tree_uart(const struct os2_tree *tree, long node, struct os2_tree_uart *ret) {
    struct os2_tree_uart uart = {.kind = tree_uart_kind(tree, node)};
    struct os2_tree_value reg;
    uint32_t address_cells, size_cells;
    long chain[TREE_DEPTH];
    unsigned depth = tree_chain(tree, node, chain);

    if (uart.kind == OS2_UART_NONE || depth < 2 || !os2_tree_property(tree, node, "reg", &reg))
        return false;
    address_cells = tree_number(tree, chain[depth - 2], "#address-cells", 2) & 7;
    size_cells = tree_number(tree, chain[depth - 2], "#size-cells", 1) & 7;
    if (reg.size < 4 * (size_t)(address_cells + size_cells))
        return false;
    uart.base = tree_cells(reg.bytes, address_cells);
    uart.size = tree_cells(reg.bytes + 4 * address_cells, size_cells);
    uart.ports = tree_is_port(tree, chain[depth - 2], &uart.base);
    for (unsigned level = depth - 2; level > 0 && !uart.ports; level--)
        if (!tree_translate(tree, chain, level, &uart.base))
            return false;
    uart.ports = uart.ports || uart.base < TREE_PORTS;
    uart.base += tree_number(tree, node, "reg-offset", 0);
    uart.shift = tree_number(tree, node, "reg-shift", 0);
    uart.io_width = tree_number(tree, node, "reg-io-width", 1) == 4 ? 4 : 1;
    if (uart.kind == OS2_UART_SIFIVE) {
        uart.shift = 2;
        uart.io_width = 4;
    }
    if (uart.shift > 4)
        return false;
    uart.irq = tree_irq(tree, chain, depth, &uart.irq_foreign);
    *ret = uart;
    return true;
}

/* The node that /chosen names for the console; -1: none. */
static long tree_stdout(const struct os2_tree *tree) {
    struct os2_tree_value value, alias;
    long chosen = os2_tree_find(tree, "/chosen", 7), aliases = os2_tree_find(tree, "/aliases", 8);
    char name[32];
    const char *path;
    size_t length = 0;

    if (!os2_tree_property(tree, chosen, "stdout-path", &value) &&
        !os2_tree_property(tree, chosen, "linux,stdout-path", &value))
        return -1;
    path = tree_string(value.bytes, value.size);
    if (!path)
        return -1;
    while (path[length] && path[length] != ':')
        length++;
    if (path[0] == '/')
        return os2_tree_find(tree, path, length);
    if (length >= sizeof(name))
        return -1;
    memcpy(name, path, length);
    name[length] = 0;
    if (!os2_tree_property(tree, aliases, name, &alias))
        return -1;
    path = tree_string(alias.bytes, alias.size);
    return path ? os2_tree_find(tree, path, strlen(path)) : -1;
}

bool os2_tree_console(const struct os2_tree *tree, struct os2_tree_uart *ret_uart) {
    struct tree_token token;
    size_t at = 0;

    if (tree_uart(tree, tree_stdout(tree), ret_uart))
        return true;
    while (tree_next(tree, &at, &token))
        if (token.kind == TREE_BEGIN && tree_uart(tree, (long)token.at, ret_uart))
            return true;
    return false;
}
