/* SPDX-License-Identifier: MIT */
/*
 * Messages: send, receive, call, reply, reply_receive.
 *
 * The kernel stores no message. A sender whose receiver does not wait is linked into the receiver's queue, and its
 * message stays in its own saved registers. Sender and receiver meet on the core of whoever comes second. That core
 * claims the one who waits (core/state.h: a waiting process belongs to no core) and delivers the message. So no message
 * waits for another core, and a call pulls its server to the caller's core.
 *
 * A wait for somebody who may come at any moment always has the same shape. The process's registers are saved, its
 * deadline is armed, its word is published by a swap that is a full fence. Then the core looks a second time for what
 * it could have missed. Who wakes it does the reverse: he stores what it waits for (bits, a place in its queue), makes
 * a full fence, and looks at its word. So at least one of the two sees the other. What the second look finds may only
 * be taken by who wins the word back. Who loses it has been delivered to. A call that is taken at once needs no second
 * look: its server runs here, and answers later.
 *
 * A delivery can turn out to be impossible (ipc/parcel.h). That is found before anything has changed. Then the sender
 * gets the error, and the receiver receives again, as it had asked to.
 */
#include "ipc/message.h"

#include "core/loan.h"
#include "core/state.h"
#include "core/turn.h"
#include "ipc/end.h"
#include "ipc/parcel.h"
#include "ipc/queue.h"
#include "ipc/wait.h"
#include "mm/clamp.h"
#include "mm/fast.h"

/* ---- Delivering to a process that this core holds. ---- */

static __attribute__((noinline)) enum os2_status deliver_parcel(struct process *from, struct process *into) {
    struct parcel parcel;
    enum os2_status status = parcel_check(from, into, &parcel);
    if (status == OS2_OK)
        parcel_deliver(&parcel);
    return status;
}

/* Hand the words of `from` to `into`, and what goes with them; both are held by this core. On failure nothing has
 * changed. */
static inline enum os2_status hand_over(struct process *from, struct process *into) {
    if (!parcel_is_words(from))
        return deliver_parcel(from, into);
    parcel_words(from, into);
    return OS2_OK;
}

/* The same of a message. */
static enum os2_status deliver(struct process *from, struct process *into, bool is_call) {
    enum os2_status status = hand_over(from, into);
    if (status != OS2_OK)
        return status;
    into->reg[OS2_R_CALLER] = is_call ? (uint64_t)from->slot->index << STATE_SEQ_BITS | from->slot->seq : 0;
    into->reg[OS2_R_BADGE] = from->badge;
    into->reg[OS2_R_BITS] = 0;
    return OS2_OK;
}

static bool is_call(const struct process *process) {
    return (process->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK) == OS2_SYS_call;
}

/* A deadline among the arguments, or TIMER_NEVER. */
static uint64_t deadline_of(const struct process *process) {
    return process->reg[OS2_R_CONTROL] & OS2_F_DEADLINE ? process->reg[OS2_R_DEADLINE] : TIMER_NEVER;
}

static void arm(struct core *core, struct slot *slot, uint64_t seq, uint64_t deadline) {
    if (deadline < TIMER_NEVER - machine.boot_time)
        timer_arm(core, slot, seq, deadline + machine.boot_time);
}

/* ---- Receive. ---- */

/* Take pending bits that this receive asks for; 0: none. */
static uint64_t take_bits(struct process *process) {
    struct slot *slot = process->slot;
    if (process->wait.from != SLOT_ANY || !(__atomic_load_n(&slot->note, __ATOMIC_RELAXED) & process->wait.mask))
        return 0;
    lock_acquire(&slot->lock);
    uint64_t bits = slot->note & process->wait.mask;
    note_set(slot, slot->note & ~bits);
    lock_release(&slot->lock);
    return bits;
}

/* Bits taken for a receive that is made again. */
static void return_bits(struct slot *slot, uint64_t bits) {
    lock_acquire(&slot->lock);
    note_set(slot, slot->note | bits);
    lock_release(&slot->lock);
}

