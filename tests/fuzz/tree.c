/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a device tree, for the reader and for what programs find by it.
 *
 * The tree begins at an odd address, so that an access wider than a byte is seen, and ends with its heap block. Once it
 * is open its structure and its strings are each in a block of their own; a read beyond a property, but inside the
 * structure, is not seen.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "os2/tree.h"
#include "tests/fuzz/ask_tree.h"
#include "tests/fuzz/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_console(const struct fdt *tree) {
    struct os2_tree_uart uart;

    if (os2_tree_console(tree, &uart) && (uart.shift > 4 || (uart.io_width != 1 && uart.io_width != 4)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *block = block_of(data, size);
    struct fdt tree;

    if (fdt_open(&tree, block + 1, size)) {
        uint8_t *nodes = block_of(tree.nodes, tree.nodes_size);
        uint8_t *names = block_of(tree.names, tree.names_size);

        tree.nodes = nodes + 1;
        tree.names = names + 1;
        ask_tree(&tree);
        ask_console(&tree);
        free(nodes);
        free(names);
    }
    free(block);
    return 0;
}
