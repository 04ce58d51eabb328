/* SPDX-License-Identifier: MIT */
/* The page-table walker, the same for every port; theory in mm/paging.c. */
#ifndef MM_PAGING_H
#define MM_PAGING_H

#include "mm/space.h"

/* A block of order k is mapped by 2^(k mod 9) leaves of level k / 9; where the processor has no leaves that large, by
 * at most 512 of the level below. They never leave one table. */
static inline unsigned paging_level(unsigned order) {
    unsigned level = (order >= 9) + (order >= 18);
    return level < arch_leaf_top() ? level : arch_leaf_top();
}
static inline unsigned paging_leaves(unsigned order) {
    return 1u << (order - 9 * paging_level(order));
}

/* The leaf that maps `va`; *ret_level tells its size. NULL: nothing is mapped there. */
uint64_t *paging_find(const struct space *space, uint64_t va, unsigned *ret_level);

/* How many table pages a mapping of this order at `va` lacks, or OS2_E_BUSY when something is mapped in the way. */
int paging_missing(const struct space *space, uint64_t va, unsigned order);

/* The place of the first leaf of a block of this order at `va`, if its table is linked and nothing is there; else NULL.
 * The space remembers the table: the next block that goes there needs no walk. */
uint64_t *paging_place(struct space *space, uint64_t va, unsigned order);

/* Map a block. `va` is aligned to the block, paging_missing() was asked and that many tables are in the reserve: cannot
 * fail. Invalid entries become valid: no fence is needed, but where an empty table gives way to a large leaf. */
void paging_map(struct space *space, uint64_t va, uint64_t pa, unsigned order, unsigned prot, bool device);

/* Unmap a block that is mapped at `va` by `leaf` and those behind it, with the fences that this core needs. Emptied
 * tables stay, up to a limit. */
void paging_unmap(struct space *space, uint64_t va, unsigned order, uint64_t *leaf);

/* Have the table of level 0 that maps `va` held by space->page: it is not counted as empty meanwhile. The one that was
 * held before is let go. False: it is not linked, and none is held. */
bool paging_hold(struct space *space, uint64_t va);
void paging_let_go(struct space *space);

/* Free the tables that were unlinked while the space was not current, or while another core had not left it; only where
 * it is now, and all have. Called before a space is charged for more, and before it gives a block away, so that none
 * pile up. */
void paging_reclaim(struct space *space);

/* Change the protection of a mapped block, with its fences. */
void paging_protect(struct space *space, uint64_t va, unsigned order, uint64_t *leaf, unsigned prot, bool device);

#endif
