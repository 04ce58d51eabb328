/* SPDX-License-Identifier: MIT */
/*
 * A team: copies of the running program that work together, each a child in a role of its own.
 *
 *     os2_team_open(&team, "fib");                    the program's image; members are started from it
 *     os2_team_add(&team, &plan, &number);            an empty member, with a handle "supervisor" to this process whose
 *                                                     badge is its number, and end bit `number`
 *     os2_team_link(&team, from, to, "next", badge);  member `from` finds a handle to `to` under that name
 *     os2_team_start(&team, number, "worker");        it runs: argv is the program's name, OS2_TEAM_ROLE and the role
 *     os2_team_ended(&team, m.bits);                  after a receive that took bits
 *     os2_team_close(&team);                          ends who still lives, gives all back
 */
#ifndef OS2_TEAM_H
#define OS2_TEAM_H

#include <stdbool.h>
#include <stdint.h>

#include "os2/spawn.h"

#define OS2_TEAM_MAX 48u
#define OS2_TEAM_ROLE "--role" /* argv[1] of a member; argv[2] is its role, argv[3] its number */
#define OS2_TEAM_BITS ((UINT64_C(1) << OS2_TEAM_MAX) - 1)

struct os2_member {
    struct os2_child child;
    unsigned inbox; /* handle to it, badge 0 */
    bool runs;
    uint64_t value; /* its exit status, once it has ended well */
};

struct os2_team {
    const char *program;
    void *image;
    uint64_t size;
    unsigned count, running;
    bool good;   /* all that have ended have ended by exit, and, unless `values`, with 0 */
    bool values; /* exit statuses are results */
    struct os2_member member[OS2_TEAM_MAX];
};

/* What a member is made with; zeros are the usual. */
struct os2_member_plan {
    uint64_t pages; /* beside the least its program needs */
    uint64_t quantum;
    uint64_t watchdog_ms; /* 0: the default */
};

/* Each says what went wrong on the console, and returns the status. */
int os2_team_open(struct os2_team *team, const char *program);
int os2_team_add(struct os2_team *team, const struct os2_member_plan *plan, unsigned *ret_number);
int os2_team_link(struct os2_team *team, unsigned from, unsigned to, const char *name, uint64_t badge);
int os2_team_start(struct os2_team *team, unsigned number, const char *role);

/* Takes notice of ended members among `bits`. False: one of them did not end well, which has been said. */
bool os2_team_ended(struct os2_team *team, uint64_t bits);

/* Waits until every member has ended. Answers no calls. False: not all ended well. */
bool os2_team_join(struct os2_team *team);

void os2_team_close(struct os2_team *team);

/* In a member: its role, or null in the process that the shell started. */
const char *os2_team_role(int argc, char **argv);
unsigned os2_team_number(int argc, char **argv);

#endif
