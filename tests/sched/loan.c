/* SPDX-License-Identifier: MIT */
/*
 * schedtest: a server works with its client's quantum, and no longer than that client waits; and a client of a small
 * quantum holds up nobody else who waits for the server. On one core, where instructions are counted.
 */
#include "sched.h"

#include "os2/string.h"

#define QUANTUM 10u
#define LARGE 1000u
#define WINDOW_MS 40u
#define WORK 2000u  /* tokens that a call to a worker costs */
#define MEASURED 5u /* calls */

/* ---- Roles. ---- */

static void spend(unsigned tokens) {
    for (unsigned i = 0; i < tokens; i++)
        os2_tokens();
}

/* Takes one call, and goes on for ever; answers it first, or not. */
static int heir(bool answers) {
    struct os2_message m = {0};

    if (os2_receive(0, &m) < 0)
        return 1;
    if (answers)
        os2_reply(0, &(struct os2_message){.caller = m.caller});
    for (;;)
        os2_tokens();
}

static int once(uint64_t deadline_ms) {
    struct os2_message m = {0};

    if (deadline_ms)
        m.w[4] = os2_clock(&rate) + deadline_ms * rate / 1000;
    os2_call(os2_start_handle("server"), deadline_ms ? OS2_F_DEADLINE : 0, &m);
    return 0;
}

/* Works for each call before it answers. */
static int worker(void) {
    struct os2_message m = {0};

    if (os2_receive(0, &m) < 0)
        return 1;
    for (;;) {
        struct os2_message answer = {.caller = m.caller};
        spend(WORK);
        if (os2_reply_receive(0, &answer) < 0)
            return 1;
        m = answer;
    }
}

/* Answers, then waits: a call of its own for each. */
static int replier(void) {
    for (;;) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0 || os2_reply(0, &m) < 0)
            return 1;
    }
}

/* Lets calls with badge 1 wait until it has worked for one with another. */
static int parker(void) {
    uint64_t parked = 0;

    for (;;) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            return 1;
        if (m.badge == 1) {
            parked = m.caller;
            continue;
        }
        spend(WORK);
        os2_reply(0, &(struct os2_message){.caller = m.caller});
        if (parked)
            os2_reply(0, &(struct os2_message){.caller = parked});
        parked = 0;
    }
}

/* Tells its supervisor how long so many calls took, and ends. */
static int measure(void) {
    unsigned server = os2_start_handle("server");
    uint64_t start = os2_clock(NULL);

    for (unsigned i = 0; i < MEASURED; i++)
        if (os2_call(server, 0, &(struct os2_message){0}) < 0)
            return 1;
    struct os2_message m = {.label = os2_clock(NULL) - start};
    return os2_send(os2_start_handle("supervisor"), 0, &m);
}

bool role_loan(const char *role, int *ret_status) {
    if (strcmp(role, "heir") == 0)
        *ret_status = heir(true);
    else if (strcmp(role, "heir unpaid") == 0)
        *ret_status = heir(false);
    else if (strcmp(role, "once") == 0)
        *ret_status = once(0);
    else if (strcmp(role, "once, soon") == 0)
        *ret_status = once(2);
    else if (strcmp(role, "worker") == 0)
        *ret_status = worker();
    else if (strcmp(role, "replier") == 0)
        *ret_status = replier();
    else if (strcmp(role, "parker") == 0)
        *ret_status = parker();
    else if (strcmp(role, "measure") == 0)
        *ret_status = measure();
    else
        return false;
    return true;
}

/* ---- Tests. ---- */

static bool one_core(void) {
    if (cores > 1)
        skip("needs one core");
    return cores == 1;
}

static bool pair(unsigned client, uint64_t badge, unsigned server) {
    return CHECK(os2_team_link(&team, client, server, "server", badge) >= 0);
}

