/* SPDX-License-Identifier: MIT */
/*
 * Time: the time-stamp counter is the clock, the local APIC's timer is the alarm.
 *
 * The counter must run at one speed, and alike on all cores, as it does on every processor since 2008; nothing here
 * repairs one that does not. How fast it and the timer run is measured against a clock whose speed is known: ACPI's PM
 * timer, else the PIT. A measurement is two readings, each the tightest of several, so that being interrupted (by a
 * hypervisor, or the emulator's host) between two instructions spoils a try and not the result. The PIT's 16 bits can
 * wrap unseen in a long interruption, which makes the counter look too fast: the lowest of three results is taken.
 *
 * The timer is set in TSC-deadline mode where the processor has it, else as one shot of a count; a time further away
 * than the count reaches fires early, which timer_arrived() allows.
 */
#include "arch/x86_64/x86.h"
#include "core/log.h"
#include "core/panic.h"

#define PM_HZ 3579545
#define PM_MASK 0xffffffu
#define PIT_HZ 1193182
#define PIT_MASK 0xffffu
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61

#define READINGS 8
#define MEASUREMENTS 3
#define WINDOW_HZ 200 /* a measurement takes 5 ms: one tick of the PM timer is 56 ppm of it */
#define REACH_S 2     /* the timer is never set further ahead */

#define TIMER_DIVIDE_1 0xbu
#define TIMER_DEADLINE (2u << 17)

struct reading {
    uint64_t tsc;
    uint32_t timer, reference;
};

static uint64_t tsc_hz;
static uint64_t timer_ratio; /* timer ticks for each tick of the clock, 32.32 fixed point */

static uint32_t reference(void) {
    if (x86_facts.pm_timer.address)
        return port_read32((uint16_t)x86_facts.pm_timer.address) & PM_MASK;
    port_write8(PIT_COMMAND, 0x80); /* latch channel 2; it counts down */
    uint32_t low = port_read8(PIT_CHANNEL2);
    return ~(low | (uint32_t)port_read8(PIT_CHANNEL2) << 8) & PIT_MASK;
}

static struct reading reading(void) {
    struct reading best = {0};
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t before = arch_clock();
        struct reading r = {.reference = reference(), .timer = lapic_read(LAPIC_TIMER_NOW), .tsc = before};
        uint64_t width = arch_clock() - before;
        if (width < least) {
            least = width;
            best = r;
        }
    }
    return best;
}

/* One measurement of both, in Hz. False: the reference stands still. */
static bool measure(uint32_t hz, uint32_t mask, uint64_t *ret_tsc, uint64_t *ret_timer) {
    struct reading start = reading();
    uint32_t elapsed = 0, last = start.reference;
    for (unsigned spins = 0; elapsed < hz / WINDOW_HZ; spins++) {
        uint32_t now = reference();
        elapsed += (now - last) & mask;
        last = now;
        if (spins > 100000 && elapsed == 0)
            return false;
    }
    struct reading end = reading();
    elapsed += (end.reference - last) & mask;
    *ret_tsc = (end.tsc - start.tsc) * hz / elapsed;
    *ret_timer = (uint64_t)(start.timer - end.timer) * hz / elapsed; /* counts down */
    return true;
}

uint64_t clock_calibrate(void) {
    bool pm = x86_facts.pm_timer.address != 0 && !x86_facts.pm_timer.memory;
    if (!pm) {
        x86_facts.pm_timer.address = 0;
        port_write8(PIT_GATE, (uint8_t)((port_read8(PIT_GATE) & ~2u) | 1)); /* gate on, speaker off */
        port_write8(PIT_COMMAND, 0xb4);                                     /* channel 2, both bytes, rate generator */
        port_write8(PIT_CHANNEL2, 0);
        port_write8(PIT_CHANNEL2, 0);
    }
    lapic_write(LAPIC_LVT_TIMER, LAPIC_MASKED);
    lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_1);
    lapic_write(LAPIC_TIMER_START, UINT32_MAX);
    uint64_t timer_hz = 0;
    for (unsigned i = 0; i < MEASUREMENTS; i++) {
        uint64_t tsc, timer;
        if (!measure(pm ? PM_HZ : PIT_HZ, pm ? PM_MASK : PIT_MASK, &tsc, &timer))
            panic("no clock to measure the time-stamp counter with: neither PM timer nor PIT");
        if (!tsc_hz || tsc < tsc_hz) {
            tsc_hz = tsc;
            timer_hz = timer;
        }
    }
    lapic_write(LAPIC_TIMER_START, 0);
    x86_facts.lapic_hz = timer_hz;
    timer_ratio = (timer_hz << 32) / tsc_hz;
    log_line("clock %lu kHz, timer %lu kHz by %s%s", tsc_hz / 1000, timer_hz / 1000, pm ? "PM timer" : "PIT",
             x86_facts.tsc_deadline ? ", TSC deadline" : "");
    return tsc_hz;
}

void clock_core_init(void) {
    lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_1);
    lapic_write(LAPIC_LVT_TIMER, X86_VECTOR_TIMER | (x86_facts.tsc_deadline ? TIMER_DEADLINE : 0));
    /* The mode must be seen before the first deadline (SDM 3A, 11.5.4.1). */
    __asm__ volatile("mfence" ::: "memory");
}

void clock_wait_us(uint64_t us) {
    uint64_t start = arch_clock(), ticks = us * (tsc_hz / 1000000 + 1);
    while (arch_clock() - start < ticks)
        arch_relax();
}

void arch_timer_set(struct core *core, uint64_t when) {
    (void)core;
    if (x86_facts.tsc_deadline) {
        msr_write(MSR_TSC_DEADLINE, when == UINT64_MAX ? 0 : when ? when : 1);
        return;
    }
    if (when == UINT64_MAX) {
        lapic_write(LAPIC_TIMER_START, 0);
        return;
    }
    uint64_t now = arch_clock(), ahead = when > now ? when - now : 0;
    if (ahead > REACH_S * tsc_hz)
        ahead = REACH_S * tsc_hz;
    uint64_t count = (uint64_t)((unsigned __int128)ahead * timer_ratio >> 32) + 1;
    lapic_write(LAPIC_TIMER_START, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
}
