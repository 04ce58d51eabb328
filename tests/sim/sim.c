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
 *     sim [--seed N] [--steps N] [--long]        the seed of a failing run is printed, with the run
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
};

static const struct run runs[] = {
    {"one core", {.cores = 1, .ram_bytes = 16 << 20}, 0, 7, 10, 0},
    {"three cores", {.cores = 3, .ram_bytes = 16 << 20}, 0, 7, 10, 0},
    {"three cores, stopped anywhere", {.cores = 3, .ram_bytes = 16 << 20, .switch_one_in = 3}, 0, 300, 20, 0},
    {"five who talk", {.cores = 3, .ram_bytes = 4 << 20, .switch_one_in = 2}, 0, 400, 45, 5},
    {"four cores, stopped rarely", {.cores = 4, .ram_bytes = 8 << 20, .switch_one_in = 40}, 0, 40, 5, 0},
    {"little memory", {.cores = 3, .ram_bytes = 3584 << 10}, 0, 7, 5, 0},
    {"a heap that fails", {.cores = 2, .ram_bytes = 8 << 20}, 4, 7, 5, 0},
};

static struct host_random scheduler;
static const struct run *run;
static uint64_t run_seed, step;

_Noreturn static void failed(const char *why) {
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
    if (host_rest(core) == HOST_KERNEL && host_below(&scheduler, 6) == 0)
        stalled_until[core] = step + host_below(&scheduler, 150);
}

static void simulate(uint64_t steps) {
    struct host_config config = run->config;
    config.seed = run_seed;
    scheduler.state = run_seed;
    host_boot(&config);
    memset(stalled_until, 0, sizeof stalled_until);
    program_reset(run_seed, config.switch_one_in == 0, run->crowd, run->heap_fails_one_in != 0);
    const char *why = host_check();
    for (step = 1; step <= steps && !why; step++) {
        if (run->heap_fails_one_in)
            host_heap_budget = host_below(&scheduler, run->heap_fails_one_in) ? -1 : (long)host_below(&scheduler, 3);
        one_step();
        why = program_complaint();
        if (!why && step % run->check_every == 0) {
            host_settle();
            why = host_check();
        }
    }
    if (why)
        failed(why);
}

int main(int argc, char **argv) {
    option_seed = 1;
    options_read(argc, argv);
    uint64_t steps = option_steps ? option_steps : option_long ? 20000000 : 200000;
    unsigned count = sizeof runs / sizeof *runs;
    host_abort = on_abort;
    printf("1..%u\n# seed %lu\n", count, option_seed);
    for (unsigned i = 0; i < count; i++) {
        run = &runs[i];
        run_seed = option_seed;
        simulate(steps * run->share / 100);
        printf("ok %u %s\n", i + 1, run->name);
        program_statistics();
    }
    return 0;
}
