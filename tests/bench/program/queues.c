/* SPDX-License-Identifier: MIT */
/*
 * bench: the run queues, the kernel's own files built into this program (queue_loop.c).
 *
 * In the kernel the shortest ways go past these functions: a yield between two processes rotates the list in place, and
 * call and reply touch no queue. So this is what the choice of a queue costs where one is used, not what a switch does.
 */
#include "bench.h"

#define ROUNDS 1000u

bench_loop queue_loop_bare, queue_loop_biased, queue_loop_lock, queue_loop_offer;

static void queue(const char *name, bench_loop *loop, const char *text) {
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted(name))
        return;
    count = bench_measure(loop, &context, ROUNDS);
    bench_result(name, count.mean, &count, text);
}

void bench_queues(void) {
    queue("runqueue_push_pop", BENCH_QUEUE_LOOP,
          "the owner's push to this kernel's queue, which holds another, and its pop; the loop subtracted");
    queue("runqueue_push_pop_biased", queue_loop_biased, "the same with the biased queue");
    queue("runqueue_push_pop_offer", queue_loop_offer, "the same with the queue that has an offer box");
    queue("runqueue_push_pop_lock", queue_loop_lock, "the same with a plain lock");
    queue("runqueue_push_pop_bare", queue_loop_bare, "the same with a bare list that nobody else may take from");
}
