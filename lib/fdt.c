/* SPDX-License-Identifier: MIT */
/*
 * Flattened device tree: the reader. Theory in the header.
 *
 * The structure block is a string of big-endian tokens, each at a multiple of 4:
 *
 *     BEGIN name\0 pad  PROP size name-offset bytes pad ...  children ...  END        ... FINISH
 *
 * NOP may stand anywhere. Properties come before children; the spec demands it and the readers of properties rely on
 * it. Every position is a multiple of 4 and at most nodes_size, also a multiple of 4; so a position below nodes_size
 * has a whole token behind it.
 */
#include "lib/fdt.h"

#include "lib/string.h"

enum { TOKEN_BEGIN = 1, TOKEN_END = 2, TOKEN_PROP = 3, TOKEN_NOP = 4, TOKEN_FINISH = 9 };

/* Byte offsets in the header. */
enum {
    HEADER_MAGIC = 0,
    HEADER_TOTAL = 4,
    HEADER_NODES = 8,
    HEADER_NAMES = 12,
    HEADER_RESERVE = 16,
    HEADER_VERSION = 20,
    HEADER_COMPATIBLE = 24,
    HEADER_NAMES_SIZE = 32,
    HEADER_NODES_SIZE = 36
};

#define MAGIC 0xd00dfeedu
#define VERSION 17u /* since 2005; the first to say the size of the structure block */

#define CELL 4u
#define PROP_HEAD 12u /* token, size, name offset */