/* How many senders that gave up are passed over under one hold of the lock. */
#define GIVEN_UP_MAX 8

/* Claim the oldest sender that this receive accepts: SND -> CLM, unlinked. NULL: there is none, or so many have given
 * up that the rest of the queue was not looked at, or the one it is to be has ended. */
static struct slot *claim_sender(struct core *core, struct process *process, uint64_t *ret_seq) {
    struct slot *slot = process->slot, *found = NULL;
    uint16_t from = process->wait.from;
    lock_acquire(&slot->lock);
    uint32_t i = from == SLOT_ANY ? slot->queue_head : from;
    for (unsigned n = 0; i != SLOT_NONE && !found && n < GIVEN_UP_MAX; n++) {
        struct slot *y = &machine.slot[i];
        i = from == SLOT_ANY ? y->next : SLOT_NONE;
        uint64_t word = slot_word(y);
        /* The word before the generation: then it is that one's, and the exchange hits nobody else. */
        if (from != SLOT_ANY && slot_generation(y) != process->wait.from_life)
            break; /* a stranger in its slot */
        bool mine = state_kind(word) == KIND_SND && state_peer(word) == slot->index;
        if (mine || from == SLOT_ANY) /* else it may be one of the waiters */
            queue_unlink(slot, y);
        if (mine && arch_cas_full(&y->word, word, state(KIND_CLM, core->index, state_seq(word)))) {
            *ret_seq = state_seq(word);
            found = y;
        }
    }
    lock_release(&slot->lock);
    return found;
}

/* Let go of a caller or sender that this core holds as CLM: it waits for the answer of `server`. */
static void publish_caller(struct core *core, struct slot *y, struct slot *server, uint64_t seq) {
    uint64_t word = state(KIND_CAL, server->index, seq);
    arch_store_release(&y->word, word);
    arch_fence(); /* pairs with end_kill(): it sees CAL, or its doom is seen here */
    if (slot_doomed(y) && arch_cas_full(&y->word, word, state(KIND_END, core->index, 0))) {
        queue_leave(y);
        end_begin_doomed(core, y);
    }
}

/* A process that this core holds receives something or waits: the call that it works for, unanswered, only waits from
 * here on. It is held while it is linked, so that whoever ends its wait sees that it is. */
static void park(struct core *core, struct process *process) {
    uint64_t lender = process->lender, seq = lender & STATE_SEQ_MASK;
    struct slot *slot = process->slot, *y = &machine.slot[lender >> STATE_SEQ_BITS];
    process->lender = 0;
    if (!lender || !arch_cas_full(&y->word, process->called_word | seq, state(KIND_CLM, core->index, seq)))
        return;
    queue_link_waiter(slot, y);
    publish_caller(core, y, slot, seq);
}

/* Has the one process this receive waits for ended? */
static bool peer_died(const struct process *process) {
    return slot_is_one(process->wait.from) &&
           slot_generation(&machine.slot[process->wait.from]) != process->wait.from_life;
}

/* Enough for one entry into the kernel: the process makes the rest of its receive as a call of its own. The answer that
 * went before it, if any, has been given. */
static void receive_again(struct process *process) {
    const struct wait *wait = &process->wait;
    uint64_t *reg = process->reg;
    process_clear(process);
    reg[OS2_R_CONTROL] = OS2_SYS_receive | (wait->control & ((uint64_t)OS2_HANDLE_MASK << OS2_HANDLE_SHIFT |
                                                             (uint64_t)OS2_ACCEPT_MASK << OS2_ACCEPT_SHIFT |
                                                             OS2_F_ACCEPT_HANDLE | OS2_F_FROM));
    if (~wait->mask) {
        reg[OS2_R_CONTROL] |= OS2_F_MASK;
        reg[OS2_R_W0] = wait->mask;
    }
    if (wait->deadline != TIMER_NEVER) {
        reg[OS2_R_CONTROL] |= OS2_F_DEADLINE;
        reg[OS2_R_DEADLINE] = wait->deadline;
    }
    arch_context_restart(&process->context);
    wait_over(process);
}

