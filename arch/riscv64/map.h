/* SPDX-License-Identifier: MIT */
/* The kernel's tables: what start.S begins with and mmu.c goes on with. Theory in arch/riscv64/map.c. */
#ifndef ARCH_RISCV64_MAP_H
#define ARCH_RISCV64_MAP_H

#include "arch/arch.h"

#define RISCV_IMAGE_MOST UINT64_C(0x200000)
#define RISCV_WINDOWS 2
#define RISCV_WINDOW_TREE 0   /* the device tree where firmware left it */
#define RISCV_WINDOW_TABLES 1 /* pages that become tables; then, what is copied */
#define RISCV_WINDOW_SIZE UINT64_C(0x200000)
#define RISCV_WINDOW_BASE(which) (RISCV_IMAGE_BASE + RISCV_IMAGE_MOST + (which)*RISCV_WINDOW_SIZE)
#define RISCV_STACKS_BASE RISCV_WINDOW_BASE(RISCV_WINDOWS)
#define RISCV_STACKS_STRIDE (2 * KERNEL_STACK_SIZE)

struct riscv_tables {
    uint64_t root[512];
    uint64_t middle[512]; /* of the GiB that has the image */
    uint64_t image[512];
    uint64_t window[RISCV_WINDOWS][512];
    uint64_t stacks[512];
} __attribute__((aligned(4096)));

/* The image in memory: where, and the offsets of its parts, each on pages of its own. */
struct riscv_image {
    uint64_t base, rodata, data, size;
};

/* The first map, into cleared tables that lie at the physical address `at`. */
void riscv_first_map(struct riscv_tables *tables, uint64_t at, const struct riscv_image *image);

/* Let a window show the pages of [pa, pa + size), and nothing else; size 0 closes it. False, with nothing changed, if
 * they are more than it has room for. The caller fences. */
bool riscv_window(struct riscv_tables *tables, unsigned which, uint64_t pa, uint64_t size);

/* Map the stack of core `index`, KERNEL_STACK_SIZE bytes from `pa` on, where nothing is mapped below it; returns where
 * it ends there. The caller fences. */
uint64_t riscv_stack_map(struct riscv_tables *tables, unsigned index, uint64_t pa);
/* Is this address just below the stack of a core? */
bool riscv_below_stack(uint64_t va);

/* [base, end) in the direct map, whole pages; all RAM that is not reserved; and how many tables the latter takes. The
 * caller fences. */
void riscv_direct_map(struct riscv_tables *tables, uint64_t base, uint64_t end);
void riscv_direct_ram(struct riscv_tables *tables, const struct boot_info *info);
uint64_t riscv_direct_tables(const struct boot_info *info);

/* mmu.c: a cleared page for a table, its physical address; and where the table there can be written. */
uint64_t riscv_table_new(void);
uint64_t *riscv_table(uint64_t pa);

#endif
