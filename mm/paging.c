/* SPDX-License-Identifier: MIT */
/*
 * Page tables: one walker over the port's few inline functions.
 *
 * A block is the unit of mapping. Its order gives the level of its leaves and how many of them there are, and natural
 * alignment keeps them all in one table: so mapping and unmapping a block is one walk and a short loop, at any size.
 *
 * Each table's descriptor counts its valid entries. A table that becomes empty stays linked (up to SPACE_EMPTY_TABLES
 * in a space): the next block that passes through finds it, and nothing is cleared. Beyond that number it is unlinked
 * and freed, after a fence for the whole space, since hardware may have cached the pointer to it. That is only done
 * where the space is this core's current one and every other core has left it. A core publishes its process before it
 * leaves the tables, here and there; until it has, it may walk from a pointer that it has cached, even where it only
 * runs ahead, and set accessed bits in what the freed page has become. The fence here does not reach it.
 *
 * Only the core that holds a process edits its tables, so no entry is ever changed under a reader: no locks.
 */
#include "mm/paging.h"

#include "mm/fast.h"

#define ENTRIES 512u

static unsigned entry_index(uint64_t va, unsigned level) {
    return va >> (OS2_PAGE_SHIFT + 9 * level) & (ENTRIES - 1);
}
static uint64_t *table_of(uint64_t pte) {
    return arch_phys_to_virt(arch_pte_address(pte));
}
static struct frame *table_frame(const struct space *space, const uint64_t *table) {
    return heap_frame(space->heap, frame_number(table));
}
/* The table that an entry lies in. */
static uint64_t *containing(uint64_t *entry) {
    return (uint64_t *)((uintptr_t)entry & ~(uintptr_t)(OS2_PAGE_SIZE - 1));
}

uint64_t *paging_find(const struct space *space, uint64_t va, unsigned *ret_level) {
    if (va >= ARCH_USER_END)
        return NULL;
    uint64_t *table = space->root;
    for (unsigned level = ARCH_TOP_LEVEL;; level--) {
        uint64_t *entry = &table[entry_index(va, level)];
        if (!arch_pte_valid(*entry))
            return NULL;
        if (arch_pte_is_leaf(*entry, level)) {
            *ret_level = level;
            return entry;
        }
        if (level == 0)
            return NULL;
        table = table_of(*entry);
    }
}

/* Is there no leaf anywhere below this table? Its children can only be empty tables then. */
static bool barren(const struct space *space, const uint64_t *table, unsigned level) {
    const struct frame *f = table_frame(space, table);
    if (f->live == (f == space->page.table))
        return true;
    if (level == 0)
        return false;
    for (unsigned i = 0, left = f->live; left; i++) {
        if (!arch_pte_valid(table[i]))
            continue;
        if (arch_pte_is_leaf(table[i], level) || !barren(space, table_of(table[i]), level - 1))
            return false;
        left--;
    }
    return true;
}

int paging_missing(const struct space *space, uint64_t va, unsigned order) {
    unsigned target = paging_level(order);
    const uint64_t *table = space->root;
    for (unsigned level = ARCH_TOP_LEVEL; level > target; level--) {
        uint64_t pte = table[entry_index(va, level)];
        if (!arch_pte_valid(pte))
            return (int)(level - target);
        if (arch_pte_is_leaf(pte, level))
            return OS2_E_BUSY;
        table = table_of(pte);
    }
    const uint64_t *entry = &table[entry_index(va, target)];
    for (unsigned i = 0; i < paging_leaves(order); i++) {
        if (!arch_pte_valid(entry[i]))
            continue;
        if (arch_pte_is_leaf(entry[i], target) || !barren(space, table_of(entry[i]), target - 1))
            return OS2_E_BUSY;
    }
    return 0;
}

/* Books of a table's valid entries. The root is never counted as empty. */
static void entries_filled(struct space *space, uint64_t *table, unsigned count) {
    struct frame *f = table_frame(space, table);
    if (f->live == 0 && table != space->root)
        space->empty_tables--;
    f->live = (uint16_t)(f->live + count);
}
static void entries_cleared(struct space *space, uint64_t *table, unsigned count) {
    struct frame *f = table_frame(space, table);
    f->live = (uint16_t)(f->live - count);
    if (f->live == 0 && table != space->root)
        space->empty_tables++;
}

/* Let go of the table that space->page holds; it may be one emptied table too many then. */
static void let_go(struct space *space) {
    struct frame *f = space->page.table;
    space->page = PAGE_HINT_NONE;
    if (f && --f->live == 0)
        space->empty_tables++;
}

/* May no core use a table of this space any more that has been unlinked, once this one is fenced? */
static bool nobody_walks(const struct space *space) {
    return arch_space_current(&space->arch) && space_left_elsewhere(space);
}

