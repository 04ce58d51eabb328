/* SPDX-License-Identifier: MIT */
/*
 * Messages, as system calls ask for them; theory in ipc/message.c. What entry paths ask of it is in arch/arch.h.
 *
 * Each is made by the current process, whose reg[] holds its arguments, and returns a negative status when nothing has
 * changed; OS2_OK; or TURN_STOPPED.
 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include "core/process.h"

int message_receive(struct core *core, struct process *process);
int message_send(struct core *core, struct process *process); /* and call */
int message_reply(struct core *core, struct process *process);
int message_reply_receive(struct core *core, struct process *process);

/* The second look of a receive that an entry path has published as `word`: see message_looked_at_late(). */
void message_look_again(struct core *core, uint64_t word, struct process *caller);

#endif
