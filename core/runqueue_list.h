/* SPDX-License-Identifier: MIT */
/* The lists that every run queue is made of: for the implementations of core/runqueue.h. */
#ifndef CORE_RUNQUEUE_LIST_H
#define CORE_RUNQUEUE_LIST_H

#include "core/process.h"

static inline bool list_empty(const struct runqueue_list *list) {
    return !list->head;
}

static inline void list_append(struct runqueue_list *list, struct slot *slot) {
    if (list_empty(list))
        list->head = slot;
    else
        list->tail->run_next = slot;
    list->tail = slot;
}

static inline struct slot *list_take(struct runqueue_list *list) {
    struct slot *slot = list->head;
    list->head = slot == list->tail ? NULL : slot->run_next;
    return slot;
}

static inline void set_length(struct runqueue *queue, uint32_t length) {
    arch_store_relaxed(&queue->length, length);
}

/* The owner: is it its alone? Set and clear bits of its mode. */
static inline bool queue_own(const struct runqueue *queue) {
    return !(__atomic_load_n(&queue->mode, __ATOMIC_RELAXED) & RUNQUEUE_SHARED);
}
static inline void queue_mode(struct runqueue *queue, uint32_t clear, uint32_t set) {
    arch_store_relaxed(&queue->mode, (queue->mode & ~clear) | set);
}

/* The owner: the next one of a queue that it may touch, or NULL. */
static inline struct slot *queue_take(struct runqueue *queue, bool front, bool *ret_front) {
    struct runqueue_list *list = &queue->list;
    if (!list_empty(&queue->front) && (front || list_empty(list)))
        list = &queue->front;
    if (list_empty(list))
        return NULL;
    struct slot *slot = list_take(list);
    *ret_front = list == &queue->front;
    set_length(queue, queue->length - 1);
    if (queue->mode & RUNQUEUE_FRONT)
        queue_mode(queue, RUNQUEUE_FRONT, *ret_front || !list_empty(&queue->front) ? RUNQUEUE_FRONT : 0);
    return slot;
}

static inline void queue_append(struct runqueue *queue, struct runqueue_list *list, struct slot *slot) {
    list_append(list, slot);
    set_length(queue, queue->length + 1);
}

/* The same for those that end. */
static inline struct slot *queue_take_end(struct runqueue *queue) {
    if (list_empty(&queue->ends)) {
        queue_mode(queue, RUNQUEUE_ENDS, 0);
        return NULL;
    }
    set_length(queue, queue->length - 1);
    return list_take(&queue->ends);
}

/* How many a thief gets of n. */
static inline uint32_t steal_share(uint32_t n) {
    return (n + 1) / 2 < RUNQUEUE_STEAL_MAX ? (n + 1) / 2 : RUNQUEUE_STEAL_MAX;
}

/* What a thief takes first. One of them is not empty. */
static inline struct slot *split_one(struct runqueue *queue) {
    return list_take(!list_empty(&queue->front)  ? &queue->front
                     : !list_empty(&queue->list) ? &queue->list
                                                 : &queue->ends);
}

/* Cut the `n` > 0 oldest off a queue that the caller may touch, the front place first, the ends last: a chain ended by
 * NULL. */
static inline struct slot *queue_split(struct runqueue *queue, uint32_t n, struct slot **ret_last) {
    struct slot *first = split_one(queue), *last = first;
    for (uint32_t i = 1; i < n; i++) {
        last->run_next = split_one(queue);
        last = last->run_next;
    }
    last->run_next = NULL;
    *ret_last = last;
    return first;
}

/* Elements of a list from `first` to `last`; more than `most`: it is broken. */
static inline uint32_t list_count(const struct slot *first, const struct slot *last, uint32_t most) {
    uint32_t n = first != NULL;
    for (; first != last && n <= most; first = first->run_next)
        n++;
    return n;
}

/* NULL, or what is wrong with the lists, which are to hold `length` in all. */
static inline const char *lists_check(const struct runqueue *queue, uint32_t length) {
    uint32_t n = 0;
    if (!list_empty(&queue->list))
        n += list_count(queue->list.head, queue->list.tail, length);
    if (!list_empty(&queue->front))
        n += list_count(queue->front.head, queue->front.tail, length);
    if (!list_empty(&queue->ends))
        n += list_count(queue->ends.head, queue->ends.tail, length);
    return n != length ? "a run queue's length is not the number of its elements" : NULL;
}

#endif
