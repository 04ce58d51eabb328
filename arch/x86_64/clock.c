/* SPDX-License-Identifier: MIT */
/*
 * Time: the time-stamp counter is the clock, the local APIC's timer is the alarm.
 *
 * The counter must run at one speed, and alike on all cores, as it does on every processor since 2008; nothing here
 * repairs one that does not. How fast it and the timer run is measured against a clock whose speed is known: ACPI's PM
 * timer, else the PIT. Where neither is there, or it stands still, the first of these that gives a rate that makes
 * sense:
 *
 *     CPUID 15h, 16h       the processor says it (SDM 2, CPUID)
 *     CPUID 4000_0010h     the hypervisor says it
 *     HPET                 measured like the others
 *     CMOS clock           measured over a whole second, and so last
 *
 * A measurement is two readings, each the tightest of several, so that being interrupted (by a hypervisor, or the
 * emulator's host) between two instructions spoils a try and not the result. The PIT's 16 bits can wrap unseen in a
 * long interruption, which makes the counter look too fast: the lowest of three results is taken. A rate that was told,
 * or measured by seconds, says nothing of the timer: that is then measured against the counter itself.
 *
 * The timer is set in TSC-deadline mode where the processor has it, else as one shot of a count; a time further away
 * than the count reaches fires early, which timer_arrived() allows.
 */
#include "arch/x86_64/x86.h"

#define PM_HZ 3579545
#define PM_MASK 0xffffffu
#define PIT_HZ 1193182
#define PIT_MASK 0xffffu
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
/* HPET (IA-PC HPET 1.0a, 2.3): registers by 4 bytes. */
#define HPET_PERIOD 1 /* of the counter, in fs */
#define HPET_CONFIG 4
#define HPET_RUN 1u
#define HPET_COUNTER 60
#define FS_PER_S UINT64_C(1000000000000000)
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_SECONDS 0
#define CMOS_SECONDS_MOST 0x59 /* BCD, or less in binary */

#define LEAST_HZ UINT64_C(10000000) /* what makes sense of a time-stamp counter */
#define MOST_HZ UINT64_C(20000000000)
#define SECOND_MOST (UINT64_C(1) << 34) /* ticks: no second is longer than that */
#define SECONDS 5
#define SECOND_PRECISION 11 /* one part in 2^11 */
#define STILL_READINGS 100000

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

/* A counter of so many bits, and of known speed. */
struct source {
    const char *name;
    uint64_t hz;
    uint32_t mask;
    uint32_t (*read)(void);
};

static uint32_t pm_read(void) {
    return port_read32((uint16_t)x86_facts.pm_timer.address);
}

static uint32_t pit_read(void) {
    port_write8(PIT_COMMAND, 0x80); /* latch channel 2; it counts down */
    uint32_t low = port_read8(PIT_CHANNEL2);
    return ~(low | (uint32_t)port_read8(PIT_CHANNEL2) << 8);
}

static void pit_start(void) {
    port_write8(PIT_GATE, (uint8_t)((port_read8(PIT_GATE) & ~2u) | 1)); /* gate on, speaker off */
    port_write8(PIT_COMMAND, 0xb4);                                     /* channel 2, both bytes, rate generator */
    port_write8(PIT_CHANNEL2, 0);
    port_write8(PIT_CHANNEL2, 0);
}

static volatile uint32_t *hpet_register(unsigned number) {
    return (volatile uint32_t *)arch_phys_to_virt(x86_facts.hpet) + number;
}

static uint32_t hpet_read(void) {
    return memory_read32(hpet_register(HPET_COUNTER));
}

/* Its speed, having been started; 0: it says none that it may have. */
static uint64_t hpet_start(void) {
    uint32_t period = memory_read32(hpet_register(HPET_PERIOD));
    if (period < FS_PER_S / 1000000000 || period > FS_PER_S / 10000000) /* at least 10 MHz, by the specification */
        return 0;
    memory_write32(hpet_register(HPET_CONFIG), memory_read32(hpet_register(HPET_CONFIG)) | HPET_RUN);
    return FS_PER_S / period;
}

static uint32_t tsc_read(void) {
    return (uint32_t)arch_clock();
}

static struct reading reading(const struct source *source) {
    struct reading best = {0};
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t before = arch_clock();
        struct reading r = {.reference = source->read() & source->mask, .timer = lapic_read(LAPIC_TIMER_NOW)};
        uint64_t width = arch_clock() - before;
        r.tsc = before;
        if (width < least) {
            least = width;
            best = r;
        }
    }
    return best;
}

/* One measurement of both, in Hz. False: the reference stands still. */
static bool measure(const struct source *source, uint64_t *ret_tsc, uint64_t *ret_timer) {
    lapic_write(LAPIC_TIMER_START, UINT32_MAX); /* it stops at 0: a few seconds from here */
    struct reading start = reading(source);
    uint32_t elapsed = 0, last = start.reference;
    for (unsigned spins = 0; elapsed < source->hz / WINDOW_HZ; spins++) {
        uint32_t now = source->read() & source->mask;
        elapsed += (now - last) & source->mask;
        last = now;
        if (spins > STILL_READINGS && elapsed == 0)
            return false;
    }
    struct reading end = reading(source);
    elapsed += (end.reference - last) & source->mask;
    *ret_tsc = (end.tsc - start.tsc) * source->hz / elapsed;
    *ret_timer = (uint64_t)(start.timer - end.timer) * source->hz / elapsed; /* counts down */
    return true;
}

