/* SPDX-License-Identifier: MIT */
/*
 * No core idles for longer than 10 ms while somebody waits for a turn at another: in simulated time, exactly.
 *
 * Time goes from event to event: a process that has computed for as long as it wanted makes a call, a timer is due, an
 * IPI arrives, a core that was stopped inside the kernel goes on. What the kernel does takes no time but a microsecond
 * for each look at its clock. Processes compute from 5 us to 200 ms at a time, then yield, sleep, or wake another, so
 * that queues fill and empty, behind cores that make no call and cores that make many. Who wakes another waits at once
 * for a while, and computes on for a while: then what a core has learnt of it (core/steal.c) is wrong.
 *
 * The rule is held to be broken where a core has idled, and the queue of another has not been empty, all the time for
 * 10 ms and SLACK. Memory is in order here, where a machine's may lose the call to a core that falls asleep at that
 * moment; so a call that comes within WINDOW of it is lost. The last two runs are mutants: without the nap, or with all
 * IPIs lost, the rule must break.
 */
#include <stdio.h>

#include "core/state.h"
#include "tests/unit/machine.h"

#define LIMIT (HOST_CLOCK_HZ / 100)
#define SLACK 200u /* looks at the clock, each of which takes a microsecond here */
#define WINDOW 20u /* us */
#define PROCESSES_MAX 24u
#define STEPS 20000u
#define SEEDS 20u
#define PHASE 300000u /* us */

enum mutant { NONE, NO_NAP, NO_IPI };

static struct host_random random_source;
static uint64_t call_at[CORES_MAX];            /* when the process that runs there makes its next call */
static struct process *runs_at[CORES_MAX];     /* which one that is */
static unsigned next_one[SLOTS_MOST];          /* by slot: each one's handle to notify another */
static bool hands_over[SLOTS_MOST];            /* by slot: it has woken that one, and waits now */
static uint64_t idle_while_waiting[CORES_MAX]; /* since when the core idles and somebody waits elsewhere; 0: not */
static uint64_t asleep_since[CORES_MAX];
static uint64_t longest;

static uint64_t below(uint64_t limit) {
    return host_below(&random_source, limit);
}

static bool waits_elsewhere(unsigned core, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (i != core && runqueue_hint(&cores[i]->shared.queue) != 0)
            return true;
    return false;
}

/* Computes for so long; each process has a habit. */
static uint64_t habit(const struct process *p) {
    if (hands_over[p->slot->index])
        return 2;
    static const uint64_t us[] = {5, 50, 2000, 30000, 200000};
    uint64_t most = us[p->slot->index % (sizeof us / sizeof *us)];
    return 1 + most / 2 + below(most);
}

static void make_call(unsigned core) {
    const struct process *p = cores[core]->current;
    unsigned slot = p->slot->index;
    uint64_t *reg = cores[core]->current->reg;
    memset(reg, 0, OS2_R_COUNT * sizeof *reg);
    reg[OS2_R_CONTROL] = OS2_SYS_yield;
    if (hands_over[slot] || below(3) == 0) {
        reg[OS2_R_CONTROL] = OS2_SYS_receive | OS2_F_DEADLINE;
        reg[OS2_R_DEADLINE] = NOW + 1 + below(below(2) ? 100 : 60000);
        hands_over[slot] = false;
    } else if (below(2)) {
        reg[OS2_R_CONTROL] = OS2_SYS_notify | HANDLE(next_one[slot]);
        reg[OS2_R_LABEL] = 1;
        hands_over[slot] = NOW / PHASE % 2;
    }
    host_syscall(core);
}

/* When something is next to happen at a core. */
static uint64_t event_at(unsigned core) {
    const struct arch_core *port = &cores[core]->arch;
    if (host_rest(core) == HOST_KERNEL || port->ipi)
        return host_clock;
    return host_rest(core) == HOST_USER && call_at[core] < port->timer ? call_at[core] : port->timer;
}

static void event(unsigned core) {
    if (host_rest(core) == HOST_KERNEL)
        host_continue(core);
    else if (host_interrupt_due(core))
        host_interrupt(core, 0);
    else
        make_call(core);
    if (host_rest(core) != HOST_USER)
        return;
    if (cores[core]->current != runs_at[core] || call_at[core] <= host_clock) {
        runs_at[core] = cores[core]->current;
        call_at[core] = host_clock + habit(runs_at[core]);
    }
}

