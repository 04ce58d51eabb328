/* SPDX-License-Identifier: MIT */
/* What the short way of a page does less often, and that of 2 MiB: see mm/page.h. */
#include "mm/page.h"

bool page_find(struct space *space, uint32_t number) {
    uint64_t region = number >> PAGE_REGION_SHIFT, first = region << PAGE_REGION_SHIFT;
    if (region == space->page.region)
        return true;
    return heap_covers(space->heap, first) && /* and so all of it */
           paging_hold(space, OS2_EXCHANGE_BASE + ((uint64_t)number << OS2_PAGE_SHIFT));
}

bool page_prepare(struct space *space, const struct magazines *magazines) {
    const struct magazine *m = &magazines->cleared;
    return space_affords(space, 1) && (magazine_count(m) || heap_clear_ahead(space->heap)) &&
           page_find(space, m->top[-1]);
}

#define LARGE 9u
#define LARGE_PAGES (1u << LARGE)

/* The entry for 2 MiB at the exchange address `va`; NULL: its table is not linked. */
static uint64_t *large_entry(struct space *space, uint64_t va) {
    const struct table_hint *hint = &space->hint[1];
    if (hint->key != va >> (OS2_PAGE_SHIFT + 18) && !pass_find_table(space, va, 1))
        return NULL;
    return &hint->table[va >> (OS2_PAGE_SHIFT + 9) & 511];
}

uint64_t page_get_large(struct space *space) {
    if (!space_affords(space, LARGE_PAGES))
        return 0;
    uint64_t number = heap_alloc_spare(space->heap, LARGE);
    if (number == FRAME_NONE)
        number = heap_alloc(space->heap, LARGE, OS2_FRAME_FLIGHT, space->slot);
    if (number == FRAME_NONE)
        return 0;
    heap_frame(space->heap, (uint32_t)number)->tag = frame_tag(OS2_FRAME_FLIGHT, LARGE, space->slot);
    uint64_t va = OS2_EXCHANGE_BASE + (number << OS2_PAGE_SHIFT), *leaf = large_entry(space, va);
    if (!leaf || *leaf) { /* no table, or one of pages, emptied, in the way */
        heap_free(space->heap, (uint32_t)number);
        return 0;
    }
    frames_clear((uint32_t)number, LARGE_PAGES);
    page_attach(space, number, LARGE, space->hint[1].frame, leaf);
    return va;
}

bool page_put_large(struct space *space, uint64_t va) {
    uint64_t pa = va - OS2_EXCHANGE_BASE, number = pa >> OS2_PAGE_SHIFT;
    if (pa & ((OS2_PAGE_SIZE << LARGE) - 1) || !heap_covers(space->heap, number))
        return false;
    struct frame *f = &space->frames[number];
    if (f->tag != frame_tag(OS2_FRAME_OWNED, LARGE, space->slot))
        return false;
    uint64_t *leaf = large_entry(space, va);
    if (!leaf || !page_detach(space, f, va, LARGE, space->hint[1].frame, leaf))
        return false;
    if (!heap_free_spare(space->heap, (uint32_t)number, LARGE))
        heap_free(space->heap, (uint32_t)number);
    return true;
}
