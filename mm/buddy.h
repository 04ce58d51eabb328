/* SPDX-License-Identifier: MIT */
/* The buddy lists of the heap; theory in mm/buddy.c. The heap's lock is held. */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "mm/heap.h"

/* The first frame of a block of this order, of no list and in no state any more; FRAME_NONE. */
uint32_t buddy_take(struct heap *heap, unsigned order);

/* Give back a block: it, or the one of its order given back before it, goes onto the free lists, merged with whatever
 * it can be merged with. */
void buddy_put(struct heap *heap, uint32_t first, unsigned order);

#endif
