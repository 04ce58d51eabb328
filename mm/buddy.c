/* SPDX-License-Identifier: MIT */
/*
 * The buddy lists: all free RAM that is in no magazine, in blocks of 2^order frames, orders 0 to 18 (1 GiB).
 *
 * A block of order k begins at a multiple of 2^k frames; its buddy is the block whose number differs in bit k alone
 * (Knuth, TAOCP 1, section 2.5). Freeing merges a block with its buddy as long as the buddy is free and whole.
 *
 * All metadata is in the frame descriptors: the free lists run through them, never through the pages, so that a page
 * on a free list is not touched and may be one that the kernel does not even map. Only a block's first frame tells
 * state and order; every other frame is TAIL. Splitting makes one new first frame, merging turns one into TAIL: both
 * are O(1) for each level, and a check "is this the start of a block, and whose" is one load from its address.
 *
 * Merging is put off by one block (after Barkley and Lee's lazy buddy system): of each order that has no magazines, the
 * block that was freed last is kept whole, as the spare one, and the one before it is merged. So whoever gets and
 * gives back a large block splits and merges nothing. A request that finds no block that is large enough has all spares
 * merged and looks again: they never make one fail.
 *
 * Invariants (heap_check()): each FREE block is on the list of its order, aligned, its tails TAIL, and its buddy is not
 * a FREE block of the same order; free_pages is their sum, with the spare ones. Each MAGAZINE block is spare or in one
 * magazine, of its order.
 *
 * One lock guards the lists; whoever calls what is here holds it.
 *
 * Rejected: bitmaps (a second structure to agree with, and a search where the list has the answer at its head);
 * headers inside free pages (touches cold memory, and a wild write destroys the heap).
 */
#include "mm/buddy.h"

static void push(struct heap *heap, uint64_t number, unsigned order) {
    heap->frames[number].tag = frame_tag(OS2_FRAME_FREE, order, 0);
    frame_list_push(heap->frames, &heap->free_list[order], &heap->frames[number]);
}

/* Put a block onto the free lists, merged with whatever it can be merged with. */
static void merge(struct heap *heap, uint64_t number, unsigned order) {
    struct frame *frames = heap->frames;
    for (; order < OS2_ORDER_MAX; order++) {
        uint64_t half = UINT64_C(1) << order, buddy = number ^ half;
        if (!heap_covers(heap, buddy) || frames[buddy].tag != frame_tag(OS2_FRAME_FREE, order, 0))
            break;
        frame_list_remove(frames, &heap->free_list[order], &frames[buddy]);
        frames[number | half].state = OS2_FRAME_TAIL;
        number &= ~half;
    }
    push(heap, number, order);
}

static uint32_t take_spare(struct heap *heap, unsigned order) {
    uint32_t number = heap->spare[order];
    heap->spare[order] = FRAME_NONE;
    return number;
}

static bool merge_spares(struct heap *heap) {
    bool any = false;
    for (unsigned order = 0; order <= OS2_ORDER_MAX; order++) {
        uint32_t number = take_spare(heap, order);
        if (number == FRAME_NONE)
            continue;
        merge(heap, number, order);
        any = true;
    }
    return any;
}

uint32_t buddy_take(struct heap *heap, unsigned order) {
    unsigned k = order;
    while (heap->free_list[k] == FRAME_NONE && heap->spare[k] == FRAME_NONE)
        if (++k > OS2_ORDER_MAX)
            return merge_spares(heap) ? buddy_take(heap, order) : FRAME_NONE;
    uint64_t number;
    if (heap->spare[k] != FRAME_NONE) {
        number = frame_index(take_spare(heap, k));
    } else {
        number = frame_index(heap->free_list[k]);
        frame_list_remove(heap->frames, &heap->free_list[k], &heap->frames[number]);
    }
    while (k > order) {
        k--;
        push(heap, number + (UINT64_C(1) << k), k); /* the upper half stays free */
    }
    heap->free_pages -= UINT64_C(1) << order;
    return (uint32_t)number;
}

void buddy_put(struct heap *heap, uint32_t first, unsigned order) {
    uint32_t merged = first;
    heap->free_pages += UINT64_C(1) << order;
    if (order >= MAGAZINE_ORDERS && order <= OS2_ORDER_MAX) {
        heap_frame(heap, first)->tag = frame_tag(OS2_FRAME_MAGAZINE, order, 0);
        merged = take_spare(heap, order);
        heap->spare[order] = first;
    }
    if (merged != FRAME_NONE)
        merge(heap, frame_index(merged), order);
}
