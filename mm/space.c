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
    for (; limit && space->blocks != FRAME_NONE; limit--) {
        space->charged -= 1u << heap_frame(space->heap, space->blocks)->order;
        free_head(space, &space->blocks);
    }
    for (; limit; limit--) {
        if (space->table_list != FRAME_NONE) {
            free_table(space);
        } else if (space->stale_tables != FRAME_NONE) {
            free_head(space, &space->stale_tables);
        } else if (space->reserve_count) {
            heap_free_cleared(space->heap, space->reserve[--space->reserve_count]);
        } else {
            ASSERT(space->charged == space->objects && space->tables == 0 && space->device_blocks == 0);
            return true;
        }
        space->tables--;
        space->charged--;
    }
    return false;
}
