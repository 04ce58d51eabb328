/* SPDX-License-Identifier: MIT */
/* What the short ways of memory do less often, and those of 2 MiB: see mm/fast.h. */
#include "mm/fast.h"

bool fast_find_table(struct space *space, uint64_t va, unsigned level) {
    uint64_t *table = space->root;
    if (va >= ARCH_USER_END)
        return false;
    for (unsigned l = ARCH_TOP_LEVEL; l > level; l--) {
        uint64_t entry = table[va >> (OS2_PAGE_SHIFT + 9 * l) & 511];
        if (!arch_pte_valid(entry) || arch_pte_is_leaf(entry, l))
            return false;
        table = arch_phys_to_virt(arch_pte_address(entry));
    }
    space->hint[level] = (struct table_hint){
        .key = va >> (OS2_PAGE_SHIFT + 9 + 9 * level),
        .table = table,
        .frame = heap_frame(space->heap, frame_number(table)),
    };
    return true;
}

/* More leaves than this are fenced all at once. */
#define FENCE_BY_ADDRESS 8u

/* One leaf, two, or a multiple of four. What is not in use is 0. */
static bool all_free(const uint64_t *entry, unsigned count) {
    uint64_t any = entry[0] | entry[count - 1];
    for (unsigned i = 4; i <= count; i += 4, entry += 4)
        any |= entry[0] | entry[1] | entry[2] | entry[3];
    return !any;
}

static void move_leaves(uint64_t *from, uint64_t *to, unsigned count, uint64_t first, uint64_t step) {
    if (count == 1) {
        from[0] = 0;
        to[0] = first;
        return;
    }
    for (const uint64_t *end = from + count; from != end; from += 2, to += 2) {
        from[0] = from[1] = 0;
        to[0] = first;
        to[1] = first + step;
        first += 2 * step;
    }
}

enum fast fast_move_many(struct space *from, struct space *into, uint64_t va) {
    struct frame *f = heap_frame(from->heap, (uint32_t)((va - OS2_EXCHANGE_BASE) >> OS2_PAGE_SHIFT));
    unsigned order = f->order, level = paging_level(order), leaves = paging_leaves(order);
    uint64_t key = va >> (OS2_PAGE_SHIFT + 9 + 9 * level), index = va >> (OS2_PAGE_SHIFT + 9 * level) & 511;
    uint64_t leaf_size = OS2_PAGE_SIZE << 9 * level;
    struct table_hint *source = &from->hint[level], *target = &into->hint[level];
    if (source->key != key || target->key != key)
        return FAST_FAR;
    uint64_t *leaf = &source->table[index], *space_for = &target->table[index];
    if (!space_affords(into, UINT64_C(1) << order))
        return FAST_NO;
    if (level && !all_free(space_for, leaves))
        return FAST_NO;
    /* A table that is not the root is counted while it is empty. */
    bool counted = level != ARCH_TOP_LEVEL;
    if (counted && source->frame->live == leaves) {
        if (from->empty_tables >= SPACE_EMPTY_TABLES)
            return FAST_NO;
        from->empty_tables++;
    }
    /* From here on nothing can fail. */
    source->frame->live = (uint16_t)(source->frame->live - leaves);
    if (counted && target->frame->live == 0)
        into->empty_tables--;
    target->frame->live = (uint16_t)(target->frame->live + leaves);
    move_leaves(leaf, space_for, leaves,
                arch_pte_leaf(va - OS2_EXCHANGE_BASE, OS2_PROT_READ | OS2_PROT_WRITE, level, false),
                arch_pte_leaf(leaf_size, 0, level, false) - arch_pte_leaf(0, 0, level, false));
    if (leaves > FENCE_BY_ADDRESS)
        arch_fence_plain_space(&from->arch);
    else
        for (unsigned i = 0; i < leaves; i++)
            arch_fence_plain(&from->arch, va + i * leaf_size);
    fast_change_owner(from, into, f, 1u << order);
    return FAST_DONE;
}

/* ---- Getting and giving back. ---- */

bool fast_find_region(struct space *space, uint32_t number) {
    uint64_t region = number >> PAGE_REGION_SHIFT, first = region << PAGE_REGION_SHIFT;
    if (region == space->page.region)
        return true;
    return heap_covers(space->heap, first) && /* and so all of it */
           paging_hold(space, OS2_EXCHANGE_BASE + ((uint64_t)number << OS2_PAGE_SHIFT));
}

bool fast_prepare(struct space *space, const struct magazines *magazines) {
    const struct magazine *m = &magazines->cleared;
    return space_affords(space, 1) && (magazine_count(m) || magazine_clear_ahead(space->heap)) &&
           fast_find_region(space, m->top[-1]);
}

#define LARGE 9u
#define LARGE_PAGES (1u << LARGE)

/* The entry for 2 MiB at the exchange address `va`; NULL: its table is not linked. */
static uint64_t *large_entry(struct space *space, uint64_t va) {
    const struct table_hint *hint = &space->hint[1];
    if (hint->key != va >> (OS2_PAGE_SHIFT + 18) && !fast_find_table(space, va, 1))
        return NULL;
    return &hint->table[va >> (OS2_PAGE_SHIFT + 9) & 511];
}

uint64_t fast_get_large(struct space *space) {
    if (!space_affords(space, LARGE_PAGES))
        return 0;
    uint64_t number = heap_alloc_spare(space->heap, LARGE);
    if (number == FRAME_NONE)
        number = heap_alloc(space->heap, LARGE, OS2_FRAME_FLIGHT, space->slot);
    if (number == FRAME_NONE || number == FRAME_AGAIN)
        return 0;
    heap_frame(space->heap, (uint32_t)number)->tag = frame_tag(OS2_FRAME_FLIGHT, LARGE, space->slot);
    uint64_t va = OS2_EXCHANGE_BASE + (number << OS2_PAGE_SHIFT), *leaf = large_entry(space, va);
    if (!leaf || *leaf) { /* no table, or one of pages, emptied, in the way */
        heap_free(space->heap, (uint32_t)number);
        return 0;
    }
    frames_clear((uint32_t)number, LARGE_PAGES);
    fast_attach(space, number, LARGE, space->hint[1].frame, leaf);
    return va;
}

bool fast_put_large(struct space *space, uint64_t va) {
    uint64_t pa = va - OS2_EXCHANGE_BASE, number = pa >> OS2_PAGE_SHIFT;
    if (pa & ((OS2_PAGE_SIZE << LARGE) - 1) || !heap_covers(space->heap, number))
        return false;
    struct frame *f = &space->frames[number];
    if (f->tag != frame_tag(OS2_FRAME_OWNED, LARGE, space->slot))
        return false;
    uint64_t *leaf = large_entry(space, va);
    if (!leaf || !fast_detach(space, f, va, LARGE, space->hint[1].frame, leaf))
        return false;
    if (!heap_free_spare(space->heap, (uint32_t)number, LARGE))
        heap_free(space->heap, (uint32_t)number);
    return true;
}