static uint32_t read_cell(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t token_at(const struct fdt *tree, uint32_t at) {
    return at < tree->nodes_size ? read_cell(tree->nodes + at) : TOKEN_FINISH;
}

/* Where the token after the one at `at` begins. The token must be known to be whole, as after fdt_open(). */
static uint32_t token_skip(const struct fdt *tree, uint32_t at) {
    uint32_t size = CELL;

    switch (token_at(tree, at)) {
    case TOKEN_BEGIN:
        size += (uint32_t)strlen((const char *)tree->nodes + at + CELL) + 1;
        break;
    case TOKEN_PROP:
        size = PROP_HEAD + read_cell(tree->nodes + at + CELL);
        break;
    default:
        break;
    }
    return at + ((size + CELL - 1) & ~(CELL - 1));
}

/* True if the token at `at` lies inside the block with all that belongs to it. Pairs with token_skip(). */
static bool token_whole(const struct fdt *tree, uint32_t at) {
    uint32_t left = tree->nodes_size - at; /* a multiple of 4: padding fits where the content does */
    uint32_t name;

    switch (token_at(tree, at)) {
    case TOKEN_BEGIN:
        return strnlen((const char *)tree->nodes + at + CELL, left - CELL) < left - CELL;
    case TOKEN_PROP:
        if (left < PROP_HEAD || read_cell(tree->nodes + at + CELL) > left - PROP_HEAD)
            return false;
        name = read_cell(tree->nodes + at + 2 * CELL);
        return name < tree->names_size &&
               strnlen((const char *)tree->names + name, tree->names_size - name) < tree->names_size - name;
    default:
        return true;
    }
}

/* Walks all tokens: one root, nested at most FDT_DEPTH_MAX deep, properties only before children. */
static bool tree_well_formed(const struct fdt *tree) {
    uint32_t depth = 0;
    bool children = false; /* the innermost open node has had a child: no property may follow */
    bool root = false;

    for (uint32_t at = 0; at < tree->nodes_size; at = token_skip(tree, at)) {
        if (!token_whole(tree, at))
            return false;
        switch (token_at(tree, at)) {
        case TOKEN_BEGIN:
            if (depth == FDT_DEPTH_MAX || (depth == 0 && root))
                return false;
            depth++;
            root = true;
            children = false;
            break;
        case TOKEN_END:
            if (depth == 0)
                return false;
            depth--;
            children = true;
            break;
        case TOKEN_PROP:
            if (depth == 0 || children)
                return false;
            break;
        case TOKEN_NOP:
            break;
        case TOKEN_FINISH:
            return depth == 0 && root;
        default:
            return false;
        }
    }
    return false;
}

uint32_t fdt_total(const void *header) {
    const uint8_t *bytes = header;

    if (read_cell(bytes + HEADER_MAGIC) != MAGIC || read_cell(bytes + HEADER_VERSION) < VERSION ||
        read_cell(bytes + HEADER_COMPATIBLE) > VERSION || read_cell(bytes + HEADER_TOTAL) < FDT_HEADER_BYTES)
        return 0;
    return read_cell(bytes + HEADER_TOTAL);
}

bool fdt_open(struct fdt *ret, const void *bytes, size_t available) {
    struct fdt tree = {.bytes = bytes};
    uint32_t nodes, names;

    if (available < FDT_HEADER_BYTES)
        return false;
    tree.size = fdt_total(bytes);
    if (tree.size == 0 || tree.size > available)
        return false;

    nodes = read_cell(tree.bytes + HEADER_NODES);
    names = read_cell(tree.bytes + HEADER_NAMES);
    tree.nodes_size = read_cell(tree.bytes + HEADER_NODES_SIZE);
    tree.names_size = read_cell(tree.bytes + HEADER_NAMES_SIZE);
    tree.reserve = read_cell(tree.bytes + HEADER_RESERVE);
    if (nodes > tree.size || tree.nodes_size > tree.size - nodes || tree.nodes_size % CELL != 0)
        return false;
    if (names > tree.size || tree.names_size > tree.size - names || tree.reserve > tree.size)
        return false;
    tree.nodes = tree.bytes + nodes;
    tree.names = tree.bytes + names;
    tree.reserve_size = tree.size - tree.reserve;
    if (!tree_well_formed(&tree))
        return false;

    *ret = tree;
    return true;
}

struct fdt_node fdt_root(const struct fdt *tree) {
    struct fdt_node root = {.depth = 0};

    while (token_at(tree, root.at[0]) == TOKEN_NOP)
        root.at[0] += CELL;
    return root;
}

bool fdt_node_next(const struct fdt *tree, struct fdt_node *node, uint32_t top) {
    uint32_t depth = node->depth + 1; /* of a node that begins here */

    for (uint32_t at = token_skip(tree, node->at[node->depth]);; at = token_skip(tree, at)) {
        switch (token_at(tree, at)) {
        case TOKEN_BEGIN:
            node->depth = depth;
            node->at[depth] = at;
            return true;
        case TOKEN_END:
            if (--depth <= top)
                return false;
            break;
        case TOKEN_FINISH:
            return false;
        default:
            break;
        }
    }
}

bool fdt_node_child(const struct fdt *tree, struct fdt_node *node) {
    struct fdt_node next = *node;

    if (!fdt_node_next(tree, &next, node->depth))
        return false;
    *node = next;
    return true;
}

bool fdt_node_sibling(const struct fdt *tree, struct fdt_node *node) {
    struct fdt_node next = *node;

    if (node->depth == 0)
        return false;
    while (fdt_node_next(tree, &next, node->depth - 1)) {
        if (next.depth == node->depth) {
            *node = next;
            return true;
        }
    }
    return false;
}

const char *fdt_node_name(const struct fdt *tree, const struct fdt_node *node) {
    return (const char *)tree->nodes + node->at[node->depth] + CELL;
}

/* True if a node's name is the `length` bytes of `part`, which may leave out the unit address. */
static bool name_matches(const char *name, const char *part, size_t length) {
    if (strncmp(name, part, length) != 0)
        return false;
    if (name[length] == '\0')
        return true;
    for (size_t i = 0; i < length; i++)
        if (part[i] == '@')
            return false;
    return name[length] == '@';
}

/* Follows the parts of `path` downward from *node. */
static bool node_descend(const struct fdt *tree, const char *path, size_t length, struct fdt_node *node) {
    while (length > 0) {
        size_t part = 0;

        if (*path == '/') {
            path++;
            length--;
            continue;
        }
        while (part < length && path[part] != '/')
            part++;
        if (!fdt_node_child(tree, node))
            return false;
        while (!name_matches(fdt_node_name(tree, node), path, part))
            if (!fdt_node_sibling(tree, node))
                return false;
        path += part;
        length -= part;
    }
    return true;
}

bool fdt_node_find(const struct fdt *tree, const char *path, size_t length, struct fdt_node *ret) {
    struct fdt_node node = fdt_root(tree);
    struct fdt_value value;
    const char *alias = NULL;
    size_t part = 0;

    if (length == 0)
        return false;
    if (*path != '/') {
        while (part < length && path[part] != '/')
            part++;
        if (!node_descend(tree, "aliases", strlen("aliases"), &node))
            return false;
        /* The alias is a property whose name is not terminated where the caller has it. */
        for (uint32_t at = token_skip(tree, node.at[node.depth]); alias == NULL; at = token_skip(tree, at)) {
            const char *name;

            if (token_at(tree, at) == TOKEN_NOP)
                continue;
            if (token_at(tree, at) != TOKEN_PROP)
                return false;
            name = (const char *)tree->names + read_cell(tree->nodes + at + 2 * CELL);
            value.size = read_cell(tree->nodes + at + CELL);
            value.bytes = tree->nodes + at + PROP_HEAD;
            if (strncmp(name, path, part) == 0 && name[part] == '\0' && value.size > 0 && value.bytes[0] == '/' &&
                value.bytes[value.size - 1] == '\0')
                alias = (const char *)value.bytes;
        }
        node = fdt_root(tree);
        if (!node_descend(tree, alias, strlen(alias), &node))
            return false;
    }
    if (!node_descend(tree, path + part, length - part, &node))
        return false;
    *ret = node;
    return true;
}

bool fdt_prop(const struct fdt *tree, const struct fdt_node *node, const char *name, struct fdt_value *ret) {
    for (uint32_t at = token_skip(tree, node->at[node->depth]);; at = token_skip(tree, at)) {
        switch (token_at(tree, at)) {
        case TOKEN_PROP:
            if (strcmp((const char *)tree->names + read_cell(tree->nodes + at + 2 * CELL), name) == 0) {
                ret->size = read_cell(tree->nodes + at + CELL);
                ret->bytes = tree->nodes + at + PROP_HEAD;
                return true;
            }
            break;
        case TOKEN_NOP:
            break;
        default:
            return false;
        }
    }
}

bool fdt_value_cells(const struct fdt_value *value, uint32_t at, uint32_t count, uint64_t *ret) {
    uint32_t cells = value->size / CELL;
    uint64_t number = 0;

    if (count > 2 || at > cells || count > cells - at)
        return false;
    for (; count > 0; count--, at++)
        number = number << 32 | read_cell(value->bytes + (size_t)at * CELL);
    *ret = number;
    return true;
}

bool fdt_prop_number(const struct fdt *tree, const struct fdt_node *node, const char *name, uint64_t *ret) {
    struct fdt_value value;

    return fdt_prop(tree, node, name, &value) && (value.size == CELL || value.size == 2 * CELL) &&
           fdt_value_cells(&value, 0, value.size / CELL, ret);
}

const char *fdt_prop_string(const struct fdt *tree, const struct fdt_node *node, const char *name) {
    struct fdt_value value;

    if (!fdt_prop(tree, node, name, &value) || strnlen((const char *)value.bytes, value.size) == value.size)
        return NULL;
    return (const char *)value.bytes;
}

bool fdt_prop_lists(const struct fdt *tree, const struct fdt_node *node, const char *name, const char *string) {
    struct fdt_value value;
    size_t length;

    if (!fdt_prop(tree, node, name, &value))
        return false;
    for (uint32_t at = 0; at < value.size; at += (uint32_t)length + 1) {
        length = strnlen((const char *)value.bytes + at, value.size - at);
        if (length == value.size - at)
            return false;
        if (strcmp((const char *)value.bytes + at, string) == 0)
            return true;
    }
    return false;
}

bool fdt_node_okay(const struct fdt *tree, const struct fdt_node *node) {
    struct fdt_value value;

    return !fdt_prop(tree, node, "status", &value) || fdt_prop_lists(tree, node, "status", "okay") ||
           fdt_prop_lists(tree, node, "status", "ok");
}

bool fdt_node_compatible(const struct fdt *tree, const struct fdt_node *node, const char *compatible) {
    return fdt_prop_lists(tree, node, "compatible", compatible);
}

/* How many cells an address and a size have in the children of the node at `depth` above or at `node`. */
static void node_cells(const struct fdt *tree, const struct fdt_node *node, uint32_t depth, uint32_t *ret_address,
                       uint32_t *ret_size) {
    struct fdt_node bus = *node;
    uint64_t address = 2, size = 1; /* the spec's defaults */

    bus.depth = depth;
    fdt_prop_number(tree, &bus, "#address-cells", &address);
    fdt_prop_number(tree, &bus, "#size-cells", &size);
    *ret_address = address > 2 ? 3 : (uint32_t)address; /* 3 stands for more than a number here can hold */
    *ret_size = size > 2 ? 3 : (uint32_t)size;
}

/* Translates *range, an address on the bus at `depth`, to one on that bus's parent. */
static bool range_translate(const struct fdt *tree, const struct fdt_node *node, uint32_t depth,
                            struct fdt_range *range) {
    struct fdt_node bus = *node;
    struct fdt_value ranges;
    uint32_t child_cells, parent_cells, size_cells, unused;

    bus.depth = depth;
    if (!fdt_prop(tree, &bus, "ranges", &ranges))
        return false;
    if (ranges.size == 0)
        return true; /* the same addresses on both sides */
    node_cells(tree, node, depth, &child_cells, &size_cells);
    node_cells(tree, node, depth - 1, &parent_cells, &unused);
    for (uint32_t at = 0;; at += child_cells + parent_cells + size_cells) {
        uint64_t child, parent, size;

        if (!fdt_value_cells(&ranges, at, child_cells, &child) ||
            !fdt_value_cells(&ranges, at + child_cells, parent_cells, &parent) ||
            !fdt_value_cells(&ranges, at + child_cells + parent_cells, size_cells, &size) ||
            child_cells + parent_cells + size_cells == 0)
            return false;
        if (range->base >= child && range->size <= size && range->base - child <= size - range->size) {
            range->base = range->base - child + parent;
            return true;
        }
    }
}

bool fdt_node_reg_local(const struct fdt *tree, const struct fdt_node *node, uint32_t index, struct fdt_range *ret) {
    uint32_t address_cells, size_cells, at;
    struct fdt_value reg;
    struct fdt_range range;

    if (index >= fdt_node_regs(tree, node) || !fdt_prop(tree, node, "reg", &reg))
        return false;
    node_cells(tree, node, node->depth - 1, &address_cells, &size_cells);
    at = index * (address_cells + size_cells);
    if (!fdt_value_cells(&reg, at, address_cells, &range.base) ||
        !fdt_value_cells(&reg, at + address_cells, size_cells, &range.size))
        return false;
    if (range.size == 0 || range.size > UINT64_MAX - range.base)
        return false;
    *ret = range;
    return true;
}

bool fdt_node_reg(const struct fdt *tree, const struct fdt_node *node, uint32_t index, struct fdt_range *ret) {
    struct fdt_range range;

    if (!fdt_node_reg_local(tree, node, index, &range))
        return false;
    for (uint32_t depth = node->depth - 1; depth > 0; depth--)
        if (!range_translate(tree, node, depth, &range))
            return false;
    if (range.size > UINT64_MAX - range.base)
        return false;
    *ret = range;
    return true;
}

uint32_t fdt_node_regs(const struct fdt *tree, const struct fdt_node *node) {
    uint32_t address_cells, size_cells;
    struct fdt_value reg;

    if (node->depth == 0 || !fdt_prop(tree, node, "reg", &reg))
        return 0;
    node_cells(tree, node, node->depth - 1, &address_cells, &size_cells);
    if (address_cells + size_cells == 0)
        return 0;
    return reg.size / (CELL * (address_cells + size_cells));
}

bool fdt_node_phandle(const struct fdt *tree, uint32_t phandle, struct fdt_node *ret) {
    struct fdt_node node = fdt_root(tree);
    uint64_t number;

    do {
        if ((fdt_prop_number(tree, &node, "phandle", &number) ||
             fdt_prop_number(tree, &node, "linux,phandle", &number)) &&
            number == phandle) {
            *ret = node;
            return true;
        }
    } while (fdt_node_next(tree, &node, 0));
    return false;
}

bool fdt_stdout(const struct fdt *tree, struct fdt_node *ret_node, const char **ret_options) {
    struct fdt_node node;
    const char *path;
    size_t length = 0;

    if (!fdt_node_find(tree, "/chosen", strlen("/chosen"), &node))
        return false;
    path = fdt_prop_string(tree, &node, "stdout-path");
    if (path == NULL)
        path = fdt_prop_string(tree, &node, "linux,stdout-path"); /* its name before 2014 */
    if (path == NULL)
        return false;
    while (path[length] != '\0' && path[length] != ':')
        length++;
    if (!fdt_node_find(tree, path, length, ret_node))
        return false;
    *ret_options = path[length] == ':' ? path + length + 1 : path + length;
    return true;
}

bool fdt_device(const struct fdt *tree, const char *compatible, uint32_t index, struct fdt_range *ret) {
    struct fdt_node node = fdt_root(tree);
    struct fdt_range range;

    while (fdt_node_next(tree, &node, 0)) {
        if (fdt_node_compatible(tree, &node, compatible) && fdt_node_okay(tree, &node) &&
            fdt_node_reg(tree, &node, 0, &range) && index-- == 0) {
            *ret = range;
            return true;
        }
    }
    return false;
}

bool fdt_memreserve(const struct fdt *tree, uint32_t index, struct fdt_range *ret) {
    enum { ENTRY = 4 * CELL };
    struct fdt_value entries = {tree->bytes + tree->reserve, tree->reserve_size};
    struct fdt_range range = {0, 0};

    for (uint32_t i = 0, seen = 0; i < entries.size / ENTRY; i++) {
        fdt_value_cells(&entries, i * ENTRY / CELL, 2, &range.base);
        fdt_value_cells(&entries, i * ENTRY / CELL + 2, 2, &range.size);
        if (range.base == 0 && range.size == 0)
            return false;
        if (range.size == 0 || range.size > UINT64_MAX - range.base)
            continue; /* nothing that could be kept out of */
        if (seen++ == index) {
            *ret = range;
            return true;
        }
    }
    return false;
}
