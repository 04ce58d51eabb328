/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a device tree, for the kernel's reader and for that of programs.
 *
 * The tree begins at an odd address, so that an access wider than a byte is seen, and ends with its heap block. Once it
 * is open its structure and its strings are each in a block of their own; a read beyond a property, but inside the
 * structure, is not seen. A tree that the kernel opens is well formed; then the readers must agree: both open it, find
 * the same nodes by the same paths, and the same properties there.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "os2/tree.h"
#include "tests/fuzz/ask_tree.h"
#include "tests/fuzz/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_program(const struct os2_tree *tree) {
    struct os2_tree_uart uart;

    if (os2_tree_console(tree, &uart) && (uart.shift > 4 || (uart.io_width != 1 && uart.io_width != 4)))
        abort();
}

/* Paths without '@': there the kernel's reader is the stricter one. */
static void compare(const struct fdt *kernel, const struct os2_tree *program) {
    static const char *const paths[] = {"/", "/chosen", "/aliases", "/cpus/cpu", "/soc/serial", "//memory/"};
    static const char *const names[] = {"compatible", "reg", "stdout-path", "serial0", "#address-cells"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        long at = os2_tree_find(program, paths[i], strlen(paths[i]));
        struct fdt_node node;

        if (fdt_node_find(kernel, paths[i], strlen(paths[i]), &node) != (at >= 0))
            abort();
        if (at < 0)
            continue;
        if (node.at[node.depth] != (size_t)at)
            abort();
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            struct fdt_value value;
            struct os2_tree_value same;
            bool there = fdt_prop(kernel, &node, names[j], &value);

            if (os2_tree_property(program, at, names[j], &same) != there)
                abort();
            if (there && (same.bytes != value.bytes || same.size != value.size))
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *block = block_of(data, size);
    struct fdt kernel;
    struct os2_tree program;
    bool opened = fdt_open(&kernel, block + 1, size);

    if (os2_tree_open(block + 1, size, &program)) {
        uint8_t *nodes = block_of(program.structure, program.structure_size);
        uint8_t *names = block_of(program.strings, program.strings_size);

        program.structure = nodes + 1;
        program.strings = names + 1;
        ask_program(&program);
        if (opened) {
            kernel.nodes = nodes + 1;
            kernel.names = names + 1;
            ask_tree(&kernel);
            compare(&kernel, &program);
        }
        free(nodes);
        free(names);
    } else if (opened) {
        abort();
    }
    free(block);
    return 0;
}
