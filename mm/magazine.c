/* SPDX-License-Identifier: MIT */
/*
 * Magazines: each core's stock of free blocks, in front of the buddy heap (Bonwick, Adams: Magazines and Vmem, 2001).
 *
 * A core has a magazine of blocks for each of the orders 0 to 3, their bytes as they were left, and one of frames whose
 * bytes are all 0. Getting a block takes it from the core's own magazine, giving one back puts it there: no lock, no
 * atomic. An empty one is filled by half, and half a full one is emptied, under one holding of the heap's lock. What is
 * given away is what was last got back, which the cache still has; what goes to the heap is what has lain longest.
 *
 * Cleared ahead. An idle core clears frames, one at a time, with a look for interrupts and work after each, until its
 * magazine of cleared ones is full. Then it puts them in order, so that neighbours go to one process one after another:
 * most of them are mapped by the same table then. Whoever frees a frame that is all 0 says so. A request for a cleared
 * frame that finds none clears one itself.
 *
 * No request for one frame within quota ever fails. init's quota, of which all others are parts, leaves out what the
 * magazines of all cores can hold together. So whoever is within quota finds more free frames than magazines have room
 * for, and one of them is on the heap's lists, however the rest is spread. That is why magazines have fixed rounds.
 * A block of a higher order can be refused by fragmentation; before it is, this core's magazines are given back, some
 * rounds for each entry into the kernel.
 *
 * Frames in magazines are in a state of their own, so that the heap never merges them. In the checking build a frame
 * of order 0 is filled with a pattern when it is freed, and it is a panic if that pattern, or the 0 of a cleared one,
 * is not there any more when the frame is handed out.
 *
 * Rejected: a depot of full magazines between cores and heap (the heap's lists are as cheap: a magazine's half is taken
 * in one go); taking from another core's magazines when the heap is empty (the quota makes that unnecessary, and it
 * would cost each use an atomic); magazines for orders above 3 (they would hold back too much memory).
 */
#include "mm/magazine.h"

#include "lib/string.h"
#include "mm/buddy.h"

#if OS2_CHECKS
void magazine_freed(uint32_t number, unsigned order) {
    if (order == 0)
        memset(frame_memory(number), (int)(MAGAZINE_POISON & 0xff), OS2_PAGE_SIZE);
}
void magazine_taken(uint32_t number, unsigned order, uint64_t with) {
    const uint64_t *at = frame_memory(number);
    for (unsigned i = 0; order == 0 && i < OS2_PAGE_SIZE / sizeof *at; i++)
        if (at[i] != with)
            panic("frame %x was written to while it was free: %lx at %u", number, at[i], i * (unsigned)sizeof *at);
}
#endif

void magazine_fill(struct heap *heap, struct magazine *m, unsigned order) {
    lock_acquire(&heap->lock);
    while (magazine_count(m) < magazine_rounds(order) / 2) {
        uint32_t number = buddy_take(heap, order);
        if (number == FRAME_NONE)
            break;
        magazine_freed(number, order);
        magazine_put(heap, m, order, number);
    }
    lock_release(&heap->lock);
}

void magazine_empty(struct heap *heap, struct magazine *m, unsigned order, uint64_t count) {
    lock_acquire(&heap->lock);
    for (uint64_t i = 0; i < count; i++)
        buddy_put(heap, m->frame[i], order);
    lock_release(&heap->lock);
    m->top -= count;
    for (uint64_t i = 0; i < magazine_count(m); i++)
        m->frame[i] = m->frame[i + count];
}

/* Sort a full magazine by numbers, then put on top the frames of that 2 MiB region of which it has the most. */
#define REGION(number) ((number) >> 9)
static void arrange(struct magazine *m) {
    uint32_t sorted[MAGAZINE_ROUNDS] = {0}, most = 0, at = 0, n = 0;
    for (uint32_t i = 0; i < MAGAZINE_ROUNDS; i++) {
        uint32_t k = i;
        for (; k && sorted[k - 1] > m->frame[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = m->frame[i];
    }
    for (uint32_t i = 0, start = 0; i < MAGAZINE_ROUNDS; i++) {
        if (REGION(sorted[i]) != REGION(sorted[start]))
            start = i;
        if (i + 1 - start > most) {
            most = i + 1 - start;
            at = start;
        }
    }
    for (uint32_t i = 0; i < MAGAZINE_ROUNDS; i++)
        if (i < at || i >= at + most)
            m->frame[n++] = sorted[i];
    for (uint32_t i = at; i < at + most; i++)
        m->frame[n++] = sorted[i];
}

bool magazine_clear_ahead(struct heap *heap) {
    struct magazines *magazines = magazines_own(heap);
    if (!magazines || magazine_count(&magazines->cleared) == MAGAZINE_ROUNDS)
        return false;
    struct magazine *m = &magazines->dirty[0];
    if (!magazine_count(m))
        magazine_fill(heap, m, 0);
    if (!magazine_count(m))
        return false;
    uint32_t number = *--m->top;
    frames_clear(number, 1);
    magazine_put(heap, &magazines->cleared, 0, number);
    if (magazine_count(&magazines->cleared) == MAGAZINE_ROUNDS)
        arrange(&magazines->cleared);
    return true;
}