/* A process of quantum 10 that was called by one of 1000, and another of 10: after the loan they share evenly. */
static void inherit(const char *server_role, const char *client_role, bool kill) {
    struct counts c = {0};
    unsigned server, client, other;

    if (!one_core())
        return;
    server = member(QUANTUM);
    client = member(LARGE);
    other = member(QUANTUM);
    if (!pair(client, 0, server) || !member_start(server, server_role))
        return;
    os2_sleep_ms(5);
    if (!member_start(client, client_role))
        return;
    os2_sleep_ms(5);
    if (kill)
        CHECK(os2_process_kill(team.member[client].child.control) >= 0);
    if (!member_start(other, "greedy"))
        return;
    os2_sleep_ms(5);
    count_for(WINDOW_MS, &c);
    os2_printf("# the server spent %lu tokens, the other process %lu\n", c.tokens[server], c.tokens[other]);
    CHECK_BETWEEN(c.tokens[server] * 1000 / (c.tokens[server] + c.tokens[other]), 475, 525);
}

static void test_answered(void) {
    inherit("heir", "once", false);
}
static void test_timeout(void) {
    inherit("heir unpaid", "once, soon", false);
}
static void test_killed(void) {
    inherit("heir unpaid", "once", true);
}

/* While the client waits, the loan stands, turn after turn. */
static void test_stands(void) {
    struct counts c = {0};
    unsigned server, client, other;

    if (!one_core())
        return;
    server = member(QUANTUM);
    client = member(LARGE);
    other = member(QUANTUM);
    if (!pair(client, 0, server) || !member_start(server, "heir unpaid"))
        return;
    os2_sleep_ms(5);
    if (!member_start(client, "once") || !member_start(other, "greedy"))
        return;
    os2_sleep_ms(5);
    count_for(WINDOW_MS, &c);
    os2_printf("# the server spent %lu tokens, the other process %lu\n", c.tokens[server], c.tokens[other]);
    CHECK_BETWEEN(c.tokens[server], c.tokens[other] * 90, c.tokens[other] * 110);
}

/* A server has no turn of its own where all that it does is in its client's: also its wait after an answer by reply. */
static void test_replies(void) {
    struct counts c = {0};
    unsigned server, client;

    if (!one_core())
        return;
    server = member(LARGE);
    client = member(LARGE);
    if (!pair(client, 0, server) || !member_start(server, "replier"))
        return;
    os2_sleep_ms(5);
    if (!member_start(client, "client"))
        return;
    os2_sleep_ms(5);
    count_for(WINDOW_MS, &c);
    os2_printf("# the server spent %lu tokens, its client %lu\n", c.tokens[server], c.tokens[client]);
    CHECK_BETWEEN(c.tokens[client], 1000, UINT64_MAX);
    CHECK_BETWEEN(c.tokens[server], 0, c.tokens[client] / 100);
}

/* How long a client's calls take beside a greedy process, and another client of the same server. */
static uint64_t time_beside(const char *server_role, uint64_t quantum) {
    uint64_t took = 0;
    unsigned server = member(LARGE), victim = member(LARGE), rival = member(quantum), greedy = member(LARGE);

    if (!pair(victim, 1, server) || !pair(rival, 2, server) || !member_start(server, server_role) ||
        !member_start(greedy, "greedy") || !member_start(rival, "client") || !member_start(victim, "measure"))
        return 0;
    while (!took) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            continue;
        if (m.control & OS2_I_MESSAGE)
            took = m.label;
    }
    os2_team_close(&team);
    CHECK(os2_team_open(&team, "schedtest") >= 0);
    return took;
}

static void compare(const char *server_role) {
    uint64_t beside_large, beside_one;

    if (!one_core())
        return;
    beside_large = time_beside(server_role, LARGE);
    beside_one = time_beside(server_role, 1);
    os2_printf("# %u calls took %lu us beside a client of %u, %lu us beside one of 1\n", MEASURED,
               microseconds(beside_large), LARGE, microseconds(beside_one));
    CHECK_BETWEEN(beside_one, 1, 3 * beside_large);
}

static void test_queued(void) {
    compare("worker");
}
static void test_parked(void) {
    compare("parker");
}

static const struct test tests[] = {
    {"a loan of 1000 stands while the client waits", test_stands},
    {"it ends with the answer", test_answered},
    {"who answers by reply and waits again spends nothing of its own", test_replies},
    {"it ends with the client's deadline", test_timeout},
    {"it ends with the client", test_killed},
    {"a client of quantum 1 does not slow the server for one who waits to be taken", test_queued},
    {"nor for one whose call the server has parked", test_parked},
};
AREA(area_loan, tests);
