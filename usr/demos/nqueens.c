/* SPDX-License-Identifier: MIT */
/*
 * nqueens: in how many ways n queens can stand on a board of n by n, none attacking another.
 *
 * A task is a board with queens in its first two rows; a worker counts in how many ways the others can be added. A set
 * of columns is a word; those attacked along the two diagonals move by one column with each row.
 */
#include "os2/pool.h"
#include "os2/stream.h"
#include "os2/team.h"

#define QUEENS_MAX 14u

struct queens {
    unsigned n;
    unsigned first, second; /* columns of the next task */
    uint64_t ways;
};

static uint64_t count(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
    uint64_t ways = 0;

    if (columns == all)
        return 1;
    for (uint32_t open = all & ~(columns | left | right); open; open &= open - 1) {
        uint32_t queen = open & -open;
        ways += count(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return ways;
}

static bool work(struct os2_task *task) {
    uint32_t all = (UINT32_C(1) << task->w[0]) - 1;
    uint32_t one = UINT32_C(1) << task->w[1], two = UINT32_C(1) << task->w[2];
    uint32_t left = one << 1, right = one >> 1;

    if (two & (one | left | right))
        task->w[0] = 0;
    else
        task->w[0] = count(all, one | two, (left | two) << 1, (right | two) >> 1);
    return true;
}

static enum os2_pool_state next(void *context, unsigned worker, bool more, struct os2_task *ret_task) {
    struct queens *queens = context;

    (void)worker;
    if (more || queens->first == queens->n)
        return OS2_POOL_END;
    *ret_task = (struct os2_task){.w = {queens->n, queens->first, queens->second}};
    if (++queens->second == queens->n) {
        queens->second = 0;
        queens->first++;
    }
    return OS2_POOL_TASK;
}

static bool done(void *context, unsigned worker, struct os2_task *result) {
    struct queens *queens = context;

    (void)worker;
    queens->ways += result->w[0];
    return true;
}

int main(int argc, char **argv) {
    static const uint32_t right[QUEENS_MAX + 1] = {
        [4] = 2,    [5] = 10,    [6] = 4,      [7] = 40,     [8] = 92,     [9] = 352,
        [10] = 724, [11] = 2680, [12] = 14200, [13] = 73712, [14] = 365596};
    static struct queens queens;
    struct os2_pool pool = {.program = "nqueens", .context = &queens, .next = next, .done = done};
    uint64_t n = 9;

    if (os2_team_role(argc, argv))
        return os2_pool_work(0, work);
    if (!os2_pool_arguments(argc, argv, 4, QUEENS_MAX, &n, &pool.workers))
        return 2;
    queens.n = (unsigned)n;
    if (!os2_pool_run(&pool))
        return 1;
    os2_pool_print(&pool);
    os2_printf("%lu queens: %lu ways%s\n", n, queens.ways, queens.ways == right[n] ? "" : ", which is wrong");
    return queens.ways != right[n];
}