/* The receive takes the message of `y`, which this core has claimed as CLM for it in the wait `seq`. False: it cannot
 * be delivered. Its sender has the error, and the receive is to look again. */
static bool take_message(struct core *core, struct process *process, struct slot *y, uint64_t seq) {
    bool call = is_call(y->process);
    enum os2_status status = deliver(y->process, process, call);
    if (status == OS2_OK && call) {
        loan_take(process, loan_name(y), y->process->lending);
        publish_caller(core, y, process->slot, seq);
    } else {
        wait_finish(y->process, status);
        turn_ready(core, y);
    }
    if (status != OS2_OK)
        return false;
    process->lent = loan_quantum(process, process->slot, process->quantum);
    if (core_runs(core, process))
        turn_lend(core, process->lent);
    return true;
}

/* Neither message nor bits are there: is the receive over nevertheless? Then it has its result. */
static bool over_with_nothing(struct process *process) {
    const struct wait *wait = &process->wait;
    if (peer_died(process))
        wait_finish(process, OS2_E_DIED);
    else if (wait->deadline == 0)
        wait_finish(process, wait->from == SLOT_NOBODY ? OS2_OK : OS2_E_WOULD_WAIT);
    else
        return false;
    return true;
}

/* The second look, once a receive is published: is there by now what it waits for? The process may be another core's,
 * so only the slot is touched. */
static bool missed(const struct slot *slot, uint16_t from, uint64_t from_life) {
    if (from == SLOT_ANY)
        return (__atomic_load_n(&slot->note, __ATOMIC_RELAXED) & slot->mask) || !queue_empty(slot);
    if (from == SLOT_NOBODY)
        return false;
    uint64_t peer = slot_word(&machine.slot[from]);
    return (state_kind(peer) == KIND_SND && state_peer(peer) == slot->index) ||
           slot_generation(&machine.slot[from]) != from_life;
}

/* What became of a receive that was published. */
enum published {
    WAITS,    /* the process is no longer this core's */
    LOOKS,    /* it missed something, and is this core's again: the receive looks again */
    DEADLOCKS /* it closed a circle, and is this core's again, with the error */
};

/* Let the process wait. It comes back with the quantum `lent`, into a turn that may be its own. */
static enum published publish_receive(struct core *core, struct process *process, uint32_t lent) {
    struct slot *slot = process->slot;
    const struct wait *wait = &process->wait;
    uint16_t from = wait->from;
    uint64_t from_life = wait->from_life, seq = wait_begin(slot);
    bool current = core_runs(core, process);
    if (current)
        turn_park(process);
    if (~wait->mask || wait->deadline != TIMER_NEVER)
        seq |= STATE_SEQ_LONG; /* the entry path would leave mask and deadline to the next wait */
    uint64_t word = state(KIND_RCV, from, seq);
    slot->mask = wait->mask;
    slot->wait_life = from_life;
    process->lent = lent;
    if (slot_is_one(from))
        queue_link_waiter(&machine.slot[from], slot);
    arm(core, slot, seq, wait->deadline);
    arch_swap_full(&slot->word, word); /* pairs with the look at the word in message_send() and notify_slot() */
    if (missed(slot, from, from_life)) {
        if (arch_cas_full(&slot->word, word, state(KIND_RUN, core->index, 0))) {
            queue_leave(slot);
            return LOOKS;
        }
    } else if (slot_is_one(from)) {
        enum os2_status status = wait_walk(core, slot, word);
        if (status != OS2_OK) {
            wait_finish(process, status);
            return DEADLOCKS;
        }
    }
    if (current)
        turn_stop(core);
    return WAITS;
}

/* How often one entry tries: each message that cannot be delivered is one try, and so is each second look that finds
 * something. */
#define RECEIVE_TRIES 8

/*
 * Do the receive that process->wait describes, for a process that this core holds, current or not.
 * True: it is over, or to be made again; the registers are as they should be and this core still holds the process.
 * False: the process waits and is no longer this core's.
 */
