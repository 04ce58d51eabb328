/* SPDX-License-Identifier: MIT */
/* Finding the tables for the short way of a block: see mm/pass.h. */
#include "mm/pass.h"

bool pass_find_table(struct space *space, uint64_t va, unsigned level) {
    uint64_t *table = space->root;
    if (va >= ARCH_USER_END)
        return false;
    for (unsigned l = ARCH_TOP_LEVEL; l > level; l--) {
        uint64_t entry = table[va >> (OS2_PAGE_SHIFT + 9 * l) & 511];
        if (!arch_pte_valid(entry) || arch_pte_is_leaf(entry, l))
            return false;
        table = arch_phys_to_virt(arch_pte_address(entry));
    }
    space->hint[level] = (struct table_hint){
        .key = va >> (OS2_PAGE_SHIFT + 9 + 9 * level),
        .table = table,
        .frame = heap_frame(space->heap, frame_number(table)),
    };
    return true;
}
