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
 * A block of a higher order can be refused by fragmentation; before it is, this core's magazines are given back.
 *
 * Frames in magazines are in a state of their own, so that the heap never merges them. In the checking build a frame
 * of order 0 is filled with a pattern when it is freed, and it is a panic if that pattern, or the 0 of a cleared one,
 * is not there any more when the frame is handed out.
 *
 * Rejected: a depot of full magazines between cores and heap (the heap's lists are as cheap: a magazine's half is taken
 * in one go); taking from another core's magazines when the heap is empty (the quota makes that unnecessary, and it
 * would cost each use an atomic); magazines for orders above 3 (they would hold back too much memory).
 */
#include "lib/string.h"
#include "mm/heap.h"

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

static void make_empty(struct magazine *m) {
    m->top = m->frame;
    m->bottom = MAGAZINE_BOTTOM;
}

void heap_open(struct heap *heap, struct magazines *const *magazines, unsigned cores) {
    for (unsigned i = 0; i < cores; i++) {
        struct magazines *m = magazines[i];
        make_empty(&m->cleared);
        for (unsigned order = 0; order < MAGAZINE_ORDERS; order++)
            make_empty(&m->dirty[order]);
        heap->magazines[i] = m;
    }
    heap->open = true;
}

/* This core's magazines, NULL while there are none. */
static struct magazines *own(const struct heap *heap) {
    return heap->open ? heap->magazines[arch_core_index()] : NULL;
}

/* entry paths store it as a 0 */
_Static_assert(OS2_FRAME_MAGAZINE == 0, "a page in a magazine has a tag of 0");

static void put_round(struct heap *heap, struct magazine *m, unsigned order, uint32_t number) {
    heap_frame(heap, number)->tag = frame_tag(OS2_FRAME_MAGAZINE, order, 0);
    *m->top++ = number;
}

/* Fill an empty magazine of dirty blocks by half. */
static void fill(struct heap *heap, struct magazine *m, unsigned order) {
    lock_acquire(&heap->lock);
    while (magazine_count(m) < magazine_rounds(order) / 2) {
        uint32_t number = heap_take(heap, order);
        if (number == FRAME_NONE)
            break;
        magazine_freed(number, order);
        put_round(heap, m, order, number);
    }
    lock_release(&heap->lock);
}

/* Give the `count` blocks that have lain longest back to the heap. */
static void empty(struct heap *heap, struct magazine *m, unsigned order, uint64_t count) {
    lock_acquire(&heap->lock);
    for (uint64_t i = 0; i < count; i++)
        heap_put(heap, m->frame[i], order);
    lock_release(&heap->lock);
    m->top -= count;
    for (uint64_t i = 0; i < magazine_count(m); i++)
        m->frame[i] = m->frame[i + count];
}

static uint32_t take(struct heap *heap, unsigned order) {
    lock_acquire(&heap->lock);
    uint32_t number = heap_take(heap, order);
    lock_release(&heap->lock);
    return number;
}

/* Before a block is refused: what this core holds back may be what is missing. */
static uint32_t drain_and_take(struct heap *heap, unsigned order) {
    struct magazines *magazines = own(heap);
    if (!magazines)
        return FRAME_NONE;
    empty(heap, &magazines->cleared, 0, magazine_count(&magazines->cleared));
    for (unsigned k = 0; k < MAGAZINE_ORDERS; k++)
        empty(heap, &magazines->dirty[k], k, magazine_count(&magazines->dirty[k]));
    return take(heap, order);
}

static uint32_t take_dirty(struct heap *heap, unsigned order) {
    uint32_t number = FRAME_NONE;
    struct magazines *magazines = order < MAGAZINE_ORDERS ? own(heap) : NULL;
    if (!magazines) {
        number = take(heap, order);
    } else {
        struct magazine *m = &magazines->dirty[order];
        if (!magazine_count(m))
            fill(heap, m, order);
        if (magazine_count(m)) {
            number = *--m->top;
            magazine_taken(number, order, MAGAZINE_POISON);
        }
    }
    return number != FRAME_NONE ? number : drain_and_take(heap, order);
}

static uint32_t hand_out(struct heap *heap, uint32_t number, unsigned order, unsigned state, uint16_t owner) {
    struct frame *f = heap_frame(heap, number);
    f->tag = frame_tag(state, order, owner);
    f->live = f->depth = 0;
    f->links = frame_links(FRAME_NONE, FRAME_NONE);
    return number;
}

/* Is this the allocation that core/check.c wants to fail? */
static bool refused(struct heap *heap) {
#if OS2_CHECKS
    uint32_t *refuse = &heap->refuse[heap->open ? arch_core_index() : 0];
    return *refuse && --*refuse == 0;
#else
    (void)heap;
    return false;
#endif
}

