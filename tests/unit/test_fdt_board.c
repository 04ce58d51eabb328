/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv64/fdt_board.c: what each tree of tests/trees/ says, by the facts written there, and reg by libfdt's cells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/riscv64/fdt_board.h"
#include "tests/unit/trees.h"

static const struct fdt *tree_named(const char *name) {
    return &trees_named(name)->tree;
}

typedef bool ask_fn(const struct fdt *, uint32_t, struct fdt_range *);

/* Exactly these ranges, in this order. */
static void check_ranges(ask_fn *ask, const char *name, const struct fdt_range *expected, uint32_t count) {
    struct fdt_range range;

    for (uint32_t i = 0; i < count; i++) {
        assert_true(ask(tree_named(name), i, &range));
        assert_int_equal(range.base, expected[i].base);
        assert_int_equal(range.size, expected[i].size);
    }
    assert_false(ask(tree_named(name), count, &range));
}
#define CHECK_RANGES(ask, name, ...)                                                                                   \
    check_ranges(ask, name, (struct fdt_range[]){__VA_ARGS__},                                                         \
                 sizeof((struct fdt_range[]){__VA_ARGS__}) / sizeof(struct fdt_range))

static void test_memory(void **state) {
    (void)state;
    CHECK_RANGES(fdt_memory, "virt", {0x80000000, 0x8000000});
    CHECK_RANGES(fdt_memory, "unleashed", {0x80000000, 0x200000000});
    CHECK_RANGES(fdt_memory, "unmatched", {0x80000000, 0x400000000});
    CHECK_RANGES(fdt_memory, "visionfive2", {0x40000000, 0x100000000});
    CHECK_RANGES(fdt_memory, "awkward", {0x80000000, 0x1000000}, {0x90000000, 0x2000000}, {0xc0000000, 0x10000000},
                 {0xe0000000, 0x8000});
}

static void test_reserved(void **state) {
    struct fdt_range range;

    (void)state;
    CHECK_RANGES(fdt_reserved, "virt", {0x80000000, 0x40000}, {0x80040000, 0x20000});
    assert_false(fdt_reserved(tree_named("unleashed"), 0, &range));
    CHECK_RANGES(fdt_reserved, "visionfive2", {0x6ce00000, 0x1600000}, {0x40000000, 0x80000});
    CHECK_RANGES(fdt_reserved, "awkward", {0x80000000, 0x1000}, {0x80002000, 0x3000});
    CHECK_RANGES(fdt_memreserve, "unmatched", {0x80000000, 0x80000});
    CHECK_RANGES(fdt_memreserve, "awkward", {0x10000, 0x2000}, {0x90000000, 1});
}

struct expected_cpu {
    uint64_t hart;
    bool okay, mmu, fpu, sstc;
    int64_t context; /* -1: none */
};

static void check_cpus(const char *name, const struct expected_cpu *expected, uint32_t count) {
    const struct fdt *tree = tree_named(name);
    struct fdt_plic plic;
    struct fdt_cpu cpu;

    assert_true(fdt_plic(tree, 0, &plic));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t context = 12345;

        assert_true(fdt_cpu(tree, i, &cpu));
        assert_int_equal(cpu.hart, expected[i].hart);
        assert_int_equal(cpu.okay, expected[i].okay);
        assert_int_equal(cpu.mmu, expected[i].mmu);
        assert_int_equal(cpu.fpu, expected[i].fpu);
        assert_int_equal(cpu.sstc, expected[i].sstc);
        assert_int_equal(fdt_plic_context(tree, &plic, &cpu, &context), expected[i].context >= 0);
        assert_int_equal(context, expected[i].context >= 0 ? expected[i].context : 12345);
    }
    assert_false(fdt_cpu(tree, count, &cpu));
}
#define CHECK_CPUS(name, ...)                                                                                          \
    check_cpus(name, (struct expected_cpu[]){__VA_ARGS__},                                                             \
               sizeof((struct expected_cpu[]){__VA_ARGS__}) / sizeof(struct expected_cpu))

static void test_cpus(void **state) {
    (void)state;
    CHECK_CPUS("virt", {0, true, true, true, true, 1}, {1, true, true, true, true, 3});
    CHECK_CPUS("unleashed", {0, false, false, false, false, -1}, {1, true, true, true, false, 2},
               {2, true, true, true, false, 4});
    CHECK_CPUS("unmatched", {0, false, false, false, false, -1}, {1, true, true, true, false, 2});
    /* hart 0 has no F and D in its ISA string: the one thing in which this tree tells the truth about it */
    CHECK_CPUS("visionfive2", {0, true, true, false, false, -1}, {1, true, true, true, false, 2});
    CHECK_CPUS("awkward", {0x500000000, false, false, true, true, -1}, {7, true, true, true, false, 2});
}

static void test_timebase(void **state) {
    (void)state;
    assert_int_equal(fdt_timebase(tree_named("virt")), 10000000);
    assert_int_equal(fdt_timebase(tree_named("unleashed")), 1000000);
    assert_int_equal(fdt_timebase(tree_named("visionfive2")), 4000000);
    assert_int_equal(fdt_timebase(tree_named("awkward")), 24000000);
}

