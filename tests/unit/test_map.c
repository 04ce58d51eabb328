/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V kernel's map against what firmware protects.
 *
 * A processor may refuse every access through a leaf of which a PMP region has only a part (FU540, FU740). So for every
 * board's tree, with the image in each of its banks and the tree in several places, the first map, the one with its
 * windows open and the final one are walked: no leaf has a byte that firmware protects. Firmware is taken to have what
 * lies below the image in its bank, where OpenSBI is, and whatever the tree reserves, as the tree says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/riscv64/riscv.h"
#include "core/log.h"
#include "tests/unit/trees.h"

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define IMAGE_BYTES UINT64_C(0x5f000)
#define TABLES_AT(image) ((image) + 0x40000) /* the first tables are in the image */
#define POOL_MOST 512u

void log_line(const char *format, ...) {
    (void)format;
}
void panic(const char *format, ...) {
    fail_msg("panic: %s", format);
    abort();
}

/* ---- Tables in memory of the host. ---- */

static struct riscv_tables tables;
static uint64_t tables_at, pool_at, pool_used;
static uint64_t pool[POOL_MOST][512] __attribute__((aligned(4096)));

uint64_t riscv_table_new(void) {
    assert_true(pool_used < POOL_MOST);
    return pool_at + pool_used++ * OS2_PAGE_SIZE;
}
uint64_t *riscv_table(uint64_t pa) {
    if (pa >= tables_at && pa < tables_at + sizeof tables)
        return (uint64_t *)((uint8_t *)&tables + (pa - tables_at));
    assert_true(pa >= pool_at && pa < pool_at + pool_used * OS2_PAGE_SIZE);
    return pool[(pa - pool_at) / OS2_PAGE_SIZE];
}

/* ---- Walking. ---- */

static struct boot_range firmware[300];
static unsigned firmware_count;
static struct boot_info info;
static const char *what;

static struct {
    uint64_t image, direct;   /* bytes */
    unsigned windows, stacks; /* pages */
} seen;

static void protect(uint64_t base, uint64_t size) {
    assert_true(firmware_count < sizeof firmware / sizeof *firmware);
    if (size)
        firmware[firmware_count++] = (struct boot_range){base, size};
}

static void see_leaf(uint64_t va, uint64_t pte, uint64_t size) {
    uint64_t pa = arch_pte_address(pte), end = pa + size;
    assert_int_equal(pa % size, 0);
    assert_int_equal(pte & (V | R | U | G | A | D), V | R | G | A | D);
    assert_false((pte & W) && (pte & X));
    for (unsigned i = 0; i < firmware_count; i++)
        if (pa < firmware[i].base + firmware[i].size && firmware[i].base < end)
            fail_msg("%s: the leaf of %lx bytes at %lx meets what the firmware has, %lx..%lx", what, size, pa,
                     firmware[i].base, firmware[i].base + firmware[i].size);
    if (va >= RISCV_STACKS_BASE) {
        assert_int_equal(size, OS2_PAGE_SIZE);
        assert_true(pte & W);
        assert_false(riscv_below_stack(va) || riscv_below_stack(va + OS2_PAGE_SIZE - 1));
        seen.stacks++;
    } else if (va >= RISCV_WINDOW_BASE(0)) {
        assert_int_equal(size, OS2_PAGE_SIZE);
        seen.windows++;
    } else if (va >= RISCV_IMAGE_BASE) {
        assert_int_equal(size, OS2_PAGE_SIZE);
        seen.image += size;
    } else {
        struct boot_range leaf = {pa, size};
        assert_int_equal(va, pa + RISCV_DIRECT_BASE);
        assert_true((pte & W) && riscv_usable(&info, &leaf));
        seen.direct += size;
    }
}

static void walk(const uint64_t *table, unsigned level, uint64_t va) {
    for (unsigned i = 0; i < 512; i++) {
        uint64_t at = va | (uint64_t)i << (12 + 9 * level);
        if (level == 2 && i >= 256)
            at |= UINT64_C(0xffffff8000000000);
        if (!arch_pte_valid(table[i]))
            continue;
        if (arch_pte_is_leaf(table[i], level))
            see_leaf(at, table[i], UINT64_C(1) << (12 + 9 * level));
        else
            walk(riscv_table(arch_pte_address(table[i])), level - 1, at);
    }
}

static void walk_all(void) {
    memset(&seen, 0, sizeof seen);
    walk(tables.root, 2, 0);
    assert_int_equal(seen.image, IMAGE_BYTES);
}

