/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's tests in the guest: what their files share.
 *
 * A test is a function. It makes a team of processes in roles (roles.c), lets them run, and looks at what the kernel
 * counted meanwhile: turns and tokens of each process, idle time of each core. Where a test needs all processes on one
 * core, it is skipped on more; where it needs several, it is skipped on one.
 */
#ifndef SCHED_H
#define SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os2/abi.h"
#include "os2/call.h"
#include "os2/stream.h"
#include "os2/team.h"
#include "os2/time.h"

struct test {
    const char *text;
    void (*run)(void);
};
struct area {
    const struct test *tests;
    size_t count;
};
#define AREA(area_name, list) const struct area area_name = {list, sizeof(list) / sizeof((list)[0])}
extern const struct area area_share, area_chain, area_loan, area_neighbour, area_spread, area_time, area_storm;

/* A check that fails says so in a comment line; the test goes on. */
bool check_between(const char *file, int line, const char *what, uint64_t got, uint64_t least, uint64_t most);
#define CHECK_BETWEEN(got, least, most) check_between(__FILE__, __LINE__, #got, got, least, most)
#define CHECK_IS(got, wanted)                                                                                          \
    check_between(__FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(wanted), (uint64_t)(wanted))
#define CHECK(x) check_between(__FILE__, __LINE__, #x, (x) ? 1 : 0, 1, 1)
void skip(const char *why);

#define CORES 8u
extern unsigned machine; /* the machine handle, all rights */
extern unsigned cores;   /* that run */
extern uint64_t rate;    /* ticks a second */
extern struct os2_team team;

/* One member more of the team, in a role, not started. Its number, or 0 after a failed check. */
unsigned member(uint64_t quantum);
bool member_start(unsigned number, const char *role);
/* The same for all members in one role. */
bool members(unsigned count, uint64_t quantum, const char *role);

/* What the kernel counted. The processes are looked at one after the other, and with several cores go on meanwhile: who
 * compares two of these numbers counts twice at both ends, so that one's window lies within the other's. */
struct counts {
    uint64_t time;
    uint64_t turns[OS2_TEAM_MAX], tokens[OS2_TEAM_MAX];
    uint64_t core_turns[CORES], idle[CORES], interrupts[CORES], stolen[CORES];
};
void count(struct counts *ret);
/* Lets the team run for a while; what was counted in it. */
void count_for(uint64_t ms, struct counts *ret);

/* Ticks in microseconds. */
uint64_t microseconds(uint64_t ticks);

/* Computes without a system call: so many thousand rounds of a loop, about 5 instructions each. It is work, not time:
 * what one process does while another does a multiple of it is the same on every host. */
void compute(unsigned thousands);

/* What a member does. */
int role_main(const char *role, unsigned number);
int role_storm(void);
int role_clear(void);
int role_slow(void);
/* False: it is none of loan.c's, or neighbour.c's. */
bool role_loan(const char *role, int *ret_status);
bool role_neighbour(const char *role, int *ret_status);

#endif
