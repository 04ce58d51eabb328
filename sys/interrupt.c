/* SPDX-License-Identifier: MIT */
/*
 * What comes to a core while a program runs that makes no call: the timer, other cores, faults. Sources of interrupts
 * are in sys/device.c.
 *
 * Interrupts return to the same process. The timer's tick, ten times a second while a process runs, only looks whether
 * that process made a system call since: for the watchdog, and for those who wait behind it.
 */
#include "core/check.h"
#include "core/steal.h"
#include "core/turn.h"
#include "ipc/end.h"
#include "ipc/wait.h"
#include "mm/paging.h"
#include "sys/device.h"
#include "sys/loop.h"

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
    steal_call_for_help(core);
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
    wait_expire(core, now);
    if (core->timers.tick <= now) {
        core->timers.tick = now + machine.clock_hz / LOOP_TICK_HZ;
        if (user && core->running)
            watchdog(core, now);
    }
    if (user && steal_alone(core))
        steal_look(core, now);
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
        end_doomed(core);
    end_collect(core);
    steal_help(core);
    runqueue_publish(&core->shared.queue); /* whoever called may not be idle */
    if (core->running)
        steal_invite(core);
}

void interrupt_enter(struct core *core) {
    breath_enter(core);
}

bool interrupt_enough(struct core *core) {
    return breath_enough(core);
}

void interrupt_leave(struct core *core, bool user) {
    if (user && !core->running)
        loop_next(core);
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
    loop_next(core);
}
