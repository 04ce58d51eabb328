/* SPDX-License-Identifier: MIT */
/*
 * The queue of ready processes of one core: one interface, implementations chosen by the Meson option `runqueue`.
 *
 * FIFO for the owner, but for a front place: processes that a device interrupt made ready. runqueue_pop() takes from
 * the front only when it is asked to, so that the caller can keep an interrupt storm to every second turn.
 *
 * Owner only: push, push_front, pop, publish. Any other core: steal. The hint may be read by anyone and may be wrong.
 * Slots are linked by number through slot->run_next, so nothing is allocated.
 */
#ifndef CORE_RUNQUEUE_H
#define CORE_RUNQUEUE_H

#include "mm/lock.h"

#define RUNQUEUE_STEAL_MAX 8

struct slot;

struct runqueue {
    struct lock lock;
    uint16_t head, tail;             /* lock; SLOT_NONE: empty */
    uint16_t front_head, front_tail; /* lock */
    uint32_t length;                 /* lock; (a) as a hint */
};

void runqueue_init(struct runqueue *queue);

/* Append to the tail; to the front place. */
void runqueue_push(struct runqueue *queue, struct slot *slot);
void runqueue_push_front(struct runqueue *queue, struct slot *slot);

/* The next one to run, from the front place if `front` and there is one; NULL: empty. *ret_front: where it was. */
struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front);

/* Make spare work visible to thieves, where the implementation needs that: at kernel exit and in the IPI handler. */
void runqueue_publish(struct runqueue *queue);

/* Take the older half of another core's queue, at most RUNQUEUE_STEAL_MAX: a chain through run_next, oldest first,
 * ended by SLOT_NONE. NULL: nothing, or not now. */
struct slot *runqueue_steal(struct runqueue *victim);

/* How many are ready there, about. */
static inline uint32_t runqueue_hint(const struct runqueue *queue) {
    return __atomic_load_n(&queue->length, __ATOMIC_RELAXED);
}

/* NULL, or what is wrong. */
const char *runqueue_check(struct runqueue *queue);

#endif
