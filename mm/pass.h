/* SPDX-License-Identifier: MIT */
/* The short way for a block to change hands; theory in mm/pass.c. */
#ifndef MM_PASS_H
#define MM_PASS_H

#include "mm/block.h"

/* What block_pass() did: `va` is where the block is now, 0 where it did nothing. */
struct pass {
    uint64_t va;
    uint64_t order;
};

/* Move the block at `va` from the space that is current on this core to another that this core holds, if that is the
 * simple case: RAM of one leaf, at its exchange address, of at most `order_limit` - 1 (0: none), within the receiver's
 * quota, through tables that it has. Else nothing has changed, and block_fits() and block_move() will tell why. */
struct pass block_pass(struct space *from, struct space *into, uint64_t va, unsigned order_limit);

#endif
