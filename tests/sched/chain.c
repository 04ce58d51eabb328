/* SPDX-License-Identifier: MIT */
/*
 * schedtest: turns that travel with calls. A client with a quantum of 10 behind three servers with quanta of 1000 holds
 * one place in the queue, and its share is that of a quantum of 10, wherever it runs.
 */
#include "sched.h"

#define TOKENS 200000u
#define SETTLED 5000u /* tokens of a chain: its three servers have started, each in a turn of 1000 of its own */
#define LONGEST_MS 60000u

/* A client, and three servers behind each other: numbers first to first + 3. */
static bool chain(uint64_t quantum, uint64_t server_quantum) {
    unsigned first = team.count;

    for (unsigned i = 0; i < 4; i++)
        member(i ? server_quantum : quantum);
    for (unsigned i = 0; i < 3; i++)
        if (!CHECK(os2_team_link(&team, first + i, first + i + 1, "server", 0) >= 0))
            return false;
    for (unsigned i = 4; i-- > 0;)
        if (!member_start(first + i, i == 0 ? "client" : i == 3 ? "server" : "relay"))
            return false;
    return true;
}

static uint64_t sum(const uint64_t *of, unsigned first, unsigned number) {
    uint64_t total = 0;
    for (unsigned i = 0; i < number; i++)
        total += of[first + i];
    return total;
}

static void test_share(void) {
    struct counts c = {0};
    uint64_t chained = 0, greedy = 0;

    if (cores > 1) {
        skip("needs one core");
        return;
    }
    if (!chain(10, 1000) || !members(1, 10, "greedy"))
        return;
    os2_sleep_ms(20);
    while (chained + greedy < TOKENS) {
        count_for(40, &c);
        chained += sum(c.tokens, 0, 4);
        greedy += c.tokens[4];
    }
    os2_printf("# of %lu tokens the chain had %lu, the greedy process %lu\n", chained + greedy, chained, greedy);
    CHECK_BETWEEN(chained * 1000 / (chained + greedy), 475, 525);
}

/* With several cores a share is a core's; but no turn may have more tokens than the client's quantum. */
static void test_stolen(void) {
    struct counts before = {0}, first = {0}, last = {0}, after = {0}; /* turns of the outer two, tokens of the inner */
    uint64_t stolen = 0, tokens = 0, turns = 0, limit = os2_deadline_ms(LONGEST_MS);
    unsigned chained = 4 * (cores - 1);

    if (cores < 2) {
        skip("needs several cores");
        return;
    }
    /* All start at this core, and not enough to do for all the time: so other cores look for work, and find it here. */
    for (unsigned i = 0; i < cores - 1; i++)
        if (!chain(10, 1000))
            return;
    if (!members(cores, 10, "nap"))
        return;
    for (unsigned first_of = 0; first_of < chained && os2_clock(NULL) < limit;) {
        os2_sleep_ms(20);
        count(&before);
        while (first_of < chained && sum(before.tokens, first_of, 4) >= SETTLED)
            first_of += 4;
    }
    count(&before);
    count(&first);
    while ((tokens < 1000 || !stolen) && os2_clock(NULL) < limit) {
        os2_sleep_ms(200);
        count(&last);
        count(&after);
        tokens = sum(last.tokens, 0, chained) - sum(first.tokens, 0, chained);
        turns = sum(after.turns, 0, chained) - sum(before.turns, 0, chained);
        stolen = sum(after.stolen, 0, cores) - sum(before.stolen, 0, cores);
    }
    os2_printf("# %lu tokens in %lu turns, %lu processes stolen\n", tokens, turns, stolen);
    CHECK_BETWEEN(stolen, 1, UINT64_MAX);
    CHECK_BETWEEN(tokens, 1000, turns * 10 + chained * 10); /* a turn of each may have been on when we began */
}

/* Call and reply are direct switches: turns begin only because tokens are spent. */
static void test_no_queue(void) {
    struct counts before = {0}, first = {0}, last = {0}, after = {0}; /* tokens of the outer two, turns of the inner */
    unsigned client = member(1000), server = member(1000);
    uint64_t calls = 0, turns = 0, limit = os2_deadline_ms(LONGEST_MS);

    if (!CHECK(os2_team_link(&team, client, server, "server", 0) >= 0) || !member_start(server, "server") ||
        !member_start(client, "client"))
        return;
    os2_sleep_ms(20);
    count(&before);
    count(&first);
    while (calls < 2000 && os2_clock(NULL) < limit) {
        os2_sleep_ms(10);
        count(&last);
        count(&after);
        calls = sum(after.tokens, 0, 2) - sum(before.tokens, 0, 2);
        turns = sum(last.turns, 0, 2) - sum(first.turns, 0, 2);
    }
    os2_printf("# %lu calls and replies in %lu turns\n", calls, turns);
    CHECK_BETWEEN(turns, 0, calls / 1000 + 2);
    CHECK_BETWEEN(calls, 2000, UINT64_MAX);
}

static const struct test tests[] = {
    {"a client of quantum 10 behind three servers of 1000 gets half beside a greedy one of 10", test_share},
    {"a stolen chain keeps its client's quantum", test_stolen},
    {"an uncontended call and reply touch no queue", test_no_queue},
};
AREA(area_chain, tests);