static bool makes_sense(uint64_t hz) {
    return hz >= LEAST_HZ && hz <= MOST_HZ;
}

/* What `source` says of the counter and the timer, if that makes sense. */
static bool try_source(const struct source *source) {
    uint64_t best = 0;
    for (unsigned i = 0; i < MEASUREMENTS; i++) {
        uint64_t tsc, timer;
        if (!measure(source, &tsc, &timer))
            return false;
        if (best && tsc >= best)
            continue;
        best = tsc;
        x86_facts.lapic_hz = timer;
    }
    if (!makes_sense(best))
        return false;
    tsc_hz = best;
    return true;
}

/* What the processor says; 0: nothing. */
static uint64_t cpuid_hz(void) {
    uint32_t leaves = cpuid(0, 0).a;
    struct x86_cpuid ratio = leaves >= 0x15 ? cpuid(0x15, 0) : (struct x86_cpuid){0};
    if (!ratio.a || !ratio.b)
        return 0;
    if (ratio.c)
        return (uint64_t)ratio.c * ratio.b / ratio.a;
    return leaves >= 0x16 ? (uint64_t)(cpuid(0x16, 0).a & 0xffff) * 1000000 : 0; /* the crystal's speed is not told */
}

static uint64_t hypervisor_hz(void) {
    bool there = cpuid(1, 0).c >> 31 && cpuid(0x40000000, 0).a >= 0x40000010;
    return there ? (uint64_t)cpuid(0x40000010, 0).a * 1000 : 0;
}

static uint8_t cmos_seconds(void) {
    port_write8(CMOS_INDEX, CMOS_SECONDS);
    return port_read8(CMOS_DATA);
}

/* A second began at `at`, or up to `width` ticks before. */
struct second {
    uint64_t at, width;
    uint8_t number;
};

/* The next one. False: none comes, or there is no such clock. */
static bool next_second(struct second *s) {
    uint64_t before, after = s->at;
    uint8_t number;
    do {
        if (after - s->at > SECOND_MOST)
            return false;
        before = after;
        number = cmos_seconds();
        after = arch_clock();
    } while (number == s->number);
    *s = (struct second){after, after - before, number};
    return number <= CMOS_SECONDS_MOST;
}

/* The first second whose ends are known well enough, else the one of some that is known best. */
static uint64_t cmos_hz(void) {
    struct second begin = {.at = arch_clock(), .number = cmos_seconds()}, end;
    uint64_t best = 0, least = UINT64_MAX;
    if (begin.number > CMOS_SECONDS_MOST || !next_second(&begin))
        return 0;
    for (unsigned i = 0; i < SECONDS && least > best >> SECOND_PRECISION; i++, begin = end) {
        end = begin;
        if (!next_second(&end))
            break;
        if (begin.width + end.width < least) {
            least = begin.width + end.width;
            best = end.at - begin.at;
        }
    }
    return best;
}

/* Finds tsc_hz and the timer's speed; returns by what, NULL: by nothing. */
static const char *find_rates(void) {
    static const struct {
        const char *name;
        uint64_t (*hz)(void);
    } told[] = {{"CPUID", cpuid_hz}, {"the hypervisor", hypervisor_hz}, {"HPET", NULL}, {"CMOS clock", cmos_hz}};
    struct source source = {"PM timer", PM_HZ, PM_MASK, pm_read};
    if (x86_facts.pm_timer.address && !x86_facts.pm_timer.memory && try_source(&source))
        return source.name;
    source = (struct source){"PIT", PIT_HZ, PIT_MASK, pit_read};
    pit_start();
    if (try_source(&source))
        return source.name;
    for (unsigned i = 0; i < sizeof told / sizeof told[0]; i++) {
        uint64_t hz = told[i].hz ? told[i].hz() : 0;
        if (makes_sense(hz))
            source = (struct source){told[i].name, hz, UINT32_MAX, tsc_read};
        else if (!told[i].hz && x86_facts.hpet && (hz = hpet_start()) != 0)
            source = (struct source){told[i].name, hz, UINT32_MAX, hpet_read};
        else
            continue;
        if (!try_source(&source))
            continue;
        if (told[i].hz)
            tsc_hz = hz;
        return told[i].name;
    }
    return NULL;
}

uint64_t clock_calibrate(void) {
    lapic_write(LAPIC_LVT_TIMER, LAPIC_MASKED);
    lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_1);
    const char *by = find_rates();
    lapic_write(LAPIC_TIMER_START, 0);
    if (!by)
        panic("nothing tells how fast the time-stamp counter runs: no PM timer, PIT, CPUID 15h, hypervisor, HPET or "
              "CMOS");
    uint64_t timer_hz = x86_facts.lapic_hz;
    if (!timer_hz && !x86_facts.tsc_deadline)
        panic("the local APIC's timer at %lx stands still", x86_facts.lapic);
    timer_ratio = (timer_hz << 32) / tsc_hz;
    log_line("clock %lu kHz, timer %lu kHz by %s%s", tsc_hz / 1000, timer_hz / 1000, by,
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
