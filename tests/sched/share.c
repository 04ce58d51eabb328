/* SPDX-License-Identifier: MIT */
/*
 * schedtest: shares of greedy processes. On one core, where the count is exact: this process looks at all of them in
 * one turn of its own, so no turn ends between two looks.
 */
#include "sched.h"

#define WINDOW_MS 60u /* an instruction is a nanosecond: millions of instructions */

static bool one_core(void) {
    if (cores > 1)
        skip("needs one core");
    return cores == 1;
}

static void least_most(const uint64_t *of, unsigned number, uint64_t *least, uint64_t *most) {
    *least = UINT64_MAX;
    *most = 0;
    for (unsigned i = 0; i < number; i++) {
        *least = of[i] < *least ? of[i] : *least;
        *most = of[i] > *most ? of[i] : *most;
    }
}

/* A line for each process. */
static void histogram(const uint64_t *turns, unsigned number) {
    uint64_t least, most;
    char bar[41];

    least_most(turns, number, &least, &most);
    for (unsigned i = 0; i < number; i++) {
        unsigned length = most ? (unsigned)(turns[i] * 40 / most) : 0;
        for (unsigned j = 0; j < 40; j++)
            bar[j] = j < length ? '=' : 0;
        bar[40] = 0;
        os2_printf("# process %2u %6lu turns %s\n", i, turns[i], bar);
    }
}

static void test_equal(void) {
    struct counts c = {0};
    uint64_t least, most;

    if (!one_core() || !members(7, 100, "greedy"))
        return;
    os2_sleep_ms(20);
    count_for(WINDOW_MS, &c);
    histogram(c.turns, 7);
    least_most(c.turns, 7, &least, &most);
    CHECK_BETWEEN(most - least, 0, 1);
    CHECK_BETWEEN(least, 50, UINT64_MAX);
    least_most(c.tokens, 7, &least, &most);
    CHECK_BETWEEN(most - least, 0, 200);
}

static void test_weights(void) {
    static const uint64_t weight[] = {100, 200, 400};
    struct counts c = {0};

    if (!one_core())
        return;
    for (unsigned i = 0; i < 3; i++)
        member(weight[i]);
    for (unsigned i = 0; i < 3; i++)
        if (!member_start(i, "greedy"))
            return;
    os2_sleep_ms(20);
    count_for(WINDOW_MS, &c);
    histogram(c.tokens, 3);
    CHECK_BETWEEN(c.tokens[0], 5000, UINT64_MAX);
    for (unsigned i = 1; i < 3; i++)
        CHECK_BETWEEN(c.tokens[i] * 100 / weight[i], c.tokens[0] - 200, c.tokens[0] + 200);
}

/* A process that sleeps 1 us at a time gets no more turns than one that computes, and fewer tokens. */
static void test_sleeper(void) {
    struct counts c = {0};

    if (!one_core() || !members(2, 100, "greedy") || !members(1, 100, "sleeper"))
        return;
    os2_sleep_ms(20);
    count_for(WINDOW_MS, &c);
    histogram(c.turns, 3);
    CHECK_BETWEEN(c.turns[0], 50, UINT64_MAX);
    CHECK_BETWEEN(c.turns[2], 50, c.turns[0] + 1);
    CHECK_BETWEEN(c.tokens[2], 0, c.tokens[0] / 10);
}

/* Processes that give up their turns lose what is left of them. */
static void test_yield(void) {
    struct counts c = {0};

    if (!one_core() || !members(1, 100, "greedy") || !members(2, 100, "yield"))
        return;
    os2_sleep_ms(20);
    count_for(WINDOW_MS, &c);
    histogram(c.turns, 3);
    CHECK_BETWEEN(c.turns[1], c.turns[0] - 1, c.turns[0] + 1);
    CHECK_BETWEEN(c.turns[2], c.turns[0] - 1, c.turns[0] + 1);
    CHECK_BETWEEN(c.tokens[1], c.turns[1] - 1, c.turns[1] + 1);
}

static const struct test tests[] = {
    {"7 greedy processes get a seventh of the turns each, give or take one turn", test_equal},
    {"quanta of N, 2N and 4N give tokens 1 to 2 to 4", test_weights},
    {"a process that sleeps 1 us at a time gains no turns", test_sleeper},
    {"yielding keeps the place in the queue and loses the rest of the turn", test_yield},
};
AREA(area_share, tests);
