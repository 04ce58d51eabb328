/* SPDX-License-Identifier: MIT */
/*
 * Programs that give the kernel much to do at one moment: hundreds of deadlines that pass at once, processes that end
 * by the dozen, a device that interrupts meanwhile, and one process that computes and makes no call. And one whose
 * pages lie far apart, so that a search for emptied page tables has much to look at.
 *
 * What is seen from inside is that everybody wakes and everything comes back. How much the kernel does between two
 * instructions of the programs is counted from outside, while this runs: tests/bench/entries.py, `stretch`.
 */
#include "systest.h"

#include "arch_test.h"
#include "lib/format.h"
#include "os2/time.h"

#define SLEEPERS 120u
#define ROUNDS 4u
#define PERIOD_MS 40u
#define IRQ_BIT (UINT64_C(1) << 50)

static struct os2_child sleeper[SLEEPERS];
static uint64_t end_bit = 1;

/* ---- A sleeper: sleeps from one multiple of the period to the next, and tells each time. ---- */

int sleeper_main(int argc, char **argv) {
    uint64_t rate, period;

    (void)argc;
    (void)argv;
    os2_clock(&rate);
    period = rate * PERIOD_MS / 1000;
    for (;;) {
        struct os2_message m = {.w = {[4] = (os2_clock(NULL) / period + 1) * period}};
        if (os2_receive(OS2_F_FROM | OS2_F_DEADLINE, &m) != OS2_OK) /* from nobody */
            return 1;
    }
}

/* ---- The suite's part. ---- */

static bool start(struct os2_child *child) {
    struct os2_child_plan plan = {
        .image = image,
        .image_size = image_size,
        .process = {.quantum = 10, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS, .end_bits = end_bit, .name = "sleeper"},
    };
    static const char *const argv[] = {"systest", "sleeper"};

    int status = os2_child_create(&plan, child, NULL);
    if (status >= 0)
        status = os2_child_start(child, COUNT(argv), argv);
    if (status < 0)
        os2_child_drop(child);
    return status >= 0;
}

/* Computes, with no system call, until so many ms are over. */
static void compute(unsigned ms) {
    uint64_t until = os2_deadline_ms(ms);
    volatile unsigned sum = 0;
    while (os2_clock(NULL) < until)
        for (unsigned i = 0; i < 100000; i++)
            sum += i;
}

static uint64_t turns_of(const struct os2_child *child) {
    struct os2_process_facts facts;
    return os2_process_facts(child->control, 0, &facts) < 0 ? 0 : facts.turns;
}

/* On a host that takes processors away, a core may come to its sleepers later than others. */
static bool woken(const struct os2_child *child, uint64_t turns) {
    uint64_t limit = os2_deadline_ms(HANG_MS);
    while (turns_of(child) <= turns && os2_clock(NULL) < limit)
        os2_sleep_ms(PERIOD_MS);
    return turns_of(child) > turns;
}

static void hostile(void) {
    uint64_t at = 0, irq = 0, turns[SLEEPERS];
    unsigned started = 0;

    NEED(arch_device_open(machine));
    if (ARCH_DEVICE_BASE)
        NEED_IS(os2_device_claim(machine, OS2_DEVICE_MEMORY, ARCH_DEVICE_BASE, 0, &at), OS2_OK);
    NEED_IS(os2_device_claim(machine, OS2_DEVICE_IRQ, ARCH_DEVICE_IRQ, 1, &irq), OS2_OK);
    CHECK_IS(os2_irq_bind((unsigned)irq, IRQ_BIT), OS2_OK);
    while (started < SLEEPERS && start(&sleeper[started]))
        started++;
    CHECK(started >= 20); /* as many as there is quota for */
    for (unsigned i = 0; i < started; i++)
        turns[i] = turns_of(&sleeper[i]);
    for (unsigned round = 0; round < ROUNDS; round++) {
        arch_device_fire(at);
        compute(PERIOD_MS + PERIOD_MS / 4);
        arch_device_quiet(at);
        os2_irq_ack((unsigned)irq);
        os2_sleep_ms(PERIOD_MS / 4);
    }
    for (unsigned i = 0; i < started; i++)
        CHECK(woken(&sleeper[i], turns[i]));
    /* All are made ready by one deadline, some are killed as they are, and computing goes on beside their ends. */
    compute(PERIOD_MS);
    for (unsigned i = 0; i < started / 3; i++)
        CHECK_IS(os2_process_kill(sleeper[i].control), OS2_OK);
    arch_device_fire(at);
    os2_yield();
    compute(PERIOD_MS / 4);
    arch_device_quiet(at);
    for (unsigned i = 0; i < started; i++)
        os2_child_drop(&sleeper[i]);
    for (unsigned i = 0; i < 200; i++)
        os2_yield();
    CHECK_IS(os2_irq_bind((unsigned)irq, 0), OS2_OK);
    os2_handle_close((unsigned)irq);
    if (at)
        os2_block_free((void *)(uintptr_t)at);
}

#define FAR_APART (UINT64_C(1) << 30)
#define PAGES 100u
#define MOVES 640u /* the kernel searches once in 64 times */

static void far_apart(void) {
    uint64_t page[PAGES], moving, at;
    void *block;
    unsigned placed = 0;

    NEED_IS(os2_block_alloc(0, &block), OS2_OK);
    moving = (uint64_t)(uintptr_t)block;
    for (; placed < PAGES && os2_block_alloc(0, &block) == OS2_OK; placed++)
        if (os2_block_place(block, (placed + 4) * FAR_APART, OS2_PROT_READ, &page[placed]) < 0) {
            os2_block_free(block);
            break;
        }
    CHECK(placed >= 30); /* as many as there is quota for */
    for (unsigned i = 0; i < MOVES; i++) {
        uint64_t to = (placed + 4 + i % 10) * FAR_APART;
        CHECK_IS(os2_block_place((void *)(uintptr_t)moving, to, OS2_PROT_READ, &at), OS2_OK);
        moving = at;
    }
    os2_block_free((void *)(uintptr_t)moving);
    for (unsigned i = 0; i < placed; i++)
        os2_block_free((void *)(uintptr_t)page[i]);
}

static const struct test tests[] = {
    {"breath", "deadlines, ends and interrupts by the dozen, beside one that computes", hostile},
    {"place-move", "pages that lie far apart, and one that moves among places further up", far_apart},
};
AREA(hostile, tests);
