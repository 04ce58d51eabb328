/* SPDX-License-Identifier: MIT */
/*
 * The short ways of memory: what mm/block.c and mm/paging.c do in general, for blocks of few leaves at their exchange
 * address. The books are the same as there: valid entries of tables, empty tables, owner, lists, owned pages. Whatever
 * is not this simple is left to the long way, unchanged.
 *
 * Changing hands: the one case that most messages are. At its exchange address a block leaves by clearing a few
 * neighbouring entries of one of the sender's tables (one for order 0, 9 and 18), and arrives by filling them, at the
 * same address, in the receiver's. Which table that is, each space remembers from the last time (struct table_hint); so
 * a move walks no tables at all, at any size. Where emptying the sender's table would be one too many kept, the long
 * way is taken, which drops it. An entry at an exchange address maps the frame of that address alone, if it is a leaf.
 * So a block that its descriptor says is at its exchange address (OS2_FRAME_OWNED) need not be looked for there; and in
 * the receiver's table its place is free at level 0, and above it taken by an emptied table at most.
 *
 * Getting and giving back, one page or 2 MiB. A page comes cleared from the core's magazine and goes into its dirty
 * one, and its leaf is at its exchange address. Which table that leaf is in, a space remembers from the last page and
 * holds (struct page_hint): so nothing is walked, and it is never empty. Three things need not be looked at. The leaf
 * of a frame that is free is not valid: an exchange address maps the frame of that address alone, and a free frame is
 * mapped nowhere. The leaf of one that is owned (OS2_FRAME_OWNED, and not OS2_FRAME_PLACED) is. And a frame of the
 * region of the hint has a descriptor: fast_find_region() remembers no other region. MAGAZINE_BOTTOM, which an empty
 * magazine shows, is in none. 2 MiB come from the heap and are cleared here; they have no magazine, but their table is
 * remembered too (struct table_hint).
 */
#ifndef MM_FAST_H
#define MM_FAST_H

#include "mm/block.h"
#include "mm/clamp.h"
#include "mm/magazine.h"
#include "mm/paging.h"

/* ---- Changing hands. ---- */

/* Find the table of `level` for `va` and note it in the space's hint. False: the tables do not reach so far down. */
bool fast_find_table(struct space *space, uint64_t va, unsigned level);

/* What fast_move() found. */
enum fast { FAST_NO, FAST_DONE, FAST_FAR, FAST_MANY };

/* The block that starts at frame `f` has changed hands: owner, lists, owned pages. */
static inline __attribute__((always_inline)) void fast_change_owner(struct space *from, struct space *into,
                                                                    struct frame *f, uint32_t pages) {
    struct frame *frames = from->heap->frames;
    from->charged -= pages;
    frame_list_remove(frames, &from->blocks, f);
    f->owner = into->slot;
    into->charged += pages;
    frame_list_push(frames, &into->blocks, f);
}

/* Move the block that starts at frame `f`, of one leaf of `level`. */
static inline __attribute__((always_inline)) enum fast
fast_move_leaf(struct space *from, struct space *into, uint64_t va, struct frame *f, const unsigned level) {
    uint64_t key = va >> (OS2_PAGE_SHIFT + 9 + 9 * level), index = va >> (OS2_PAGE_SHIFT + 9 * level) & 511;
    struct table_hint *source = &from->hint[level], *target = &into->hint[level];
    const bool counted = level != ARCH_TOP_LEVEL; /* a table that is not the root is counted while it is empty */
    if (counted && (source->key != key || target->key != key))
        return FAST_FAR;
    uint64_t *leaf = &source->table[index], *space_for = &target->table[index];
    const uint32_t pages = 1u << 9 * level;
    if ((level && *space_for) || !space_affords(into, pages))
        return FAST_NO;
    struct frame *source_frame = source->frame, *target_frame = target->frame;
    if (counted && source_frame->live == 1) {
        if (from->empty_tables >= SPACE_EMPTY_TABLES)
            return FAST_NO;
        from->empty_tables++;
    }
    /* From here on nothing can fail. */
    *leaf = 0;
    arch_fence_plain(&from->arch, va);
    source_frame->live--;
    if (target_frame->live++ == 0 && counted)
        into->empty_tables--;
    *space_for = arch_pte_leaf(va - OS2_EXCHANGE_BASE, OS2_PROT_READ | OS2_PROT_WRITE, level, false);
    fast_change_owner(from, into, f, pages);
    return FAST_DONE;
}

/* The same for any block of which fast_move() said FAST_FAR or FAST_MANY. FAST_FAR: ask fast_find_table() first. */
enum fast fast_move_many(struct space *from, struct space *into, uint64_t va);

/* Move the block at `va` from the space that is current on this core, and plain (arch_space_plain), to another that
 * this core holds, if that is the simple case: RAM at its exchange address, of order order_limit - 1 at most (0: none),
 * within the receiver's quota, through tables that it has. FAST_DONE: *ret_order is its order. FAST_FAR and FAST_MANY:
 * fast_move_many() may do it, *ret_order is the order. Else nothing has changed, and block_fits() and block_move() will
 * tell why. */
