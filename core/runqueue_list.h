/* SPDX-License-Identifier: MIT */
/* The lists that every run queue is made of: for the implementations in core/runqueue_*.c, and for the short ways of
 * core/turn.c through a queue that is its owner's alone. */
#ifndef CORE_RUNQUEUE_LIST_H
#define CORE_RUNQUEUE_LIST_H

#include "core/process.h"

#define RUNQUEUE_EMPTY ((struct runqueue_list){SLOT_NONE, SLOT_NONE})

static inline bool list_empty(const struct runqueue_list *list) {
    return list->head == SLOT_NONE;
}

static inline void list_append(struct runqueue_list *list, struct slot *slot) {
    slot->run_next = SLOT_NONE;
    if (list_empty(list))
        list->head = slot->index;
    else
        machine.slot[list->tail].run_next = slot->index;
    list->tail = slot->index;
}

static inline struct slot *list_take(struct runqueue_list *list) {
    struct slot *slot = &machine.slot[list->head];
    list->head = slot->run_next;
    if (list_empty(list))
        list->tail = SLOT_NONE;
    return slot;
}

static inline void set_length(struct runqueue *queue, uint32_t length) {
    arch_store_relaxed(&queue->length, length);
}

/* The next one of a queue that the caller may touch, or NULL. */
static inline struct slot *queue_take(struct runqueue *queue, bool front, bool *ret_front) {
    struct runqueue_list *list = &queue->list;
    if (!list_empty(&queue->front) && (front || list_empty(list)))
        list = &queue->front;
    if (list_empty(list))
        return NULL;
    *ret_front = list == &queue->front;
    set_length(queue, queue->length - 1);
    return list_take(list);
}

/* The short ways of the owner, where nobody else may touch the lists and nothing is in the front place: the next one or
 * NULL; take it, known as `first`; take it and append another; append one. */
static inline bool queue_own(const struct runqueue *queue) {
    return __atomic_load_n(&queue->mode, __ATOMIC_RELAXED) == 0;
}
static inline struct slot *queue_first(const struct runqueue *queue) {
    return !queue_own(queue) || list_empty(&queue->list) || !list_empty(&queue->front)
               ? NULL
               : &machine.slot[queue->list.head];
}
static inline void queue_take_first(struct runqueue *queue, const struct slot *first) {
    uint16_t next = first->run_next;
    queue->list.head = next;
    if (next == SLOT_NONE)
        queue->list.tail = SLOT_NONE;
    set_length(queue, queue->length - 1);
}
static inline void queue_rotate(struct runqueue *queue, const struct slot *first, struct slot *appended) {
    uint16_t index = appended->index;
    appended->run_next = SLOT_NONE;
    machine.slot[queue->list.tail].run_next = index;
    queue->list.tail = index;
    queue->list.head = first->run_next;
}
static inline void queue_append(struct runqueue *queue, struct runqueue_list *list, struct slot *slot) {
    list_append(list, slot);
    set_length(queue, queue->length + 1);
}

/* How many a thief gets of n. */
static inline uint32_t steal_share(uint32_t n) {
    return (n + 1) / 2 < RUNQUEUE_STEAL_MAX ? (n + 1) / 2 : RUNQUEUE_STEAL_MAX;
}

/* Cut the `n` > 0 oldest off a queue that the caller may touch, the front place first: a chain ended by SLOT_NONE. */
static inline struct slot *queue_split(struct runqueue *queue, uint32_t n, struct slot **ret_last) {
    struct slot *first = list_take(list_empty(&queue->front) ? &queue->list : &queue->front), *last = first;
    for (uint32_t i = 1; i < n; i++) {
        struct slot *slot = list_take(list_empty(&queue->front) ? &queue->list : &queue->front);
        last->run_next = slot->index;
        last = slot;
    }
    last->run_next = SLOT_NONE;
    *ret_last = last;
    return first;
}

/* Elements of a list; more than `most`: it is broken. *ret_last is its last element or SLOT_NONE. */
static inline uint32_t list_count(uint32_t head, uint32_t most, uint32_t *ret_last) {
    uint32_t n = 0;
    *ret_last = SLOT_NONE;
    for (uint32_t s = head; s != SLOT_NONE && n <= most; s = machine.slot[s].run_next) {
        *ret_last = s;
        n++;
    }
    return n;
}

/* NULL, or what is wrong with the lists, which are to hold `length` in all. */
static inline const char *lists_check(const struct runqueue *queue, uint32_t length) {
    uint32_t last, front_last;
    uint32_t n = list_count(queue->list.head, length, &last) + list_count(queue->front.head, length, &front_last);
    if (last != queue->list.tail || front_last != queue->front.tail)
        return "a run queue's tail is not its last element";
    return n != length ? "a run queue's length is not the number of its elements" : NULL;
}

#endif
