/* SPDX-License-Identifier: MIT */
/* Watching for the end of a process; theory in ipc/watch.c. */
#ifndef IPC_WATCH_H
#define IPC_WATCH_H

#include "core/process.h"

/* Set `bits` in the current process when the one in `slot` ends, if that is still of this generation: instead of those
 * that were asked for before; 0: none. OS2_OK, OS2_E_DIED, OS2_E_FULL. */
enum os2_status watch_set(struct process *process, struct slot *slot, uint64_t generation, uint64_t bits);

/* Tell some of those who watch the process in `slot`, which this core holds and which is stale. True: all are told. */
bool watch_tell(struct core *core, struct slot *slot);

/* Withdraw all watches of a process that has made its last system call. */
void watch_withdraw_all(struct process *process);

/* NULL, or what is wrong with the list of those who watch the process in `slot`; nothing moves meanwhile. */
const char *watch_check(const struct slot *slot);

#endif
