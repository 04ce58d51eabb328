/* SPDX-License-Identifier: MIT */
/*
 * The short way to get and to give back one page, or 2 MiB: what mm/block.c and mm/paging.c do in general, for blocks
 * of one leaf at their exchange address.
 *
 * A page comes cleared from the core's magazine and goes into its dirty one, and its leaf is at its exchange address.
 * Which table that leaf is in, a space remembers from the last page and holds (struct page_hint): so nothing is walked,
 * and it is never empty. Three things need not be looked at. The leaf of a frame that is free is not valid: an exchange
 * address maps the frame of that address alone, and a free frame is mapped nowhere. The leaf of one that is owned
 * (OS2_FRAME_OWNED, and not OS2_FRAME_PLACED) is. And a frame of the region of the hint has a descriptor: page_find()
 * remembers no other region. MAGAZINE_BOTTOM, which an empty magazine shows, is in none.
 *
 * 2 MiB come from the heap and are cleared here; they have no magazine, but their table is remembered too (struct
 * table_hint).
 *
 * The books are the same as in the long way; whatever is not this simple is left to it, unchanged.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "mm/pass.h"

_Static_assert(offsetof(struct magazine, bottom) + sizeof(uint32_t) == offsetof(struct magazine, frame),
               "top[-1] of an empty magazine is its bottom");

/* Note the table that frame `number` is mapped by at its exchange address. False: it is not linked. */
bool page_find(struct space *space, uint32_t number);

/* A cleared block of one leaf, of `order`, becomes the space's, mapped by `leaf` in `table`, which is held if order is
 * 0. */
static inline __attribute__((always_inline)) void page_attach(struct space *space, uint64_t number, unsigned order,
                                                              struct frame *table, uint64_t *leaf) {
    struct frame *frames = space->frames, *f = &frames[number];
    uint64_t next = frame_index(space->blocks);
    f->tag = order ? frame_tag(OS2_FRAME_OWNED, order, space->slot) : space->page_tag;
    f->links = frame_links(next, FRAME_NONE);
    if (next != FRAME_NONE)
        frames[next].prev = (uint32_t)number;
    space->blocks = (uint32_t)number;
    space->charged += UINT64_C(1) << order;
    if (table->live++ == 0 && order)
        space->empty_tables--;
    *leaf = arch_pte_leaf(number << OS2_PAGE_SHIFT, OS2_PROT_READ | OS2_PROT_WRITE, order / 9, false);
}

/* The reverse; the space is current and plain. False: the table would be one emptied table too many. */
static inline __attribute__((always_inline)) bool page_detach(struct space *space, struct frame *f, uint64_t va,
                                                              unsigned order, struct frame *table, uint64_t *leaf) {
    struct frame *frames = space->frames;
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
    uint64_t next = frame_index(f->next), prev = frame_index(f->prev);
    if (prev == FRAME_NONE)
        space->blocks = (uint32_t)next;
    else
        frames[prev].next = (uint32_t)next;
    if (next != FRAME_NONE)
        frames[next].prev = (uint32_t)prev;
    space->charged -= UINT64_C(1) << order;
    return true;
}

/* A cleared page at its exchange address, which is returned; 0: not by the short way. */
static inline __attribute__((always_inline)) uint64_t page_get(struct space *space, struct magazines *magazines) {
    struct magazine *m = &magazines->cleared;
    uint64_t number = frame_index(m->top[-1]);
    if (number >> PAGE_REGION_SHIFT != space->page.region ||
        space->charged >= __atomic_load_n(&space->quota, __ATOMIC_RELAXED))
        return 0;
    magazine_taken((uint32_t)number, 0, 0);
    m->top--;
    page_attach(space, number, 0, space->page.table, &space->page.leaves[number]);
    return OS2_EXCHANGE_BASE + (number << OS2_PAGE_SHIFT);
}

/* What page_get() may lack: a cleared frame, the table of its region. False: there is no frame, or no such table. */
bool page_prepare(struct space *space, const struct magazines *magazines);

/* Give back the page at `va` of the space that is current and plain (arch_space_plain). False: not by the short way. */
static inline __attribute__((always_inline)) bool page_put(struct space *space, struct magazines *magazines,
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
    page_detach(space, f, va, 0, space->page.table, &space->page.leaves[number]);
    f->tag = frame_tag(OS2_FRAME_MAGAZINE, 0, 0);
    *m->top++ = (uint32_t)number;
    magazine_freed((uint32_t)number, 0);
    return true;
}

/* The same for 2 MiB. */
uint64_t page_get_large(struct space *space);
bool page_put_large(struct space *space, uint64_t va);

#endif
