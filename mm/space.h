/* SPDX-License-Identifier: MIT */
/*
 * An address space: the memory of one process, counted to the page.
 *
 * A process pays out of its quota for three kinds of pages: the blocks that it owns, its page tables, and its kernel
 * objects (process object, handle table). `charged` is their sum, which never passes the quota.
 *
 * Of page tables it pays for the root, for those in use, for emptied ones, some of which stay linked so that the next
 * block need not clear one, for those that are unlinked but that another core may still walk, and for the reserve. The
 * reserve is table pages that are cleared and at hand: a delivery takes what it needs from there, and so cannot fail.
 *
 * Lists through the frames' descriptors lead to every block and every table. So the end of a process frees its memory
 * without a walk through its tables.
 *
 * A space also remembers which tables it used last, so that most calls walk none: for each level the table that a block
 * last passed through (struct table_hint), and for single pages the one that the last page's leaf is in (struct
 * page_hint). mm/fast.h goes by both.
 *
 * All fields belong to the core that holds the process (o), but for the quota (a): a child that ends adds to it.
 */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include "mm/heap.h"

#define SPACE_RESERVE 3      /* table pages at hand for a delivery: as many as one block can need, and one more level */
#define SPACE_EMPTY_TABLES 7 /* emptied tables a space keeps linked, so that a ping-pong of one page clears none */

struct device_table;

/* The table of one level that a block last passed through. It is linked: who unlinks a table takes it out of here. */
struct table_hint {
    uint64_t key; /* the address >> the bits that the table spans; UINT64_MAX: none */
    uint64_t *table;
    struct frame *frame;
};

/* The table of level 0 that maps one region of RAM, of 2 MiB, at its exchange addresses. The space holds it: its
 * descriptor counts one valid entry more than it has. So it never counts as empty, and is not dropped as one too many.
 * (It may be empty all the same: then it is kept beside the SPACE_EMPTY_TABLES others.) */
#define PAGE_REGION_SHIFT 9 /* pages of one table */
#define PAGE_HINT_NONE ((struct page_hint){.region = UINT64_MAX, .window = UINT64_MAX})
struct page_hint {
    uint64_t region;     /* which: frame number >> 9; UINT64_MAX: none */
    uint64_t window;     /* the same of the address: va >> 21 */
    uint64_t *leaves;    /* biased: leaves[number] is that frame's entry */
    struct frame *table; /* its descriptor; NULL: none */
};

struct space {
    struct table_hint hint[ARCH_TOP_LEVEL + 1]; /* (o) for mm/fast.h */
    struct page_hint page;                      /* (o) for mm/fast.h */
    struct frame *frames;                       /* (i) heap->frames */
    uint64_t *root;                             /* (i) */
    struct heap *heap;                          /* (i) */
    struct device_table *devices;               /* (i) */
    struct arch_space arch;                     /* (o) the port's: ASID, owed fence */
    uint64_t quota;                             /* (a) pages */
    uint64_t charged;                           /* (o) pages in blocks (not of devices), tables and objects */
    uint32_t tables;                            /* (o) table pages, the root and the reserve included */
    uint32_t objects;                           /* (o) process object and handle table */
    uint32_t page_tag;                          /* (i) the tag of an owned page's descriptor */
    uint32_t blocks;                            /* (o) list of owned blocks through the descriptors */
    uint32_t table_list;                        /* (o) list of linked tables, the root included */
    uint32_t stale_tables;                      /* (o) unlinked tables that hardware may still point to, through next */
    uint32_t reserve[SPACE_RESERVE];            /* (o) cleared table pages */
    uint16_t reserve_count;                     /* (o) */
    uint16_t empty_tables;                      /* (o) */
    uint64_t searched;                          /* (o) where the next search for empty tables begins */
    uint16_t trims;                             /* (o) how often there were too many */
    uint16_t slot;                              /* (i) owner's number in descriptors */
    uint16_t device_blocks;                     /* (o) */
    bool had_device;                            /* (o) at any time: a bus master may know its pages; see ipc/end.c */
    uint8_t drains;    /* (o) of block_alloc(): how often it was to be called again, for want of a block */
    uint32_t clearing; /* (o) a block of block_alloc() that is cleared in steps, FRAME_NONE: none */
    uint32_t cleared;  /* (o) its pages cleared so far */
};

/* Make an empty space for `slot` with `objects` pages charged at once. OS2_E_MEMORY, OS2_E_QUOTA: nothing is left. */
enum os2_status space_init(struct space *space, struct heap *heap, struct device_table *devices, uint16_t slot,
                           uint64_t quota, uint32_t objects);

/* Pages in blocks, and whether `pages` more of any kind would be within the quota. */
static inline uint64_t space_owned(const struct space *space) {
    return space->charged - space->tables - space->objects;
}
static inline bool space_affords(const struct space *space, uint64_t pages) {
    return space->charged + pages <= __atomic_load_n(&space->quota, __ATOMIC_RELAXED);
}

/* Have at least `count` table pages in the reserve. OS2_E_QUOTA or OS2_E_MEMORY: those got so far stay. */
enum os2_status space_refill(struct space *space, unsigned count);

/* Let others claim the devices whose registers it has. They are mapped on, so the space must not be used any more. */
void space_release_devices(struct space *space);

/* Free up to `limit` blocks, then tables, of a space that no core uses. True: only its objects are still charged. */
bool space_release(struct space *space, unsigned limit);

/* Upcall to core/turn.c: has every core but this one left the tables of this space, which this core's process has? */
bool space_left_elsewhere(const struct space *space);

/* NULL, or what is wrong: lists against counts, and each block mapped once, where its owner is. */
const char *space_check(struct space *space);

#endif
