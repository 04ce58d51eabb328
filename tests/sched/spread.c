/* SPDX-License-Identifier: MIT */
/*
 * schedtest: stealing. Cores of a machine in QEMU are threads of a host that may be busy, so nothing here says how soon
 * something happens (tests/sim/idle.c does), but that it happens, and before what: a core that never looked for work
 * would be idle in every window, and what nobody took would begin after the work that it waits behind.
 */
#include "sched.h"

#define SETTLE_MS 20u
#define WINDOW_MS 100u
#define WINDOWS 300u
/* Thousands of rounds that this process computes while others should be taken from it. A brief member does 40 000. */
#define STUCK_WORK 80000u
#define LATE_WORK 240000u

static bool several_cores(void) {
    if (cores < 2)
        skip("needs several cores");
    return cores > 1;
}

/* Counts windows until one is as it should be, and the next as well: what was found stays so. */
static bool becomes(bool (*good)(const struct counts *, unsigned), unsigned number) {
    struct counts c = {0};
    unsigned in_a_row = 0;

    for (unsigned i = 0; i < WINDOWS && in_a_row < 2; i++) {
        count_for(WINDOW_MS, &c);
        in_a_row = good(&c, number) ? in_a_row + 1 : 0;
    }
    for (unsigned i = 0; in_a_row < 2 && i < cores; i++)
        os2_printf("# core %u: %lu turns, idle for %lu ms of %lu\n", i, c.core_turns[i], microseconds(c.idle[i]) / 1000,
                   microseconds(c.time) / 1000);
    return CHECK(in_a_row == 2);
}

/* As many cores are busy as there are processes. */
static bool all_busy(const struct counts *c, unsigned number) {
    unsigned busy = 0;
    for (unsigned i = 0; i < cores; i++)
        busy += c->idle[i] < c->time / 2;
    return busy >= (number < cores ? number : cores);
}

/* Members 1 to `number` have had turns. */
static bool all_ran(const struct counts *c, unsigned number) {
    unsigned ran = 0;
    for (unsigned i = 1; i <= number; i++)
        ran += c->turns[i] > 0;
    return ran == number;
}

static void fill(unsigned number, const char *role) {
    if (several_cores() && members(number, 100, role))
        becomes(all_busy, number);
}

/* All of one role end up at one core, because the others are stuck; then these are let go. */
static void let_go(unsigned number, const char *role) {
    if (!several_cores() || !members(cores - 1, 100, "stuck") || !members(number, 100, role))
        return;
    os2_sleep_ms(SETTLE_MS);
    for (unsigned i = 0; i < cores - 1; i++)
        os2_process_kill(team.member[i].child.control);
    becomes(all_busy, number);
}

static void test_yield_two(void) {
    fill(2, "yield");
}
static void test_yield_many(void) {
    fill(cores + 1, "yield");
}
static void test_short_two(void) {
    fill(2, "short");
}
static void test_short_many(void) {
    fill(2 * cores, "short");
}
static void test_long_many(void) {
    fill(2 * cores, "long");
}

static void test_let_go_yield(void) {
    let_go(2, "yield");
}
static void test_let_go_short(void) {
    let_go(2, "short");
}
static void test_let_go_many(void) {
    let_go(2 * cores, "long");
}

/* This process makes three ready and then computes without a system call: they must be taken past it. */
static void test_stuck(void) {
    uint64_t start, end, latest = 0;
    unsigned waiting = 3;

    if (!several_cores())
        return;
    team.values = true;
    for (unsigned i = 0; i < waiting; i++)
        member(100);
    os2_sleep_ms(SETTLE_MS); /* the others are idle, deep in their naps */
    start = os2_clock(NULL);
    for (unsigned i = 0; i < waiting; i++)
        if (!member_start(i, "born"))
            return;
    compute(STUCK_WORK);
    end = os2_clock(NULL);
    os2_team_join(&team);
    for (unsigned i = 0; i < waiting; i++) {
        os2_printf("# process %u began after %lu us of %lu\n", i, microseconds(team.member[i].value - start),
                   microseconds(end - start));
        latest = team.member[i].value > latest ? team.member[i].value : latest;
    }
    CHECK_BETWEEN(latest, start, end);
}

/* The other cores are busy when the three become ready, so nobody asks for them; then those fall idle. */
static void test_late_thief(void) {
    uint64_t made, end, freed = 0, latest = 0;

    if (!several_cores() || !members(cores - 1, 100, "brief"))
        return;
    team.values = true;
    for (unsigned i = 0; i < 3; i++)
        member(100);
    os2_sleep_ms(SETTLE_MS);
    for (unsigned i = 0; i < 3; i++)
        if (!member_start(cores - 1 + i, "born"))
            return;
    made = os2_clock(NULL);
    compute(LATE_WORK);
    end = os2_clock(NULL);
    os2_team_join(&team);
    for (unsigned i = 0; i < team.count; i++) {
        uint64_t *last = i < cores - 1 ? &freed : &latest;
        *last = team.member[i].value > *last ? team.member[i].value : *last;
    }
    os2_printf(
        "# after three were made: the last core was free after %ld us, the last of them began after %ld us of %lu\n",
        (int64_t)(freed - made) * 1000 / (int64_t)(rate / 1000),
        (int64_t)(latest - made) * 1000 / (int64_t)(rate / 1000), microseconds(end - made));
    CHECK_BETWEEN(latest, 1, end);
}

/* The same with a member that never makes a call: all that share its queue run on. */
static void test_past_stuck(void) {
    if (several_cores() && members(1, 100, "stuck") && members(4, 100, "yield"))
        becomes(all_ran, 4);
}

static const struct test tests[] = {
    {"two processes that only yield find two cores", test_yield_two},
    {"one process more than cores, all yielding, fill the cores", test_yield_many},
    {"two processes that compute a little at a time find two cores", test_short_two},
    {"twice as many processes as cores, a little at a time, fill the cores", test_short_many},
    {"twice as many processes as cores, longer at a time, fill the cores", test_long_many},
    {"two that yield at one core are found by cores that fall idle", test_let_go_yield},
    {"two that compute a little at a time at one core are found by cores that fall idle", test_let_go_short},
    {"many that compute longer at a time at one core are found by cores that fall idle", test_let_go_many},
    {"what a core made ready runs elsewhere while it computes without a call", test_stuck},
    {"what a core made ready is taken by cores that fall idle later, while it computes without a call",
     test_late_thief},
    {"nobody waits behind a process that never makes a call", test_past_stuck},
};
AREA(area_spread, tests);
