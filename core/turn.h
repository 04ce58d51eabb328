/* SPDX-License-Identifier: MIT */
/* Turns: who runs next, and for how long; theory in core/turn.c. */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include "core/process.h"

/* Count what this turn has spent since this was last done, for the process whose turn it is. */
void turn_account(struct core *core);

/* The current process is about to be published or queued: its live floating-point state is saved. */
void turn_park(struct process *process);

/* The current process no longer runs; its tables stay in use until the core switches. */
void turn_stop(struct core *core);

/* The entry path's yield: the current process's registers are saved and its token is counted; give the turn to the next
 * one if that needs no more than a switch of tables. Returns the process to run, its space not yet
 * active; NULL: nothing was done. */
struct process *turn_rotate(struct core *core);

/* The same for a receive that waits: the current process is published, and its core has left it. Returns the process to
 * run, its space not yet active; if that needs more than a switch of tables, does not return. */
struct process *turn_next(struct core *core);

/* The turn has no tokens left: whoever runs goes to the tail. */
void turn_spent(struct core *core);

/* Continue the same turn with another process, which this core holds (its word says RUN|c): direct switch. */
void turn_switch(struct core *core, struct process *process);

/* The process just switched to was doomed before it was acquired: end it. */
void turn_end_doomed(struct core *core);

/* Put a process that this core holds at the tail of this core's queue; or, woken by a device, at its front place. */
void turn_ready(struct core *core, struct slot *slot);
void turn_ready_front(struct core *core, struct slot *slot);

/* Put an ending process (END|c) at the tail: its end goes on in its turn. */
void turn_ending(struct core *core, struct slot *slot);

/* The current process has stopped and there is no other to switch to: run the next one, or idle. */
_Noreturn void turn_dispatch(struct core *core);

/* This core runs in the kernel's own address space from here on. */
void turn_leave_space(struct core *core);

#endif
