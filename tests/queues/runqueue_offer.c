/* SPDX-License-Identifier: MIT */
/*
 * The run queue `offer`: a private list, and beside it a box in which work is on offer. Nobody takes a lock.
 *
 * The list is private to the owner, so its push and pop need no atomic read-modify-write and no fence. Beside it there
 * is one shared word, the box: null, or a chain of processes that anyone may take, all at once.
 *
 *     null --publish (owner, store release)--> chain --steal (thief, exchange acquire)--> null
 *                                              chain --pop (owner, exchange)------------> null
 *
 * Only the owner makes the box non-null. So a null that the owner reads is true, without a fence: nobody else can have
 * changed it. A chain is taken whole by one exchange, so there is no ABA and no half-taken state.
 *
 * The owner takes its offer back when it looks for work, and puts it where it was, before the rest: the order is FIFO
 * as if nothing had been offered. What was on offer is the oldest, so thieves get the oldest.
 *
 * Rejected: publishing on every dispatch (7.4 times a bare list, against 1.1 for this); Chase-Lev's deque (5.5, and the
 * owner's end is a stack, not a queue).
 */
#include "core/runqueue_list.h"

void runqueue_init(struct runqueue *queue) {
    *queue = (struct runqueue){0};
}

void runqueue_push(struct runqueue *queue, struct slot *slot) {
    queue_append(queue, &queue->list, slot);
}

void runqueue_push_front(struct runqueue *queue, struct slot *slot) {
    queue_mode(queue, 0, RUNQUEUE_FRONT);
    queue_append(queue, &queue->front, slot);
}

void runqueue_push_end(struct runqueue *queue, struct slot *slot) {
    queue_mode(queue, 0, RUNQUEUE_ENDS);
    queue_append(queue, &queue->ends, slot);
}

struct slot *runqueue_pop_end(struct runqueue *queue) {
    return queue_take_end(queue);
}

/* The owner's offer comes back before the rest, unless a thief has it. Relaxed will do: the owner wrote the chain. */
static void take_back(struct runqueue *queue) {
    struct slot *box = __atomic_exchange_n(&queue->box, NULL, __ATOMIC_RELAXED);
    if (!box) {
        set_length(queue, queue->length - queue->box_length); /* stolen */
        return;
    }
    if (list_empty(&queue->list))
        queue->list.tail = queue->box_tail;
    else
        queue->box_tail->run_next = queue->list.head;
    queue->list.head = box;
}

struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front) {
    if (queue->box_length) {
        take_back(queue);
        queue->box_length = 0;
        queue_mode(queue, RUNQUEUE_SHARED, 0);
    }
    return queue_take(queue, front, ret_front);
}

void runqueue_publish(struct runqueue *queue) {
    struct slot *last;
    if (queue->box_length) {
        if (__atomic_load_n(&queue->box, __ATOMIC_RELAXED))
            return; /* still on offer */
        set_length(queue, queue->length - queue->box_length);
        queue->box_length = 0;
        queue_mode(queue, RUNQUEUE_SHARED, 0);
    }
    uint32_t n = steal_share(queue->length);
    if (!n)
        return;
    struct slot *first = queue_split(queue, n, &last);
    queue->box_tail = last;
    queue->box_length = n;
    queue_mode(queue, 0, RUNQUEUE_SHARED);
    /* Pairs with the exchange in runqueue_steal(): the chain's links and words come first. */
    arch_fence_release();
    arch_store_relaxed(&queue->box, first);
}

struct slot *runqueue_steal(struct runqueue *victim) {
    if (!__atomic_load_n(&victim->box, __ATOMIC_RELAXED))
        return NULL;
    return __atomic_exchange_n(&victim->box, NULL, __ATOMIC_ACQUIRE); /* pairs with runqueue_publish() */
}

const char *runqueue_check(struct runqueue *queue) {
    const struct slot *box = __atomic_load_n(&queue->box, __ATOMIC_RELAXED);
    if (box && !queue->box_length)
        return "a run queue offers what its owner does not know of";
    if (box && list_count(box, queue->box_tail, queue->box_length) != queue->box_length)
        return "a run queue's offer is not the chain that its owner made";
    return lists_check(queue, queue->length - queue->box_length);
}
