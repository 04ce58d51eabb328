/* SPDX-License-Identifier: MIT */
/*
 * fib: a Fibonacci number by the slow recursion, its branches spread over processes.
 *
 * The calls of the recursion form a tree. The top of it is unfolded here, until a branch is small enough to be a task;
 * the number is the sum over the branches.
 */
#include "os2/pool.h"
#include "os2/stream.h"
#include "os2/team.h"

#define BRANCH 22u
#define PENDING_MAX 64u

struct fib {
    unsigned pending[PENDING_MAX]; /* a stack of arguments still to be unfolded */
    unsigned count;
    uint64_t sum;
};

static uint64_t slow(unsigned n) {
    return n < 2 ? n : slow(n - 1) + slow(n - 2);
}

static bool work(struct os2_task *task) {
    task->w[0] = slow((unsigned)task->w[0]);
    return true;
}

static enum os2_pool_state next(void *context, unsigned worker, bool more, struct os2_task *ret_task) {
    struct fib *fib = context;

    (void)worker;
    if (more || fib->count == 0)
        return OS2_POOL_END;
    while (fib->pending[fib->count - 1] > BRANCH) {
        unsigned n = fib->pending[fib->count - 1];
        fib->pending[fib->count - 1] = n - 2;
        fib->pending[fib->count++] = n - 1;
    }
    ret_task->w[0] = fib->pending[--fib->count];
    return OS2_POOL_TASK;
}

static bool done(void *context, unsigned worker, struct os2_task *result) {
    struct fib *fib = context;

    (void)worker;
    fib->sum += result->w[0];
    return true;
}

int main(int argc, char **argv) {
    static struct fib fib;
    struct os2_pool pool = {.program = "fib", .context = &fib, .next = next, .done = done};
    uint64_t n = 27, before = 0, right = 1;

    if (os2_team_role(argc, argv))
        return os2_pool_work(0, work);
    if (!os2_pool_arguments(argc, argv, 1, 45, &n, &pool.workers))
        return 2;
    fib.pending[fib.count++] = (unsigned)n;
    if (!os2_pool_run(&pool))
        return 1;
    for (uint64_t i = 1; i < n; i++) {
        uint64_t sum = before + right;
        before = right;
        right = sum;
    }
    os2_pool_print(&pool);
    os2_printf("fib(%lu) = %lu%s\n", n, fib.sum, fib.sum == right ? "" : ", which is wrong");
    return fib.sum != right;
}
