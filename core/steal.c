/* SPDX-License-Identifier: MIT */
/*
 * Idling and stealing: how a core without work finds some.
 *
 * A core without work searches the other cores' queues, and naps between two searches: 50 us at first, doubling to
 * 10 ms. Queue lengths and machine.idle_mask are read without fences, so a core may miss work that has just come. The
 * next search finds it. So only the nap is relied upon, and all else is a hint.
 *
 * The mask has two bits for each core:
 *
 *     looking   A core sets it before its first search and clears it when it has work. While any such bit is set, a
 *               core with spare work publishes it: after each pop from its queue, and when it makes a process ready.
 *               The entry path's switches do not read the mask. They need not: a searcher that saw a length in the
 *               queue has sent the owner an IPI, and one that came while the queue was empty is called when a process
 *               is made ready.
 *     asleep    A core sets it too when it begins to search. A core with spare work clears one such bit, by an atomic,
 *               and sends that core one IPI. So at most one core calls for each search.
 *
 * A searcher may see work that it cannot take, since the owner has not published it. It sends the owner an IPI, which
 * is taken even while the owner's process makes no call for seconds. The owner's handler publishes the work and calls
 * the searcher back. Without that call the searcher would come again only after its nap, when an owner with short
 * turns has taken the work back. The call may be lost, so the naps begin anew with the shortest. With one bit for both
 * meanings the first caller would end the invitation for all.
 *
 * Not all work is to be shared. Who makes another process ready often waits right after: it has asked, and the other
 * is to answer. Then its own core takes the other up at once, and a call to an idle core would come too late, or at a
 * bad time: two IPIs and two steals for nothing, ten times the price of the two switches. So a core goes by what came
 * of it the last time (hands_over). Where the turn ended within 100 us of an offer, the next process that is alone in
 * the queue is kept. Where a thief found such a one all the same, by its nap, the next one is offered again. A core
 * that is wrong about it keeps one process waiting for a nap, 10 ms at most, and only once; whatever else is ready is
 * offered always. Rejected: to keep whoever is alone (two that compute share a core for 10 ms each time that one wakes
 * the other); a timer for the offer (it costs what it saves where firmware sets timers); to go by the process (its
 * object must not be touched any more when it waits, which is when it is known).
 */
#include "core/steal.h"

#include "core/state.h"
#include "mm/magazine.h"

#define NAP_FIRST_HZ 20000
#define NAP_LAST_HZ 100
#define LOOK_HZ 1000
#define SOON_HZ 10000

#define ASLEEP_SHIFT CORES_MAX
#define LOOKING(core) (UINT64_C(1) << (core)->index)
#define ASLEEP(core) (LOOKING(core) << ASLEEP_SHIFT)
_Static_assert(2 * CORES_MAX <= 64, "idle_mask has two bits for each core");

void steal_invite_now(struct core *core) {
    struct runqueue *queue = &core->shared.queue;
    runqueue_publish(queue);
    uint64_t asleep = __atomic_load_n(&machine.idle_mask, __ATOMIC_RELAXED) >> ASLEEP_SHIFT;
    for (unsigned i = 0; asleep && runqueue_hint(queue) != 0; i++, asleep >>= 1) {
        if (!(asleep & 1))
            continue;
        uint64_t bit = ASLEEP(cores[i]);
        if (__atomic_fetch_and(&machine.idle_mask, ~bit, __ATOMIC_RELAXED) & bit) {
            arch_ipi_send(cores[i]);
            return;
        }
    }
}

void steal_offer(struct core *core) {
    if (__atomic_load_n(&core->shared.robbed, __ATOMIC_RELAXED)) {
        arch_store_relaxed(&core->shared.robbed, 0);
        core->hands_over = false;
    }
    core->offered_at = arch_clock();
    steal_invite_now(core);
}

/* The turn has ended: its process waits, mostly. */
void steal_offered(struct core *core) {
    if (arch_clock() - core->offered_at < machine.clock_hz / SOON_HZ + 1) {
        core->hands_over = true;
        arch_store_relaxed(&core->shared.robbed, 0); /* of what was offered */
    }
    core->offered_at = 0;
}

