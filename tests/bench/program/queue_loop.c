/* SPDX-License-Identifier: MIT */
/*
 * A run queue of the kernel's in a program that counts instructions: the owner's push and pop.
 *
 * Built once for each implementation of core/runqueue.h, together with its file, and once with QUEUE_BARE: then push
 * and pop are those of the bare list, with its front place and its length, which nobody else may take from. The build
 * gives each a name of its own: QUEUE_LOOP is queue_loop_<queue>, and the queue's functions are renamed likewise
 * (tests/programs/meson.build). queues.c measures the loops.
 */
#include "core/runqueue_list.h"

#include "bench.h"

static struct slot slots[2];

#ifdef QUEUE_BARE
#define CALLED __attribute__((noipa)) /* as those of the other queues, which are in a file of their own */
CALLED void runqueue_init(struct runqueue *queue) {
    *queue = (struct runqueue){0};
}
CALLED void runqueue_push(struct runqueue *queue, struct slot *slot) {
    queue_append(queue, &queue->list, slot);
}
CALLED struct slot *runqueue_pop(struct runqueue *queue, bool front, bool *ret_front) {
    return queue_take(queue, front, ret_front);
}
#endif

bench_loop QUEUE_LOOP;

/* Somebody else is in the queue always; nobody has asked for work. */
void QUEUE_LOOP(struct bench_context *context, uint64_t rounds) {
    static struct runqueue queue;
    struct slot *slot = &slots[0];
    bool front;

    (void)context;
    runqueue_init(&queue);
    runqueue_push(&queue, &slots[1]);
    for (; rounds; rounds--) {
        runqueue_push(&queue, slot);
        slot = runqueue_pop(&queue, true, &front);
    }
}
