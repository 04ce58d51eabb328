/* SPDX-License-Identifier: MIT */
/* Watching for the end of a process; theory in ipc/watch.c. */
#ifndef IPC_WATCH_H
#define IPC_WATCH_H

#include "core/process.h"

/* A node as lists name it: the watcher's slot and its place there; 0: none. */
#define WATCH_PLACE_BITS 8
_Static_assert(WATCHES < 1u << WATCH_PLACE_BITS, "a place and 0");
static inline struct watch *watch_node(uint32_t reference) {
    uint32_t place = reference & ((1u << WATCH_PLACE_BITS) - 1);
    return &machine.slot[reference >> WATCH_PLACE_BITS].process->watch[place - 1];
}

/* Set `bits` in the current process when the one in `slot` ends, if that is still of this generation: instead of those
 * that were asked for before; 0: none. OS2_OK, OS2_E_DIED, OS2_E_FULL. */
enum os2_status watch_set(struct process *process, struct slot *slot, uint64_t generation, uint64_t bits);

/* Tell some of those who watch the process in `slot`, which this core holds and which is stale. True: all are told. */
bool watch_tell(struct core *core, struct slot *slot);

/* Withdraw all watches of a process that has made its last system call. */
void watch_withdraw_all(struct process *process);

#endif
