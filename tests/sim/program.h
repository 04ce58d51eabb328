/* SPDX-License-Identifier: MIT */
/* What the processes of a simulation do. */
#ifndef TESTS_SIM_PROGRAM_H
#define TESTS_SIM_PROGRAM_H

#include "tests/host/host.h"

/* A new machine. `compare`: failed calls are compared with what was before. `crowd`: not more than so many processes
 * live, and they do little but talk to each other; 0: no limit. `heap_fails`: the heap is made to fail at times; else
 * it never refuses a single page. */
void program_reset(uint64_t seed, bool compare, unsigned crowd, bool heap_fails);

/* The current process of a core makes its next system call, or a fault. */
void program_step(unsigned core);

/* An interrupt that is let in, or 0. */
unsigned program_interrupt(struct host_random *random);

/* What went wrong in the eyes of a program, or NULL. */
const char *program_complaint(void);

/* The last calls made, and how often each call ended how: for people. */
void program_history(void);
void program_statistics(void);

#endif
