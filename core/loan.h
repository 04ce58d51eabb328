/* SPDX-License-Identifier: MIT */
/* Whose quantum a server works with; theory in core/loan.c. */
#ifndef CORE_LOAN_H
#define CORE_LOAN_H

#include "core/state.h"

struct core;

/* The name of a wait, as whoever answers it gives it. */
static inline uint64_t loan_name(const struct slot *caller) {
    return (uint64_t)caller->index << STATE_SEQ_BITS | caller->seq;
}

/* Does the wait of this name still stand: for the answer of this process? 0 is no name. */
static inline bool loan_stands(const struct process *process, uint64_t name) {
    return name && slot_word(&machine.slot[name >> STATE_SEQ_BITS]) == (process->called_word | (name & STATE_SEQ_MASK));
}

/* A process that this core holds has taken the call `lender` from its queue, where a turn of this quantum ended. Who
 * takes a call at once, and goes on with the caller's turn, only sets `lender`. */
void loan_take(struct process *process, uint64_t lender, uint32_t quantum);

/* The current process has answered the call `lender` and goes on in the same turn: the loan is over. */
void loan_repay(struct core *core, struct process *process, uint64_t lender);

/* The quantum of the next turn of a process that this core holds. `turn` is that of the turn it works in, which is
 * another's if `turn_slot` is not its own. */
uint32_t loan_quantum(struct process *process, const struct slot *turn_slot, uint32_t turn);

#endif
