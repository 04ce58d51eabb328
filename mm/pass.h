/* SPDX-License-Identifier: MIT */
/*
 * The short way for a block to change hands: what mm/block.c does in general, for the one case that most messages are.
 *
 * At its exchange address a block leaves by clearing a few neighbouring entries of one of the sender's tables (one for
 * order 0, 9 and 18), and arrives by filling them, at the same address, in the receiver's. Which table that is, each
 * space remembers from the last time (struct table_hint); so a move walks no tables at all, at any size.
 *
 * The books are the same as in paging.c and block.c: valid entries of the two tables, empty tables, owner, lists, owned
 * pages. Where emptying the sender's table would be one too many kept, the long way is taken, which drops it. An entry
 * at an exchange address maps the frame of that address alone, if it is a leaf. So a block that its descriptor says is
 * at its exchange address (OS2_FRAME_OWNED) need not be looked for there; and in the receiver's table its place is free
 * at level 0, and above it taken by an emptied table at most.
 */
#ifndef MM_PASS_H
#define MM_PASS_H

#include "mm/block.h"
#include "mm/clamp.h"
#include "mm/paging.h"

/* Find the table of `level` for `va` and note it in the space's hint. False: the tables do not reach so far down. */
bool pass_find_table(struct space *space, uint64_t va, unsigned level);

/* What block_pass() found. */
enum pass { PASS_NO, PASS_DONE, PASS_FAR, PASS_MANY };

/* The block that starts at frame `f` has changed hands: owner, lists, owned pages. */
static inline __attribute__((always_inline)) void pass_owner(struct space *from, struct space *into, struct frame *f,
                                                             uint32_t pages) {
    struct frame *frames = from->heap->frames;
    uint64_t next = frame_index(f->next), prev = frame_index(f->prev), number = (uint64_t)(f - frames);
    *(prev != FRAME_NONE ? &frames[prev].next : &from->blocks) = (uint32_t)next;
    if (next != FRAME_NONE)
        frames[next].prev = (uint32_t)prev;
    next = frame_index(into->blocks);
    if (next != FRAME_NONE)
        frames[next].prev = (uint32_t)number;
    f->prev = FRAME_NONE;
    f->next = (uint32_t)next;
    f->owner = into->slot;
    into->blocks = (uint32_t)number;
    from->charged -= pages;
    into->charged += pages;
}

/* Move the block that starts at frame `f`, of one leaf of `level`. */
static inline __attribute__((always_inline)) enum pass pass_leaf(struct space *from, struct space *into, uint64_t va,
                                                                 struct frame *f, const unsigned level) {
    uint64_t key = va >> (OS2_PAGE_SHIFT + 9 + 9 * level), index = va >> (OS2_PAGE_SHIFT + 9 * level) & 511;
    struct table_hint *source = &from->hint[level], *target = &into->hint[level];
    const bool counted = level != ARCH_TOP_LEVEL; /* a table that is not the root is counted while it is empty */
    if (counted && (source->key != key || target->key != key))
        return PASS_FAR;
    uint64_t *leaf = &source->table[index], *space_for = &target->table[index];
    const uint32_t pages = 1u << 9 * level;
    if ((level && *space_for) || !space_affords(into, pages))
        return PASS_NO;
    struct frame *source_frame = source->frame, *target_frame = target->frame;
    if (counted && source_frame->live == 1) {
        if (from->empty_tables >= SPACE_EMPTY_TABLES)
            return PASS_NO;
        from->empty_tables++;
    }
    /* From here on nothing can fail. */
    *leaf = 0;
    arch_fence_plain(&from->arch, va);
    source_frame->live--;
    if (target_frame->live++ == 0 && counted)
        into->empty_tables--;
    *space_for = arch_pte_leaf(va - OS2_EXCHANGE_BASE, OS2_PROT_READ | OS2_PROT_WRITE, level, false);
    pass_owner(from, into, f, pages);
    return PASS_DONE;
}

/* The same for any block of which block_pass() said PASS_FAR or PASS_MANY. PASS_FAR: ask pass_find_table() first. */
enum pass pass_many(struct space *from, struct space *into, uint64_t va);

/* Move the block at `va` from the space that is current on this core, and plain (arch_space_plain), to another that
 * this core holds, if that is the simple case: RAM at its exchange address, of order order_limit - 1 at most (0: none),
 * within the receiver's quota, through tables that it has. PASS_DONE: *ret_order is its order. PASS_FAR and PASS_MANY:
 * pass_many() may do it, *ret_order is the order. Else nothing has changed, and block_fits() and block_move() will tell
 * why. */
static inline __attribute__((always_inline)) enum pass block_pass(struct space *from, struct space *into, uint64_t va,
                                                                  unsigned order_limit, unsigned *ret_order) {
    const struct heap *heap = from->heap;
    uint64_t pa = va - OS2_EXCHANGE_BASE, number = pa >> OS2_PAGE_SHIFT;
    if (pa & (OS2_PAGE_SIZE - 1) || !heap_covers(heap, number))
        return PASS_NO;
    struct frame *f = &heap->frames[clamp_index(number, heap->end)];
    unsigned order = f->order;
    if (f->state != OS2_FRAME_OWNED || f->owner != from->slot || order >= order_limit)
        return PASS_NO;
    *ret_order = order;
    if (order == 0)
        return pass_leaf(from, into, va, f, 0);
    if (order == 9)
        return pass_leaf(from, into, va, f, 1);
    return order == 18 && arch_leaf_top() == 2 ? pass_leaf(from, into, va, f, 2) : PASS_MANY;
}

#endif
