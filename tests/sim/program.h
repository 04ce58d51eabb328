/* SPDX-License-Identifier: MIT */
/* What the processes of a simulation do. */
#ifndef TESTS_SIM_PROGRAM_H
#define TESTS_SIM_PROGRAM_H

#include "tests/host/host.h"

/* A new machine. `compare`: failed calls are compared with what was before. `crowd`: not more than so many processes
 * live, and they do little but talk to each other; 0: no limit. `blocks`: they do little but pass blocks. `heap_fails`:
 * the heap is made to fail at times; else it never refuses a single page. */
void program_reset(uint64_t seed, bool compare, unsigned crowd, bool blocks, bool heap_fails);

/* Set: half of all calls are yields, so that many are ready. */
extern bool program_yields;

/* The current process of a core makes its next system call, or a fault. */
void program_step(unsigned core);

/* ---- choice.c. After program_reset(), which takes a seed: choices are made of these bytes instead, one for each or as
 * many as it needs. Is one left? After the last all choices are 0. The next choice, from 0 to limit - 1. And where they
 * are bytes, one call in four is changed: a number at some edge, another call, another handle, another flag. ---- */
void program_seed(uint64_t seed);
void program_feed(const uint8_t *bytes, size_t size);
bool program_fed(void);
uint64_t program_below(uint64_t limit);
void program_spoil(uint64_t *reg);

/* ---- counts.c. A core's process is about to make a call; has got back from one; a core has made a step, whatever it
 * was; all cores rest outside the kernel. ---- */
void counts_reset(void);
void counts_call(unsigned core, const struct process *p);
void counts_returned(unsigned core, const struct process *p);
void counts_stepped(unsigned core);
void counts_settled(void);
struct program_counts {
    uint64_t pulled; /* a server that waited on one core runs with a call made on another, there */
    uint64_t met;    /* two that called on different cores wait for one server */
    uint64_t raced;  /* two cores are inside the kernel to call one server */
};
extern struct program_counts program_counts;

/* An interrupt that is let in, or 0. */
unsigned program_interrupt(struct host_random *random);

/* What went wrong in the eyes of a program, or NULL. */
const char *program_complaint(void);

/* The last calls made, and how often each call ended how: for people. */
void program_history(void);
void program_statistics(void);

#endif
