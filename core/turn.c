/* SPDX-License-Identifier: MIT */
/*
 * Turns: how long one lasts, whose it is, and what it is worth.
 *
 * A core takes a process from its queue and gives it a turn: as many tokens as its quantum says. Each system call costs
 * one token. The turn ends when the tokens are spent, or when its process waits or ends and nobody goes on in it.
 *
 * A turn may pass through several processes. A client that calls a server does not give up the core: the core switches
 * to the server at once (a direct switch) and the turn goes on there, with the tokens that are left. The server's
 * answer switches back in the same way. So a chain of calls holds one place in a queue, the one of its first client.
 *
 * When the tokens are spent, whoever is current goes to the tail of the queue. If that is a server which works for a
 * client, its next turn has the client's quantum (core/loan.c); else it has its own.
 *
 * The tokens that were spent are counted for the process whose turn it is (slot->spent), not for each process that it
 * passes through. turn_account() counts them, when the turn ends at the latest. What is not counted yet is the
 * difference between the tokens that the turn had when they were last counted and core->tokens.
 *
 * An interrupt does not end a turn: it returns to the same process. The timer's tick, ten times a second while a
 * process runs, only looks whether the process has made a system call since the last tick (sys/interrupt.c).
 *
 * The watchdog ends a process that makes no call for its limit. But a process may make one call just before the limit,
 * again and again: it would keep its turn for limit times quantum, which is months. So the tick also measures the turn.
 * One that has lasted for the limit loses its tokens, and so it ends at the next call.
 */
#include "core/turn.h"

#include "core/loan.h"
#include "core/state.h"

/* How many tokens the turn had when they were last counted. */
static inline int64_t marked(const struct core *core) {
    return core->shared.queue.mode & RUNQUEUE_TURN ? core->tokens_marked : core->turn_quantum;
}

uint64_t turn_uncounted(const struct core *core, const struct slot *slot) {
    return core->turn_slot == slot && life_generation(slot_life(slot)) == life_generation(core->turn_life)
               ? (uint64_t)(marked(core) - core->tokens)
               : 0;
}

void turn_account(struct core *core) {
    struct slot *slot = core->turn_slot;
    __atomic_fetch_add(&slot->spent, turn_uncounted(core, slot), __ATOMIC_RELAXED);
    turn_mark(core, core->tokens);
}

void turn_lend(struct core *core, uint32_t quantum) {
    if (quantum == core->turn_quantum)
        return;
    turn_mark(core, marked(core));
    core->turn_quantum = quantum;
}

void turn_limit(struct core *core, uint32_t quantum) {
    if (core->tokens > quantum) {
        turn_account(core);
        core->tokens = core->tokens_marked = quantum;
    }
    turn_lend(core, quantum);
}

void turn_stop(struct core *core) {
    core->running = false;
}

void turn_park(struct process *process) {
    arch_context_park(&process->context, &process->space.arch);
}

void turn_switch(struct core *core, struct process *process) {
    if (process->last_core != core->index + 1) {
        arch_fence_code(); /* also at its very first turn: its text was written by another process, and on any core */
        process->last_core = core->index + 1;
        /* The entry path takes a turn of this very slot for one of this process. */
        if (core->turn_slot == process->slot && core->turn_life >> 1 != slot_generation(process->slot))
            core->turn_slot = core->slots;
    }
    /* The old tables are left before `current` says so: pairs with roots_left() in ipc/end.c. */
    arch_space_activate(core, &process->space.arch);
    arch_fence_release();
    arch_store_relaxed(&core->current, process);
    core->running = true;
}

bool space_left_elsewhere(const struct space *space) {
    const struct core *here = arch_core();
    for (uint32_t i = 0; i < machine.core_count; i++) {
        const struct process *other = __atomic_load_n(&cores[i]->current, __ATOMIC_ACQUIRE);
        if (cores[i] != here && other && &other->space == space)
            return false;
    }
    return true;
}

void turn_leave_space(struct core *core) {
    core->running = false;
    arch_space_activate(core, NULL);
    arch_fence_release();
    arch_store_relaxed(&core->current, NULL);
}

void turn_spent(struct core *core) {
    struct process *p = core->current;
    turn_park(p);
    turn_stop(core);
    uint32_t quantum = core->yields ? p->quantum : loan_quantum(p, core->turn_slot, core->turn_quantum);
    core->yields = false;
    turn_ready_lent(core, p->slot, quantum);
}

static void make_ready(struct core *core, struct slot *slot, uint32_t quantum, bool front) {
    struct runqueue *queue = &core->shared.queue;
    slot->process->lent = quantum;
    if (quantum != slot->process->quantum)
        arch_space_spoil(&slot->process->space.arch); /* turn_begin() makes a note of it, the entry path would not */
    arch_store_release(&slot->word, core->ready_word);
    /* Where nobody runs, the next dispatch takes one first, and shares the rest. */
    bool offer = core->running && steal_looked_for() && (front || !steal_keeps(core, 0));
    if (front)
        runqueue_push_front(queue, slot);
    else
        runqueue_push(queue, slot);
    if (offer)
        steal_offer(core);
}

void turn_ready(struct core *core, struct slot *slot) {
    make_ready(core, slot, slot->process->quantum, false);
}

void turn_ready_lent(struct core *core, struct slot *slot, uint32_t quantum) {
    make_ready(core, slot, quantum, false);
}

void turn_ready_front(struct core *core, struct slot *slot) {
    make_ready(core, slot, slot->process->quantum, true);
}

void turn_ending(struct core *core, struct slot *slot) {
    if (slot->process != PROCESS_NONE) /* not any more, once only others have to be told */
        arch_space_spoil(&slot->process->space.arch);
    arch_store_release(&slot->word, state(KIND_END, core->index, 0));
    runqueue_push_end(&core->shared.queue, slot);
}

bool turn_is_own(const struct core *core, const struct process *process) {
    return core->turn_slot == process->slot && !(core->shared.queue.mode & RUNQUEUE_TURN);
}
