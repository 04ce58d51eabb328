/* SPDX-License-Identifier: MIT */
/*
 * The kernel's run queue, `biased`: a lock that its owner need not take.
 *
 * The owner needs no lock as long as the queue is biased towards it. A thief cannot take it then; it asks, by the IPI
 * that its caller sends, and the owner gives the bias up at its next safe point.
 *
 *     BIASED --publish, with work in the queue (owner, store release)--> SHARED
 *     SHARED --unlock, after 64 acquisitions by the owner (owner, holding the lock)--> BIASED
 *
 * SHARED is a bit of `mode`, BIASED is its absence. Only the owner writes `mode`, so what the owner reads of it is true
 * without a fence. In SHARED both sides take the lock. A thief reads `mode` twice: the second time under the lock, and
 * with acquire. A relaxed second read is a bug that GenMC finds: two thieves then dispatch one process twice, since the
 * one may see the lock free and the mode of before the owner took the queue back.
 *
 * Rejected: a flag by which a thief says that it wants the queue. That a core looks for work is in machine.idle_mask
 * already, and an owner that shares its work as soon as it sees that saves the thief a wait for the answer.
 */
#include "core/runqueue_list.h"

#define REBIAS_AFTER 64

void runqueue_init(struct runqueue *queue) {
    *queue = (struct runqueue){0};
}

/* The owner lets the lock go that it had to take. */
static void disown(struct runqueue *queue) {
    if (++queue->acquisitions >= REBIAS_AFTER)
        queue_mode(queue, RUNQUEUE_SHARED, 0); /* seen by the next thief under the lock */
    lock_release(&queue->lock);
}

/* In functions of their own, so that the way without the lock needs no stack frame. */
static __attribute__((noinline)) void push_locked(struct runqueue *queue, struct runqueue_list *list,
                                                  struct slot *slot) {
    lock_acquire(&queue->lock);
    queue_append(queue, list, slot);
    disown(queue);
}

static __attribute__((noinline)) struct slot *pop_locked(struct runqueue *queue, bool front, bool *ret_front) {
    lock_acquire(&queue->lock);
    struct slot *slot = queue_take(queue, front, ret_front);
    disown(queue);
    return slot;
}

void runqueue_push(struct runqueue *queue, struct slot *slot) {
    if (queue_own(queue))
        queue_append(queue, &queue->list, slot);
    else
        push_locked(queue, &queue->list, slot);
}

void runqueue_push_front(struct runqueue *queue, struct slot *slot) {
    queue_mode(queue, 0, RUNQUEUE_FRONT);
    if (queue_own(queue))
        queue_append(queue, &queue->front, slot);
    else
        push_locked(queue, &queue->front, slot);
}

struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front) {
    return queue_own(queue) ? queue_take(queue, front, ret_front) : pop_locked(queue, front, ret_front);
}

void runqueue_push_end(struct runqueue *queue, struct slot *slot) {
    queue_mode(queue, 0, RUNQUEUE_ENDS);
    if (queue_own(queue))
        queue_append(queue, &queue->ends, slot);
    else
        push_locked(queue, &queue->ends, slot);
}

struct slot *runqueue_pop_end(struct runqueue *queue) {
    if (queue_own(queue))
        return queue_take_end(queue);
    lock_acquire(&queue->lock);
    struct slot *slot = queue_take_end(queue);
    disown(queue);
    return slot;
}

void runqueue_publish(struct runqueue *queue) {
    if (!queue_own(queue) || queue->length == 0)
        return;
    queue->acquisitions = 0;
    /* Pairs with the acquire reads of mode in runqueue_steal(): the list as it is comes first. */
    arch_fence_release();
    queue_mode(queue, 0, RUNQUEUE_SHARED);
}

struct slot *runqueue_steal(struct runqueue *victim) {
    struct slot *first = NULL, *last;
    if (runqueue_hint(victim) == 0 || queue_own(victim))
        return NULL; /* a hint only: the read below decides */
    if (!lock_try(&victim->lock))
        return NULL;
    if (__atomic_load_n(&victim->mode, __ATOMIC_ACQUIRE) & RUNQUEUE_SHARED) {
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
    if (queue_own(queue))
        return lists_check(queue, queue->length);
    lock_acquire(&queue->lock);
    const char *wrong = lists_check(queue, queue->length);
    disown(queue);
    return wrong;
}
