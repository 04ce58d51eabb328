/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what happens to the whole kernel on the host port: which core goes on, and what its process does.
 *
 * The bytes are the random source of the simulation's programs (tests/sim/program.c): each choice there, of a call, of
 * an argument, of garbage in its place, takes a byte, or as many as it needs. So an input is a row of decisions, and
 * coverage of the kernel leads to those that matter. The first byte is the machine; where cores are stopped inside the
 * kernel, and what hardware walks, has its own seed from the second one.
 *
 * After the last byte, and now and then before, the machine comes to rest and every invariant of host_check() is asked;
 * a failed call has changed nothing, as in the simulation. The input always begins with a boot, so it is all that a
 * fault needs to be seen again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/state.h"
#include "tests/sim/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct machine_kind {
    struct host_config config;
    unsigned crowd; /* see program_reset() */
    bool blocks;
} machines[] = {
    {{.cores = 1, .ram_bytes = 4 << 20}, 0, false},
    {{.cores = 2, .ram_bytes = 4 << 20}, 0, false},
    {{.cores = 2, .ram_bytes = 4 << 20, .switch_one_in = 3}, 0, false},
    {{.cores = 3, .ram_bytes = 4 << 20, .switch_one_in = 2}, 5, false},
    {{.cores = 1, .ram_bytes = 4 << 20}, 5, true},
    {{.cores = 3, .ram_bytes = 3584 << 10}, 0, false},
};
#define MACHINES (sizeof machines / sizeof *machines)
#define CHECK_EVERY 64

_Noreturn static void failed(const char *why) {
    fprintf(stderr, "calls: %s\n", why);
    program_history();
    fflush(stdout);
    abort();
}

static void on_panic(void) {
    failed(host_panic);
}

static bool busy(unsigned core) {
    return host_rest(core) != HOST_IDLE || host_interrupt_due(core);
}

/* All cores idle: time passes to the next timer. A wake-up that was lost shows now: later a deadline would hide it. */
static void pass_time(unsigned count) {
    const char *why = host_check();
    uint64_t next = UINT64_MAX;

    if (why)
        failed(why);
    for (unsigned i = 0; i < count; i++)
        if (cores[i]->arch.timer < next)
            next = cores[i]->arch.timer;
    if (next == UINT64_MAX)
        failed("every core idles, and no timer is set");
    if (next > host_clock)
        host_clock = next;
}

/* An interrupt that is let in, or none. */
static unsigned some_irq(void) {
    unsigned irq = (unsigned)program_below(8);
    return irq && host_irq_open(irq) ? irq : 0;
}

/* One core goes on. */
static void one_step(unsigned count) {
    uint64_t what = program_below(256);
    unsigned core = (unsigned)(what % count), first = core;

    host_clock += what >> 6;
    while (!busy(core)) {
        core = (core + 1) % count;
        if (core == first)
            pass_time(count);
    }
    what = what >> 2 & 15; /* what else may happen than a call */
    switch (host_rest(core)) {
    case HOST_KERNEL:
        host_continue(core);
        break;
    case HOST_IDLE:
        host_interrupt(core, what ? 0 : some_irq());
        break;
    case HOST_USER:
        if (host_interrupt_due(core) && what < 5)
            host_interrupt(core, 0);
        else if (what == 15)
            host_interrupt(core, some_irq());
        else
            program_step(core);
        break;
    case HOST_OFF:
    case HOST_DOWN:
        failed("a core is off");
    }
}

static void ask(void) {
    host_settle();
    const char *why = host_check();
    if (why)
        failed(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    const struct machine_kind *kind = &machines[data[0] % MACHINES];
    struct host_config config = kind->config;

    config.seed = data[1];
    host_abort = on_panic;
    host_boot(&config);
    program_reset(config.seed, config.switch_one_in == 0, kind->crowd, kind->blocks, false);
    program_feed(data + 2, size - 2);
    for (unsigned step = 1; program_fed(); step++) {
        one_step(config.cores);
        if (program_complaint())
            failed(program_complaint());
        if (step % CHECK_EVERY == 0)
            ask();
    }
    ask();
    return 0;
}
