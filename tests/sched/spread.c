/* SPDX-License-Identifier: MIT */
/*
 * schedtest: stealing. Cores of a machine in QEMU are threads of a host that may be busy, so an interval that must not
 * be longer than 10 ms is given SLACK_MS more here.
 */
#include "sched.h"

#define IDLE_MS 10u
#define SLACK_MS 240u
#define WINDOW_MS 600u

static bool several_cores(void) {
    if (cores < 2)
        skip("needs several cores");
    return cores > 1;
}

/* As many cores must be busy as there are processes, once they have had the time to be found. */
static void busy_cores(unsigned number) {
    struct counts c = {0};
    unsigned busy = 0;

    os2_sleep_ms(IDLE_MS + SLACK_MS);
    count_for(WINDOW_MS, &c);
    for (unsigned i = 0; i < cores; i++) {
        os2_printf("# core %u: %lu turns, idle for %lu ms of %lu\n", i, c.core_turns[i], microseconds(c.idle[i]) / 1000,
                   microseconds(c.time) / 1000);
        busy += c.idle[i] < c.time / 2;
    }
    CHECK_BETWEEN(busy, number < cores ? number : cores, cores);
}

static void fill(unsigned number, const char *role) {
    if (several_cores() && members(number, 100, role))
        busy_cores(number);
}

/* All of one role end up at one core, because the others are stuck; then these are let go. */
static void let_go(unsigned number, const char *role) {
    if (!several_cores() || !members(cores - 1, 100, "stuck") || !members(number, 100, role))
        return;
    os2_sleep_ms(IDLE_MS + SLACK_MS);
    for (unsigned i = 0; i < cores - 1; i++)
        os2_process_kill(team.member[i].child.control);
    busy_cores(number);
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
    uint64_t start, latest = 0;
    unsigned waiting = 3;

    if (!several_cores())
        return;
    team.values = true;
    spin(rate / 100);
    for (unsigned i = 0; i < waiting; i++)
        member(100);
    os2_sleep_ms(50); /* the others are idle, deep in their naps */
    start = os2_clock(NULL);
    for (unsigned i = 0; i < waiting; i++)
        if (!member_start(i, "born"))
            return;
    spin(rate);
    os2_team_join(&team);
    for (unsigned i = 0; i < waiting; i++) {
        uint64_t waited = team.member[i].value - start;
        os2_printf("# process %u began after %lu us\n", i, microseconds(waited));
        latest = waited > latest ? waited : latest;
    }
    CHECK_BETWEEN(microseconds(latest) / 1000, 0, IDLE_MS + SLACK_MS);
}

/* The other cores are busy when the three become ready, so nobody asks for them; then those fall idle. */
static void test_late_thief(void) {
    uint64_t freed = 0, latest = 0;

    if (!several_cores() || !members(cores - 1, 100, "brief"))
        return;
    team.values = true;
    os2_sleep_ms(50);
    for (unsigned i = 0; i < 3; i++)
        member(100);
    for (unsigned i = 0; i < 3; i++)
        if (!member_start(cores - 1 + i, "born"))
            return;
    spin(3 * rate / 2);
    /* Those that are done wait for this; their ends, which might have called this core, come later. */
    for (unsigned i = 0; i < cores - 1;) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            continue;
        if (m.control & OS2_I_BITS)
            os2_team_ended(&team, m.bits);
        if (m.control & OS2_I_MESSAGE) {
            freed = m.label > freed ? m.label : freed;
            i++;
        }
    }
    os2_team_join(&team);
    for (unsigned i = cores - 1; i < team.count; i++)
        latest = team.member[i].value > latest ? team.member[i].value : latest;
    os2_printf("# the last of three began %ld us after the last core was free\n",
               (int64_t)(latest - freed) * 1000 / (int64_t)(rate / 1000));
    CHECK_BETWEEN(latest, 0, freed + rate / 1000 * (IDLE_MS + SLACK_MS));
}

/* The same with a member that never makes a call: all that share its queue run on. */
static void test_past_stuck(void) {
    struct counts c = {0};

    if (!several_cores() || !members(1, 100, "stuck") || !members(4, 100, "yield"))
        return;
    os2_sleep_ms(IDLE_MS + SLACK_MS);
    for (unsigned round = 0; round < 3; round++) {
        count_for(IDLE_MS + SLACK_MS, &c);
        for (unsigned i = 1; i < 5; i++)
            CHECK_BETWEEN(c.turns[i], 1, UINT64_MAX);
    }
}

static const struct test tests[] = {
    {"two processes that only yield find two cores", test_yield_two},
    {"one process more than cores, all yielding, fill the cores", test_yield_many},
    {"two processes that compute 50 us at a time find two cores", test_short_two},
    {"twice as many processes as cores, 50 us at a time, fill the cores", test_short_many},
    {"twice as many processes as cores, 2 ms at a time, fill the cores", test_long_many},
    {"two that yield at one core are found by cores that fall idle", test_let_go_yield},
    {"two that compute 50 us at a time at one core are found by cores that fall idle", test_let_go_short},
    {"many that compute 2 ms at a time at one core are found by cores that fall idle", test_let_go_many},
    {"what a core made ready runs elsewhere while it computes without a call", test_stuck},
    {"what a core made ready is taken by cores that fall idle later, while it computes without a call",
     test_late_thief},
    {"nobody waits behind a process that never makes a call", test_past_stuck},
};
AREA(area_spread, tests);
