/* SPDX-License-Identifier: MIT */
/* Everything that there is to ask the kernel of a device tree. Of a damaged tree the answers are rubbish, but no read
 * may go outside, and what an answer promises must hold. */
#ifndef TESTS_FUZZ_ASK_TREE_H
#define TESTS_FUZZ_ASK_TREE_H

#include <stdlib.h>
#include <string.h>

#include "arch/riscv64/fdt_board.h"

/* The promise of struct fdt_range. */
static void ask_range(bool there, const struct fdt_range *range) {
    if (there && (range->size == 0 || range->size > UINT64_MAX - range->base))
        abort();
}

static void ask_tree(const struct fdt *tree) {
    struct fdt_node node = fdt_root(tree);
    struct fdt_range range;
    struct fdt_value value;
    struct fdt_cpu cpu;
    struct fdt_plic plic;
    const char *options;
    uint32_t context;

    do {
        if (strlen(fdt_node_name(tree, &node)) >= tree->nodes_size || node.depth >= FDT_DEPTH_MAX)
            abort();
        fdt_node_okay(tree, &node);
        if (fdt_prop(tree, &node, "reg", &value) && (value.bytes < tree->nodes || value.size > tree->nodes_size ||
                                                     value.bytes + value.size > tree->nodes + tree->nodes_size))
            abort();
        for (uint32_t i = 0; i < 4; i++)
            ask_range(fdt_node_reg(tree, &node, i, &range), &range);
    } while (fdt_node_next(tree, &node, 0));
    for (uint32_t i = 0; i < 8; i++) {
        ask_range(fdt_memory(tree, i, &range), &range);
        ask_range(fdt_reserved(tree, i, &range), &range);
        ask_range(fdt_memreserve(tree, i, &range), &range);
        ask_range(fdt_device(tree, "sifive,test0", i, &range), &range);
        if (fdt_plic(tree, 0, &plic) && fdt_cpu(tree, i, &cpu))
            fdt_plic_context(tree, &plic, &cpu, &context);
    }
    if (strlen(fdt_chosen(tree).arguments) >= tree->size)
        abort();
    fdt_timebase(tree);
    if (fdt_stdout(tree, &node, &options) && strlen(options) >= tree->size)
        abort();
}

#endif
