/* SPDX-License-Identifier: MIT */
/*
 * What core/ asks of ipc/: the calls that go against the order of layers, in one place.
 *
 * Turns, timers and the system calls on processes must be able to end a process, end a wait, and set bits. How that is
 * done is the protocol of the state word, which is ipc/'s.
 */
#ifndef CORE_IPC_H
#define CORE_IPC_H

#include "core/process.h"

/* ipc/notify.c. Set bits of the process in `slot`, if it is still of that generation. A process that waits for any of
 * them becomes ready here: at the tail, or at the front place for a device. OS2_OK, OS2_E_DIED. */
enum os2_status notify_slot(struct core *core, struct slot *slot, uint64_t generation, uint64_t bits, bool front);

/* ipc/message.c. The entry path's reply_receive has published the current process as `word` (a plain receive) and
 * answered `caller` (NULL: it no longer waited), whose registers hold the answer; then it saw that a message or bits
 * may have come meanwhile, or that there is no caller to go on with. */
_Noreturn void message_looked_at_late(struct core *core, uint64_t word, struct process *caller);

/* ipc/message.c. A message with a block, on the entry path: `x` is current, this core has claimed `into`, which waits
 * for the message (call) or the answer (reply) that x's registers hold. The block at `va` moves to it: returns the
 * CONTROL of its result, and the block's address is as it was; 0: it is not that simple, and nothing has changed. */
uint64_t message_pass(struct process *x, struct process *into, uint64_t va);

/* What follows a message_pass() that did nothing: the claim is undone, in the way that suits a receiver or a caller. */
void message_pass_undo_call(struct core *core, struct process *into);
void message_pass_undo_reply(struct core *core, struct process *into, uint64_t caller);

/* ipc/wait.c. The deadline of wait `seq` of `slot` has passed. False: keep the timer's node and ask again later. */
bool wait_expire(struct core *core, struct slot *slot, uint64_t seq);

/* ipc/end.c. */

/* Begin the end of a process that this core holds (RUN|c or END|c) and that is no longer current. */
void end_begin(struct core *core, struct slot *slot, unsigned reason, uint64_t value, uint64_t pc, uint64_t address);

/* Take one bounded step of the end of a process that this core holds as END|c. */
void end_step(struct core *core, struct slot *slot);

/* Doom the process in `slot`, if it is still of that generation, and end it if no core holds it. */
void end_kill(struct core *core, struct slot *slot, uint64_t generation, unsigned reason);

/* The supervisor lets go of a child: it is ended if it lives, and its slot is free once it has ended. */
void end_abandon(struct core *core, struct slot *slot, uint64_t generation);

/* Some process was doomed while this core held it: end those that now wait. */
void end_collect(struct core *core);

#endif
