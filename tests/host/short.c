/* SPDX-License-Identifier: MIT */
/*
 * The entry path of the host port: what arch/riscv64/entry.S and message.S do, in C and at the same steps, with a point
 * (tests/host/port.h) where another core may come in between: at each ordered access, and before each plain load of
 * what the core does not hold. So the kernel's short ways are simulated too: light calls, message_pass(), and switches
 * by a root alone, whose safety hangs on arch_space_plain().
 */
#include <stdlib.h>
#include <string.h>

#include "core/loan.h"
#include "core/state.h"
#include "core/turn.h"
#include "ipc/notify.h"
#include "ipc/wait.h"
#include "sys/light.h"
#include "tests/host/internal.h"

struct short_counts short_counts;

static void enter(struct core *core, struct process *p) {
    space_switch(core, &p->space.arch);
    arch_store_relaxed(&core->current, p);
}

/* What a slot points to, and whether that is plain here. It is not held: see process_none. */
static struct process *process_of(const struct slot *slot) {
    host_point();
    return slot->process;
}

static bool plain(struct core *core, const struct process *process) {
    host_point();
    return arch_space_plain(core, &process->space.arch);
}

/* LR and SC, as RISC-V's claim of whoever is answered: SC fails where another core came in between. */
static bool store_conditional(uint64_t *word, uint64_t value, uint64_t seen_at) {
    host_point();
    if (host_given_way != seen_at)
        return false;
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    return true;
}

static bool pending(const struct slot *slot) {
    host_point(); /* the moment that counts: another core may come now */
    return slot->queue_head != SLOT_NONE || slot->noted;
}

/* A receive from anyone for ever; C looks who comes next. False: something has come. The ports leave the registers in
 * memory as they were. */
static bool receive(struct core *core, struct process *x, struct slot *blank) {
    if (pending(x->slot) || loan_stands(x, x->lender))
        return false;
    x->lender = 0;
    for (unsigned i = 0; i < 20; i++)
        host_point();
    x->wait.control = x->reg[OS2_R_CONTROL];
    if (blank)
        memset(x->reg, 0, sizeof x->reg);
    x->blank = blank;
    core->tokens--;
    turn_park(x);
    uint64_t word = state(KIND_RCV, SLOT_ANY, wait_begin(x->slot));
    arch_swap_full(&x->slot->word, word);
    short_counts.waits++;
    message_looked_at_late(core, word, NULL);
}

/* The words of a message to whoever gets it; W3 is the block's address where there is one. */
static void hand_over(struct process *into, const struct process *from, uint64_t control, uint64_t caller,
                      uint64_t badge) {
    memcpy(into->reg, from->reg, sizeof into->reg);
    into->blank = NULL;
    into->reg[OS2_R_CONTROL] = control;
    into->reg[OS2_R_CALLER] = caller;
    into->reg[OS2_R_BADGE] = badge;
    into->reg[OS2_R_BITS] = 0;
}

static bool call(struct core *core, struct process *x, bool block) {
    uint64_t control = x->reg[OS2_R_CONTROL], info = OS2_I_MESSAGE;
    const struct handle *h = handle_get(x->handles, control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
    if (!h || handle_kind(h->target) != OS2_HANDLE_INBOX || !(handle_rights(h->target) & OS2_RIGHT_SEND))
        return false;
    struct slot *slot = x->slot, *t = &machine.slot[handle_slot(h->target)];
    uint64_t word = slot_word(t);
    if (word >= STATE_SEQ_LONG) /* does not receive from anyone, or not without limits */
        return false;
    if (arch_load_acquire(&t->life) != handle_generation(h->target) << 1)
        return false;
    struct process *into = process_of(t);
    if (!plain(core, into) || !arch_cas_full(&t->word, word, core->run_word))
        return false;
    core->tokens--;
    if (block) {
        info = message_pass(x, into, x->reg[OS2_R_BLOCK]);
        if (!info) {
            message_pass_undo_call(core, into);
            core->tokens++;
            return false;
        }
        short_counts.blocks++;
    }
    short_counts.calls++;
    x->wait.control = control;
    uint64_t seq = ++slot->seq;
    hand_over(into, x, info, x->caller_word | seq, h->badge);
    into->lender = x->caller_word | seq;
    enter(core, into);
    host_point();
    arch_store_release(&slot->word, into->called_word | seq);
    return true;
}

static bool reply_receive(struct core *core, struct process *x, bool block) {
    uint64_t control = x->reg[OS2_R_CONTROL], caller = x->reg[OS2_R_CALLER], index = caller >> STATE_SEQ_BITS;
    if (caller != x->lender)
        return false;
    struct slot *slot = x->slot, *y = &machine.slot[index];
    uint64_t word = x->called_word | (caller & STATE_SEQ_MASK);
    if (slot_word(y) != word)
        return false;
    struct process *client = process_of(y);
    if (!plain(core, client))
        return false;
    uint64_t info = OS2_I_MESSAGE, seq;
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
        short_counts.blocks++;
        x->wait.control = control;
        seq = ++slot->seq;
        hand_over(client, x, info, client->caller_word, 0);
        arch_store_release(&slot->word, seq);
        arch_fence();
    } else {
        core->tokens--;
        x->wait.control = control;
        seq = ++slot->seq;
        struct process message = *x; /* the registers: x may be another core's from here on */
        arch_store_release(&slot->word, seq);
        for (uint64_t seen_at;; y = &machine.slot[index]) {
            uint64_t seen = slot_word(y);
            seen_at = host_given_way;
            if (seen != word)
                message_looked_at_late(core, seq, NULL);
            if (store_conditional(&y->word, core->run_word, seen_at))
                break;
        }
        hand_over(client, &message, info, caller, 0);
    }
    if (pending(slot))
        message_looked_at_late(core, seq, client);
    short_counts.replies++;
    enter(core, client);
    return true;
}

static bool light(struct core *core, struct process *x, unsigned number) {
    uint64_t *reg = x->reg, a[4];
    memcpy(a, reg, sizeof a);
    memset(reg, 0xa5, OS2_R_COUNT * sizeof *reg); /* nothing of the call is there for the handler */
    core->tokens--;
    struct light result = light_handlers[number](a[0], a[1], a[2], a[3]);
    if (result.status == LIGHT_LONG) {
        core->tokens++;
        return false;
    }
    memset(reg, 0, OS2_R_COUNT * sizeof *reg);
    reg[OS2_R_CONTROL] = (uint64_t)result.status;
    reg[OS2_R_LABEL] = result.label;
    return true;
}

bool short_way(struct core *core, struct slot *blank) {
    struct process *x = core->current;
    if (core->tokens <= 1)
        return false;
    switch (x->reg[OS2_R_CONTROL] & 0xffff) { /* the number and the flags beside it */
    case OS2_SYS_receive:
        return receive(core, x, blank);
    case OS2_SYS_call:
        return call(core, x, false);
    case OS2_SYS_call | OS2_F_BLOCK:
        return call(core, x, true);
    case OS2_SYS_reply_receive:
        return reply_receive(core, x, false);
    case OS2_SYS_reply_receive | OS2_F_BLOCK:
        return reply_receive(core, x, true);
    }
    uint64_t number = x->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK;
    return number < OS2_SYS_COUNT && light_handlers[number] && light(core, x, (unsigned)number);
}
