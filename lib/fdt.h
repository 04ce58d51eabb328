/* SPDX-License-Identifier: MIT */
/*
 * Flattened device tree: a reader of its structure block.
 *
 * Firmware hands the kernel one tree and nothing else. This reader never writes, allocates or recurses, and reads bytes
 * only, so neither a misaligned tree nor any content of it can make it fault or leave the bytes it was given.
 *
 * fdt_open() walks the whole structure once and refuses a tree that is not well formed: tokens nest, names end, every
 * property lies inside the block and its name inside the strings. After that the other functions cannot meet a bad
 * token; they may be asked for what is not there, and say so.
 *
 * A node is named by the offsets of all its ancestors, because what a property means (how many cells an address has,
 * how a bus maps addresses) is said in the parents. Rejected: an offset alone, as in libfdt, which must search from the
 * root for each parent; and a tree of structs, which needs memory before the memory is known.
 *
 * Addresses follow the Devicetree Specification, section 2.3: a bus without `ranges` maps nothing to its parent, one
 * with empty `ranges` all of it as it is; #address-cells is 2 and #size-cells 1 where a parent does not say. What needs
 * more than two cells (PCI) does not fit a number here, and is refused rather than cut.
 *
 * What the RISC-V port wants to know of a board is in arch/riscv64/fdt_board.h, the console in usr/lib/tree.c.
 */
#ifndef LIB_FDT_H
#define LIB_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_DEPTH_MAX 16 /* the deepest of the known boards has 6 */
#define FDT_HEADER_BYTES 40

struct fdt {
    const uint8_t *bytes; /* the header */
    const uint8_t *nodes; /* structure block */
    const uint8_t *names; /* strings block */
    uint32_t size;        /* of the whole tree */
    uint32_t nodes_size;  /* multiple of 4 */
    uint32_t names_size;
    uint32_t reserve;      /* offset of the first memreserve entry */
    uint32_t reserve_size; /* bytes from there to the end of the tree, at most */
};

/* A node: at[depth] is its offset in the structure block, at[0] the root's. */
struct fdt_node {
    uint32_t depth;
    uint32_t at[FDT_DEPTH_MAX];
};

/* The value of a property: bytes of the tree, not aligned. */
struct fdt_value {
    const uint8_t *bytes;
    uint32_t size;
};

struct fdt_range {
    uint64_t base;
    uint64_t size; /* not 0; base + size does not wrap */
};

/* The size of the tree whose first FDT_HEADER_BYTES bytes are given, or 0 if fdt_open() cannot read such a tree. */
uint32_t fdt_total(const void *header);

/* Opens the tree at `bytes`, of which `available` bytes may be read. False, with *ret untouched, if it is malformed.
 * The bytes must stay as they are while the tree is in use. */
bool fdt_open(struct fdt *ret, const void *bytes, size_t available);

/* The root node. */
struct fdt_node fdt_root(const struct fdt *tree);

/* Steps to the next node in document order. False at the end of the subtree of the ancestor at depth `top`; *node is
 * then of no more use. With node at the root and top 0, this visits every node. */
bool fdt_node_next(const struct fdt *tree, struct fdt_node *node, uint32_t top);

/* Steps to the first child, or to the next sibling. False, with *node untouched, if there is none. */
bool fdt_node_child(const struct fdt *tree, struct fdt_node *node);
bool fdt_node_sibling(const struct fdt *tree, struct fdt_node *node);

/* The node at `path`, of which `length` bytes count: absolute, "/soc/serial@10000000", a unit address may be left out;
 * or beginning with an alias. False, with *ret untouched, if there is none. */
bool fdt_node_find(const struct fdt *tree, const char *path, size_t length, struct fdt_node *ret);

/* The node's name with its unit address, "" for the root. */
const char *fdt_node_name(const struct fdt *tree, const struct fdt_node *node);

/* True if the node has no status, or one of "okay" and "ok". */
bool fdt_node_okay(const struct fdt *tree, const struct fdt_node *node);

/* True if `compatible` is in the node's list of that name. */
bool fdt_node_compatible(const struct fdt *tree, const struct fdt_node *node, const char *compatible);

/* The property `name` of the node. False, with *ret untouched, if it has none. */
bool fdt_prop(const struct fdt *tree, const struct fdt_node *node, const char *name, struct fdt_value *ret);

/* The property as one number, stored in 4 or 8 bytes. False, with *ret untouched, if there is no such property. */
bool fdt_prop_number(const struct fdt *tree, const struct fdt_node *node, const char *name, uint64_t *ret);

/* The property as one string, or NULL if there is no such property or no end of string in it. */
const char *fdt_prop_string(const struct fdt *tree, const struct fdt_node *node, const char *name);

/* True if the property is a list of strings with `string` among them. */
bool fdt_prop_lists(const struct fdt *tree, const struct fdt_node *node, const char *name, const char *string);

/* Cells `at` .. `at + count - 1` of a value as one number; count is 0, 1 or 2. False, with *ret untouched, if the value
 * is too short or count is more than 2. */
bool fdt_value_cells(const struct fdt_value *value, uint32_t at, uint32_t count, uint64_t *ret);

/* Range number `index` of the node's reg, as its parent's bus sees it. False, with *ret untouched, if there is none,
 * if an address or size has more than 2 cells, or if it is empty or wraps. */
bool fdt_node_reg_local(const struct fdt *tree, const struct fdt_node *node, uint32_t index, struct fdt_range *ret);

/* The same, as the processor sees it: translated by the `ranges` of every bus above. False, with *ret untouched, also
 * if a bus does not map it. */
bool fdt_node_reg(const struct fdt *tree, const struct fdt_node *node, uint32_t index, struct fdt_range *ret);

/* How many ranges the node's reg holds. */
uint32_t fdt_node_regs(const struct fdt *tree, const struct fdt_node *node);

/* The node with this phandle. False, with *ret untouched, if there is none. */
bool fdt_node_phandle(const struct fdt *tree, uint32_t phandle, struct fdt_node *ret);

/* The console: the node stdout-path names, and the text behind its colon ("" if there is none). False, with nothing
 * touched, if there is no such node. */
bool fdt_stdout(const struct fdt *tree, struct fdt_node *ret_node, const char **ret_options);

/* The first range of available device number `index` of those compatible with `compatible`. False, with *ret untouched,
 * if there is no such device. One whose address cannot be translated is not counted. */
bool fdt_device(const struct fdt *tree, const char *compatible, uint32_t index, struct fdt_range *ret);

/* Memreserve entry number `index`. False, with *ret untouched, at the end of the block. */
bool fdt_memreserve(const struct fdt *tree, uint32_t index, struct fdt_range *ret);

#endif
