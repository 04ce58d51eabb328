/* SPDX-License-Identifier: MIT */
/*
 * Turns, stealing, idling.
 *
 * A core takes a process from its queue and gives the turn that process's quantum of tokens; each system call costs
 * one. A direct switch (call, reply_receive) continues the turn with the other process, so that a chain of calls holds
 * one place in the queue. When the tokens are spent the current process goes to the tail, and its next turn has the
 * quantum of the client it works for (core/loan.c), else its own.
 *
 * Nothing else ends a turn but waiting and exit. Interrupts return to the same process; the timer's tick, ten times a
 * second while a process runs, only looks whether that process made a system call since, for the watchdog. A process
 * may make one just before its limit, again and again, and would keep its turn for limit times quantum, which is
 * months. So a turn that has lasted for the limit has no tokens left from then on: it ends at the next call.
 *
 * An idle core shows itself in machine.idle_mask, looks at the others' queues, and naps: 50 us, doubling to 10 ms. The
 * nap is what makes it safe that hints and the mask are read without fences: a wake-up that falls between two looks is
 * found at the next one. The mask has two bits for a core:
 *
 *     looking   from before its first look until it has work. A core that has spare work while one looks lets the
 *               lookers at it at every kernel exit that changes its queue: after each pop, and when it makes one ready.
 *               The entry path's switches do not look at the mask: a looker that found the queue's hint has sent its
 *               IPI, and one that came before there was anything in it is called when something is made ready.
 *     asleep    nobody has called it since it last began to look. Who has spare work claims one such bit, by the atomic
 *               that clears it, and sends one IPI; so each look is called for by one core at most.
 *
 * A thief that sees work it cannot take calls its victim, even past a process that makes no system call for seconds;
 * the victim's IPI handler lets it at the work and calls it back. Without the call back the thief would come again only
 * after its nap, by which time a victim with short turns has taken back what it let go; and with one bit for both
 * meanings the first caller would end the invitation. All this is a hint; only the nap is relied upon.
 */
#include "core/turn.h"

#include "core/check.h"
#include "core/ipc.h"
#include "core/loan.h"
#include "core/runqueue_list.h"
#include "core/state.h"
#include "mm/paging.h"

#define TICK_HZ 10
#define NAP_FIRST_HZ 20000
#define NAP_LAST_HZ 100
#define LOOK_HZ 1000
#define PASSED_AT_ONCE 16 /* doomed processes, of some 200 instructions each */

/* Tokens since which the turn's were not counted. */
static inline int64_t marked(const struct core *core) {
    return core->shared.queue.mode & RUNQUEUE_TURN ? core->tokens_marked : core->turn_quantum;
}

static void mark(struct core *core, int64_t tokens) {
    core->tokens_marked = tokens;
    queue_mode(&core->shared.queue, 0, RUNQUEUE_TURN);
}

uint64_t turn_uncounted(const struct core *core, const struct slot *slot) {
    return core->turn_slot == slot && life_generation(slot_life(slot)) == life_generation(core->turn_life)
               ? (uint64_t)(marked(core) - core->tokens)
               : 0;
}

void turn_account(struct core *core) {
    struct slot *slot = core->turn_slot;
    __atomic_fetch_add(&slot->spent, turn_uncounted(core, slot), __ATOMIC_RELAXED);
    mark(core, core->tokens);
}

