/* SPDX-License-Identifier: MIT */
/*
 * Whether memory is as it should be: the heap, the magazines, an address space. Tests ask, and the checking build
 * (tests/checks/stop.c); each walks all there is, and nothing may move meanwhile.
 */
#include "mm/heap.h"
#include "mm/magazine.h"
#include "mm/paging.h"
#include "mm/space.h"

static bool check_magazine(const struct heap *heap, const struct magazine *m, unsigned order, uint32_t rounds) {
    for (uint64_t i = 0; i < magazine_count(m); i++)
        if (heap_frame(heap, m->frame[i])->tag != frame_tag(OS2_FRAME_MAGAZINE, order, 0))
            return false;
    return magazine_count(m) <= rounds && m->bottom == MAGAZINE_BOTTOM;
}

static const char *magazines_check(const struct heap *heap, uint64_t pages) {
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

const char *heap_check(struct heap *heap) {
    const char *wrong = NULL;
    lock_acquire(&heap->lock);
    uint64_t listed = 0, counted = 0, kept = 0;
    for (unsigned order = 0; order <= OS2_ORDER_MAX && !wrong; order++) {
        uint32_t prev = FRAME_NONE;
        for (uint32_t n = heap->free_list[order]; n != FRAME_NONE && !wrong; n = heap_frame(heap, n)->next) {
            struct frame *f = heap_frame(heap, n);
            uint32_t buddy = n ^ (1u << order);
            if (f->state != OS2_FRAME_FREE || f->order != order)
                wrong = "a block on a free list is not free, or of another order";
            else if (n & ((1u << order) - 1))
                wrong = "a free block is not aligned";
            else if (f->prev != prev)
                wrong = "a free list's links disagree";
            else if (order < OS2_ORDER_MAX && heap_covers(heap, buddy) &&
                     heap_frame(heap, buddy)->state == OS2_FRAME_FREE && heap_frame(heap, buddy)->order == order)
                wrong = "two free buddies were not merged";
            prev = n;
            listed += UINT64_C(1) << order;
        }
    }
    uint64_t spare = 0;
    for (unsigned order = 0; order <= OS2_ORDER_MAX && !wrong; order++) {
        uint32_t n = heap->spare[order];
        if (n == FRAME_NONE)
            continue;
        spare += UINT64_C(1) << order;
        if (order < MAGAZINE_ORDERS || heap_frame(heap, n)->tag != frame_tag(OS2_FRAME_MAGAZINE, order, 0))
            wrong = "a spare block is not free, or of another order";
    }
    for (uint32_t n = heap->first; n < heap->end && !wrong; n++) {
        struct frame *f = heap_frame(heap, n);
        if (f->state == OS2_FRAME_FREE || f->state == OS2_FRAME_MAGAZINE) {
            *(f->state == OS2_FRAME_FREE ? &counted : &kept) += UINT64_C(1) << f->order;
            for (uint32_t i = 1; i < 1u << f->order; i++)
                if (f[i].state != OS2_FRAME_TAIL)
                    wrong = "a frame inside a free block is not a tail";
        }
    }
    if (!wrong && (listed != counted || listed + spare != heap->free_pages))
        wrong = "free pages: the lists, the descriptors and the count disagree";
    if (!wrong)
        wrong = magazines_check(heap, kept - spare);
    lock_release(&heap->lock);
    return wrong;
}

/* ---- Address spaces. ---- */

/* Leaves and tables below `table`: counts what is mapped; false when something is mapped that should not be. */
static bool check_table(const struct space *space, const uint64_t *table, unsigned level, uint64_t base,
                        uint64_t *mapped, uint32_t *tables, unsigned *empty) {
    const struct frame *self = heap_frame(space->heap, frame_number(table));
    unsigned live = 0;
    (*tables)++;
    if (self->state != OS2_FRAME_TABLE || self->owner != space->slot)
        return false;
    unsigned entries = level == ARCH_TOP_LEVEL ? ARCH_USER_ENTRIES : 512;
    for (unsigned i = 0; i < entries; i++) {
        if (!arch_pte_valid(table[i]))
            continue;
        live++;
        uint64_t va = base + ((uint64_t)i << (OS2_PAGE_SHIFT + 9 * level)), pa = arch_pte_address(table[i]);
        if (!arch_pte_is_leaf(table[i], level)) {
            if (level == 0 || !check_table(space, arch_phys_to_virt(pa), level - 1, va, mapped, tables, empty))
                return false;
            continue;
        }
        if (!heap_covers(space->heap, pa >> OS2_PAGE_SHIFT))
            continue;
        if (va >= OS2_EXCHANGE_BASE && va - OS2_EXCHANGE_BASE != pa)
            return false;
        /* The block this page is in: the nearest first frame at or below it. */
        uint32_t number = (uint32_t)(pa >> OS2_PAGE_SHIFT), first = number;
        while (heap_frame(space->heap, first)->state == OS2_FRAME_TAIL)
            first--;
        const struct frame *f = heap_frame(space->heap, first);
        if (f->state == OS2_FRAME_RESERVED)
            continue; /* a device between two banks */
        if (f->tag != frame_tag(va < OS2_EXCHANGE_BASE ? OS2_FRAME_PLACED : OS2_FRAME_OWNED, f->order, space->slot) ||
            paging_level(f->order) != level)
            return false;
        *mapped += UINT64_C(1) << 9 * level;
    }
    live += self == space->page.table;
    if (live == 0 && level != ARCH_TOP_LEVEL)
        (*empty)++;
    return live == self->live;
}

const char *space_check(struct space *space) {
    uint64_t listed = 0, mapped = 0;
    uint32_t tables = 0, linked = 0;
    unsigned empty = 0;
    for (uint32_t n = space->blocks; n != FRAME_NONE; n = heap_frame(space->heap, n)->next) {
        const struct frame *f = heap_frame(space->heap, n);
        if (!frame_owned(f) || f->owner != space->slot)
            return "a block on a process's list is not its own";
        listed += UINT64_C(1) << f->order;
    }
    if (space->clearing != FRAME_NONE)
        listed += UINT64_C(1) << heap_frame(space->heap, space->clearing)->order;
    if (listed != space_owned(space))
        return "owned pages: the list and the count disagree";
    for (uint32_t n = space->table_list; n != FRAME_NONE; n = heap_frame(space->heap, n)->next)
        tables++;
    if (!check_table(space, space->root, ARCH_TOP_LEVEL, 0, &mapped, &linked, &empty))
        return "a page table maps what its process does not own, or miscounts its entries";
    if (linked != tables)
        return "tables: the tree and the list disagree";
    if (empty != space->empty_tables)
        return "empty tables: the tree and the count disagree";
    for (uint32_t n = space->stale_tables; n != FRAME_NONE; n = heap_frame(space->heap, n)->next)
        tables++;
    if (tables + space->reserve_count != space->tables)
        return "table pages: the lists and the count disagree";
    if (mapped + (space->clearing ? UINT64_C(1) << heap_frame(space->heap, space->clearing)->order : 0) !=
        space_owned(space))
        return "an owned block is not mapped exactly once";
    if (space->charged > space->quota)
        return "a process is charged more than its quota";
    return NULL;
}
