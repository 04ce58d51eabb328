/* SPDX-License-Identifier: MIT */
/* The kernel's half of every root: the entries of the port's own, most of which are not valid. They are noted once, so
 * that a space is made and unmade by the valid ones alone. */
#include "arch/arch.h"

#define ENTRIES 512u
#define KERNEL_FIRST (ENTRIES / 2)

/* (i) after boot */
static const uint64_t *kernel_root;
static uint16_t kernel_entry[ENTRIES - KERNEL_FIRST];
static unsigned kernel_entry_count;

void root_keep(const uint64_t *root) {
    kernel_root = root;
    for (unsigned i = KERNEL_FIRST; i < ENTRIES; i++)
        if (root[i])
            kernel_entry[kernel_entry_count++] = (uint16_t)i;
}

void arch_space_init(struct arch_space *space, uint64_t *root) {
    *space = (struct arch_space){.root = arch_virt_to_phys(root)};
    for (unsigned i = 0; i < kernel_entry_count; i++)
        root[kernel_entry[i]] = kernel_root[kernel_entry[i]];
}

void arch_space_fini(uint64_t *root) {
    for (unsigned i = 0; i < kernel_entry_count; i++)
        root[kernel_entry[i]] = 0;
}