/* What was stolen becomes this core's, the oldest first to run. NULL: nothing was. */
static void adopt_chain(struct core *core, struct slot *slot) {
    core->steals += slot != NULL;
    while (slot) {
        struct slot *next = slot->run_next;
        enum kind kind = state_kind(slot->word);
        ASSERT(kind == KIND_RDY || kind == KIND_END);
        arch_store_release(&slot->word, state(kind, core->index, 0));
        if (kind == KIND_END)
            runqueue_push_end(&core->shared.queue, slot);
        else
            runqueue_push(&core->shared.queue, slot);
        core->stolen++;
        slot = next;
    }
}

/* Look through the other cores, fullest first. */
enum found { NOTHING, SEEN, TAKEN };
static enum found steal(struct core *core) {
    struct core *victim = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < machine.core_count; i++) {
        uint32_t n = cores[i] != core ? runqueue_hint(&cores[i]->shared.queue) : 0;
        if (n > most) {
            most = n;
            victim = cores[i];
        }
    }
    if (!victim)
        return NOTHING;
    struct slot *slot = runqueue_steal(&victim->shared.queue);
    if (!slot) {
        arch_ipi_send(victim); /* its handler shares its work and calls this core back */
        return SEEN;
    }
    arch_store_relaxed(&victim->shared.robbed, 1);
    adopt_chain(core, slot);
    return TAKEN;
}

void steal_look(struct core *core, uint64_t now) {
    if (now < core->next_look)
        return;
    core->next_look = now + machine.clock_hz / LOOK_HZ;
    steal(core);
}

void steal_call_for_help(struct core *core) {
    struct core *helper = NULL;
    arch_store_relaxed(&core->shared.stuck, 1);
    if (runqueue_hint(&core->shared.queue) == 0)
        return;
    for (uint32_t i = 0; i < machine.core_count; i++) {
        struct core *other = cores[i];
        if (other != core && __atomic_load_n(&other->shared.online, __ATOMIC_RELAXED) &&
            !__atomic_load_n(&other->shared.stuck, __ATOMIC_RELAXED) &&
            (!helper || runqueue_hint(&other->shared.queue) < runqueue_hint(&helper->shared.queue)))
            helper = other;
    }
    runqueue_publish(&core->shared.queue);
    if (helper)
        arch_ipi_send(helper);
}

void steal_help(struct core *core) {
    if (core->shared.stuck)
        return;
    for (uint32_t i = 0; i < machine.core_count; i++) {
        struct core *other = cores[i];
        if (other != core && __atomic_load_n(&other->shared.stuck, __ATOMIC_RELAXED))
            adopt_chain(core, runqueue_steal(&other->shared.queue));
    }
}

void steal_wait(struct core *core) {
    uint64_t bits = LOOKING(core) | ASLEEP(core);
    uint64_t first_nap = machine.clock_hz / NAP_FIRST_HZ + 1, longest_nap = machine.clock_hz / NAP_LAST_HZ;
    uint64_t nap = first_nap;
    uint64_t start = arch_clock();
    enum found found = NOTHING;
    arch_store_relaxed(&core->idle_since, start);
    core->timers.tick = TIMER_NEVER;
    while (runqueue_hint(&core->shared.queue) == 0) {
        if (core->breath.held)
            breath_rest(core);
        __atomic_fetch_or(&machine.idle_mask, bits, __ATOMIC_SEQ_CST);
        enum found before = found;
        found = steal(core);
        if (found == TAKEN)
            break;
        if (found == SEEN && before == NOTHING)
            nap = first_nap;                                /* the call back may be lost */
        bool cleared = magazine_clear_ahead(&machine.heap); /* one frame between two looks: nobody waits for more */
        if (machine.core_count > 1 && !cleared) {
            core->timers.nap = arch_clock() + nap;
            nap = 2 * nap < longest_nap ? 2 * nap : longest_nap;
        }
        timer_program(core);
        if (cleared)
            arch_idle_look(core);
        else
            arch_idle(core);
    }
    __atomic_fetch_and(&machine.idle_mask, ~bits, __ATOMIC_RELAXED);
    core->timers.nap = TIMER_NEVER;
    arch_store_relaxed(&core->idle_since, 0);
    core->idle_ticks += arch_clock() - start;
}