static bool receive(struct core *core, struct process *process) {
    struct slot *slot = process->slot;
    const struct wait *wait = &process->wait;
    uint32_t lent = process->lent;
    process->blank = NULL;
    for (unsigned tries = 0; tries < RECEIVE_TRIES; tries++) {
        if (!core_runs(core, process))
            process->lent = process->quantum;
        uint64_t bits = take_bits(process), seq = 0;
        struct slot *y = wait->from == SLOT_NOBODY || queue_empty(slot) ? NULL : claim_sender(core, process, &seq);
        if (y || bits || wait->deadline != 0) /* else it is a poll that has found nothing: it goes on with its work */
            park(core, process);
        if (y && !take_message(core, process, y, seq)) {
            return_bits(slot, bits);
            continue;
        }
        if (y || bits) {
            if (!y)
                process_clear(process);
            process->reg[OS2_R_BITS] = bits;
            process->reg[OS2_R_CONTROL] |= bits ? OS2_I_BITS : 0;
            wait_over(process);
            return true;
        }
        if (wait->from == SLOT_ANY && !queue_empty(slot))
            continue; /* behind those that have given up */
        if (over_with_nothing(process))
            return true;
        enum published published = publish_receive(core, process, lent);
        if (published != LOOKS)
            return published == DEADLOCKS;
    }
    receive_again(process);
    return true;
}

/* Read what a receive asks for into process->wait. */
static enum os2_status prepare_receive(struct process *process, uint64_t mask) {
    uint64_t control = process->reg[OS2_R_CONTROL];
    struct wait wait = {.control = control, .mask = mask, .deadline = deadline_of(process), .from = SLOT_ANY};
    if (control & OS2_F_FROM) {
        uint64_t index = control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK;
        const struct handle *h = handle_get(process->handles, index);
        if (index == 0) {
            wait.from = SLOT_NOBODY;
        } else if (!h || handle_kind(h->target) != OS2_HANDLE_INBOX) {
            return OS2_E_HANDLE;
        } else {
            wait.from = (uint16_t)handle_slot(h->target);
            wait.from_life = handle_generation(h->target);
        }
    }
    process->wait = wait;
    return OS2_OK;
}

int message_receive(struct core *core, struct process *process) {
    uint64_t mask = process->reg[OS2_R_CONTROL] & OS2_F_MASK ? process->reg[OS2_R_W0] : ~UINT64_C(0);
    enum os2_status status = prepare_receive(process, mask);
    if (status != OS2_OK)
        return status;
    receive(core, process);
    return TURN_STOPPED;
}

/* ---- Send and call. ---- */

/* Let `t`, which this core has just claimed out of its receive, do that receive again: with what its queue holds. */
static void receive_for(struct core *core, struct slot *t) {
    if (receive(core, t->process))
        turn_ready_lent(core, t, t->process->lent);
}

/* The receiver `t` waited, and this core has claimed it. A call goes on with it, in the same turn. */
static int meet(struct core *core, struct process *x, struct slot *t, uint64_t seq, bool call) {
    struct slot *slot = x->slot;
    queue_leave(t);
    enum os2_status status = deliver(x, t->process, call);
    if (status != OS2_OK) {
        receive_for(core, t);
        return status;
    }
    wait_over(t->process);
    wait_again(t);
    if (!call) {
        turn_ready(core, t);
        return OS2_OK;
    }
    t->process->lender = loan_name(slot); /* what it lends is seen where the turn is spent */
    turn_park(x);
    uint64_t deadline = deadline_of(x);
    if (deadline == 0) {
        /* No answer can be in time: the wait is over before it begins, whenever the timer would come. */
        turn_switch(core, t->process);
        wait_finish(x, OS2_E_TIMEOUT);
        turn_ready(core, slot);
    } else {
        arm(core, slot, seq, deadline);
        turn_switch(core, t->process); /* x's tables are left before x is published */
        arch_store_release(&slot->word, state(KIND_CAL, t->index, seq));
    }
    if (slot_doomed(t))
        end_doomed(core);
    return TURN_STOPPED;
}

