/* SPDX-License-Identifier: MIT */
/*
 * Making and taking apart an address space; what it is charged for is in mm/space.h.
 *
 * Release runs in bounded steps, on the turns of the process that ended, and only once no core's satp (CR3) names its
 * root: blocks first, then tables. No entry is cleared and nothing is fenced: the address space is never used again,
 * and its ASIDs are never resumed.
 */
#include "mm/space.h"

#include "lib/string.h"
#include "mm/block.h"
#include "mm/paging.h"

enum os2_status space_init(struct space *space, struct heap *heap, struct device_table *devices, uint16_t slot,
                           uint64_t quota, uint32_t objects) {
    *space = (struct space){
        .frames = heap->frames,
        .heap = heap,
        .devices = devices,
        .slot = slot,
        .page_tag = frame_tag(OS2_FRAME_OWNED, 0, slot),
        .quota = quota,
        .charged = objects,
        .objects = objects,
    };
    space->page = PAGE_HINT_NONE;
    for (unsigned level = 0; level < ARCH_TOP_LEVEL; level++)
        space->hint[level].key = UINT64_MAX;
    if (!space_affords(space, 1))
        return OS2_E_QUOTA;
    uint32_t root = heap_alloc_cleared(heap, OS2_FRAME_TABLE, slot);
    if (root == FRAME_NONE)
        return OS2_E_MEMORY;
    heap_frame(heap, root)->depth = ARCH_TOP_LEVEL;
    space->root = frame_memory(root);
    space->hint[ARCH_TOP_LEVEL] = (struct table_hint){0, space->root, heap_frame(heap, root)}; /* for good */
    space->tables = 1;
    space->charged++;
    space->table_list = root;
    arch_space_init(&space->arch, space->root);
    return OS2_OK;
}

enum os2_status space_refill(struct space *space, unsigned count) {
    ASSERT(count <= SPACE_RESERVE);
    while (space->reserve_count < count) {
        if (!space_affords(space, 1))
            return OS2_E_QUOTA;
        uint32_t number = heap_alloc_cleared(space->heap, OS2_FRAME_TABLE, space->slot);
        if (number == FRAME_NONE)
            return OS2_E_MEMORY;
        space->tables++;
        space->charged++;
        space->reserve[space->reserve_count++] = number;
    }
    return OS2_OK;
}

void space_release_devices(struct space *space) {
    for (unsigned i = 0; i < DEVICE_BLOCKS && space->device_blocks; i++) {
        struct device_block *d = &space->devices->block[i];
        if (__atomic_load_n(&d->taken, __ATOMIC_ACQUIRE) && d->owner == space->slot) {
            __atomic_store_n(&d->taken, false, __ATOMIC_RELEASE);
            space->device_blocks--;
        }
    }
}

/* Free the head of a list through the descriptors. */
static void free_head(struct space *space, uint32_t *head) {
    uint32_t number = *head;
    *head = heap_frame(space->heap, number)->next;
    heap_free(space->heap, number);
}

/* The same for a table. The root is made 0 again by its parts; so are those whose few entries are their first, which
 * most tables are that point to tables. */
#define TABLE_FIRST 32u
static void free_table(struct space *space) {
    uint32_t number = space->table_list;
    const struct frame *f = heap_frame(space->heap, number);
    uint64_t *entry = frame_memory(number);
    unsigned live = f->live;
    space->table_list = f->next;
    if (f->depth == ARCH_TOP_LEVEL) {
        memory_clear(entry, ARCH_USER_ENTRIES * sizeof *entry);
        arch_space_fini(entry);
        live = 0;
    }
    for (unsigned i = 0; i < TABLE_FIRST && live; i++) {
        live -= arch_pte_valid(entry[i]);
        entry[i] = 0;
    }
    if (live)
        heap_free(space->heap, number);
    else
        heap_free_cleared(space->heap, number);
}

bool space_release(struct space *space, unsigned limit) {
    space_release_devices(space);
    if (space->page.table) {
        space->page.table->live--;
        space->page = PAGE_HINT_NONE;
    }
    if (space->clearing != FRAME_NONE) {
        space->charged -= 1u << heap_frame(space->heap, space->clearing)->order;
        heap_free(space->heap, space->clearing);
        space->clearing = FRAME_NONE;
    }
    for (; limit; limit--) {
        if (space->blocks != FRAME_NONE) {
            space->charged -= 1u << heap_frame(space->heap, space->blocks)->order;
            free_head(space, &space->blocks);
        } else if (space->table_list != FRAME_NONE) {
            space->tables--;
            space->charged--;
            free_table(space);
        } else if (space->stale_tables != FRAME_NONE) {
            space->tables--;
            space->charged--;
            free_head(space, &space->stale_tables);
        } else if (space->reserve_count) {
            space->tables--;
            space->charged--;
            heap_free_cleared(space->heap, space->reserve[--space->reserve_count]);
        } else {
            ASSERT(space->charged == space->objects && space->tables == 0 && space->device_blocks == 0);
            return true;
        }
    }
    return false;
}

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