static void first(uint64_t image_at) {
    struct riscv_image image = {.base = image_at, .rodata = 0x20000, .data = 0x30000, .size = IMAGE_BYTES};
    memset(&tables, 0, sizeof tables);
    tables_at = TABLES_AT(image_at);
    pool_used = 0;
    riscv_first_map(&tables, tables_at, &image);
}

/* All RAM that is not reserved, and with as many tables as were measured. */
static void final_map(void) {
    uint64_t usable = 0, measured = riscv_direct_tables(&info);
    for (struct boot_range r = {0}; boot_ram_next(&info, &r);)
        usable += r.size;
    assert_true(measured <= POOL_MOST);
    memset(pool, 0, sizeof pool);
    pool_at = boot_room(&info, measured * OS2_PAGE_SIZE, UINT64_MAX);
    riscv_direct_ram(&tables, &info);
    assert_int_equal(pool_used, measured);
    walk_all();
    assert_int_equal(seen.direct, usable);
}

/* ---- Boards. ---- */

static void try_board(const struct tree_file *file, const struct fdt_range *bank, uint64_t tree_at) {
    struct fdt_range r;
    uint64_t image = bank->base + RISCV_IMAGE_MOST;
    what = file->name;
    memset(&info, 0, sizeof info);
    firmware_count = 0;
    protect(bank->base, RISCV_IMAGE_MOST);
    first(image);
    walk_all();
    assert_true(seen.windows == 0 && seen.direct == 0);

    /* The tree where the loader left it, read before anything is known. */
    assert_true(riscv_window(&tables, RISCV_WINDOW_TREE, tree_at, FDT_HEADER_BYTES));
    walk_all();
    assert_true(seen.windows <= 2);
    assert_true(riscv_window(&tables, RISCV_WINDOW_TREE, tree_at, file->size));
    walk_all();
    uint64_t from = tree_at & ~(OS2_PAGE_SIZE - 1);
    assert_int_equal(seen.windows, (tree_at + file->size - from + OS2_PAGE_SIZE - 1) / OS2_PAGE_SIZE);
    assert_int_equal(arch_pte_address(tables.window[RISCV_WINDOW_TREE][0]), from);

    info.tree = info.kept[info.kept_count++] = (struct boot_range){tree_at, file->size};
    riscv_find_memory(&file->tree, &info, image, image + IMAGE_BYTES);
    for (uint32_t i = 0; fdt_reserved(&file->tree, i, &r); i++)
        if (!boot_meets(info.kept, info.kept_count, r.base, r.base + r.size))
            protect(r.base, r.size);
    for (uint32_t i = 0; fdt_memreserve(&file->tree, i, &r); i++)
        if (!boot_meets(info.kept, info.kept_count, r.base, r.base + r.size))
            protect(r.base, r.size);
    final_map();
    assert_true(seen.direct > 0);
    assert_true(riscv_window(&tables, RISCV_WINDOW_TREE, 0, 0));
    walk_all();
    assert_int_equal(seen.windows, 0);
}

static void test_boards(void **state) {
    unsigned tried = 0;
    (void)state;
    for (size_t t = 0; t < trees_count; t++) {
        struct fdt_range bank;
        for (uint32_t i = 0; fdt_memory(&trees[t].tree, i, &bank); i++) {
            uint64_t end = bank.base + bank.size;
            if (bank.size < 8 * MIB || bank.base >= RISCV_DIRECT_SIZE)
                continue;
            const uint64_t places[] = {
                end - trees[t].size,                                 /* QEMU: at the end of RAM */
                bank.base + 4 * MIB + 8,                             /* U-Boot: somewhere, 8-byte aligned */
                bank.base - 2 * MIB,                                 /* a hole, or another bank */
                RISCV_DIRECT_SIZE + 3 * GIB + 2 * OS2_PAGE_SIZE - 4, /* above all that is mapped */
            };
            for (unsigned place = 0; place < sizeof places / sizeof *places; place++, tried++)
                try_board(&trees[t], &bank, places[place]);
        }
    }
    assert_true(tried >= 4 * trees_count);
}

