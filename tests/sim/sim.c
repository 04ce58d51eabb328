/* SPDX-License-Identifier: MIT */
/*
 * The whole kernel under random programs: a seeded scheduler runs simulated cores, whose processes make random system
 * calls, mostly plausible ones, some garbage. After every few steps the machine comes to rest and every invariant of
 * host_check() is asked.
 *
 * A run is a configuration: how many cores, how much memory, how often a core is stopped inside the kernel (at any
 * ordered access, while others go on), and how often the heap fails for no reason. Where cores are not stopped inside
 * the kernel, a call that fails is also compared with its caller's books before: a failed call changes nothing. The
 * reserve of page tables is excepted, which a call may fill before it fails.
 *
 * The address spaces are the host port's own, or those of a real port (tests/host/ports/); --mmu says on what machine:
 *
 *     sim [--seed N] [--steps N] [--long] [--mmu asids | noasids | global | erratum | impossible] [--mutant]
 *
 * The seed of a failing run is printed, with the run. --mutant: the test passes if some run fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"
#include "tests/host/options.h"
#include "tests/sim/program.h"

struct run {
    const char *name;
    struct host_config config;
    unsigned heap_fails_one_in; /* 0: never */
    unsigned check_every;
    unsigned share; /* of the steps, in percent */
    unsigned crowd; /* see program_reset() */
    bool blocks;
    bool timed; /* see timed_step() */
};

static const struct run runs[] = {
    {"blocks on one core", {.cores = 1, .ram_bytes = 16 << 20}, 0, 20, 10, 5, true, false},
    {"blocks on three cores", {.cores = 3, .ram_bytes = 16 << 20, .switch_one_in = 3}, 0, 100, 15, 6, true, false},
    {"two cores in time", {.cores = 2, .ram_bytes = 16 << 20}, 0, 100, 5, 9, false, true},
    {"four cores in time", {.cores = 4, .ram_bytes = 16 << 20}, 0, 100, 10, 14, false, true},
    {"eight cores in time", {.cores = 8, .ram_bytes = 16 << 20}, 0, 100, 10, 24, false, true},
    {"one core", {.cores = 1, .ram_bytes = 16 << 20}, 0, 7, 10, 0, false, false},
    {"three cores", {.cores = 3, .ram_bytes = 16 << 20}, 0, 7, 10, 0, false, false},
    {"three cores, stopped anywhere",
     {.cores = 3, .ram_bytes = 16 << 20, .switch_one_in = 3},
     0,
     300,
     20,
     0,
     false,
     false},
    {"five who talk", {.cores = 3, .ram_bytes = 4 << 20, .switch_one_in = 2}, 0, 400, 45, 5, false, false},
    {"four cores, stopped rarely", {.cores = 4, .ram_bytes = 8 << 20, .switch_one_in = 40}, 0, 40, 5, 0, false, false},
    {"little memory", {.cores = 3, .ram_bytes = 3584 << 10}, 0, 7, 5, 0, false, false},
    {"a heap that fails", {.cores = 2, .ram_bytes = 8 << 20}, 4, 7, 5, 0, false, false},
};

/* So many seeds a mutant is tried with. */
#define MUTANT_SEEDS 8u

static const char *const mmus[] = {"asids", "noasids", "global", "erratum", "impossible"};
static enum host_mmu mmu;
static struct host_random scheduler;
static const struct run *run;
static uint64_t run_seed, step;

static bool mutant;
static struct {
    uint64_t walks, late, foreign, accessed, checked, hits, spurious, waits, calls, replies, blocks, pulled, met, raced;
} seen; /* in all runs */

_Noreturn static void failed(const char *why) {
    if (mutant) {
        why += *why == '\n';
        printf("ok 1 caught in step %lu of `%s': %.*s\n", step, run->name, (int)strcspn(why, "\n"), why);
        fflush(stdout);
        _Exit(0);
    }
    printf("Bail out! %s: %s\n", run->name, why);
    printf("# repeat with --seed %lu; it is step %lu of `%s'\n", run_seed, step, run->name);
    program_history();
    fflush(stdout);
    exit(1);
}

static void on_abort(void) {
    failed(host_panic[0] ? host_panic : "aborted");
}

