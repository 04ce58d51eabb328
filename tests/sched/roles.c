/* SPDX-License-Identifier: MIT */
/*
 * schedtest: what the members of a team do, for ever unless said otherwise.
 *
 *     greedy    system calls that do nothing
 *     yield     yields
 *     short     computes about 50 000 instructions, yields
 *     long      computes about 2 million, yields
 *     nap       computes about 200 000, sleeps 300 us
 *     sleeper   sleeps 1 us at a time
 *     client    calls "server"
 *     relay     answers calls; calls "server" for each
 *     server    answers calls
 *     born      ends at once; its exit status is the time at which it began
 *     brief     computes about 200 million instructions without a system call, ends; its exit status is the time
 *     stuck     computes without a system call
 *     clear     see time.c: tokens spent by block_alloc; ends
 *     slow      see time.c: calls that are far from each other; ends
 *     storm     see storm.c
 *     heir, once, worker, parker, measure   see loan.c
 *     neighbour, hog ...   see neighbour.c
 */
#include "os2/start.h"
#include "os2/string.h"
#include "sched.h"

#define SHORT_WORK 10u /* thousands of rounds */
#define NAP_WORK 40u
#define LONG_WORK 400u
#define BRIEF_WORK 40000u

void compute(unsigned thousands) {
    volatile uint64_t sink = 0;
    for (uint64_t i = 0; i < UINT64_C(1000) * thousands; i++)
        sink += i;
}

static void serve(unsigned next) {
    struct os2_message m = {0};

    os2_receive(0, &m);
    for (;;) {
        struct os2_message further = {.label = m.label};
        struct os2_message answer = {.caller = m.caller};
        if (next && os2_call(next, 0, &further) < 0)
            return;
        os2_reply_receive(0, &answer);
        m = answer;
    }
}

static void work(unsigned thousands) {
    for (;;) {
        compute(thousands);
        os2_yield();
    }
}

/* Sleeps, and computes in between. */
static void doze(uint64_t microseconds_asleep, unsigned thousands) {
    os2_clock(&rate);
    for (;;) {
        struct os2_message m = {.w = {[4] = os2_clock(NULL) + microseconds_asleep * rate / 1000000}};
        os2_receive_from(0, OS2_F_MASK | OS2_F_DEADLINE, &m);
        compute(thousands);
    }
}

int role_main(const char *role, unsigned number) {
    unsigned server = os2_start_handle("server");
    int status;

    (void)number;
    if (role_loan(role, &status) || role_neighbour(role, &status))
        return status;
    if (strcmp(role, "born") == 0)
        os2_exit(os2_clock(NULL));
    if (strcmp(role, "brief") == 0) {
        compute(BRIEF_WORK);
        os2_exit(os2_clock(NULL));
    }
    if (strcmp(role, "storm") == 0)
        return role_storm();
    if (strcmp(role, "clear") == 0)
        return role_clear();
    if (strcmp(role, "slow") == 0)
        return role_slow();
    if (strcmp(role, "short") == 0)
        work(SHORT_WORK);
    if (strcmp(role, "long") == 0)
        work(LONG_WORK);
    if (strcmp(role, "sleeper") == 0)
        doze(1, 0);
    if (strcmp(role, "nap") == 0)
        doze(300, NAP_WORK);
    if (strcmp(role, "server") == 0 || strcmp(role, "relay") == 0)
        serve(server);
    for (;;) {
        struct os2_message m = {0};
        if (strcmp(role, "greedy") == 0)
            for (;;)
                os2_tokens();
        else if (strcmp(role, "yield") == 0)
            for (;;)
                os2_yield();
        else if (strcmp(role, "client") == 0)
            while (os2_call(server, 0, &m) >= 0)
                m = (struct os2_message){0};
        else if (strcmp(role, "stuck") == 0)
            for (;;)
                __asm__ volatile("");
        return 1;
    }
}
