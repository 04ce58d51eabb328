/* SPDX-License-Identifier: MIT */
/*
 * The queue of ready processes of one core: one interface, implementations chosen by the Meson option `runqueue`.
 *
 * FIFO for the owner, but for a front place: processes that a device interrupt made ready. runqueue_pop() takes from
 * the front place only when it is asked to, so that the caller can keep an interrupt storm to every second turn.
 *
 * Owner only: push, push_front, pop, publish. Any other core: steal. The hint may be read by anyone and may be wrong.
 * Slots are linked by number through slot->run_next, so nothing is allocated.
 *
 * While `mode` is 0 the owner may do the same to the lists itself, without a call (core/runqueue_list.h).
 *
 *     runqueue_offer.c    a private list, and one shared word through which the owner hands work out
 *     runqueue_biased.c   a lock that the owner need not take until a thief asks
 *     runqueue_lock.c     a plain lock: the yardstick
 */
#ifndef CORE_RUNQUEUE_H
#define CORE_RUNQUEUE_H

#include "mm/lock.h"

#define RUNQUEUE_STEAL_MAX 8

struct slot;

/* A FIFO through slot->run_next; SLOT_NONE ends it. */
struct runqueue_list {
    uint16_t head, tail;
};

struct runqueue {
    struct runqueue_list list;  /* owner; lock: under the lock; biased: under the lock unless biased */
    struct runqueue_list front; /* the same: the front place */
    uint32_t length;            /* the same; (a) as a hint */
    struct lock lock;           /* lock, biased */
    uint32_t mode;              /* (a) 0: the lists are the owner's alone; written by the owner only */
    uint32_t acquisitions;      /* biased: owner, since the queue became shared */
    uint32_t box;        /* offer: (a) first slot of the chain on offer + 1, 0: nothing; only the owner fills it */
    uint16_t box_tail;   /* offer: owner; the last slot of the chain it offered */
    uint16_t box_length; /* offer: owner */
};

void runqueue_init(struct runqueue *queue);

/* Append to the tail; to the front place. */
void runqueue_push(struct runqueue *queue, struct slot *slot);
void runqueue_push_front(struct runqueue *queue, struct slot *slot);

/* The next one to run, from the front place if `front` and there is one; NULL: empty. *ret_front: where it was. */
struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front);

/* Let thieves at what is in the queue, where the implementation needs the owner's hand for that. Called while a core
 * looks for work, whenever the queue has changed, and in the IPI handler, for a thief that got nothing. */
void runqueue_publish(struct runqueue *queue);

/* Take the older half of another core's queue, at most RUNQUEUE_STEAL_MAX: a chain through run_next, oldest first,
 * ended by SLOT_NONE. NULL: nothing, or not now: then an IPI makes the owner publish. */
struct slot *runqueue_steal(struct runqueue *victim);

/* How many are ready there, about. */
static inline uint32_t runqueue_hint(const struct runqueue *queue) {
    return __atomic_load_n(&queue->length, __ATOMIC_RELAXED);
}

/* NULL, or what is wrong. The owner is stopped. */
const char *runqueue_check(struct runqueue *queue);

#endif