/*
 * Unlink the barren table that `entry` points to, and all below it; then all its bytes are 0. The hardware may hold a
 * pointer to it until the space is fenced. Where the space is this core's current one that is done at once and the
 * table goes back to the heap; else another core may just be leaving this space, so the table waits on the stale list
 * for paging_reclaim().
 */
static void drop_table(struct space *space, uint64_t *entry, unsigned level) {
    uint64_t *table = table_of(*entry);
    if (space->page.table == table_frame(space, table))
        let_go(space);
    if (level > 0) /* each that is dropped is one entry less */
        for (unsigned i = 0; table_frame(space, table)->live; i++)
            if (arch_pte_valid(table[i]))
                drop_table(space, &table[i], level - 1);
    *entry = 0;
    entries_cleared(space, containing(entry), 1);
    space->empty_tables--;
    for (unsigned i = 0; i <= ARCH_TOP_LEVEL; i++)
        if (space->hint[i].table == table)
            space->hint[i].key = UINT64_MAX;
    uint32_t number = frame_number(table);
    frame_list_remove(space->frames, &space->table_list, &space->frames[number]);
    arch_fence_space(&space->arch);
    if (nobody_walks(space)) {
        space->tables--;
        space->charged--;
        heap_free_cleared(space->heap, number);
    } else {
        heap_frame(space->heap, number)->next = space->stale_tables;
        space->stale_tables = number;
    }
}

void paging_reclaim(struct space *space) {
    if (space->stale_tables == FRAME_NONE || !nobody_walks(space))
        return;
    arch_fence_space(&space->arch);
    while (space->stale_tables != FRAME_NONE) {
        uint32_t number = space->stale_tables;
        space->stale_tables = heap_frame(space->heap, number)->next;
        space->tables--;
        space->charged--;
        heap_free_cleared(space->heap, number);
    }
}

uint64_t *paging_place(struct space *space, uint64_t va, unsigned order) {
    unsigned level = paging_level(order);
    const struct table_hint *hint = &space->hint[level];
    if (hint->key != va >> (OS2_PAGE_SHIFT + 9 + 9 * level) && !fast_find_table(space, va, level))
        return NULL;
    uint64_t *entry = &hint->table[entry_index(va, level)];
    for (unsigned i = 0; i < paging_leaves(order); i++)
        if (arch_pte_valid(entry[i]))
            return NULL;
    return entry;
}

/* Fill the leaves of a block, which are not valid. */
static void fill(struct space *space, uint64_t *entry, uint64_t pa, unsigned order, unsigned prot, bool device) {
    unsigned level = paging_level(order), leaves = paging_leaves(order);
    entries_filled(space, containing(entry), leaves);
    for (unsigned i = 0; i < leaves; i++)
        entry[i] = arch_pte_leaf(pa + ((uint64_t)i << (OS2_PAGE_SHIFT + 9 * level)), prot, level, device);
}

void paging_map(struct space *space, uint64_t va, uint64_t pa, unsigned order, unsigned prot, bool device) {
    unsigned target = paging_level(order);
    uint64_t *table = space->root, *place = paging_place(space, va, order);
    if (place) {
        fill(space, place, pa, order, prot, device);
        return;
    }
    for (unsigned level = ARCH_TOP_LEVEL; level > target; level--) {
        uint64_t *entry = &table[entry_index(va, level)];
        if (!arch_pte_valid(*entry)) {
            ASSERT(space->reserve_count > 0);
            uint32_t number = space->reserve[--space->reserve_count];
            frame_list_push(space->frames, &space->table_list, &space->frames[number]);
            heap_frame(space->heap, number)->depth = (uint16_t)(level - 1);
            entries_filled(space, table, 1);
            /* A walk orders its reads by address, and nothing else: who finds the link finds the table's zeros only if
             * they were stored before it in the order that all see. What the frame held before may be a program's. */
            arch_fence_release();
            arch_store_relaxed(entry, arch_pte_table((uint64_t)number << OS2_PAGE_SHIFT));
            space->empty_tables++; /* until the next step of this walk fills it */
        }
        table = table_of(*entry);
    }
    uint64_t *entry = &table[entry_index(va, target)];
    for (unsigned i = 0; i < paging_leaves(order); i++)
        if (arch_pte_valid(entry[i]))
            drop_table(space, &entry[i], target - 1);
    fill(space, entry, pa, order, prot, device);
}

#define FIND_ENTRIES 96u /* what trim() looks at, at most: each costs some 50 instructions */
#define TRIMS_OTHER 64u
#define FENCE_BY_ADDRESS 8u /* more leaves than this are fenced all at once */

static void fence(struct space *space, uint64_t va, unsigned order) {
    unsigned leaves = paging_leaves(order);
    if (leaves > FENCE_BY_ADDRESS) {
        arch_fence_space(&space->arch);
        return;
    }
    uint64_t size = OS2_PAGE_SIZE << 9 * paging_level(order);
    for (; leaves; leaves--, va += size)
        arch_fence_address(&space->arch, va);
}

