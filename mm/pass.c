/* SPDX-License-Identifier: MIT */
/* What the short way of a block does less often: see mm/pass.h. */
#include "mm/pass.h"

bool pass_find_table(struct space *space, uint64_t va, unsigned level) {
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

enum pass pass_many(struct space *from, struct space *into, uint64_t va) {
    struct frame *f = heap_frame(from->heap, (uint32_t)((va - OS2_EXCHANGE_BASE) >> OS2_PAGE_SHIFT));
    unsigned order = f->order, level = paging_level(order), leaves = paging_leaves(order);
    uint64_t key = va >> (OS2_PAGE_SHIFT + 9 + 9 * level), index = va >> (OS2_PAGE_SHIFT + 9 * level) & 511;
    uint64_t leaf_size = OS2_PAGE_SIZE << 9 * level;
    struct table_hint *source = &from->hint[level], *target = &into->hint[level];
    if (source->key != key || target->key != key)
        return PASS_FAR;
    uint64_t *leaf = &source->table[index], *space_for = &target->table[index];
    if (!arch_pte_valid(*leaf) || !arch_pte_is_leaf(*leaf, level) || !space_affords(into, UINT64_C(1) << order))
        return PASS_NO;
    for (unsigned i = 0; i < leaves; i++)
        if (arch_pte_valid(space_for[i]))
            return PASS_NO;
    /* A table that is not the root is counted while it is empty. */
    bool counted = level != ARCH_TOP_LEVEL;
    if (counted && source->frame->live == leaves) {
        if (from->empty_tables >= SPACE_EMPTY_TABLES)
            return PASS_NO;
        from->empty_tables++;
    }
    /* From here on nothing can fail. */
    source->frame->live = (uint16_t)(source->frame->live - leaves);
    if (counted && target->frame->live == 0)
        into->empty_tables--;
    target->frame->live = (uint16_t)(target->frame->live + leaves);
    for (unsigned i = 0; i < leaves; i++) {
        leaf[i] = 0;
        space_for[i] =
            arch_pte_leaf(va - OS2_EXCHANGE_BASE + i * leaf_size, OS2_PROT_READ | OS2_PROT_WRITE, level, false);
    }
    if (leaves > FENCE_BY_ADDRESS)
        arch_fence_plain_space(&from->arch);
    else
        for (unsigned i = 0; i < leaves; i++)
            arch_fence_plain(&from->arch, va + i * leaf_size);
    pass_owner(from, into, f, 1u << order);
    return PASS_DONE;
}
