/* SPDX-License-Identifier: MIT */
/*
 * The kernel's map: which entries are in its tables, from the first instruction with an MMU to the last. No control
 * register is touched here, so that a host test can walk what is made (tests/unit/test_map.c).
 *
 * Firmware protects its memory by PMP, and there are processors (FU540, FU740) that refuse every access through a leaf
 * of which a PMP region has only a part. So the rule: no leaf, at no time, has a byte that is not the kernel's. One set
 * of tables serves from the start, and only grows:
 *
 *     first     the image at its link address, in 4 KiB leaves, each part with its own rights; nothing else
 *     window    two tables of 4 KiB leaves behind the image, for what must be read or written while the direct map is
 *               not yet: the device tree where firmware left it, the pages that become the direct map's tables
 *     direct    RAM that is not reserved, writable, with the largest leaves that lie in it whole; registers of devices
 *     stacks    the cores' stacks once more, in 4 KiB leaves, each with as much room below it where nothing is: who
 *               needs more than its stack is told by a page fault, and overwrites nothing
 *
 * What the firmware does not name is guessed in arch/riscv64/memory.c.
 *
 * The tables of the direct map come from RAM as one piece that is measured before. Later ones, for devices, come from
 * the heap.
 */
#include "arch/riscv64/map.h"

#define GLOBAL_R (RISCV_PTE_V | RISCV_PTE_R | RISCV_PTE_G | RISCV_PTE_A | RISCV_PTE_D)
#define GLOBAL_RW (GLOBAL_R | RISCV_PTE_W)
#define GLOBAL_RX (GLOBAL_R | RISCV_PTE_X)

#define SHIFT(level) (OS2_PAGE_SHIFT + 9 * (level))
#define INDEX(va, level) ((va) >> SHIFT(level) & 511)

_Static_assert(INDEX(RISCV_IMAGE_BASE, 1) == 0 && RISCV_IMAGE_MOST == UINT64_C(1) << SHIFT(1),
               "the image is what one table of 4 KiB leaves maps; the windows follow");
_Static_assert(CORES_MAX *RISCV_STACKS_STRIDE <= UINT64_C(1) << SHIFT(1), "the stacks have one table");

void riscv_first_map(struct riscv_tables *tables, uint64_t at, const struct riscv_image *image) {
    uint64_t middle = at + offsetof(struct riscv_tables, middle);
    tables->root[INDEX(RISCV_IMAGE_BASE, 2)] = arch_pte_table(middle);
    tables->middle[0] = arch_pte_table(at + offsetof(struct riscv_tables, image));
    for (unsigned i = 0; i < RISCV_WINDOWS; i++)
        tables->middle[1 + i] = arch_pte_table(at + offsetof(struct riscv_tables, window) + i * OS2_PAGE_SIZE);
    tables->middle[1 + RISCV_WINDOWS] = arch_pte_table(at + offsetof(struct riscv_tables, stacks));
    for (uint64_t offset = 0; offset < image->size; offset += OS2_PAGE_SIZE)
        tables->image[offset >> OS2_PAGE_SHIFT] = (image->base + offset) >> 2 | (offset < image->rodata ? GLOBAL_RX
                                                                                 : offset < image->data ? GLOBAL_R
                                                                                                        : GLOBAL_RW);
}

bool riscv_window(struct riscv_tables *tables, unsigned which, uint64_t pa, uint64_t size) {
    uint64_t first = pa >> OS2_PAGE_SHIFT, offset = pa & (OS2_PAGE_SIZE - 1);
    if (pa >= BOOT_ADDRESS_END || size > RISCV_WINDOW_SIZE - offset)
        return false;
    uint64_t pages = (offset + size + OS2_PAGE_SIZE - 1) >> OS2_PAGE_SHIFT;
    for (unsigned i = 0; i < 512; i++)
        tables->window[which][i] = i < pages ? (first + i) << OS2_PAGE_SHIFT >> 2 | GLOBAL_RW : 0;
    return true;
}

uint64_t riscv_stack_map(struct riscv_tables *tables, unsigned index, uint64_t pa) {
    uint64_t va = RISCV_STACKS_BASE + index * RISCV_STACKS_STRIDE + KERNEL_STACK_SIZE;
    for (uint64_t at = 0; at < KERNEL_STACK_SIZE; at += OS2_PAGE_SIZE)
        tables->stacks[INDEX(va + at, 0)] = (pa + at) >> 2 | GLOBAL_RW;
    return va + KERNEL_STACK_SIZE;
}

bool riscv_below_stack(uint64_t va) {
    return va >= RISCV_STACKS_BASE && va < RISCV_STACKS_BASE + CORES_MAX * RISCV_STACKS_STRIDE &&
           (va - RISCV_STACKS_BASE) % RISCV_STACKS_STRIDE < KERNEL_STACK_SIZE;
}

void riscv_direct_map(struct riscv_tables *tables, uint64_t base, uint64_t end) {
    for (uint64_t pa = base; pa < end;) {
        uint64_t *table = tables->root, va = pa + RISCV_DIRECT_BASE;
        unsigned level = ARCH_TOP_LEVEL;
        while (level > 0 && (pa & ((UINT64_C(1) << SHIFT(level)) - 1) || UINT64_C(1) << SHIFT(level) > end - pa)) {
            uint64_t *entry = &table[INDEX(va, level)];
            if (!arch_pte_valid(*entry))
                *entry = arch_pte_table(riscv_table_new());
            table = riscv_table(arch_pte_address(*entry));
            level--;
        }
        table[INDEX(va, level)] = pa >> 2 | GLOBAL_RW;
        pa += UINT64_C(1) << SHIFT(level);
    }
}

void riscv_direct_ram(struct riscv_tables *tables, const struct boot_info *info) {
    for (struct boot_range r = {0}; boot_ram_next(info, &r);)
        riscv_direct_map(tables, r.base, r.base + r.size);
}

/* A table is needed for each larger leaf that a range has a part of only; ranges come in ascending order. */
uint64_t riscv_direct_tables(const struct boot_info *info) {
    uint64_t count = 0, last[ARCH_TOP_LEVEL + 1] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (struct boot_range r = {0}; boot_ram_next(info, &r);) {
        for (unsigned level = 1; level <= ARCH_TOP_LEVEL; level++) {
            uint64_t part = (UINT64_C(1) << SHIFT(level)) - 1, end = r.base + r.size;
            uint64_t edges[] = {r.base, end - 1};
            bool cut[] = {r.base & part || r.size <= part, (end & part) || r.size <= part};
            for (unsigned i = 0; i < 2; i++)
                if (cut[i] && edges[i] >> SHIFT(level) != last[level]) {
                    last[level] = edges[i] >> SHIFT(level);
                    count++;
                }
        }
    }
    return count;
}
