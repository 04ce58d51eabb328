/* SPDX-License-Identifier: MIT */
/*
 * A pool: one process hands out tasks, a team of others does them. For fork and join.
 *
 * Everything is a call of a worker to its supervisor: it brings the result of its last task and is answered with the
 * next one. A task is three words and at most one block, which moves; so does the block of the result. Nothing says
 * which worker runs where: ready workers are stolen by idle cores.
 *
 * The supervisor's side is two functions. `next` fills in a task for a worker, or says that there is none now (one will
 * come when others are done), or none any more; with `more` set the worker asks in the middle of a task for a further
 * block. `done` takes a result. The worker's side is one function, which turns a task into its result.
 */
#ifndef OS2_POOL_H
#define OS2_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define OS2_POOL_WORKERS_MAX 16u
#define OS2_POOL_WORKERS 4u

struct os2_task {
    uint64_t w[3];
    void *block; /* null: none */
    unsigned order;
};

enum os2_pool_state { OS2_POOL_TASK, OS2_POOL_LATER, OS2_POOL_END };

struct os2_pool {
    const char *program;
    unsigned workers;
    uint64_t pages;  /* for each worker, beside the least */
    unsigned accept; /* blocks up to this order come with results */
    void *context;
    enum os2_pool_state (*next)(void *context, unsigned worker, bool more, struct os2_task *ret_task);
    bool (*done)(void *context, unsigned worker, struct os2_task *result); /* false: wrong, and the pool fails */
    /* Filled in: */
    uint64_t tasks[OS2_POOL_WORKERS_MAX];
    uint64_t cores[OS2_POOL_WORKERS_MAX]; /* a bit for each core that worker was seen on after a task */
    uint64_t elapsed_ns;                  /* from the first task to the last result */
};

/* Runs until `next` says that there is no more and every worker has ended. False: something failed, which was said. */
bool os2_pool_run(struct os2_pool *pool);

/* Prints who did how much, where, and how long it took. */
void os2_pool_print(const struct os2_pool *pool);

/* A worker's life; returns its exit status. The function leaves its result in the task it is given. */
int os2_pool_work(unsigned accept, bool (*work)(struct os2_task *task));

/* In a worker, in the middle of a task: one more block of it. */
bool os2_pool_more(struct os2_task *ret_task);

/* The usual arguments of such a program: [N] [WORKERS]. Says what is wrong with them. */
bool os2_pool_arguments(int argc, char **argv, uint64_t least, uint64_t most, uint64_t *n, unsigned *workers);

#endif
