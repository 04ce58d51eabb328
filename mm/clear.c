/* SPDX-License-Identifier: MIT */
/*
 * Clearing memory, nearly all that a large block costs, and making descriptors, nearly all that boot costs where there
 * is much RAM: loops of their own, compiled for speed on every machine.
 *
 * Sixteen stores of 8 bytes a round. gcc makes a plain loop a call of memset, which has three times the steps.
 */
#include "mm/heap.h"

void memory_clear(void *memory, size_t bytes) {
    uint64_t *at = memory, *end = at + bytes / sizeof *at;
    for (; at < end; at += 16) {
        at[0] = at[1] = at[2] = at[3] = at[4] = at[5] = at[6] = at[7] = 0;
        at[8] = at[9] = at[10] = at[11] = at[12] = at[13] = at[14] = at[15] = 0;
        __asm__ volatile("" : "+r"(at)::"memory"); /* no memset */
    }
}

void frames_make(struct heap *heap, uint64_t first, uint64_t end, unsigned state) {
    struct frame *stop = &heap->frames[end];
    uint64_t links = frame_links(FRAME_NONE, FRAME_NONE), facts = frame_tag(state, 0, 0);
#pragma GCC unroll 8
    for (struct frame *f = &heap->frames[first]; f < stop; f++) {
        f->links = links;
        f->facts = facts;
    }
}
