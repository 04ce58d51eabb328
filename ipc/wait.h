/* SPDX-License-Identifier: MIT */
/* What all waits share: publishing, taking back, cycles; theory in ipc/wait.c. */
#ifndef IPC_WAIT_H
#define IPC_WAIT_H

#include "core/state.h"

/* The counter of wait_begin(), once a wait of it is over, if the entry path has counted far. */
static inline void wait_again(struct slot *slot) {
    slot->seq &= STATE_SEQ_LONG - 1;
}

/* Change the pending bits; the slot's lock is held. */
static inline void note_set(struct slot *slot, uint64_t note) {
    arch_store_relaxed(&slot->note, note);
    arch_store_relaxed(&slot->noted, note != 0);
}

/* A wait is over, and has its result: back to what the entry path relies on. */
static inline void wait_over(struct process *process) {
    process->wait = WAIT_PLAIN(process->wait.control);
    process->slot->mask = ~UINT64_C(0);
}

/* End a wait that this core has just claimed (the word says RUN|c) with a status and no results. */
void wait_finish(struct process *process, int64_t status);

/* End the waits on this core whose deadline has passed: some of them, if there are many. */
void wait_expire(struct core *core, uint64_t now);

/* The current process `x` waits, published as `word`: if it closes a cycle of processes that wait for each other, or a
 * chain that is too long, take it back and return the error; else OS2_OK. After an error this core holds x again. */
enum os2_status wait_walk(struct core *core, struct slot *x, uint64_t word);

#endif
