/* SPDX-License-Identifier: MIT */
/* The run queue `lock`: a plain lock, which owner and thieves take alike. The yardstick for the others. */
#include "core/runqueue_list.h"

void runqueue_init(struct runqueue *queue) {
    *queue = (struct runqueue){.mode = RUNQUEUE_SHARED};
}

static void push(struct runqueue *queue, struct runqueue_list *list, struct slot *slot) {
    lock_acquire(&queue->lock);
    queue_append(queue, list, slot);
    lock_release(&queue->lock);
}

void runqueue_push(struct runqueue *queue, struct slot *slot) {
    push(queue, &queue->list, slot);
}

void runqueue_push_front(struct runqueue *queue, struct slot *slot) {
    queue_mode(queue, 0, RUNQUEUE_FRONT);
    push(queue, &queue->front, slot);
}

void runqueue_push_end(struct runqueue *queue, struct slot *slot) {
    queue_mode(queue, 0, RUNQUEUE_ENDS);
    push(queue, &queue->ends, slot);
}

struct slot *runqueue_pop_end(struct runqueue *queue) {
    lock_acquire(&queue->lock);
    struct slot *slot = queue_take_end(queue);
    lock_release(&queue->lock);
    return slot;
}

struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front) {
    lock_acquire(&queue->lock);
    struct slot *slot = queue_take(queue, front, ret_front);
    lock_release(&queue->lock);
    return slot;
}

void runqueue_publish(struct runqueue *queue) {
    (void)queue; /* what is in the queue is visible */
}

struct slot *runqueue_steal(struct runqueue *victim) {
    struct slot *first = NULL, *last;
    if (runqueue_hint(victim) == 0)
        return NULL;
    lock_acquire(&victim->lock);
    uint32_t n = steal_share(victim->length);
    if (n) {
        first = queue_split(victim, n, &last);
        set_length(victim, victim->length - n);
    }
    lock_release(&victim->lock);
    return first;
}

const char *runqueue_check(struct runqueue *queue) {
    lock_acquire(&queue->lock);
    const char *wrong = lists_check(queue, queue->length);
    lock_release(&queue->lock);
    return wrong;
}
