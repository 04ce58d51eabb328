/* SPDX-License-Identifier: MIT */
/*
 * The queue of senders of one process: a doubly linked FIFO through the slots, guarded by the receiver's lock.
 *
 * Being linked and waiting are two facts: a sender that gave up (deadline, kill) may still be linked for a moment, and
 * is recognised by its word. Whoever claims out of SND unlinks, if the sender is still linked.
 */
#ifndef IPC_QUEUE_H
#define IPC_QUEUE_H

#include "core/process.h"

/* The receiver's lock is held. */
static inline void queue_link(struct slot *receiver, struct slot *sender) {
    sender->queued_at = receiver->index;
    sender->next = SLOT_NONE;
    sender->prev = receiver->queue_tail;
    if (receiver->queue_tail == SLOT_NONE)
        arch_store_relaxed(&receiver->queue_head, sender->index);
    else
        machine.slot[receiver->queue_tail].next = sender->index;
    receiver->queue_tail = sender->index;
}

/* The receiver's lock is held. Harmless when it is not linked there. */
static inline void queue_unlink(struct slot *receiver, struct slot *sender) {
    if (sender->queued_at != receiver->index)
        return;
    if (sender->prev == SLOT_NONE)
        arch_store_relaxed(&receiver->queue_head, sender->next);
    else
        machine.slot[sender->prev].next = sender->next;
    if (sender->next == SLOT_NONE)
        receiver->queue_tail = sender->prev;
    else
        machine.slot[sender->next].prev = sender->prev;
    sender->queued_at = SLOT_NONE;
}

/* Without the lock: for a process claimed out of SND on `receiver`. */
static inline void queue_leave(struct slot *receiver, struct slot *sender) {
    lock_acquire(&receiver->lock);
    queue_unlink(receiver, sender);
    lock_release(&receiver->lock);
}

static inline bool queue_empty(const struct slot *receiver) {
    return __atomic_load_n(&receiver->queue_head, __ATOMIC_RELAXED) == SLOT_NONE;
}

#endif