/* Nothing can happen before the next timer: let time pass to it. A wake-up that was lost shows now: later a deadline
 * would hide it. */
static void pass_time(void) {
    const char *why = host_check();
    if (why)
        failed(why);
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < run->config.cores; i++)
        if (((struct arch_core *)cores[i])->timer < next)
            next = ((struct arch_core *)cores[i])->timer;
    if (next == UINT64_MAX)
        failed("every core idles, and no timer is set");
    if (next > host_clock)
        host_clock = next;
}

/* A core that was stopped inside the kernel may stay there for long, so that others get far meanwhile. */
static uint64_t stalled_until[CORES_MAX];

static bool busy(unsigned core) {
    if (host_rest(core) == HOST_KERNEL)
        return step >= stalled_until[core];
    return host_rest(core) != HOST_IDLE || host_interrupt_due(core);
}

static void one_step(void) {
    unsigned first = (unsigned)host_below(&scheduler, run->config.cores), core = first;
    host_clock += host_below(&scheduler, 4);
    while (!busy(core)) {
        core = (core + 1) % run->config.cores;
        if (core != first)
            continue;
        bool stalled = false;
        for (unsigned i = 0; i < run->config.cores; i++)
            if (host_rest(i) == HOST_KERNEL) {
                stalled_until[i] = 0;
                stalled = true;
            }
        if (!stalled)
            pass_time();
    }
    switch (host_rest(core)) {
    case HOST_KERNEL:
        host_continue(core);
        break;
    case HOST_IDLE:
        host_interrupt(core, host_below(&scheduler, 20) ? 0 : program_interrupt(&scheduler));
        break;
    case HOST_USER:
        if (host_interrupt_due(core) && host_below(&scheduler, 3) == 0)
            host_interrupt(core, 0);
        else if (host_below(&scheduler, 200) == 0)
            host_interrupt(core, program_interrupt(&scheduler));
        else
            program_step(core);
        break;
    case HOST_OFF:
    case HOST_DOWN:
        failed("a core is off");
    }
    counts_stepped(core);
    if (host_rest(core) == HOST_KERNEL && host_below(&scheduler, 6) == 0)
        stalled_until[core] = step + host_below(&scheduler, 150);
}

/* ---- Runs in simulated time: interrupts are taken when they are due, and a process computes between its calls, for
 * up to 60 ms. So what docs/scheduling.md promises can be asked exactly, after each step: no core is idle for longer
 * than 10 ms while another has two ready. ---- */

#define IDLE_MOST (HOST_CLOCK_HZ / 100)
static uint64_t computes_until[CORES_MAX], starving_since[CORES_MAX][CORES_MAX], longest;

static const char *check_idle(void) {
    unsigned ready[CORES_MAX] = {0};
    for (uint32_t i = 1; i < machine.slot_high; i++)
        if (state_kind(machine.slot[i].word) == KIND_RDY)
            ready[state_peer(machine.slot[i].word)]++;
    for (unsigned i = 0; i < run->config.cores; i++)
        for (unsigned j = 0; j < run->config.cores; j++) {
            uint64_t *since = &starving_since[i][j];
            if (host_rest(i) != HOST_IDLE || ready[j] < 2)
                *since = 0;
            else if (!*since)
                *since = host_clock;
            else if (host_clock - *since > longest)
                longest = host_clock - *since;
        }
    return longest > IDLE_MOST ? "a core is idle for more than 10 ms while another has two ready" : NULL;
}

static void timed_step(void) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < run->config.cores; i++) {
        if (host_interrupt_due(i)) {
            host_interrupt(i, 0);
            return;
        }
        uint64_t at = ((struct arch_core *)cores[i])->timer;
        if (host_rest(i) == HOST_USER && computes_until[i] <= host_clock) {
            computes_until[i] =
                host_clock + (host_below(&scheduler, 20) ? host_below(&scheduler, 100) : host_below(&scheduler, 60000));
            program_step(i);
            return;
        }
        if (host_rest(i) == HOST_USER && computes_until[i] < at)
            at = computes_until[i];
        next = at < next ? at : next;
    }
    host_clock = next;
}