void turn_lend(struct core *core, uint32_t quantum) {
    if (quantum == core->turn_quantum)
        return;
    mark(core, marked(core));
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

#define ASLEEP_SHIFT CORES_MAX
#define LOOKING(core) (UINT64_C(1) << (core)->index)
#define ASLEEP(core) (LOOKING(core) << ASLEEP_SHIFT)
_Static_assert(2 * CORES_MAX <= 64, "idle_mask has two bits for each core");

/* While a core looks for work, let it at what this one does not run at once, and call one that sleeps. */
static void share_work(struct core *core) {
    struct runqueue *queue = &core->shared.queue;
    if (!__atomic_load_n(&machine.idle_mask, __ATOMIC_RELAXED) || runqueue_hint(queue) == 0)
        return;
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

static void make_ready(struct core *core, struct slot *slot, uint32_t quantum, bool front) {
    struct runqueue *queue = &core->shared.queue;
    slot->process->lent = quantum;
    if (quantum != slot->process->quantum)
        arch_space_spoil(&slot->process->space.arch); /* begin_turn() makes a note of it, the entry path would not */
    slot->ready_since = arch_clock();
    arch_store_release(&slot->word, core->ready_word);
    if (front)
        runqueue_push_front(queue, slot);
    else
        runqueue_push(queue, slot);
    /* Where nobody runs, the next dispatch takes one first, and shares the rest. */
    if (core->running && __atomic_load_n(&machine.idle_mask, __ATOMIC_RELAXED))
        share_work(core);
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
    slot->ready_since = arch_clock();
    arch_store_release(&slot->word, state(KIND_END, core->index, 0));
    runqueue_push_end(&core->shared.queue, slot);
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
static bool steal(struct core *core) {
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
        return false;
    struct slot *slot = runqueue_steal(&victim->shared.queue);
    if (!slot) {
        arch_ipi_send(victim); /* its handler shares its work and calls this core back */
        return false;
    }
    adopt_chain(core, slot);
    return true;
}

/* A core that is busy with one process has nobody waiting, and may take from one whose queue is long, or stuck behind a
 * process that makes no call. It looks between two turns and at the tick, at most a thousand times a second. */
static void look_around(struct core *core, uint64_t now) {
    if (machine.core_count == 1 || core->shared.stuck || runqueue_hint(&core->shared.queue) != 0 ||
        now < core->next_look)
        return;
    core->next_look = now + machine.clock_hz / LOOK_HZ;
    steal(core);
}

/* At the tick of a core whose process has made no call since the last: those who wait behind it must not wait for the
 * watchdog. Of the cores that are not so themselves, whoever has the least to do is called, busy or not. The mark
 * stands whether or not somebody waits here, and a core that has it takes no work: else two such cores, which always
 * have the shortest queues, hand a process to each other for ever. */
static void call_for_help(struct core *core) {
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

/* The other side: take from a core that is stuck. */
static void help(struct core *core) {
    if (core->shared.stuck)
        return;
    for (uint32_t i = 0; i < machine.core_count; i++) {
        struct core *other = cores[i];
        if (other != core && __atomic_load_n(&other->shared.stuck, __ATOMIC_RELAXED))
            adopt_chain(core, runqueue_steal(&other->shared.queue));
    }
}

/* Wait until this core's queue has something in it. */
static void idle(struct core *core) {
    uint64_t bits = LOOKING(core) | ASLEEP(core);
    uint64_t nap = machine.clock_hz / NAP_FIRST_HZ + 1, longest_nap = machine.clock_hz / NAP_LAST_HZ;
    uint64_t start = arch_clock();
    arch_store_relaxed(&core->idle_since, start);
    core->timers.tick = TIMER_NEVER;
    while (runqueue_hint(&core->shared.queue) == 0) {
        if (core->breath.held)
            breath_rest(core);
        __atomic_fetch_or(&machine.idle_mask, bits, __ATOMIC_SEQ_CST);
        if (steal(core))
            break;
        bool cleared = heap_clear_ahead(&machine.heap); /* one frame between two looks: nobody waits for more */
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

/* A process runs from here on: let the watchdog look at it. */
static void start_tick(struct core *core) {
    if (core->timers.tick == TIMER_NEVER) {
        core->timers.tick = arch_clock() + machine.clock_hz / TICK_HZ;
        timer_program(core);
    }
}

/* Give a process its turn. */
static void begin_turn(struct core *core, struct slot *slot, struct process *p, uint64_t now) {
    uint64_t waited = now - slot->ready_since;
    if (waited > core->longest_wait)
        core->longest_wait = waited;
    core->turns++;
    p->turns++;
    core->turn_slot = slot;
    core->turn_life = slot_life(slot);
    core->turn_quantum = p->lent;
    core->tokens = p->lent;
    if (p->lent == p->quantum)
        queue_mode(&core->shared.queue, RUNQUEUE_TURN, 0);
    else
        mark(core, core->tokens);
}

bool turn_is_own(const struct core *core, const struct process *process) {
    return core->turn_slot == process->slot && !(core->shared.queue.mode & RUNQUEUE_TURN);
}

/* Who comes next: one step of an end, then a program's turn; and where nobody is ready, all ends. By counting, not by
 * the clock (core/breath.c), so that what programs see of each other does not hang on how long the kernel takes. NULL:
 * nobody. `worked`: a step has been made. */
static struct slot *next(struct core *core, bool worked) {
    struct runqueue *queue = &core->shared.queue;
    struct slot *slot = NULL;
    if (queue->mode & RUNQUEUE_ENDS && !worked)
        slot = runqueue_pop_end(queue);
    if (!slot)
        slot = runqueue_pop(queue, !core->was_front, &core->was_front);
    if (!slot && (slot = runqueue_pop_end(queue)) != NULL)
        breath_rest(core);
    return slot;
}

/* One step of an end. */
static void step_end(struct core *core, struct slot *slot) {
    breath_enter(core);
    turn_leave_space(core);
    end_step(core, slot);
    if (!breath_enough(core))
        arch_idle_look(core); /* where only ends are going on, no process lets interrupts in */
}

/* This process was doomed in the queue: its turn is the beginning of its end. A few such turns are as one, after which
 * interrupts are let in as they would be in it, however many more there are: by them a driver comes to the front. */
static void pass_over(struct core *core, struct slot *slot, unsigned passed) {
    turn_leave_space(core);
    end_begin(core, slot, slot_doom_reason(slot), 0, slot->process->context.pc, 0);
    if (passed % PASSED_AT_ONCE != 0)
        return;
    breath_rest(core);
    arch_idle_look(core);
}

void turn_dispatch(struct core *core) {
    bool worked = false;
    unsigned passed = 0;
    core->running = false;
    turn_account(core);
    core->turn_slot = core->slots;
    if (core->shared.stuck)
        arch_store_relaxed(&core->shared.stuck, 0);
    for (;;) {
        struct slot *slot = next(core, worked);
        if (!slot) {
            turn_leave_space(core);
            idle(core);
            continue;
        }
        share_work(core);
        if (state_kind(slot->word) == KIND_END) {
            worked = true;
            step_end(core, slot);
            continue;
        }
        ASSERT(slot->word == state(KIND_RDY, core->index, 0));
        arch_store_relaxed(&slot->word, state(KIND_RUN, core->index, 0));
        arch_fence(); /* pairs with end_kill(): either it sees RUN|c, or the doom is seen here */
        if (slot_doomed(slot)) {
            pass_over(core, slot, ++passed);
            continue;
        }
        uint64_t now = arch_clock();
        look_around(core, now);
        struct process *p = slot->process;
        begin_turn(core, slot, p, now);
        turn_switch(core, p);
        start_tick(core);
        if (core->breath.working)
            breath_leave(core);
        arch_enter(core, &p->context, &p->space.arch);
    }
}

void turn_doomed(struct core *core, struct slot *slot) {
    core->turn_slot = core->slots;
    turn_leave_space(core);
    end_begin(core, slot, slot_doom_reason(slot), 0, slot->process->context.pc, 0);
    turn_dispatch(core);
}

/* ---- Interrupts. ---- */

/* End the current process. */
static void end_current(struct core *core, unsigned reason, uint64_t value, uint64_t pc, uint64_t address) {
    struct process *p = core->current;
    turn_park(p);
    turn_leave_space(core);
    end_begin(core, p->slot, reason, value, pc, address);
}

void turn_end_doomed(struct core *core) {
    struct process *p = core->current;
    end_current(core, slot_doom_reason(p->slot), 0, p->context.pc, 0);
}

/* The calls made on this core, told apart by the turn and the tokens left in it. */
static uint64_t calls_made(const struct core *core) {
    return (core->turns << 32) + (uint64_t)core->tokens;
}

/* Take the tokens of a turn that has lasted for the limit of the process that runs in it. */
static void bound_turn(struct core *core, uint64_t limit, uint64_t now) {
    if (core->watch_turn != core->turns) {
        core->watch_turn = core->turns;
        core->watch_turn_since = now;
    } else if (limit && now - core->watch_turn_since >= limit && core->tokens > 0) {
        turn_account(core);
        core->tokens = core->tokens_marked = 0;
    }
}

/* End a current process that has made no system call for its limit, or its turn. Ten looks a second. */
static void watchdog(struct core *core, uint64_t now) {
    struct process *p = core->current;
    bool called = p != core->watch_process || calls_made(core) != core->watch_calls;
    bound_turn(core, p->watchdog, now);
    uint64_t calls = calls_made(core);
    if (called) {
        core->watch_process = p;
        core->watch_calls = calls;
        core->watch_since = now;
        if (core->shared.stuck)
            arch_store_relaxed(&core->shared.stuck, 0);
        return;
    }
    core->watch_calls = calls;
    call_for_help(core);
    if (p->watchdog && now - core->watch_since >= p->watchdog) {
        core->watch_process = NULL;
        end_current(core, OS2_END_WATCHDOG, 0, p->context.pc, 0);
    }
}

void timer_arrived(struct core *core, bool user) {
    uint64_t now = arch_clock();
    core->timers.armed = TIMER_NEVER;
    core->interrupts++;
    breath_look(core, now);
    timer_expire(core, now);
    if (core->timers.tick <= now) {
        core->timers.tick = now + machine.clock_hz / TICK_HZ;
        if (user && core->running)
            watchdog(core, now);
    }
    if (user)
        look_around(core, now);
    if (core->timers.irq <= now)
        irq_again(core, now);
    if (core->timers.nap <= now)
        core->timers.nap = TIMER_NEVER;
    timer_program(core);
}

void ipi_arrived(struct core *core) {
    if (__atomic_load_n(&machine.panicked, __ATOMIC_ACQUIRE)) /* pairs with panic() */
        arch_halt();
    check_ipi();
    core->interrupts++;
    if (core->running && slot_doomed(core->current->slot))
        turn_end_doomed(core);
    end_collect(core);
    help(core);
    runqueue_publish(&core->shared.queue); /* whoever called may not be idle */
    if (core->running)
        share_work(core);
}

void interrupt_enter(struct core *core) {
    breath_enter(core);
}

bool interrupt_enough(struct core *core) {
    return breath_enough(core);
}

void interrupt_leave(struct core *core, bool user) {
    if (user && !core->running)
        turn_dispatch(core);
    breath_leave(core);
}

struct arch_context *core_context(struct core *core) {
    return &core->current->context;
}

struct arch_space *core_space(struct core *core) {
    return &core->current->space.arch;
}

/* What a process has gained since it last looked comes by a system call, its own or while it waits in one: so what the
 * fence has not settled, and no call since, is no stale translation. */
bool fault_spurious(struct core *core, unsigned fault, uint64_t address) {
    static const unsigned wanted[] = {
        [OS2_FAULT_READ] = OS2_PROT_READ, [OS2_FAULT_WRITE] = OS2_PROT_WRITE, [OS2_FAULT_EXEC] = OS2_PROT_EXEC};
    unsigned level;
    const uint64_t *entry = paging_find(&core->current->space, address, &level);
    if (!entry || fault > OS2_FAULT_EXEC || !(arch_pte_prot(*entry) & wanted[fault]))
        return false;
    uint64_t calls = calls_made(core);
    bool again = core->fault_address == address && core->fault_calls == calls;
    core->fault_address = address;
    core->fault_calls = calls;
    return !again;
}

void fault_arrived(struct core *core, unsigned fault, uint64_t pc, uint64_t address) {
    end_current(core, OS2_END_FAULT, fault, pc, address);
    turn_dispatch(core);
}
