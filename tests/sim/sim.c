/* SPDX-License-Identifier: MIT */
/*
 * The whole kernel under random programs: a seeded scheduler runs simulated cores, whose processes make random system
 * calls, mostly plausible ones, some garbage. After every few steps the machine comes to rest and every invariant of
 * host_check() is asked.
 *
 * A run is a configuration: how many cores, how much memory, how often a core is stopped inside the kernel (at any
 * ordered access, while others go on), and how often the heap fails for no reason. Where cores are not stopped inside the
 * kernel, a call that fails is also compared with its caller's books before: a failed call changes nothing. The reserve
 * of page tables is excepted, which a call may fill before it fails.
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
};

static const struct run runs[] = {
    {"one core", {.cores = 1, .ram_bytes = 16 << 20}, 0, 7, 15},
    {"three cores", {.cores = 3, .ram_bytes = 16 << 20}, 0, 7, 20},
    {"three cores, stopped anywhere", {.cores = 3, .ram_bytes = 16 << 20, .switch_one_in = 3}, 0, 60, 30},
    {"four cores, stopped rarely", {.cores = 4, .ram_bytes = 8 << 20, .switch_one_in = 40}, 0, 40, 10},
    {"little memory", {.cores = 3, .ram_bytes = 3584 << 10}, 0, 7, 10},
    {"a heap that fails", {.cores = 2, .ram_bytes = 8 << 20}, 4, 7, 15},
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

/* Nothing can happen before the next timer: let time pass to it. */
static void pass_time(void) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < run->config.cores; i++)
        if (((struct arch_core *)cores[i])->timer < next)
            next = ((struct arch_core *)cores[i])->timer;
    if (next == UINT64_MAX)
        failed("every core idles, and no timer is set");
    if (next > host_clock)
        host_clock = next;
}

static void one_step(void) {
    unsigned first = (unsigned)host_below(&scheduler, run->config.cores), core = first;
    host_clock += host_below(&scheduler, 4);
    while (host_rest(core) == HOST_IDLE && !host_interrupt_due(core)) {
        core = (core + 1) % run->config.cores;
        if (core == first)
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
}

static void simulate(uint64_t steps) {
    struct host_config config = run->config;
    config.seed = run_seed;
    scheduler.state = run_seed;
    host_boot(&config);
    program_reset(run_seed, config.switch_one_in == 0);
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