static void check_chosen(const char *name, const char *arguments, uint64_t initrd, uint64_t initrd_size) {
    struct fdt_chosen chosen = fdt_chosen(tree_named(name));

    assert_string_equal(chosen.arguments, arguments);
    assert_int_equal(chosen.initrd.base, initrd);
    assert_int_equal(chosen.initrd.size, initrd_size);
}

static void test_chosen(void **state) {
    (void)state;
    check_chosen("virt", "os2.start=systest", 0x84200000, 0x34567);
    check_chosen("unleashed", "", 0x88300000, 0x100000);
    check_chosen("unmatched", "os2.run=70730a os2.nonce=1", 0, 0);
    check_chosen("awkward", "", 0, 0); /* arguments without an end; an initrd of no bytes */
}

static void check_stdout(const char *name, const char *node_name, const char *options, uint64_t base) {
    const struct fdt *tree = tree_named(name);
    const char *got;
    struct fdt_node node;
    struct fdt_range range;

    assert_true(fdt_stdout(tree, &node, &got));
    assert_string_equal(fdt_node_name(tree, &node), node_name);
    assert_string_equal(got, options);
    assert_true(fdt_node_reg(tree, &node, 0, &range));
    assert_int_equal(range.base, base);
}

static void test_stdout(void **state) {
    (void)state;
    check_stdout("virt", "serial@10000000", "", 0x10000000);
    check_stdout("unleashed", "serial@10010000", "115200n8", 0x10010000);
    check_stdout("unmatched", "serial@10010000", "", 0x10010000);
    check_stdout("visionfive2", "serial@10000000", "115200", 0x10000000);
    check_stdout("awkward", "serial@100", "9600", 0x50001100); /* through two buses that move addresses */
}

static void check_plic(const char *name, uint64_t base, uint64_t size, uint32_t sources) {
    struct fdt_plic plic;

    assert_true(fdt_plic(tree_named(name), 0, &plic));
    assert_int_equal(plic.reg.base, base);
    assert_int_equal(plic.reg.size, size);
    assert_int_equal(plic.sources, sources);
    assert_false(fdt_plic(tree_named(name), 1, &plic));
}

static void test_plic(void **state) {
    (void)state;
    check_plic("virt", 0xc000000, 0x600000, 96);
    check_plic("unleashed", 0xc000000, 0x4000000, 53);
    check_plic("unmatched", 0xc000000, 0x4000000, 69);
    check_plic("visionfive2", 0xc000000, 0x4000000, 136);
    check_plic("awkward", 0x50001200, 0x100, 3);
}

static void test_devices(void **state) {
    const struct fdt *virt = tree_named("virt"), *awkward = tree_named("awkward");
    struct fdt_range range;

    (void)state;
    assert_true(fdt_device(virt, "sifive,test0", 0, &range));
    assert_int_equal(range.base, 0x100000);
    assert_true(fdt_device(virt, "virtio,mmio", 1, &range));
    assert_int_equal(range.base, 0x10002000);
    assert_false(fdt_device(virt, "virtio,mmio", 2, &range));
    assert_true(fdt_device(tree_named("unleashed"), "sifive,uart0", 0, &range));
    assert_false(fdt_device(tree_named("unleashed"), "sifive,uart0", 1, &range)); /* disabled */

    assert_false(fdt_device(awkward, "test,outside", 0, &range));
    assert_false(fdt_device(awkward, "test,unmapped", 0, &range));
    assert_false(fdt_device(awkward, "test,three", 0, &range));
    assert_true(fdt_device(awkward, "test,serial", 1, &range));
    assert_int_equal(range.base, 0xfffff000);
}

/* Every reg of every node, as libfdt's cells of the parent read it. */
static void test_same_regs(void **state) {
    (void)state;
    for (size_t i = 0; i < trees_count; i++) {
        const uint8_t *bytes = trees[i].bytes;
        struct fdt_node node = fdt_root(&trees[i].tree);

        while (fdt_node_next(&trees[i].tree, &node, 0)) {
            int offset = (int)node.at[node.depth], parent = fdt_parent_offset(bytes, offset), size;
            int address_cells = fdt_address_cells(bytes, parent), size_cells = fdt_size_cells(bytes, parent);
            const fdt32_t *reg = fdt_getprop(bytes, offset, "reg", &size);
            int count = reg == NULL ? 0 : size / (4 * (address_cells + size_cells));

            assert_int_equal(fdt_node_regs(&trees[i].tree, &node), count);
            if (address_cells > 2 || size_cells == 0)
                continue;
            for (int r = 0; r < count; r++) {
                uint64_t base = 0, length = 0;
                struct fdt_range range = {0, 0};

                for (int c = 0; c < address_cells; c++)
                    base = base << 32 | fdt32_to_cpu(*reg++);
                for (int c = 0; c < size_cells; c++)
                    length = length << 32 | fdt32_to_cpu(*reg++);
                assert_int_equal(fdt_node_reg_local(&trees[i].tree, &node, (uint32_t)r, &range), length != 0);
                assert_int_equal(range.base, length != 0 ? base : 0);
                assert_int_equal(range.size, length);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),   cmocka_unit_test(test_reserved), cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_timebase), cmocka_unit_test(test_chosen),   cmocka_unit_test(test_stdout),
        cmocka_unit_test(test_plic),     cmocka_unit_test(test_devices),  cmocka_unit_test(test_same_regs),
    };

    trees_load();
    return cmocka_run_group_tests_name("fdt_board", tests, NULL, NULL);
}
