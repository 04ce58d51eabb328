/* SPDX-License-Identifier: MIT */
/* Turns: who has one, and for how long; theory in core/turn.c. */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include "core/runqueue_list.h"
#include "core/steal.h"

/* What a system call comes to that is no status and no number of results: the registers are as they should be, and
 * core->current tells who goes on: the same process, another one that the turn was switched to, or NULL for none. */
#define TURN_STOPPED 100

/* The turn's tokens have been counted: from here on it has spent what core->tokens falls below this. */
static inline void turn_mark(struct core *core, int64_t tokens) {
    core->tokens_marked = tokens;
    queue_mode(&core->shared.queue, 0, RUNQUEUE_TURN);
}

/* Give a process its turn, which this core has taken from its queue. */
static inline void turn_begin(struct core *core, struct slot *slot, struct process *p) {
    core->turns++;
    p->turns++;
    core->turn_slot = slot;
    core->turn_life = slot_life(slot);
    core->turn_quantum = p->lent;
    core->tokens = p->lent;
    if (p->lent == p->quantum)
        queue_mode(&core->shared.queue, RUNQUEUE_TURN, 0);
    else
        turn_mark(core, core->tokens);
}

/* Count what this turn has spent since this was last done, for the process whose turn it is. */
void turn_account(struct core *core);

/* Does the current process work in a turn of its own, of its own quantum, as it began? */
bool turn_is_own(const struct core *core, const struct process *process);

/* What of this core's turn is not counted yet, if it is that process's. */
uint64_t turn_uncounted(const struct core *core, const struct slot *slot);

/* The turn goes on for another client: it is worth that one's quantum to whoever spends it. */
void turn_lend(struct core *core, uint32_t quantum);

/* The same, and the turn goes on with no more tokens than that. */
void turn_limit(struct core *core, uint32_t quantum);

/* The current process is about to be published or queued: its live floating-point state is saved. */
void turn_park(struct process *process);

/* The current process no longer runs; its tables stay in use until the core switches. */
void turn_stop(struct core *core);

/* The turn has no tokens left: whoever runs goes to the tail. */
void turn_spent(struct core *core);

/* Continue the same turn with another process, which this core holds (its word says RUN|c): direct switch. */
void turn_switch(struct core *core, struct process *process);

/* Put a process that this core holds at the tail of this core's queue; or, woken by a device, at its front place. Its
 * next turn has its own quantum, or that one. */
void turn_ready(struct core *core, struct slot *slot);
void turn_ready_front(struct core *core, struct slot *slot);
void turn_ready_lent(struct core *core, struct slot *slot, uint32_t quantum);

/* turn_ready() in few instructions, where nobody else may touch the queue, nor is to be shown what is in it. */
static inline bool turn_ready_plain(const struct core *core) {
    return queue_own(&core->shared.queue) && (!steal_looked_for() || steal_keeps(core, 0));
}
static inline void turn_ready_short(struct core *core, struct slot *slot, struct process *process) {
    struct runqueue *queue = &core->shared.queue;
    process->lent = process->quantum;
    arch_store_release(&slot->word, core->ready_word);
    queue_append(queue, &queue->list, slot);
}

/* Put a process that ends (END|c from here on) behind the others that end on this core: it goes on in its turn. */
void turn_ending(struct core *core, struct slot *slot);

/* This core runs in the kernel's own address space from here on. */
void turn_leave_space(struct core *core);

#endif
