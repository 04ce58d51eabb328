/* SPDX-License-Identifier: MIT */
/*
 * The run queue behind a plain lock: the yardstick for the others.
 *
 * Owner and thieves take the same test-and-set lock. Two FIFO lists through slot->run_next: the queue and its front
 * place. `length` counts both.
 */
#include "core/process.h"
#include "core/runqueue.h"

void runqueue_init(struct runqueue *queue) {
    *queue = (struct runqueue){.head = SLOT_NONE, .tail = SLOT_NONE, .front_head = SLOT_NONE, .front_tail = SLOT_NONE};
}

static void append(uint16_t *head, uint16_t *tail, struct slot *slot) {
    slot->run_next = SLOT_NONE;
    if (*tail == SLOT_NONE)
        *head = slot->index;
    else
        machine.slot[*tail].run_next = slot->index;
    *tail = slot->index;
}

static struct slot *take(uint16_t *head, uint16_t *tail) {
    struct slot *slot = &machine.slot[*head];
    *head = slot->run_next;
    if (*head == SLOT_NONE)
        *tail = SLOT_NONE;
    return slot;
}

static void set_length(struct runqueue *queue, uint32_t length) {
    __atomic_store_n(&queue->length, length, __ATOMIC_RELAXED);
}

void runqueue_push(struct runqueue *queue, struct slot *slot) {
    lock_acquire(&queue->lock);
    append(&queue->head, &queue->tail, slot);
    set_length(queue, queue->length + 1);
    lock_release(&queue->lock);
}

void runqueue_push_front(struct runqueue *queue, struct slot *slot) {
    lock_acquire(&queue->lock);
    append(&queue->front_head, &queue->front_tail, slot);
    set_length(queue, queue->length + 1);
    lock_release(&queue->lock);
}

struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front) {
    struct slot *slot = NULL;
    lock_acquire(&queue->lock);
    if (queue->front_head != SLOT_NONE && (front || queue->head == SLOT_NONE)) {
        slot = take(&queue->front_head, &queue->front_tail);
        *ret_front = true;
    } else if (queue->head != SLOT_NONE) {
        slot = take(&queue->head, &queue->tail);
        *ret_front = false;
    }
    if (slot)
        set_length(queue, queue->length - 1);
    lock_release(&queue->lock);
    return slot;
}

void runqueue_publish(struct runqueue *queue) {
    (void)queue; /* what is in the queue is visible */
}

struct slot *runqueue_steal(struct runqueue *victim) {
    if (runqueue_hint(victim) == 0)
        return NULL;
    lock_acquire(&victim->lock);
    uint32_t n = (victim->length + 1) / 2;
    if (n > RUNQUEUE_STEAL_MAX)
        n = RUNQUEUE_STEAL_MAX;
    struct slot *first = NULL, *last = NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct slot *slot = victim->front_head != SLOT_NONE ? take(&victim->front_head, &victim->front_tail)
                                                            : take(&victim->head, &victim->tail);
        slot->run_next = SLOT_NONE;
        if (last)
            last->run_next = slot->index;
        else
            first = slot;
        last = slot;
    }
    set_length(victim, victim->length - n);
    lock_release(&victim->lock);
    return first;
}

const char *runqueue_check(struct runqueue *queue) {
    const char *wrong = NULL;
    uint32_t n = 0;
    lock_acquire(&queue->lock);
    const uint16_t head[2] = {queue->head, queue->front_head}, tail[2] = {queue->tail, queue->front_tail};
    for (unsigned i = 0; i < 2; i++) {
        uint16_t last = SLOT_NONE;
        for (uint16_t s = head[i]; s != SLOT_NONE && n <= queue->length; s = machine.slot[s].run_next) {
            last = s;
            n++;
        }
        if (last != tail[i])
            wrong = "a run queue's tail is not its last element";
    }
    if (n != queue->length)
        wrong = "a run queue's length is not the number of its elements";
    lock_release(&queue->lock);
    return wrong;
}