static inline __attribute__((always_inline)) enum fast fast_move(struct space *from, struct space *into, uint64_t va,
                                                                 unsigned order_limit, unsigned *ret_order) {
    const struct heap *heap = from->heap;
    uint64_t pa = va - OS2_EXCHANGE_BASE, number = pa >> OS2_PAGE_SHIFT;
    if (pa & (OS2_PAGE_SIZE - 1) || !heap_covers(heap, number))
        return FAST_NO;
    struct frame *f = &heap->frames[clamp_index(number, heap->end)];
    unsigned order = f->order;
    if (f->state != OS2_FRAME_OWNED || f->owner != from->slot || order >= order_limit)
        return FAST_NO;
    *ret_order = order;
    if (order == 0)
        return fast_move_leaf(from, into, va, f, 0);
    if (order == 9)
        return fast_move_leaf(from, into, va, f, 1);
    return order == 18 && arch_leaf_top() == 2 ? fast_move_leaf(from, into, va, f, 2) : FAST_MANY;
}

/* ---- Getting and giving back. ---- */

_Static_assert(offsetof(struct magazine, bottom) + sizeof(uint32_t) == offsetof(struct magazine, frame),
               "top[-1] of an empty magazine is its bottom");

/* Note the table that frame `number` is mapped by at its exchange address. False: it is not linked. */
bool fast_find_region(struct space *space, uint32_t number);

/* A cleared block of one leaf, of `order`, becomes the space's, mapped by `leaf` in `table`, which is held if order is
 * 0. */
static inline __attribute__((always_inline)) void fast_attach(struct space *space, uint64_t number, unsigned order,
                                                              struct frame *table, uint64_t *leaf) {
    space->frames[number].tag = order ? frame_tag(OS2_FRAME_OWNED, order, space->slot) : space->page_tag;
    frame_list_push(space->frames, &space->blocks, &space->frames[number]);
    space->charged += UINT64_C(1) << order;
    if (table->live++ == 0 && order)
        space->empty_tables--;
    *leaf = arch_pte_leaf(number << OS2_PAGE_SHIFT, OS2_PROT_READ | OS2_PROT_WRITE, order / 9, false);
}

/* The reverse; the space is current and plain. False: the table would be one emptied table too many. */
static inline __attribute__((always_inline)) bool fast_detach(struct space *space, struct frame *f, uint64_t va,
                                                              unsigned order, struct frame *table, uint64_t *leaf) {
    uint64_t live = table->live - UINT64_C(1);
    if (order && live == 0) {
        if (space->empty_tables >= SPACE_EMPTY_TABLES)
            return false;
        space->empty_tables++;
    }
    /* From here on nothing can fail. */
    table->live = (uint16_t)live;
    *leaf = 0;
    arch_fence_plain(&space->arch, va);
    frame_list_remove(space->frames, &space->blocks, f);
    space->charged -= UINT64_C(1) << order;
    return true;
}

/* A cleared page at its exchange address, which is returned; 0: not by the short way. */
static inline __attribute__((always_inline)) uint64_t fast_get(struct space *space, struct magazines *magazines) {
    struct magazine *m = &magazines->cleared;
    uint64_t number = frame_index(m->top[-1]);
    if (number >> PAGE_REGION_SHIFT != space->page.region ||
        space->charged >= __atomic_load_n(&space->quota, __ATOMIC_RELAXED))
        return 0;
    magazine_taken((uint32_t)number, 0, 0);
    m->top--;
    fast_attach(space, number, 0, space->page.table, &space->page.leaves[number]);
    return OS2_EXCHANGE_BASE + (number << OS2_PAGE_SHIFT);
}

/* What fast_get() may lack: a cleared frame, the table of its region. False: there is no frame, or no such table. */
bool fast_prepare(struct space *space, const struct magazines *magazines);

/* Give back the page at `va` of the space that is current and plain (arch_space_plain). False: not by the short way. */
static inline __attribute__((always_inline)) bool fast_put(struct space *space, struct magazines *magazines,
                                                           uint64_t va) {
    struct magazine *m = &magazines->dirty[0];
    if (va >> (OS2_PAGE_SHIFT + PAGE_REGION_SHIFT) != space->page.window || va & (OS2_PAGE_SIZE - 1) ||
        m->top == m->frame + MAGAZINE_ROUNDS)
        return false;
    /* The region is the kernel's own word for what was just compared: a processor that runs ahead stays in it. */
    uint64_t within = va >> OS2_PAGE_SHIFT & ((UINT64_C(1) << PAGE_REGION_SHIFT) - 1);
    uint64_t number = space->page.region << PAGE_REGION_SHIFT | within;
    struct frame *f = &space->frames[number];
    if (f->tag != space->page_tag)
        return false; /* not this space's, or larger, or at another address */
    fast_detach(space, f, va, 0, space->page.table, &space->page.leaves[number]);
    f->tag = frame_tag(OS2_FRAME_MAGAZINE, 0, 0);
    *m->top++ = (uint32_t)number;
    magazine_freed((uint32_t)number, 0);
    return true;
}

/* The same for 2 MiB. */
uint64_t fast_get_large(struct space *space);
bool fast_put_large(struct space *space, uint64_t va);

#endif
