/* SPDX-License-Identifier: MIT */
/*
 * Who waits for one process: two lists through the slots, guarded by that process's lock.
 *
 *     queue     those who wait to send to it or to call it, a FIFO
 *     waiters   those who receive from it alone, and those whose calls it has parked: taken, and neither answered nor
 *               worked for any more (core/loan.c)
 *
 * Only the client whose call it works for is in no list: the short ways would pay for that. Its name is in `lender`. So
 * a process that ends finds all whom it has to tell, however many others there are.
 *
 * Being linked and waiting are two facts. Who begins to wait is linked before its word says so. Who gave up (deadline,
 * kill) may still be linked for a moment, and is recognised by its word. Whoever claims a process out of a wait takes
 * it out of its list before it may go on; the process whose list it is may have done so by then.
 *
 * One who is answered by a short way may be left in the list: the server is published before its client is claimed, and
 * may be woken by bits on another core and park the call that is being answered. So whoever is linked leaves first
 * where he still is, and so does who ends.
 *
 * Rejected: a look at all slots, by whoever ends (16 instructions for each slot ever used, at each end); a
 * list of all callers (a lock, or two atomics, in each call).
 */
#include "ipc/queue.h"

void queue_link(struct slot *receiver, struct slot *sender) {
    sender->queued_at = receiver->index;
    sender->next = SLOT_NONE;
    sender->prev = receiver->queue_tail;
    if (receiver->queue_tail == SLOT_NONE)
        arch_store_relaxed(&receiver->queue_head, sender->index);
    else
        machine.slot[receiver->queue_tail].next = sender->index;
    receiver->queue_tail = sender->index;
}

void queue_link_waiter(struct slot *peer, struct slot *waiter) {
    queue_leave(waiter);
    lock_acquire(&peer->lock);
    waiter->queued_at = peer->index;
    waiter->prev = SLOT_NONE;
    waiter->next = peer->waiters;
    if (waiter->next != SLOT_NONE)
        machine.slot[waiter->next].prev = waiter->index;
    arch_store_relaxed(&peer->waiters, waiter->index);
    lock_release(&peer->lock);
}

void queue_unlink(struct slot *peer, struct slot *slot) {
    if (slot->queued_at != peer->index)
        return;
    if (slot->prev != SLOT_NONE)
        machine.slot[slot->prev].next = slot->next;
    else if (peer->queue_head == slot->index)
        arch_store_relaxed(&peer->queue_head, slot->next);
    else
        arch_store_relaxed(&peer->waiters, slot->next);
    if (slot->next != SLOT_NONE)
        machine.slot[slot->next].prev = slot->prev;
    else if (peer->queue_tail == slot->index)
        peer->queue_tail = slot->prev;
    arch_fence_release(); /* the last touch: pairs with queue_leave() */
    arch_store_relaxed(&slot->queued_at, SLOT_NONE);
}

void queue_leave_peer(struct slot *slot, struct slot *peer) {
    lock_acquire(&peer->lock);
    queue_unlink(peer, slot);
    lock_release(&peer->lock);
}
