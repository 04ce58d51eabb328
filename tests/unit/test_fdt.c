/* SPDX-License-Identifier: MIT */
/*
 * lib/fdt.c against libfdt: the same nodes, properties and reservations in every tree, and never a read outside a tree
 * that was cut. Damage of other kinds is tests/fuzz/tree.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/riscv64/fdt_board.h"
#include "tests/fuzz/ask_tree.h"
#include "tests/unit/trees.h"

/* Visits all nodes with both readers; each has the same name, depth and properties, and its path finds it again. */
static void test_same_nodes(void **state) {
    (void)state;
    for (size_t i = 0; i < trees_count; i++) {
        const struct fdt *tree = &trees[i].tree;
        struct fdt_node node = fdt_root(tree);
        int depth = 0, offset = 0, prop;
        bool more = true;

        assert_int_equal(fdt_check_full(trees[i].bytes, trees[i].size), 0);
        for (; offset >= 0 && depth >= 0; offset = fdt_next_node(trees[i].bytes, offset, &depth)) {
            struct fdt_node found;
            char path[256];

            assert_true(more);
            assert_int_equal(node.depth, depth);
            assert_int_equal(node.at[depth], offset);
            assert_string_equal(fdt_node_name(tree, &node), fdt_get_name(trees[i].bytes, offset, NULL));
            assert_int_equal(fdt_get_path(trees[i].bytes, offset, path, sizeof(path)), 0);
            assert_true(fdt_node_find(tree, path, strlen(path), &found));
            assert_memory_equal(&found, &node, offsetof(struct fdt_node, at[depth + 1]));
            fdt_for_each_property_offset(prop, trees[i].bytes, offset) {
                const char *name;
                int size;
                const void *bytes = fdt_getprop_by_offset(trees[i].bytes, prop, &name, &size);
                struct fdt_value value;

                assert_true(fdt_prop(tree, &node, name, &value));
                assert_int_equal(value.size, size);
                assert_ptr_equal(value.bytes, bytes);
            }
            assert_int_equal(fdt_node_compatible(tree, &node, "riscv,plic0"),
                             fdt_node_check_compatible(trees[i].bytes, offset, "riscv,plic0") == 0);
            more = fdt_node_next(tree, &node, 0);
        }
        assert_false(more);
    }
}

/* Children by fdt_node_child and _sibling are libfdt's subnodes. */
static void test_same_children(void **state) {
    (void)state;
    for (size_t i = 0; i < trees_count; i++) {
        const struct fdt *tree = &trees[i].tree;
        struct fdt_node node = fdt_root(tree);

        do {
            struct fdt_node child = node;
            bool more = fdt_node_child(tree, &child);
            int offset;

            fdt_for_each_subnode(offset, trees[i].bytes, (int)node.at[node.depth]) {
                assert_true(more);
                assert_int_equal(child.at[child.depth], offset);
                more = fdt_node_sibling(tree, &child);
            }
            assert_false(more);
        } while (fdt_node_next(tree, &node, 0));
    }
}

static void test_same_memreserve(void **state) {
    (void)state;
    for (size_t i = 0; i < trees_count; i++) {
        int count = fdt_num_mem_rsv(trees[i].bytes);
        struct fdt_range range;

        for (int entry = 0; entry < count; entry++) {
            uint64_t base, size;

            assert_int_equal(fdt_get_mem_rsv(trees[i].bytes, entry, &base, &size), 0);
            assert_true(fdt_memreserve(&trees[i].tree, (uint32_t)entry, &range));
            assert_int_equal(range.base, base);
            assert_int_equal(range.size, size);
        }
        assert_false(fdt_memreserve(&trees[i].tree, (uint32_t)count, &range));
    }
}

/* Aliases and paths as libfdt resolves them, also those that lead nowhere. */
static void test_same_paths(void **state) {
    static const char *const paths[] = {
        "/",    "/soc",        "/cpus/cpu@1", "/cpus/cpu", "/nothing", "serial0",         "console",  "broken",   "",
        "/soc", "//soc//plic", "/soc/plic@c", "none",      "/soc/pli", "serial0/nothing", "/memory@", "/chosen/",
    };

    (void)state;
    for (size_t i = 0; i < trees_count; i++) {
        for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++) {
            int offset = fdt_path_offset(trees[i].bytes, paths[j]);
            struct fdt_node node;

            assert_int_equal(fdt_node_find(&trees[i].tree, paths[j], strlen(paths[j]), &node), offset >= 0);
            if (offset >= 0)
                assert_int_equal(node.at[node.depth], offset);
        }
    }
}

static void test_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < trees_count; i++) {
        for (size_t size = 0; size < trees[i].size; size++) {
            uint8_t *copy = malloc(size + 1);
            struct fdt tree;

            assert_non_null(copy);
            memcpy(copy, trees[i].bytes, size);
            assert_false(fdt_open(&tree, copy, size));
            if (size >= 40) { /* the same with a header that admits it */
                copy[4] = copy[5] = 0;
                copy[6] = (uint8_t)(size >> 8);
                copy[7] = (uint8_t)size;
                if (fdt_open(&tree, copy, size))
                    ask_tree(&tree);
            }
            free(copy);
        }
    }
}

/* Deeper than FDT_DEPTH_MAX: refused, not followed. */
static void test_depth(void **state) {
    uint8_t buffer[4096];
    struct fdt tree;

    (void)state;
    for (int depth = FDT_DEPTH_MAX - 1; depth <= FDT_DEPTH_MAX + 1; depth++) {
        assert_int_equal(fdt_create(buffer, sizeof(buffer)), 0);
        assert_int_equal(fdt_finish_reservemap(buffer), 0);
        for (int i = 0; i < depth; i++)
            assert_int_equal(fdt_begin_node(buffer, i == 0 ? "" : "n"), 0);
        for (int i = 0; i < depth; i++)
            assert_int_equal(fdt_end_node(buffer), 0);
        assert_int_equal(fdt_finish(buffer), 0);
        assert_int_equal(fdt_open(&tree, buffer, sizeof(buffer)), depth <= FDT_DEPTH_MAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_nodes), cmocka_unit_test(test_same_children), cmocka_unit_test(test_same_memreserve),
        cmocka_unit_test(test_same_paths), cmocka_unit_test(test_cut),           cmocka_unit_test(test_depth),
    };

    trees_load();
    return cmocka_run_group_tests_name("fdt", tests, NULL, NULL);
}