/* Firmware's memory that the tree does not name, below an image that lies higher than loaders put it. */
static void test_image_higher(void **state) {
    const struct tree_file *file = trees_named("virt");
    struct fdt_range bank;
    (void)state;
    assert_true(fdt_memory(&file->tree, 0, &bank));
    for (uint64_t offset = 2 * MIB; offset < 64 * MIB; offset += 6 * MIB) {
        uint64_t image = bank.base + offset;
        what = "an image further up";
        memset(&info, 0, sizeof info);
        firmware_count = 0;
        first(image);
        info.archive = info.kept[info.kept_count++] = (struct boot_range){bank.base + 70 * MIB, 5 * MIB + 3};
        if (offset > 20 * MIB) /* it may also be below the image: what a loader puts there is no firmware's */
            info.archive = info.kept[0] = (struct boot_range){bank.base + 10 * MIB, 5 * MIB + 3};
        riscv_find_memory(&file->tree, &info, image, image + IMAGE_BYTES);
        if (offset <= 20 * MIB) {
            protect(bank.base, offset);
        } else {
            protect(bank.base, 10 * MIB);
            protect(bank.base + 15 * MIB + OS2_PAGE_SIZE, offset - 15 * MIB - OS2_PAGE_SIZE);
        }
        final_map();
        assert_true(riscv_usable(&info, &info.archive));
    }
}

/* Any RAM and any reserved ranges: everything that is usable is mapped once, by as many tables as were measured. */
static void test_any_shape(void **state) {
    uint64_t random = 1;
    (void)state;
    what = "random ranges";
    for (unsigned round = 0; round < 400; round++) {
        memset(&info, 0, sizeof info);
        firmware_count = 0;
        for (unsigned i = 0; i < 6 + round % 60; i++) {
            uint64_t unit[] = {OS2_PAGE_SIZE, 2 * MIB, GIB}, value[2];
            for (unsigned k = 0; k < 2; k++) {
                random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                value[k] = unit[random >> 40 & 1 ? 2 : random >> 41 & 1] * (random >> 45 & 15);
                value[k] += (random >> 50 & 3) * unit[random >> 52 & 1];
            }
            if (i % 3 == 0) {
                boot_ram(&info, value[0], value[1]);
            } else {
                boot_reserve(&info, value[0], value[1] & (4 * MIB - 1));
                protect(value[0], value[1] & (4 * MIB - 1));
            }
        }
        boot_limit(&info, RISCV_DIRECT_SIZE);
        first(RISCV_DIRECT_SIZE); /* not in any of it */
        final_map();
    }
}

/* A window shows whole pages and no more, and says when it is too small. */
static void test_window(void **state) {
    (void)state;
    first(0x80200000);
    assert_true(riscv_window(&tables, 1, 0x12345678, RISCV_WINDOW_SIZE - 0x678));
    assert_false(riscv_window(&tables, 1, 0x12345678, RISCV_WINDOW_SIZE - 0x677));
    assert_false(riscv_window(&tables, 1, BOOT_ADDRESS_END, 1));
    assert_int_equal(arch_pte_address(tables.window[1][511]), 0x12345000 + 511 * OS2_PAGE_SIZE);
    assert_true(riscv_window(&tables, 1, 0, 0));
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(tables.window[1][i], 0);
}

/* Each core's stack is mapped once more, whole, with nothing below it for as many bytes as it has. */
static void test_stacks(void **state) {
    (void)state;
    first(0x80200000);
    firmware_count = 0;
    for (unsigned i = CORES_MAX; i-- > 0;) {
        uint64_t pa = 0x80800000 + i * 3 * KERNEL_STACK_SIZE, top = riscv_stack_map(&tables, i, pa);
        uint64_t low = top - KERNEL_STACK_SIZE;
        walk_all();
        assert_int_equal(seen.stacks, (CORES_MAX - i) * (KERNEL_STACK_SIZE / OS2_PAGE_SIZE));
        for (uint64_t at = 0; at < KERNEL_STACK_SIZE; at += OS2_PAGE_SIZE) {
            uint64_t index = (low + at) >> OS2_PAGE_SHIFT & 511;
            assert_int_equal(arch_pte_address(tables.stacks[index]), pa + at);
            assert_int_equal(tables.stacks[index - KERNEL_STACK_SIZE / OS2_PAGE_SIZE], 0);
        }
        assert_true(riscv_below_stack(low - 1) && riscv_below_stack(low - KERNEL_STACK_SIZE));
        assert_false(riscv_below_stack(low) || riscv_below_stack(top - 1));
    }
    assert_false(riscv_below_stack(RISCV_STACKS_BASE - 1));
    assert_false(riscv_below_stack(RISCV_STACKS_BASE + CORES_MAX * RISCV_STACKS_STRIDE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boards), cmocka_unit_test(test_image_higher), cmocka_unit_test(test_any_shape),
        cmocka_unit_test(test_window), cmocka_unit_test(test_stacks),
    };

    trees_load();
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
