/* SPDX-License-Identifier: MIT */
/* How much the kernel does between two instructions of a program; theory in core/breath.c. */
#ifndef CORE_BREATH_H
#define CORE_BREATH_H

#include <stdbool.h>
#include <stdint.h>

struct core;

struct breath {
    uint64_t stretch, breath; /* (i) what these are, in ticks */
    uint64_t began;           /* when the stretch of work began that goes on, or was the last */
    uint64_t left;            /* when it was last left for a program */
    bool working;             /* it has not been left yet */
    bool held;                /* the port takes no interrupt but the timer's, until timers.breath */
    uint8_t let_in;           /* how often, since they were, it is left for a program before they are held again */
};

/* At boot, of a cleared struct core whose timers are made. */
void breath_init(struct core *core);

/* Work is about to be done for which no program has asked at this moment. */
void breath_enter(struct core *core);

/* Has this stretch lasted long enough for a program to be let run before there is more? */
bool breath_enough(const struct core *core);

/* A program goes on, or a core that idled: what comes too soon after a long stretch waits. */
void breath_leave(struct core *core);

/* No process is ready here, so nobody is kept from running; or some that were doomed have had their turns: a stretch
 * begins anew. */
void breath_rest(struct core *core);

/* The timer has fired: is what was held let in again? */
void breath_look(struct core *core, uint64_t now);

#endif
