/* SPDX-License-Identifier: MIT */
/* The magazines in front of the heap; theory in mm/magazine.c. */
#ifndef MM_MAGAZINE_H
#define MM_MAGAZINE_H

#include "mm/heap.h"

/* This core's magazines, NULL while there are none. */
static inline struct magazines *magazines_own(const struct heap *heap) {
    return heap->open ? heap->magazines[arch_core_index()] : NULL;
}

/* entry paths store it as a 0 */
_Static_assert(OS2_FRAME_MAGAZINE == 0, "a page in a magazine has a tag of 0");

/* Put a block into a magazine that has room. */
static inline void magazine_put(struct heap *heap, struct magazine *m, unsigned order, uint32_t number) {
    heap_frame(heap, number)->tag = frame_tag(OS2_FRAME_MAGAZINE, order, 0);
    *m->top++ = number;
}

/* Fill an empty magazine of dirty blocks by half, as far as there are any. */
void magazine_fill(struct heap *heap, struct magazine *m, unsigned order);

/* Give the `count` blocks that have lain longest back to the heap. */
void magazine_empty(struct heap *heap, struct magazine *m, unsigned order, uint64_t count);

/* Clear one frame ahead, for whoever asks for a cleared one on this core. False: there are enough, or none to clear. */
bool magazine_clear_ahead(struct heap *heap);

/* What the checking build does with a frame of order 0 that is freed, and looks for when one is taken that was filled
 * with the word `with`. */
#define MAGAZINE_POISON UINT64_C(0x5a5a5a5a5a5a5a5a)
#if OS2_CHECKS
void magazine_freed(uint32_t number, unsigned order);
void magazine_taken(uint32_t number, unsigned order, uint64_t with);
#else
static inline void magazine_freed(uint32_t number, unsigned order) {}
static inline void magazine_taken(uint32_t number, unsigned order, uint64_t with) {}
#endif

#endif