/* A search for empty tables. It goes through the tables by address, at most `budget` entries of them, and none behind
 * the last valid one of a table; where it stops the next one goes on, so that no part of the space hides another. */
struct search {
    struct space *space;
    const uint64_t *except; /* a table that is not meant */
    uint64_t at;            /* what the entry maps that is looked at */
    unsigned budget;
    unsigned level; /* of the entry that was found */
};

/* The entry that points to an empty table below `table` of `level`, or NULL: there is none, or the budget is spent.
 * From search->at on, if that lies in what this table maps and `resumed` says so. */
static uint64_t *find_empty(struct search *search, uint64_t *table, unsigned level, bool resumed) {
    uint64_t step = OS2_PAGE_SIZE << 9 * level, base = search->at & ~((step << 9) - 1);
    unsigned first = resumed ? entry_index(search->at, level) : 0,
             end = level == ARCH_TOP_LEVEL ? ARCH_USER_ENTRIES : ENTRIES;
    unsigned left = first ? end : table_frame(search->space, table)->live;
    for (unsigned i = first; i < end && left; i++, resumed = false) {
        if (!resumed)
            search->at = base + i * step;
        if (search->budget == 0)
            return NULL;
        search->budget--;
        if (!arch_pte_valid(table[i]))
            continue;
        left--;
        if (arch_pte_is_leaf(table[i], level))
            continue;
        uint64_t *below = table_of(table[i]);
        if (below != search->except && table_frame(search->space, below)->live == 0) {
            search->level = level - 1;
            return &table[i];
        }
        uint64_t *found = level > 1 ? find_empty(search, below, level - 1, resumed) : NULL;
        if (found || search->budget == 0)
            return found;
    }
    return NULL;
}

/* Drop tables other than `except` until there are no more than may be. */
static void drop_others(struct space *space, const uint64_t *except) {
    struct search search = {.space = space, .except = except, .at = space->searched, .budget = FIND_ENTRIES};
    while (space->empty_tables > SPACE_EMPTY_TABLES) {
        uint64_t *found = find_empty(&search, space->root, ARCH_TOP_LEVEL, true);
        if (!found)
            break;
        drop_table(space, found, search.level);
    }
    space->searched = search.budget ? 0 : search.at; /* it was at the end, and the next one begins anew */
}

/* Over the limit of emptied tables: unlink this one, which maps `va`, and its parents as far as they become empty by
 * that. Or others, once in TRIMS_OTHER times: a block that comes and goes in one place finds its table soon, and many
 * that pass in a circle of more places than are kept do not find each time the one just gone. */
static void trim(struct space *space, uint64_t va, const uint64_t *table, unsigned level) {
    if (space->empty_tables > SPACE_EMPTY_TABLES && ++space->trims % TRIMS_OTHER == 0)
        drop_others(space, table);
    while (table != space->root && table_frame(space, table)->live == 0 && space->empty_tables > SPACE_EMPTY_TABLES) {
        uint64_t *parent = space->root;
        level++;
        for (unsigned l = ARCH_TOP_LEVEL; l > level; l--)
            parent = table_of(parent[entry_index(va, l)]);
        drop_table(space, &parent[entry_index(va, level)], level - 1);
        table = parent;
    }
}

void paging_unmap(struct space *space, uint64_t va, unsigned order, uint64_t *entry) {
    unsigned leaves = paging_leaves(order), level = paging_level(order);
    for (unsigned i = 0; i < leaves; i++)
        entry[i] = 0;
    fence(space, va, order);
    uint64_t *table = containing(entry);
    entries_cleared(space, table, leaves);
    trim(space, va, table, level);
}

void paging_let_go(struct space *space) {
    uint64_t va = space->page.window << (OS2_PAGE_SHIFT + PAGE_REGION_SHIFT);
    const struct frame *f = space->page.table;
    let_go(space);
    if (f)
        trim(space, va, frame_memory((uint32_t)(f - space->frames)), 0);
}

bool paging_hold(struct space *space, uint64_t va) {
    paging_let_go(space);
    if (!fast_find_table(space, va, 0))
        return false;
    const struct table_hint *hint = &space->hint[0];
    uint64_t region = (va - OS2_EXCHANGE_BASE) >> (OS2_PAGE_SHIFT + PAGE_REGION_SHIFT);
    entries_filled(space, hint->table, 1);
    space->page = (struct page_hint){.region = region,
                                     .window = va >> (OS2_PAGE_SHIFT + PAGE_REGION_SHIFT),
                                     .leaves = hint->table - (region << PAGE_REGION_SHIFT),
                                     .table = hint->frame};
    return true;
}

void paging_protect(struct space *space, uint64_t va, unsigned order, uint64_t *entry, unsigned prot, bool device) {
    unsigned level = paging_level(order);
    for (unsigned i = 0; i < paging_leaves(order); i++)
        entry[i] = arch_pte_leaf(arch_pte_address(entry[i]), prot, level, device);
    fence(space, va, order);
}
