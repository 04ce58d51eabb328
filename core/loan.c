/* SPDX-License-Identifier: MIT */
/*
 * Loans of quanta: with how many tokens does a server work, whose turn was spent before it answered?
 *
 * A call switches to the server and the turn goes on there, so the server works on its client's tokens. When they are
 * spent, the server's next turn has its client's quantum again, be that smaller or larger than its own. So a chain of
 * calls gets the share of the client that began it, whatever the quanta of its servers are. We say that the client
 * lends its quantum.
 *
 *     A loan lasts while the client waits for the answer to that very call, and no longer than to the server's next
 *     receive. It ends with the answer, with the client's deadline, and with the client's end.
 *
 *     While others wait too, for this server to take or to answer their calls, the server goes on with the largest of
 *     their quanta, the loan and its own. Anybody may make a client of quantum 1; it must not hold up the others.
 *
 * A client that gives up tells nobody, so loans are not counted. A loan has the name of the client's wait: slot and
 * number, as a reply names it. It stands while the slot's word is that very wait: CAL, this server, that number. So a
 * loan ends by itself, and costs a call one store, of `lender`, which the short ways make too.
 *
 * A server that receives while a call is unanswered parks that call (park() in ipc/message.c). A parked call lends
 * nothing any more, since the server may work for anybody. But its client is one of the others who wait.
 *
 * A yield in a turn of the process's own, of its own quantum, changes nothing: the next turn has that quantum too,
 * whoever waits. So the entry path, which makes such yields, need not know of loans. A turn of another quantum begins
 * and ends by the long way only (arch_space_spoil() in core/turn.c).
 *
 * Those who wait to be taken are found in the queue, those who were parked among the waiters (ipc/queue.h), without the
 * lock, and only the first few of each list. A server whom more wait for works with its own quantum at least. That is a
 * hint about slots, which are type-stable. What is read of a process counts only if its slot's word is the same wait
 * for this server before and after: an object whose process has ended may be a program's page by now, with anything in
 * it.
 *
 * Rejected: to let the loan last until the server takes another message. A server that answered by `reply`, or whose
 * client had ended, kept a quantum of 1 or of a million for good.
 */
#include "core/loan.h"

#include "core/turn.h"

/* Looked at in each list. */
#define WAITERS 8u

void loan_take(struct process *process, uint64_t lender, uint32_t quantum) {
    process->lender = process->loan_of = lender;
    process->loan = quantum;
}

/* The largest quantum of those in a list of this process who wait in a state of this kind; 0: nobody does. */
static uint32_t largest_waiting(const struct slot *slot, const uint16_t *head, enum kind kind) {
    uint32_t largest = 0, i = __atomic_load_n(head, __ATOMIC_RELAXED);
    for (unsigned n = 0; i != SLOT_NONE; n++) {
        if (n == WAITERS)
            return largest ? largest : 1;
        const struct slot *y = &machine.slot[i];
        uint64_t word = slot_word(y);
        const uint32_t *quantum = kind == KIND_SND ? &y->process->lending : &y->process->quantum;
        uint32_t lending = __atomic_load_n(quantum, __ATOMIC_RELAXED);
        arch_fence();
        if (state_kind(word) == kind && state_peer(word) == slot->index && slot_word(y) == word)
            largest = lending > largest ? lending : largest;
        i = __atomic_load_n(&y->next, __ATOMIC_RELAXED);
    }
    return largest;
}

uint32_t loan_quantum(struct process *process, const struct slot *turn_slot, uint32_t turn) {
    uint32_t own = process->quantum, quantum = own;
    if (loan_stands(process, process->lender)) {
        /* A call that was taken at once has left only its name: then the turn is still the caller's. */
        if (turn_slot != process->slot || process->loan_of != process->lender)
            loan_take(process, process->lender, turn);
        quantum = process->loan;
    }
    uint32_t others = largest_waiting(process->slot, &process->slot->queue_head, KIND_SND);
    uint32_t parked = largest_waiting(process->slot, &process->slot->waiters, KIND_CAL);
    others = parked > others ? parked : others;
    if (!others)
        return quantum;
    others = others > own ? others : own;
    return others > quantum ? others : quantum;
}

void loan_repay(struct core *core, struct process *process, uint64_t lender) {
    if (process->lender != lender)
        return;
    process->lender = 0;
    const struct slot *slot = process->slot;
    bool alone = (__atomic_load_n(&slot->queue_head, __ATOMIC_RELAXED) |
                  __atomic_load_n(&slot->waiters, __ATOMIC_RELAXED)) == SLOT_NONE;
    if (alone && core->turn_quantum == process->quantum && core->tokens <= process->quantum)
        return; /* as mostly: that is what the rest would come to */
    turn_limit(core, loan_quantum(process, core->turn_slot, core->turn_quantum));
}
