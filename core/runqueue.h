/* SPDX-License-Identifier: MIT */
/*
 * The queue of ready processes of one core: one interface. core/runqueue.c implements it; rivals are in tests/queues/.
 *
 * Processes that end are kept apart: each of their turns is the kernel's work, of which there may be much between two
 * programs' turns, and the owner decides how much (core/breath.c).
 *
 * FIFO for the owner, but for a front place: processes that a device interrupt made ready. runqueue_pop() takes from
 * the front place only when it is asked to, so that the caller can keep an interrupt storm to every second turn.
 *
 * Owner only: push, push_front, push_end, pop, pop_end, publish. Any other core: steal. The hint may be read by anyone
 * and may be wrong.
 * Slots are linked through slot->run_next, so nothing is allocated.
 *
 * `mode` gathers whatever is unusual, when it happens, so that the short ways of the entry path test one word: while it
 * is 0, the list is its owner's alone and its head is the next one to run. Only the owner writes it.
 *
 *     biased   core/runqueue.c: a lock that the owner need not take until a thief asks
 *     offer    tests/queues/runqueue_offer.c: a private list, and a shared word by which the owner hands work out
 *     lock     tests/queues/runqueue_lock.c: a plain lock: the yardstick
 */
#ifndef CORE_RUNQUEUE_H
#define CORE_RUNQUEUE_H

#include "mm/lock.h"

#define RUNQUEUE_STEAL_MAX 8

struct slot;

/* A FIFO through slot->run_next. Empty: head is NULL. The run_next of the last one means nothing. */
struct runqueue_list {
    struct slot *head, *tail;
};

enum {
    RUNQUEUE_SHARED = 1, /* others may touch the lists, or the oldest are on offer */
    RUNQUEUE_FRONT = 2,  /* the front place is not empty, or the last turn came from there */
    RUNQUEUE_TURN = 4,   /* the turn is not as it began: see turn_account() and turn_lend() */
    RUNQUEUE_ENDS = 8    /* there may be some among the ends */
};

struct runqueue {
    struct runqueue_list list;  /* owner; lock: under the lock; biased: under the lock unless biased */
    struct runqueue_list front; /* the same: the front place */
    struct runqueue_list ends;  /* the same: processes that end */
    uint32_t length;            /* the same, of all three; (a) as a hint */
    struct lock lock;           /* lock, biased */
    uint32_t mode;              /* (a) RUNQUEUE_SHARED and so on; written by the owner only */
    uint32_t acquisitions;      /* biased: owner, since the queue became shared */
    uint32_t box_length;        /* offer: owner */
    struct slot *box;           /* offer: (a) the chain on offer, NULL: nothing; only the owner fills it */
    struct slot *box_tail;      /* offer: owner; the last slot of the chain it offered */
};

void runqueue_init(struct runqueue *queue);

/* Append to the tail; to the front place; to the ends. */
void runqueue_push(struct runqueue *queue, struct slot *slot);
void runqueue_push_front(struct runqueue *queue, struct slot *slot);
void runqueue_push_end(struct runqueue *queue, struct slot *slot);

/* The next one to run, from the front place if `front` and there is one; NULL: empty. *ret_front: where it was. */
struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front);

/* The next one that ends. NULL: none, or (offer) those that there are were on offer: then runqueue_pop() has them. */
struct slot *runqueue_pop_end(struct runqueue *queue);

/* Let thieves at what is in the queue, where the implementation needs the owner's hand for that. Called while a core
 * looks for work, whenever the queue has changed, and in the IPI handler, for a thief that got nothing. */
void runqueue_publish(struct runqueue *queue);

/* Take the older half of another core's queue, at most RUNQUEUE_STEAL_MAX: a chain through run_next, oldest first,
 * ended by NULL. NULL: nothing, or not now: then an IPI makes the owner publish. */
struct slot *runqueue_steal(struct runqueue *victim);

/* How many are ready there, about. */
static inline uint32_t runqueue_hint(const struct runqueue *queue) {
    return __atomic_load_n(&queue->length, __ATOMIC_RELAXED);
}

/* NULL, or what is wrong. The owner is stopped. */
const char *runqueue_check(struct runqueue *queue);

#endif