static void simulate(uint64_t steps) {
    struct host_config config = run->config;
    config.seed = run_seed;
    config.mmu = mmu;
    scheduler.state = run_seed;
    host_boot(&config);
    memset(stalled_until, 0, sizeof stalled_until);
    memset(computes_until, 0, sizeof computes_until);
    memset(starving_since, 0, sizeof starving_since);
    longest = 0;
    program_yields = run->timed;
    program_reset(run_seed, config.switch_one_in == 0, run->crowd, run->blocks, run->heap_fails_one_in != 0);
    const char *why = host_check();
    for (step = 1; step <= steps && !why; step++) {
        if (run->heap_fails_one_in)
            host_heap_budget = host_below(&scheduler, run->heap_fails_one_in) ? -1 : (long)host_below(&scheduler, 3);
        if (run->timed)
            timed_step();
        else
            one_step();
        why = program_complaint();
        if (!why && run->timed)
            why = check_idle();
        if (!why && step % run->check_every == 0) {
            host_settle();
            why = host_check();
            counts_settled();
        }
    }
    if (why)
        failed(why);
    seen.walks += tlb_counts.walks;
    seen.late += tlb_counts.late;
    seen.foreign += tlb_counts.foreign;
    seen.accessed += tlb_counts.accessed;
    seen.checked += tlb_counts.checked;
    seen.hits += tlb_counts.hits;
    seen.spurious += tlb_counts.spurious;
    seen.waits += short_counts.waits;
    seen.calls += short_counts.calls;
    seen.replies += short_counts.replies;
    seen.blocks += short_counts.blocks;
    seen.pulled += program_counts.pulled;
    seen.met += program_counts.met;
    seen.raced += program_counts.raced;
}

/* A simulation in which nothing happens finds nothing. */
static bool covered(void) {
    printf("# entries walked %lu, after their root was left %lu, in frames that were others' by then %lu\n"
           "# accessed bits set %lu, translations checked %lu, used %lu, found to be stale and not valid %lu\n"
           "# short waits %lu, calls %lu, replies %lu, with a block %lu\n"
           "# servers pulled to the caller's core %lu; calls from two cores that waited for one server %lu, that were "
           "in the kernel at once %lu\n",
           seen.walks, seen.late, seen.foreign, seen.accessed, seen.checked, seen.hits, seen.spurious, seen.waits,
           seen.calls, seen.replies, seen.blocks, seen.pulled, seen.met, seen.raced);
    bool numbers = mmu == HOST_MMU_ASIDS || mmu == HOST_MMU_GLOBAL, fast = mmu != HOST_MMU_IMPOSSIBLE;
    return seen.walks && seen.checked && seen.hits && seen.pulled && seen.met && seen.raced &&
           (seen.accessed ? !seen.late : seen.late && seen.spurious && (!numbers || seen.foreign)) &&
           (!fast || (seen.waits && seen.calls && seen.replies && seen.blocks));
}

int main(int argc, char **argv) {
    option_seed = 1;
    options_read(argc, argv);
    for (int i = 1; i < argc; i++) {
        mutant |= strcmp(argv[i], "--mutant") == 0;
        for (unsigned m = 0; m < sizeof mmus / sizeof *mmus && i + 1 < argc; m++)
            if (strcmp(argv[i], "--mmu") == 0 && strcmp(argv[i + 1], mmus[m]) == 0)
                mmu = (enum host_mmu)m;
    }
    uint64_t steps = option_steps ? option_steps : option_long ? 20000000 : 200000;
    unsigned count = sizeof runs / sizeof *runs;
    host_abort = on_abort;
    printf("1..%u\n# seed %lu\n", mutant ? 1 : count + 1, option_seed);
    /* A mutant may pass by luck, and does so less often the more seeds there are. */
    for (unsigned i = 0; i < (mutant ? MUTANT_SEEDS : 1) * count; i++) {
        run = &runs[i % count];
        run_seed = option_seed + i / count;
        simulate(steps * run->share / 100);
        if (!mutant) {
            printf("ok %u %s\n", i + 1, run->name);
            if (run->timed)
                printf("# idle beside two ready for %lu us at most\n", longest);
            program_statistics();
        }
    }
    if (mutant)
        printf("not ok 1 nobody noticed\n");
    else
        printf("%s %u all that should happen did\n", covered() ? "ok" : "not ok", count + 1);
    return 0;
}
