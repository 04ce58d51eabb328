/* SPDX-License-Identifier: MIT */
/* Blocks: the memory that processes own, and how it changes hands; theory in mm/block.c. */
#ifndef MM_BLOCK_H
#define MM_BLOCK_H

#include "mm/space.h"

/* Device registers handed out as blocks: not RAM, so they have no frame descriptors but entries here. */
#define DEVICE_BLOCKS 64
struct device_block {
    uint64_t base;
    uint16_t owner; /* slot */
    uint8_t order;
    bool taken;
};
struct device_table {
    struct lock lock; /* guards taken; the rest belongs to the core that holds the owner */
    struct device_block block[DEVICE_BLOCKS];
};

/* A block as it was found in a space: good until that space changes. */
struct block {
    uint64_t va, pa;
    uint64_t *leaf; /* the first of its entries */
    unsigned order;
    uint32_t number;             /* its first frame; FRAME_NONE: a device block */
    struct device_block *device; /* NULL: RAM */
};

/* block_alloc() has more to clear, or more to look for: make the same call again. Not a status of the ABI. */
#define BLOCK_AGAIN 1
/* At most this many pages are cleared in one entry. */
#define BLOCK_CLEAR_PAGES 512u
/* So many pages are cleared for a token: about twenty times the work of a usual call. */
#define BLOCK_TOKEN_PAGES 16u

/* The block that `space` owns and that is mapped from `va` on. OS2_E_OWNER: there is none. */
enum os2_status block_find(const struct space *space, uint64_t va, struct block *ret_block);

/* A cleared block of 2^order pages at its exchange address. OS2_E_INVALID, _QUOTA, _MEMORY; BLOCK_AGAIN. */
int block_alloc(struct space *space, unsigned order, uint64_t *ret_va);
/* The same, with at most `most` pages cleared now. */
int block_alloc_step(struct space *space, unsigned order, uint32_t most, uint64_t *ret_va);

/* Unmap a block and give it to the heap (a device block: make it claimable). OS2_E_OWNER. */
enum os2_status block_free(struct space *space, uint64_t va);

/* Move a block to another address of the same space (0: its exchange address), with a protection.
 * OS2_E_OWNER, _INVALID (address, protection), _BUSY (something is there), _QUOTA, _MEMORY. */
enum os2_status block_place(struct space *space, uint64_t va, uint64_t to, unsigned prot, uint64_t *ret_va);

/* Can `block` go to the exchange address (to = 0) or the address `to` of `space`, with its tables from the reserve? The
 * quota is asked too. OS2_E_INVALID, _BUSY, _QUOTA, _FULL (the reserve is short). */
enum os2_status block_fits(struct space *space, const struct block *block, uint64_t to);

/* Move a block from one space to another where block_fits() said OS2_OK. Cannot fail. Returns its new address. */
uint64_t block_move(struct space *from, struct space *into, const struct block *block, uint64_t to, unsigned prot);

/* The same for a block just claimed or adopted, owned but not yet mapped. */
enum os2_status block_adopt(struct space *space, uint32_t number);
enum os2_status block_claim_device(struct space *space, uint64_t base, unsigned order, uint64_t *ret_va);

/* Is `prot` one that a mapping may have: readable, and never writable and executable? */
bool block_prot_valid(uint64_t prot);

#endif