uint32_t heap_alloc(struct heap *heap, unsigned order, unsigned state, uint16_t owner) {
    if (order > OS2_ORDER_MAX || refused(heap))
        return FRAME_NONE;
    uint32_t number = take_dirty(heap, order);
    return number == FRAME_NONE ? FRAME_NONE : hand_out(heap, number, order, state, owner);
}

uint32_t heap_alloc_cleared(struct heap *heap, unsigned state, uint16_t owner) {
    struct magazines *magazines = own(heap);
    uint32_t number;
    if (refused(heap))
        return FRAME_NONE;
    if (magazines && magazine_count(&magazines->cleared)) {
        number = *--magazines->cleared.top;
        magazine_taken(number, 0, 0);
    } else {
        number = take_dirty(heap, 0);
        if (number == FRAME_NONE)
            return FRAME_NONE;
        frames_clear(number, 1);
    }
    return hand_out(heap, number, 0, state, owner);
}

/* States of a block in use, as bits. */
#define IN_USE                                                                                                         \
    (1u << OS2_FRAME_OWNED | 1u << OS2_FRAME_PLACED | 1u << OS2_FRAME_FLIGHT | 1u << OS2_FRAME_TABLE |                 \
     1u << OS2_FRAME_OBJECT | 1u << OS2_FRAME_KERNEL)

static inline unsigned order_in_use(const struct heap *heap, uint32_t number) {
    if (!heap_covers(heap, number))
        panic("heap_free: frame %x is not RAM", number);
    const struct frame *f = heap_frame(heap, number);
    if (!(IN_USE >> f->state & 1))
        panic("heap_free: frame %x is not the start of a block in use (state %u)", number, f->state);
    return f->order;
}

void heap_free(struct heap *heap, uint32_t number) {
    unsigned order = order_in_use(heap, number);
    struct magazines *magazines = order < MAGAZINE_ORDERS ? own(heap) : NULL;
    if (magazines) {
        struct magazine *m = &magazines->dirty[order];
        if (magazine_count(m) == magazine_rounds(order))
            empty(heap, m, order, magazine_count(m) / 2);
        magazine_freed(number, order);
        put_round(heap, m, order, number);
        return;
    }
    lock_acquire(&heap->lock);
    heap_put(heap, number, order);
    lock_release(&heap->lock);
}

void heap_free_cleared(struct heap *heap, uint32_t number) {
    struct magazines *magazines = own(heap);
    if (!magazines || magazine_count(&magazines->cleared) == MAGAZINE_ROUNDS) {
        heap_free(heap, number);
        return;
    }
    ASSERT(order_in_use(heap, number) == 0);
    put_round(heap, &magazines->cleared, 0, number);
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

bool heap_clear_ahead(struct heap *heap) {
    struct magazines *magazines = own(heap);
    if (!magazines || magazine_count(&magazines->cleared) == MAGAZINE_ROUNDS)
        return false;
    struct magazine *m = &magazines->dirty[0];
    if (!magazine_count(m))
        fill(heap, m, 0);
    if (!magazine_count(m))
        return false;
    uint32_t number = *--m->top;
    frames_clear(number, 1);
    put_round(heap, &magazines->cleared, 0, number);
    if (magazine_count(&magazines->cleared) == MAGAZINE_ROUNDS)
        arrange(&magazines->cleared);
    return true;
}

static bool check_magazine(const struct heap *heap, const struct magazine *m, unsigned order, uint32_t rounds) {
    for (uint64_t i = 0; i < magazine_count(m); i++)
        if (heap_frame(heap, m->frame[i])->tag != frame_tag(OS2_FRAME_MAGAZINE, order, 0))
            return false;
    return magazine_count(m) <= rounds && m->bottom == MAGAZINE_BOTTOM;
}

const char *magazines_check(const struct heap *heap, uint64_t pages) {
    for (unsigned i = 0; i < CORES_MAX; i++) {
        const struct magazines *m = heap->magazines[i];
        bool good = !m || check_magazine(heap, &m->cleared, 0, MAGAZINE_ROUNDS);
        for (unsigned order = 0; m && order < MAGAZINE_ORDERS; order++)
            good = good && check_magazine(heap, &m->dirty[order], order, magazine_rounds(order));
        if (!good)
            return "a magazine is too full, or holds what is not a free block of its order";
    }
    /* As many in the descriptors as in the magazines: so none is in two. */
    return pages == heap_free_pages(heap) - heap->free_pages ? NULL : "magazines: descriptors and counts disagree";
}

uint64_t heap_free_pages(const struct heap *heap) {
    uint64_t pages = heap->free_pages;
    for (unsigned i = 0; i < CORES_MAX; i++) {
        const struct magazines *m = heap->magazines[i];
        if (!m)
            continue;
        pages += magazine_count(&m->cleared);
        for (unsigned order = 0; order < MAGAZINE_ORDERS; order++)
            pages += magazine_count(&m->dirty[order]) << order;
    }
    return pages;
}