/* Until now nothing has changed: has somebody waited for too long? */
static bool broken(unsigned count) {
    bool yes = false;
    for (unsigned i = 0; i < count; i++) {
        uint64_t time = idle_while_waiting[i] ? host_clock - idle_while_waiting[i] : 0;
        longest = time > longest ? time : longest;
        yes |= time > LIMIT + SLACK;
    }
    return yes;
}

static void look(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (host_rest(i) != HOST_IDLE || !waits_elsewhere(i, count))
            idle_while_waiting[i] = 0;
        else if (!idle_while_waiting[i])
            idle_while_waiting[i] = host_clock;
    }
}

/* Processes that all begin at one core; init sleeps for ever. */
static void populate(unsigned count) {
    unsigned processes = 2 + (unsigned)below(3 * count);
    struct process *last = init = cores[0]->current;
    for (unsigned i = 0; i < processes && i < PROCESSES_MAX; i++) {
        struct process *p = spawn(init, 6, NULL);
        p->watchdog = 0;
        next_one[p->slot->index] = handle_to(p, last, OS2_HANDLE_NOTIFY, ALL, 1);
        last = p;
    }
    run(init);
    init->reg[OS2_R_CONTROL] = OS2_SYS_receive | OS2_F_FROM;
    host_syscall(0);
}

static void spoil(unsigned count, enum mutant mutant) {
    for (unsigned i = 0; i < count; i++) {
        if (host_rest(i) != HOST_IDLE)
            asleep_since[i] = host_clock;
        if (mutant == NO_IPI || (host_rest(i) == HOST_IDLE && host_clock - asleep_since[i] <= WINDOW))
            cores[i]->arch.ipi = false;
        if (mutant == NO_NAP && host_rest(i) == HOST_IDLE && cores[i]->timers.nap != TIMER_NEVER) {
            cores[i]->timers.nap = TIMER_NEVER;
            timer_program(cores[i]);
        }
    }
}

/* True: the rule was broken. */
static bool simulate(unsigned count, uint64_t seed, enum mutant mutant) {
    random_source = (struct host_random){seed};
    memset(idle_while_waiting, 0, sizeof idle_while_waiting);
    memset(runs_at, 0, sizeof runs_at);
    memset(hands_over, 0, sizeof hands_over);
    host_boot(&(struct host_config){.cores = count, .ram_bytes = 16 << 20, .seed = seed, .switch_one_in = 4});
    host_switching = false;
    populate(count);
    host_switching = true;
    for (unsigned i = 0; i < count; i++)
        call_at[i] = host_clock;
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t next = TIMER_NEVER;
        unsigned chosen = 0, ties = 0;
        for (unsigned i = 0; i < count; i++) {
            uint64_t at = event_at(i) > host_clock ? event_at(i) : host_clock;
            if (at < next)
                ties = 0;
            if (at <= next && below(++ties) == 0)
                chosen = i;
            next = at < next ? at : next;
        }
        if (next == TIMER_NEVER)
            return true; /* all sleep, and nothing will ever wake them */
        host_clock = next;
        if (broken(count))
            return true;
        event(chosen);
        spoil(count, mutant);
        look(count);
    }
    check();
    return false;
}

int main(void) {
    static const unsigned counts[] = {2, 4, 8};
    unsigned number = 0;
    printf("1..5\n");
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        bool good = true;
        longest = 0;
        for (uint64_t seed = 1; seed <= SEEDS && good; seed++) {
            good = !simulate(counts[i], seed, NONE);
            if (!good)
                printf("# broken with seed %lu\n", seed);
        }
        printf("%sok %u - %u cores: nobody waited for an idle core longer than %lu us\n", good ? "" : "not ", ++number,
               counts[i], longest);
    }
    for (enum mutant mutant = NO_NAP; mutant <= NO_IPI; mutant++) {
        uint64_t seed = 1;
        while (seed <= SEEDS && !simulate(4, seed, mutant))
            seed++;
        printf("%sok %u - mutant: %s, caught with seed %lu\n", seed <= SEEDS ? "" : "not ", ++number,
               mutant == NO_NAP ? "no nap" : "IPIs are lost", seed);
    }
    return 0;
}
