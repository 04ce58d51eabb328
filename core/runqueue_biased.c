/* SPDX-License-Identifier: MIT */
/*
 * The run queue with a biased lock: the seed's option 2.
 *
 * The owner needs no lock as long as the queue is biased towards it. A thief cannot take it then; it asks, by the IPI
 * that its caller sends, and the owner gives the bias up at its next safe point.
 *
 *     BIASED --publish, with work in the queue (owner, store release)--> SHARED
 *     SHARED --unlock, after 64 acquisitions by the owner (owner, holding the lock)--> BIASED
 *
 * Only the owner writes `mode`, so what the owner reads of it is true without a fence. In SHARED both sides take a
 * test-and-set lock. A thief reads `mode` twice: the second time under the lock, and with acquire. A relaxed second
 * read is a bug that GenMC finds: two thieves then dispatch one process twice, since the one may see the lock free and
 * the mode of before the owner took the queue back.
 *
 * Rejected: a flag by which a thief says that it wants the queue. That a core looks for work is in machine.idle_mask
 * already, and an owner that shares its work as soon as it sees that saves the thief a wait for the answer.
 */
#include "core/runqueue_list.h"

enum { BIASED, SHARED };
#define REBIAS_AFTER 64

void runqueue_init(struct runqueue *queue) {
    *queue = (struct runqueue){.list = RUNQUEUE_EMPTY, .front = RUNQUEUE_EMPTY, .mode = BIASED};
}

/* The owner's lock and unlock. */
static bool own(struct runqueue *queue) {
    if (__atomic_load_n(&queue->mode, __ATOMIC_RELAXED) == BIASED)
        return false;
    lock_acquire(&queue->lock);
    return true;
}

static void disown(struct runqueue *queue, bool locked) {
    if (!locked)
        return;
    if (++queue->acquisitions >= REBIAS_AFTER)
        arch_store_relaxed(&queue->mode, BIASED); /* seen by the next thief under the lock */
    lock_release(&queue->lock);
}

static void push(struct runqueue *queue, struct runqueue_list *list, struct slot *slot) {
    bool locked = own(queue);
    list_append(list, slot);
    set_length(queue, queue->length + 1);
    disown(queue, locked);
}

void runqueue_push(struct runqueue *queue, struct slot *slot) {
    push(queue, &queue->list, slot);
}

void runqueue_push_front(struct runqueue *queue, struct slot *slot) {
    push(queue, &queue->front, slot);
}

struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front) {
    bool locked = own(queue);
    struct slot *slot = queue_take(queue, front, ret_front);
    disown(queue, locked);
    return slot;
}

struct slot *runqueue_first(const struct runqueue *queue) {
    return __atomic_load_n(&queue->mode, __ATOMIC_RELAXED) == BIASED ? queue_first(queue) : NULL;
}

void runqueue_rotate(struct runqueue *queue, struct slot *appended) {
    queue_rotate(queue, appended);
}

void runqueue_publish(struct runqueue *queue) {
    if (__atomic_load_n(&queue->mode, __ATOMIC_RELAXED) != BIASED || queue->length == 0)
        return;
    queue->acquisitions = 0;
    /* Pairs with the acquire reads of mode in runqueue_steal(): the list as it is comes first. */
    arch_fence_release();
    arch_store_relaxed(&queue->mode, SHARED);
}

struct slot *runqueue_steal(struct runqueue *victim) {
    struct slot *first = NULL, *last;
    if (runqueue_hint(victim) == 0 || __atomic_load_n(&victim->mode, __ATOMIC_RELAXED) == BIASED)
        return NULL; /* a hint only: the read below decides */
    if (__atomic_exchange_n(&victim->lock.held, 1, __ATOMIC_ACQUIRE))
        return NULL;
    if (__atomic_load_n(&victim->mode, __ATOMIC_ACQUIRE) == SHARED) {
        uint32_t n = steal_share(victim->length);
        if (n) {
            first = queue_split(victim, n, &last);
            set_length(victim, victim->length - n);
        }
    }
    lock_release(&victim->lock);
    return first;
}

const char *runqueue_check(struct runqueue *queue) {
    bool locked = own(queue);
    const char *wrong = lists_check(queue, queue->length);
    disown(queue, locked);
    return wrong;
}
