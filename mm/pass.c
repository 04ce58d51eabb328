/* SPDX-License-Identifier: MIT */
/*
 * The short way for a block to change hands: what mm/block.c does in general, for the one case that most messages are.
 *
 * A block of order 0, 9 or 18 is one leaf. At its exchange address it is found by one walk, and leaves by clearing one
 * entry; in the receiver the same address is found by one walk, and it arrives by filling one entry, where the tables
 * on the way exist. That is all the page-table work of a 4 KiB, 2 MiB or 1 GiB move.
 *
 * The books are the same as in paging.c and block.c: valid entries of the two tables, empty tables, owner, lists, owned
 * pages. Where emptying the sender's table would be one too many kept, the long way is taken, which drops it.
 */
#include "mm/pass.h"

#include "mm/paging.h"

/* The entry for `va` at `level`, NULL where the tables do not reach so far down. */
static inline uint64_t *walk(const struct space *space, uint64_t va, unsigned level) {
    uint64_t *table = space->root;
#pragma GCC unroll 4
    for (unsigned l = ARCH_TOP_LEVEL; l > 0; l--) {
        uint64_t *entry = &table[va >> (OS2_PAGE_SHIFT + 9 * l) & 511];
        if (l == level)
            return entry;
        if (!arch_pte_valid(*entry) || arch_pte_is_leaf(*entry, l))
            return NULL;
        table = arch_phys_to_virt(arch_pte_address(*entry));
    }
    return &table[va >> OS2_PAGE_SHIFT & 511];
}

static inline struct frame *table_frame(const struct space *space, const uint64_t *entry) {
    return heap_frame(space->heap, frame_number(entry)); /* any address inside the table will do */
}

struct pass block_pass(struct space *from, struct space *into, uint64_t va, unsigned order_limit) {
    const struct pass none = {0, 0};
    struct heap *heap = from->heap;
    uint64_t pa = va - OS2_EXCHANGE_BASE, number = pa >> OS2_PAGE_SHIFT;
    if (pa & (OS2_PAGE_SIZE - 1) || !heap_covers(heap, number))
        return none;
    struct frame *f = heap_frame(heap, (uint32_t)number);
    unsigned order = f->order, level = paging_level(order);
    if (f->state != OS2_FRAME_OWNED || f->owner != from->slot || order >= order_limit || paging_leaves(order) != 1)
        return none;
    uint64_t pages = UINT64_C(1) << order;
    uint64_t *source = walk(from, va, level), *target = walk(into, va, level);
    if (!source || !target || !arch_pte_valid(*source) || arch_pte_address(*source) != pa || arch_pte_valid(*target) ||
        !space_affords(into, pages))
        return none;
    struct frame *source_table = table_frame(from, source), *target_table = table_frame(into, target);
    bool source_counts = level != ARCH_TOP_LEVEL;
    if (source_counts && source_table->live == 1) {
        if (from->empty_tables >= SPACE_EMPTY_TABLES)
            return none;
        from->empty_tables++;
    }
    /* From here on nothing can fail. */
    *source = 0;
    arch_fence_plain(&from->arch, va);
    source_table->live--;
    if (target_table->live++ == 0 && source_counts)
        into->empty_tables--;
    *target = arch_pte_leaf(pa, OS2_PROT_READ | OS2_PROT_WRITE, level, false);

    if (f->prev != FRAME_NONE)
        heap_frame(heap, f->prev)->next = f->next;
    else
        from->blocks = f->next;
    if (f->next != FRAME_NONE)
        heap_frame(heap, f->next)->prev = f->prev;
    f->prev = FRAME_NONE;
    f->next = into->blocks;
    if (f->next != FRAME_NONE)
        heap_frame(heap, f->next)->prev = (uint32_t)number;
    into->blocks = (uint32_t)number;
    f->owner = into->slot;
    from->owned -= (uint32_t)pages;
    into->owned += (uint32_t)pages;
    return (struct pass){va, order};
}