/* Wait in the queue of `t`, if that is still of this generation. */
static int queue_up(struct core *core, struct process *x, struct slot *t, uint64_t generation, uint64_t seq) {
    struct slot *slot = x->slot;
    turn_park(x);
    queue_leave(slot);
    x->lending = core->turn_quantum;
    lock_acquire(&t->lock);
    if (slot_generation(t) != generation) {
        lock_release(&t->lock);
        return OS2_E_DIED;
    }
    queue_link(t, slot);
    arm(core, slot, seq, deadline_of(x));
    uint64_t waiting = state(KIND_SND, t->index, seq);
    arch_swap_full(&slot->word, waiting); /* pairs with missed() */
    uint64_t word = slot_word(t);
    bool met = state_accepts(t, word, slot) && arch_cas_full(&t->word, word, state(KIND_RUN, core->index, 0));
    lock_release(&t->lock);
    if (!met) {
        enum os2_status status = wait_walk(core, slot, waiting);
        if (status != OS2_OK)
            return status;
    }
    turn_stop(core);
    if (met) { /* it began to wait meanwhile, and is this core's now: it takes whoever is first in its queue */
        queue_leave(t);
        receive_for(core, t);
    }
    return TURN_STOPPED;
}

int message_send(struct core *core, struct process *x) {
    uint64_t control = x->reg[OS2_R_CONTROL];
    const struct handle *h = handle_get(x->handles, control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
    if (!h || handle_kind(h->target) != OS2_HANDLE_INBOX)
        return OS2_E_HANDLE;
    if (!(handle_rights(h->target) & OS2_RIGHT_SEND))
        return OS2_E_RIGHTS;
    struct slot *slot = x->slot, *t = &machine.slot[handle_slot(h->target)];
    uint64_t generation = handle_generation(h->target);
    if (slot_generation(t) != generation)
        return OS2_E_DIED;
    if (t == slot)
        return OS2_E_DEADLOCK;
    if (!parcel_is_words(x)) {
        struct parcel parcel;
        enum os2_status status = parcel_inspect(x, &parcel);
        if (status != OS2_OK)
            return status;
    }
    x->badge = h->badge;
    x->wait.control = control; /* what the answer may carry */
    uint64_t seq = wait_begin(slot);

    /* The receiver waits: claim it, from the very word that was seen before its generation was. */
    uint64_t word = slot_word(t);
    if (slot_generation(t) != generation)
        return OS2_E_DIED;
    if (state_accepts(t, word, slot) && arch_cas_full(&t->word, word, state(KIND_RUN, core->index, 0)))
        return meet(core, x, t, seq, is_call(x));
    return deadline_of(x) == 0 ? OS2_E_WOULD_WAIT : queue_up(core, x, t, generation, seq);
}

/* ---- Reply. ---- */

/* Answer the call that reg[CALLER] names, if it still waits for this process with that very call. *ret_caller: the
 * caller, which this core then holds and which has its result. */
static enum os2_status answer(struct core *core, struct process *x, struct slot **ret_caller) {
    uint64_t control = x->reg[OS2_R_CONTROL], caller = x->reg[OS2_R_CALLER];
    uint64_t index = caller >> STATE_SEQ_BITS, seq = caller & STATE_SEQ_MASK;
    if (control & OS2_F_FAIL && control & (OS2_F_BLOCK | OS2_F_HANDLE))
        return OS2_E_INVALID;
    uint32_t made = slot_made();
    if (index >= made)
        return OS2_E_NOT_WAITING;
    struct slot *y = &machine.slot[clamp_index(index, made)];
    if (!arch_cas_full(&y->word, state(KIND_CAL, x->slot->index, seq), state(KIND_CLM, core->index, seq)))
        return OS2_E_NOT_WAITING;
    enum os2_status status = hand_over(x, y->process);
    if (status != OS2_OK) {
        publish_caller(core, y, x->slot, seq); /* it waits on */
        return status;
    }
    queue_leave(y);
    struct process *p = y->process;
    p->reg[OS2_R_CALLER] = p->reg[OS2_R_BADGE] = p->reg[OS2_R_BITS] = 0;
    if (control & OS2_F_FAIL)
        p->reg[OS2_R_CONTROL] = (uint64_t)(int64_t)OS2_E_FAILED;
    arch_store_relaxed(&y->word, state(KIND_RUN, core->index, 0));
    wait_again(y);
    *ret_caller = y;
    return OS2_OK;
}

/* A caller that was answered, but not switched to: the turn it gets next is one like this, in which its work was done,
 * and no longer than its own. */
static void ready_caller(struct core *core, struct slot *caller) {
    const struct process *p = caller->process;
    turn_ready_lent(core, caller, core->turn_quantum < p->quantum ? core->turn_quantum : p->quantum);
}

int message_reply(struct core *core, struct process *process) {
    struct slot *caller;
    enum os2_status status = answer(core, process, &caller);
    if (status == OS2_OK) {
        ready_caller(core, caller);
        loan_repay(core, process, process->reg[OS2_R_CALLER]);
    }
    return status;
}

/* The server has answered `caller` (NULL: nobody waited for the answer) and received (`over`) or waits: who goes on? */
static void finish_reply_receive(struct core *core, bool over, struct slot *caller) {
    if (!caller)
        return;
    if (over) {
        ready_caller(core, caller);
        return;
    }
    turn_switch(core, caller->process);
    if (slot_doomed(caller))
        end_doomed(core);
}

int message_reply_receive(struct core *core, struct process *process) {
    struct slot *caller = NULL;
    enum os2_status status = prepare_receive(process, ~UINT64_C(0));
    if (status != OS2_OK)
        return status;
    status = answer(core, process, &caller);
    /* Words that nobody waits for are nobody's loss. What goes with them is the server's, which learns that it
     * stays. */
    if (status != OS2_OK &&
        (status != OS2_E_NOT_WAITING || process->reg[OS2_R_CONTROL] & (OS2_F_BLOCK | OS2_F_HANDLE))) {
        wait_over(process);
        return status;
    }
    finish_reply_receive(core, receive(core, process), caller);
    return TURN_STOPPED;
}

void message_look_again(struct core *core, uint64_t word, struct process *caller) {
    struct process *process = core->current;
    struct slot *slot = process->slot;
    bool over = false;
    if (missed(slot, SLOT_ANY, 0) && arch_cas_full(&slot->word, word, state(KIND_RUN, core->index, 0)))
        over = receive(core, process);
    else
        turn_stop(core);
    finish_reply_receive(core, over, caller ? caller->slot : NULL);
}

/* ---- With a block, on the entry path. ---- */

static uint64_t pass_result(enum fast pass, unsigned order) {
    return pass == FAST_DONE ? OS2_I_MESSAGE | OS2_I_BLOCK | (uint64_t)order << OS2_I_ORDER_SHIFT : 0;
}

/* What is not the most common case, kept out of message_pass() so that this one calls nothing: a block of several
 * leaves, or one whose tables a space has not noted yet. */
static __attribute__((noinline)) uint64_t message_pass_far(struct process *x, struct process *into, uint64_t va,
                                                           unsigned order) {
    unsigned level = paging_level(order);
    enum fast pass = fast_move_many(&x->space, &into->space, va);
    if (pass == FAST_FAR && fast_find_table(&x->space, va, level) && fast_find_table(&into->space, va, level))
        pass = fast_move_many(&x->space, &into->space, va);
    return pass_result(pass, order);
}

uint64_t message_pass(struct process *x, struct process *into, uint64_t va) {
    unsigned limit = into->wait.control >> OS2_ACCEPT_SHIFT & OS2_ACCEPT_MASK, order = 0;
    enum fast pass = fast_move(&x->space, &into->space, va, limit, &order);
    if (__builtin_expect(pass >= FAST_FAR, 0))
        return message_pass_far(x, into, va, order);
    return pass_result(pass, order);
}

void message_pass_undo_call(struct core *core, struct process *into) {
    receive_for(core, into->slot);
}

void message_pass_undo_reply(struct core *core, struct process *into, uint64_t caller) {
    publish_caller(core, into->slot, core->current->slot, caller & STATE_SEQ_MASK);
}
