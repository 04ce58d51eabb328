/* SPDX-License-Identifier: MIT */
/*
 * The short way for a block to change hands: what mm/block.c does in general, for the one case that most messages are.
 *
 * A block of order 0, 9 or 18 is one leaf. At its exchange address it leaves by clearing one entry of the sender's
 * tables, and arrives by filling one entry, at the same address, of the receiver's. Which table that entry is in, each
 * space remembers from the last time (struct table_hint); so a move walks no tables at all, at any size.
 *
 * The books are the same as in paging.c and block.c: valid entries of the two tables, empty tables, owner, lists, owned
 * pages. Where emptying the sender's table would be one too many kept, the long way is taken, which drops it. That an
 * entry at an exchange address, if it is a leaf, maps the frame of that address is the invariant of the exchange region.
 */
#ifndef MM_PASS_H
#define MM_PASS_H

#include "mm/block.h"
#include "mm/paging.h"

/* Find the table of `level` for `va` and note it in the space's hint. False: the tables do not reach so far down. */
bool pass_find_table(struct space *space, uint64_t va, unsigned level);

/* Move the block at `va` from the space that is current on this core, and plain (arch_space_plain), to another that this
 * core holds, if that is the simple case: RAM of one leaf below 1 GiB, at its exchange address, of order *order_limit - 1
 * at most (0: none), within the receiver's quota, through tables that it has. True: done, *ret_order is its order. False:
 * nothing has changed, and block_fits() and block_move() will tell why. */
static inline bool block_pass(struct space *from, struct space *into, uint64_t va, unsigned order_limit,
                              unsigned *ret_order) {
    struct heap *heap = from->heap;
    uint64_t pa = va - OS2_EXCHANGE_BASE, number = pa >> OS2_PAGE_SHIFT;
    if (pa & (OS2_PAGE_SIZE - 1) || number - heap->first >= heap->end - heap->first)
        return false;
    struct frame *f = heap_frame(heap, (uint32_t)number);
    unsigned order = f->order, level = order == 9;
    if (f->state != OS2_FRAME_OWNED || f->owner != from->slot || order >= order_limit || (order && !level) ||
        level > arch_leaf_top())
        return false;

    uint64_t key = va >> (OS2_PAGE_SHIFT + 9 + 9 * level), index = va >> (OS2_PAGE_SHIFT + 9 * level) & 511;
    struct table_hint *source = &from->hint[level], *target = &into->hint[level];
    if (__builtin_expect(source->key != key, 0) && !pass_find_table(from, va, level))
        return false;
    if (__builtin_expect(target->key != key, 0) && !pass_find_table(into, va, level))
        return false;
    uint64_t leaf = source->table[index];
    uint32_t pages = 1u << order;
    if (!arch_pte_valid(leaf) || !arch_pte_is_leaf(leaf, level) || arch_pte_valid(target->table[index]) ||
        !space_affords(into, pages))
        return false;
    if (source->frame->live == 1) {
        if (from->empty_tables >= SPACE_EMPTY_TABLES)
            return false;
        from->empty_tables++;
    }

    /* From here on nothing can fail. */
    source->table[index] = 0;
    arch_fence_plain(&from->arch, va);
    source->frame->live--;
    if (target->frame->live++ == 0)
        into->empty_tables--;
    target->table[index] = arch_pte_leaf(pa, OS2_PROT_READ | OS2_PROT_WRITE, level, false);

    uint32_t next = f->next, prev = f->prev;
    *(prev != FRAME_NONE ? &heap_frame(heap, prev)->next : &from->blocks) = next;
    if (next != FRAME_NONE)
        heap_frame(heap, next)->prev = prev;
    next = into->blocks;
    if (next != FRAME_NONE)
        heap_frame(heap, next)->prev = (uint32_t)number;
    f->prev = FRAME_NONE;
    f->next = next;
    f->owner = into->slot;
    into->blocks = (uint32_t)number;
    from->owned -= pages;
    into->owned += pages;
    *ret_order = order;
    return true;
}

#endif
