/* SPDX-License-Identifier: MIT */
/*
 * The short ways of messages: a receive that waits, a call to a server that waits for anyone, and the reply_receive
 * that answers such a call, of words or with a block.
 *
 * This is their protocol, at the very steps at which the ports' assembly makes them (arch/<cpu>/message.S and the
 * receive in entry.S); ipc/message.c has all the other cases. Whose process is looked at here is not held before its
 * claim: see process_none in core/process.h. The simulation runs these functions (tests/sim), with a point at each
 * ordered access where other cores may come in, and so may a port that has none of that assembly: arch/arch.h.
 */
#include "core/loan.h"
#include "core/turn.h"
#include "ipc/parcel.h"
#include "ipc/wait.h"

/* The switch that a plain space needs. */
static void enter(struct core *core, struct process *process) {
    arch_space_switch(core, &process->space.arch);
    arch_store_relaxed(&core->current, process);
}

static bool pending(const struct slot *slot) {
    return arch_load_relaxed(&slot->queue_head) != SLOT_NONE || arch_load_relaxed(&slot->noted);
}

/* From anyone, for ever; C looks who comes next. False: something has come, or the process works for a call. */
static bool receive(struct core *core, struct process *x) {
    struct slot *slot = x->slot;
    if (pending(slot) || loan_stands(x, x->lender))
        return false;
    x->lender = 0;
    x->wait.control = x->reg[OS2_R_CONTROL];
    process_clear(x);
    x->blank = slot;
    core->tokens--;
    turn_park(x);
    uint64_t word = state(KIND_RCV, SLOT_ANY, wait_begin(slot));
    arch_swap_full(&slot->word, word); /* pairs with the looks at the word in message_send() and notify_slot() */
    message_looked_at_late(core, word, NULL);
}

static void hand_over(struct process *into, const struct words *words, uint64_t control, uint64_t caller,
                      uint64_t badge) {
    into->blank = NULL;
    into->reg[OS2_R_CONTROL] = control;
    *words_of(into) = *words;
    into->reg[OS2_R_CALLER] = caller;
    into->reg[OS2_R_BADGE] = badge;
    into->reg[OS2_R_BITS] = 0;
}

static bool call(struct core *core, struct process *x, bool block) {
    uint64_t control = x->reg[OS2_R_CONTROL], info = OS2_I_MESSAGE;
    const struct handle *h = handle_get(x->handles, control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
    if (!h || h->target & HANDLE_NO_SEND)
        return false;
    struct slot *slot = x->slot, *t = &machine.slot[handle_slot(h->target)];
    uint64_t word = slot_word(t);
    if (word >= STATE_SEQ_LONG) /* does not receive from anyone, or not without limits */
        return false;
    if (arch_load_acquire(&t->life) != handle_generation(h->target) << 1)
        return false;
    struct process *into = arch_load_relaxed(&t->process);
    if (!arch_space_plain(core, &into->space.arch) || !arch_cas_full(&t->word, word, core->run_word))
        return false;
    core->tokens--;
    if (block) {
        info = message_pass(x, into, x->reg[OS2_R_BLOCK]);
        if (!info) {
            message_pass_undo_call(core, into);
            core->tokens++;
            return false;
        }
    }
    x->wait.control = control;
    uint64_t seq = ++slot->seq;
    hand_over(into, words_of(x), info, x->caller_word | seq, h->badge);
    into->lender = x->caller_word | seq;
    turn_park(x);
    enter(core, into);                                        /* before x is published: see roots_left() */
    arch_store_release(&slot->word, into->called_word | seq); /* RUN -> CAL: pairs with the claims in ipc/ */
    return true;
}

/* The server waits again, from anyone: nothing of it may be touched from here on. Returns its word. */
static uint64_t publish(struct slot *slot) {
    uint64_t word = ++slot->seq;
    arch_store_release(&slot->word, word); /* RUN -> RCV */
    return word;
}

static bool reply_receive(struct core *core, struct process *x, bool block) {
    uint64_t control = x->reg[OS2_R_CONTROL], caller = x->reg[OS2_R_CALLER], info = OS2_I_MESSAGE;
    if (caller != x->lender || caller & STATE_SEQ_LONG)
        return false;
    struct slot *slot = x->slot, *y = &machine.slot[caller >> STATE_SEQ_BITS];
    uint64_t word = x->called_word | (caller & STATE_SEQ_MASK), published;
    if (slot_word(y) != word)
        return false;
    struct process *client = arch_load_relaxed(&y->process);
    if (!arch_space_plain(core, &client->space.arch))
        return false;
    if (block) {
        if (!arch_cas_full(&y->word, word, core->run_word))
            return false;
        core->tokens--;
        info = message_pass(x, client, x->reg[OS2_R_BLOCK]);
        if (!info) {
            message_pass_undo_reply(core, client, caller);
            core->tokens++;
            return false;
        }
        x->wait.control = control;
        hand_over(client, words_of(x), info, client->caller_word, 0); /* nothing of the server's */
        turn_park(x);
        published = publish(slot); /* only now that its tables are as they will be */
        arch_fence();
    } else {
        core->tokens--;
        x->wait.control = control;
        struct words words = *words_of(x); /* x is another core's once it is published */
        turn_park(x);
        published = publish(slot);
        while (!arch_cas_full(&y->word, word, core->run_word)) { /* the fence between the word and the look below */
            uint64_t seen = slot_word(y);
            bool held = state_kind(seen) == KIND_CLM && state_seq(seen) == state_seq(word);
            if (seen != word && !held)
                message_looked_at_late(core, published, NULL); /* its deadline passed, or it was killed, meanwhile */
            arch_relax(); /* x, woken, receives again elsewhere, and just parks the very call that it answers */
        }
        hand_over(client, &words, info, caller, 0);
    }
    if (pending(slot))
        message_looked_at_late(core, published, client);
    enter(core, client);
    return true;
}

bool short_way(struct core *core) {
    struct process *x = core->current;
    if (core->tokens <= 1)
        return false;
    switch (x->reg[OS2_R_CONTROL] & 0xffff) { /* the number and the flags beside it */
    case OS2_SYS_receive:
        return receive(core, x);
    case OS2_SYS_call:
        return call(core, x, false);
    case OS2_SYS_call | OS2_F_BLOCK:
        return call(core, x, true);
    case OS2_SYS_reply_receive:
        return reply_receive(core, x, false);
    case OS2_SYS_reply_receive | OS2_F_BLOCK:
        return reply_receive(core, x, true);
    default:
        return false;
    }
}
