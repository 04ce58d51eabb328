/* SPDX-License-Identifier: MIT */
/* How processes end; theory in ipc/end.c. */
#ifndef IPC_END_H
#define IPC_END_H

#include "core/process.h"

/* Begin the end of a process that this core holds (RUN|c or END|c) and that is no longer current. */
void end_begin(struct core *core, struct slot *slot, unsigned reason, uint64_t value, uint64_t pc, uint64_t address);

/* The same for one that is doomed, by the reason of its doom. */
void end_begin_doomed(struct core *core, struct slot *slot);

/* The same for the current process. */
void end_current(struct core *core, unsigned reason, uint64_t value, uint64_t pc, uint64_t address);

/* The process just switched to was doomed before it was acquired: end it. */
void end_doomed(struct core *core);

/* Take one bounded step of the end of a process that this core holds as END|c. */
void end_step(struct core *core, struct slot *slot);

/* Doom the process in `slot`, if it is still of that generation, and end it if no core holds it. */
void end_kill(struct core *core, struct slot *slot, uint64_t generation, unsigned reason);

/* The supervisor lets go of a child: it is ended if it lives, and its slot is free once it has ended. */
void end_abandon(struct core *core, struct slot *slot, uint64_t generation);

/* Some process was doomed while this core held it: end those that now wait. */
void end_collect(struct core *core);

#endif
