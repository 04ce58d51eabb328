/* SPDX-License-Identifier: MIT */
/* Deadlines of waits, per core; theory in core/timer.c. */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct core;
struct slot;

/* One for each slot and core, in the slot. Only that core touches it. */
struct timer_node {
    uint64_t time;
    uint64_t seq;      /* the wait it belongs to */
    uint32_t position; /* index in the heap + 1; 0: not in it */
};

struct timers {
    uint16_t *heap; /* slots, by time: heap[i] <= heap[2i+1], heap[2i+2] */
    uint32_t count;
    uint64_t tick;   /* when the watchdog looks next; TIMER_NEVER: nothing runs */
    uint64_t nap;    /* when an idle core looks for work again; TIMER_NEVER: not idle */
    uint64_t irq;    /* when interrupt sources that are held come again; TIMER_NEVER: none is */
    uint64_t breath; /* nothing of all this before then; TIMER_NEVER: it is not so. See core/breath.c */
    uint64_t armed;  /* what the hardware is set to */
};

/* Once, with the slots made. */
void timer_init(struct timers *timers);

/* Arm this core's node of `slot` for the wait `seq`. Replaces what it was armed for: an older wait is over. */
void timer_arm(struct core *core, struct slot *slot, uint64_t seq, uint64_t time);

/* Set the hardware to the earliest of deadlines, tick, nap and irq, or to breath. */
void timer_program(struct core *core);

/* The slot of the earliest deadline on this core, and the number of the wait that it was armed for; NULL: none has
 * passed. It is to be taken out, or to come again at a later time. */
struct slot *timer_due(struct core *core, uint64_t now, uint64_t *ret_seq);
void timer_done(struct core *core);
void timer_later(struct core *core, uint64_t time);

#endif
