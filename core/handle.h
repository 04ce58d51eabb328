/* SPDX-License-Identifier: MIT */
/*
 * Handles: what a process may reach. A table of 256, one page, charged to its process.
 *
 * An entry is two words: the target, and the badge. The target is laid out so that the entry path needs one sign test
 * to know that it may be sent to, and one mask to have the offset of its slot (slots are 512 bytes apart):
 *
 *     bits 0..8    rights        31       0: an inbox that may be sent to
 *          9..24   slot          32..63   low half of the slot's life word when the handle was made
 *          25..30  kind - 1
 *
 * The life makes a handle to an ended process dead for good; a slot whose generation would not fit is never used again
 * (core/process.c).
 * A free entry's target is 0, slot 0 is never a process. Entries that were given back are linked through their badge
 * word; those above the highest that was ever used are free too, and all 0. So taking and giving back an index is O(1),
 * a page of zeros is an empty table, and a table is made one again at the cost of what was used.
 */
#ifndef CORE_HANDLE_H
#define CORE_HANDLE_H

#include "arch/arch.h"

struct handle {
    uint64_t target; /* 0: free */
    uint64_t badge;  /* free: index of the next free entry, 0: none */
};
struct handle_table {
    struct handle entry[OS2_HANDLES]; /* entry[0] is never a handle: its badge is free list | highest used << 32 */
};
_Static_assert(sizeof(struct handle_table) == OS2_PAGE_SIZE, "a handle table is one page");

#define HANDLE_GENERATION_MAX UINT64_C(0x7fffffff)
#define HANDLE_NO_SEND (UINT64_C(1) << 31)

static inline uint64_t handle_target(unsigned kind, unsigned rights, unsigned slot, uint64_t generation) {
    bool send = kind == OS2_HANDLE_INBOX && rights & OS2_RIGHT_SEND;
    return (generation & HANDLE_GENERATION_MAX) << 33 | (send ? 0 : HANDLE_NO_SEND) | (uint64_t)(kind - 1) << 25 |
           (uint64_t)slot << 9 | (rights & OS2_RIGHTS_ALL);
}
static inline unsigned handle_kind(uint64_t target) {
    return (target >> 25 & 0x3f) + 1;
}
static inline unsigned handle_rights(uint64_t target) {
    return target & OS2_RIGHTS_ALL;
}
static inline unsigned handle_slot(uint64_t target) {
    return target >> 9 & 0xffff;
}
static inline uint64_t handle_generation(uint64_t target) {
    return target >> 33;
}
/* The same with only those of its rights that are among `rights`. */
static inline uint64_t handle_narrow(uint64_t target, unsigned rights) {
    return handle_target(handle_kind(target), handle_rights(target) & rights, handle_slot(target),
                         handle_generation(target));
}

static inline unsigned handle_free(const struct handle_table *table) {
    return (uint32_t)table->entry[0].badge;
}
static inline unsigned handle_highest(const struct handle_table *table) {
    return (unsigned)(table->entry[0].badge >> 32);
}

/* Make all of it 0: an empty table. */
void handle_table_clear(struct handle_table *table);

/* The entry at `index`, or NULL when there is no handle. The index is clamped, so that a mispredicted branch cannot
 * read past the table (Spectre v1). */
static inline struct handle *handle_get(struct handle_table *table, uint64_t index) {
    struct handle *h = &table->entry[index & (OS2_HANDLES - 1)];
    return index < OS2_HANDLES && h->target ? h : NULL;
}

static inline bool handle_room(const struct handle_table *table) {
    return handle_free(table) || handle_highest(table) < OS2_HANDLES - 1;
}

/* Put a handle into the table; there must be room. Returns its index. */
unsigned handle_put(struct handle_table *table, uint64_t target, uint64_t badge);

/* Free the entry of a handle. */
void handle_drop(struct handle_table *table, struct handle *handle);

#endif
