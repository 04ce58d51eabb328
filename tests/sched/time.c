/* SPDX-License-Identifier: MIT */
/* schedtest: time. Sleeping, the watchdog and its tick, and what clearing memory costs. */
#include "sched.h"

#define SLEEPS 20u
#define SLEEP_MS 10u
/* How late may be: where instructions are counted, and where a host may be busy with other things. */
#define SLACK_MS (cores == 1 ? 100u : 60000u)

static void test_sleep(void) {
    uint64_t least = UINT64_MAX, most = 0, total = 0;

    for (unsigned i = 0; i < SLEEPS; i++) {
        uint64_t wanted = os2_deadline_ms(SLEEP_MS), late;
        os2_sleep_ms(SLEEP_MS);
        late = os2_clock(NULL) - wanted;
        if (!CHECK_BETWEEN(late, 0, rate / 1000 * SLACK_MS))
            return;
        least = late < least ? late : least;
        most = late > most ? late : most;
        total += late;
    }
    os2_printf("# sleeps of %u ms end %lu to %lu us late, %lu on average\n", SLEEP_MS, microseconds(least),
               microseconds(most), microseconds(total / SLEEPS));
}

/* A single core that idles takes no tick. (Several also nap, 100 times a second at most.) */
static void test_no_tick(void) {
    struct counts c = {0};

    os2_sleep_ms(100);
    count_for(2000, &c);
    for (unsigned i = 0; i < cores; i++) {
        os2_printf("# core %u: %lu interrupts in 2 s\n", i, c.interrupts[i]);
        CHECK_BETWEEN(c.interrupts[i], 0, cores == 1 ? 5 : 400);
    }
}

static void test_watchdog(void) {
    struct os2_member_plan plan = {.watchdog_ms = 200};
    struct os2_process_end end;
    uint64_t start;
    unsigned number;

    if (!CHECK(os2_team_add(&team, &plan, &number) >= 0) || !member_start(number, "stuck"))
        return;
    start = os2_clock(NULL);
    /* The end bit of an earlier test's member may still come. */
    while (os2_process_end(team.member[number].child.control, 0, &end) < 0) {
        struct os2_message m = {.w = {[4] = os2_deadline_ms(30000)}};
        if (!CHECK_IS(os2_receive(OS2_F_DEADLINE, &m), OS2_OK))
            return;
    }
    team.member[number].runs = false;
    team.running--;
    CHECK_BETWEEN(microseconds(os2_clock(NULL) - start) / 1000, 200, 200 + 200 + SLACK_MS);
    CHECK_IS(end.reason, OS2_END_WATCHDOG);
    CHECK_BETWEEN(end.pc, OS2_PROGRAM_BASE, OS2_PROGRAM_END);
    os2_printf("# ended after %lu ms at pc 0x%lx\n", microseconds(os2_clock(NULL) - start) / 1000, end.pc);
}

#define LONG_MS 1200u
#define LONG_LIMIT_MS 200u   /* and as much again, and the slack, are less than half of that */
#define LONG_QUANTUM 100000u /* more than it makes calls: it could have one turn for all */

/* Makes a call now and then, well within its limit. */
int role_slow(void) {
    uint64_t end = os2_deadline_ms(LONG_MS);
    os2_clock(&rate);
    while (os2_clock(NULL) < end)
        compute(200);
    return 0;
}

/* One such process on each core: this one sleeps a moment, and has its turn when one of theirs ends. */
static void test_long_turn(void) {
    struct os2_member_plan plan = {.watchdog_ms = LONG_LIMIT_MS, .quantum = LONG_QUANTUM};
    uint64_t start, late;
    unsigned number;

    if (cores > 1) { /* a time: only where instructions are counted is it the kernel's alone */
        skip("needs one core");
        return;
    }
    for (unsigned i = 0; i < cores; i++)
        if (!CHECK(os2_team_add(&team, &plan, &number) >= 0) || !member_start(number, "slow"))
            return;
    start = os2_clock(NULL);
    for (late = 0; microseconds(os2_clock(NULL) - start) < LONG_MS * 1000;) {
        uint64_t before = os2_clock(NULL);
        os2_sleep_ms(SLEEP_MS);
        before = os2_clock(NULL) - before;
        late = before > late ? before : late;
    }
    os2_printf("# a sleep of %u ms ends after %lu ms at most\n", SLEEP_MS, microseconds(late) / 1000);
    CHECK_BETWEEN(microseconds(late) / 1000, 0, LONG_LIMIT_MS + 200 + SLACK_MS);
    CHECK(os2_team_join(&team));
}

/* The status: 0, or which order cost something else than a token and one more for each 64 KiB after the first. */
int role_clear(void) {
    static const unsigned cost[] = {[0] = 1, [4] = 1, [5] = 2, [9] = 32, [10] = 64};
    for (unsigned order = 0; order < sizeof(cost) / sizeof(cost[0]); order++) {
        void *block;
        uint64_t before;
        if (!cost[order])
            continue;
        os2_yield(); /* a whole turn */
        before = os2_tokens();
        if (os2_block_alloc(order, &block) < 0)
            return 100 + (int)order;
        if (before - os2_tokens() != cost[order] + 1)
            return (int)order + 1;
        os2_block_free(block);
    }
    return 0;
}

static void test_clear(void) {
    struct os2_member_plan plan = {.pages = 3000, .quantum = 1000};
    unsigned number;

    if (CHECK(os2_team_add(&team, &plan, &number) >= 0) && member_start(number, "clear"))
        CHECK(os2_team_join(&team));
}

/* A child's quantum lies within its creator's. */
static void test_quantum(void) {
    struct os2_process_facts facts;
    struct os2_process_plan plan = {.quota = 100, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS, .name = "never"};
    unsigned control;
    uint64_t id;

    CHECK_IS(os2_process_facts(0, 0, &facts), OS2_OK);
    plan.quantum = facts.quantum + 1;
    CHECK(os2_process_create(&plan, &control, &id) < 0);
    plan.quantum = facts.quantum;
    if (CHECK_IS(os2_process_create(&plan, &control, &id), OS2_OK)) {
        CHECK_IS(os2_process_facts(control, 0, &facts), OS2_OK);
        CHECK_IS(facts.quantum, plan.quantum);
        os2_handle_close(control);
    }
}

static const struct test tests[] = {
    {"a sleep is never too short", test_sleep},
    {"a core that idles has no tick", test_no_tick},
    {"the watchdog ends a process at its own limit and tells where it was", test_watchdog},
    {"a turn that lasts for the watchdog limit ends at the next call", test_long_turn},
    {"block_alloc costs a token for each 64 KiB", test_clear},
    {"no child has a larger quantum than its creator", test_quantum},
};
AREA(area_time, tests);
