/* SPDX-License-Identifier: MIT */
/* Who waits for one process; theory in ipc/queue.c. */
#ifndef IPC_QUEUE_H
#define IPC_QUEUE_H

#include "core/process.h"

/* The receiver's lock is held: at the tail of its queue. The sender is in no list: queue_leave(). */
void queue_link(struct slot *receiver, struct slot *sender);

/* Among those who wait for `peer` otherwise. */
void queue_link_waiter(struct slot *peer, struct slot *waiter);

/* The lock of `peer` is held: out of the one list or the other. Harmless when it is not linked there. */
void queue_unlink(struct slot *peer, struct slot *slot);

/* For a process that this core holds: out of whatever list it is in. Nobody else links it meanwhile. */
void queue_leave_peer(struct slot *slot, struct slot *peer);
static inline void queue_leave(struct slot *slot) {
    uint32_t at = __atomic_load_n(&slot->queued_at, __ATOMIC_ACQUIRE); /* pairs with queue_unlink() */
    if (at != SLOT_NONE)
        queue_leave_peer(slot, &machine.slot[at]);
}

static inline bool queue_empty(const struct slot *receiver) {
    return __atomic_load_n(&receiver->queue_head, __ATOMIC_RELAXED) == SLOT_NONE;
}

#endif
