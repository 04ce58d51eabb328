/* SPDX-License-Identifier: MIT */
/*
 * Handles: what a process may reach. A table of 256, one page, charged to its process.
 *
 * An entry is two words: target = kind 4 | rights 12 | slot 16 | generation 32, and the badge. The generation makes a
 * handle to an ended process dead for good; a slot whose generation would not fit 32 bits is never used again.
 * Free entries are linked through their badge word: taking and giving back an index is O(1).
 */
#ifndef CORE_HANDLE_H
#define CORE_HANDLE_H

#include "arch/arch.h"

struct handle {
    uint64_t target; /* 0: free */
    uint64_t badge;  /* free: index of the next free entry, 0: none */
};
struct handle_table {
    struct handle entry[OS2_HANDLES]; /* entry[0] is never a handle: its badge heads the free list */
};
_Static_assert(sizeof(struct handle_table) == OS2_PAGE_SIZE, "a handle table is one page");

#define HANDLE_GENERATION_MAX UINT64_C(0xffffffff)

static inline uint64_t handle_target(unsigned kind, unsigned rights, unsigned slot, uint64_t generation) {
    return (uint64_t)kind << 60 | (uint64_t)(rights & OS2_RIGHTS_ALL) << 48 | (uint64_t)slot << 32 |
           (generation & HANDLE_GENERATION_MAX);
}
static inline unsigned handle_kind(uint64_t target) {
    return (unsigned)(target >> 60);
}
static inline unsigned handle_rights(uint64_t target) {
    return target >> 48 & OS2_RIGHTS_ALL;
}
static inline unsigned handle_slot(uint64_t target) {
    return target >> 32 & 0xffff;
}
static inline uint64_t handle_generation(uint64_t target) {
    return target & HANDLE_GENERATION_MAX;
}
static inline uint64_t handle_narrow(uint64_t target, unsigned rights) {
    return target & ~((uint64_t)(~rights & OS2_RIGHTS_ALL) << 48);
}

/* All entries free. */
void handle_table_init(struct handle_table *table);

/* The entry at `index`, or NULL when there is no handle. The index is clamped, so that a mispredicted branch cannot
 * read past the table (Spectre v1). */
static inline struct handle *handle_get(struct handle_table *table, uint64_t index) {
    struct handle *h = &table->entry[index & (OS2_HANDLES - 1)];
    return index < OS2_HANDLES && index != 0 && h->target ? h : NULL;
}

static inline bool handle_room(const struct handle_table *table) {
    return table->entry[0].badge != 0;
}

/* Put a handle into the table; there must be room. Returns its index. */
unsigned handle_put(struct handle_table *table, uint64_t target, uint64_t badge);

/* Free the entry of a handle. */
void handle_drop(struct handle_table *table, struct handle *handle);

#endif
