/* SPDX-License-Identifier: MIT */
/*
 * Waits: deadlines, and processes that would wait for each other for ever.
 *
 * A deadline's timer names a slot and the number of a wait. When it fires, the slot's word tells what to do. Another
 * number: that wait is over, and the timer is stale. CLM: another core is just changing the wait, so look again soon.
 * A wait of this number: one compare-exchange decides between the timer and whoever else would end it now.
 *
 * A process waits for at most one other, so processes that wait form chains. A deadlock is a chain that comes back to
 * its start. A process first publishes its own wait and then walks the chain. If it comes back to itself it reads every
 * word a second time: a chain that is read once, while others move, can show a circle that never was. Only one whose
 * words are all unchanged is a deadlock. Of several who close one circle at the same moment at least one sees it whole.
 *
 * A receive from one process is a wait for that process too. But where the next one in the chain receives from exactly
 * the one who sends to it, those two are about to meet, and the chain moves on by itself.
 */
#include "ipc/wait.h"

#include "core/state.h"
#include "core/turn.h"
#include "ipc/queue.h"

void wait_finish(struct process *process, int64_t status) {
    process_clear(process);
    process->reg[OS2_R_CONTROL] = (uint64_t)status;
    process->blank = BLANK_BITS;
    wait_over(process);
}

/* The deadline of wait `seq` of `slot` has passed. False: keep the timer's node and ask again later. */
static bool expire(struct core *core, struct slot *slot, uint64_t seq) {
    uint64_t word = slot_word(slot);
    if (state_kind(word) == KIND_CLM && state_seq(word) == seq)
        return false;
    if (!state_waits(word) || state_seq(word) != seq)
        return true;
    if (!arch_cas_full(&slot->word, word, state(KIND_RUN, core->index, 0)))
        return false;
    queue_leave(slot);
    bool sleep = state_kind(word) == KIND_RCV && state_peer(word) == SLOT_NOBODY;
    wait_finish(slot->process, sleep ? OS2_OK : OS2_E_TIMEOUT);
    turn_ready(core, slot);
    return true;
}

/* How many deadlines one entry looks at. The timer is set for those that are left: it fires at once, or after a breath
 * (core/breath.c). */
#define EXPIRE_MAX 4

/* While another core transforms a wait, its node is looked at again after this long. */
#define LOOK_AGAIN_HZ 50000

void wait_expire(struct core *core, uint64_t now) {
    struct slot *slot;
    uint64_t seq;

    for (unsigned looked = 0; looked < EXPIRE_MAX && (slot = timer_due(core, now, &seq)) != NULL; looked++) {
        if (expire(core, slot, seq))
            timer_done(core);
        else
            timer_later(core, now + machine.clock_hz / LOOK_AGAIN_HZ + 1);
    }
}

/* Whom the process in `slot`, seen in this state, waits for; SLOT_NONE: nobody in particular, or one who has ended, so
 * that it is about to be told. */
static uint32_t waits_for(const struct slot *slot, uint64_t word) {
    enum kind kind = state_kind(word);
    uint32_t peer = state_peer(word);
    if (kind == KIND_SND || kind == KIND_CAL)
        return peer;
    if (kind == KIND_RCV && slot_is_one(peer) &&
        __atomic_load_n(&slot->wait_life, __ATOMIC_RELAXED) == slot_generation(&machine.slot[peer]))
        return peer;
    return SLOT_NONE;
}

/* Do two neighbours of a chain meet, so that it moves on by itself? */
static bool meeting(uint32_t from, uint64_t from_word, uint64_t to_word) {
    return state_kind(from_word) == KIND_SND && state_kind(to_word) == KIND_RCV && state_peer(to_word) == from;
}

enum os2_status wait_walk(struct core *core, struct slot *x, uint64_t word) {
    uint16_t chain[OS2_CHAIN_MAX];
    uint64_t seen[OS2_CHAIN_MAX];
    enum os2_status found = OS2_E_CHAIN;
    unsigned n = 0;
    uint32_t at = x->index;
    uint64_t at_word = word;
    while (n < OS2_CHAIN_MAX) {
        chain[n] = (uint16_t)at;
        seen[n++] = at_word;
        uint32_t next = waits_for(&machine.slot[at], at_word);
        if (next == SLOT_NONE)
            return OS2_OK;
        if (next == x->index) {
            if (meeting(at, at_word, word))
                return OS2_OK;
            found = OS2_E_DEADLOCK;
            break;
        }
        uint64_t next_word = slot_word(&machine.slot[next]);
        if (meeting(at, at_word, next_word))
            return OS2_OK;
        at = next;
        at_word = next_word;
    }
    if (found == OS2_E_CHAIN) {
        if (waits_for(&machine.slot[at], at_word) == SLOT_NONE)
            return OS2_OK;
        /* A chain that comes back to its middle is short: those in that circle are just being told so. */
        for (unsigned i = 1; i < n; i++)
            if (chain[i] == at)
                return OS2_OK;
    }
    /* The second pass: a cycle is one only if nothing moved since, and nobody in it is about to end. */
    arch_fence();
    for (unsigned i = 1; i < n; i++)
        if (slot_word(&machine.slot[chain[i]]) != seen[i] || slot_doomed(&machine.slot[chain[i]]))
            return OS2_OK;
    if (!arch_cas_full(&x->word, word, state(KIND_RUN, core->index, 0)))
        return OS2_OK; /* somebody ended the wait */
    queue_leave(x);
    return found;
}
