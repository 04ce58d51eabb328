/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V port's driver of its interrupt controller, on a controller that the test plays: the PLIC specification
 * 1.0.0, with what QEMU does not show. A level that stays high asks again once it is completed; and a completion by a
 * context in which the source is not enabled is dropped, after which the source never comes again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/riscv64/riscv.h"

#define CORES 4u
#define SOURCES 70u
#define CONTEXT(core) (2 * (uint64_t)(core) + 1) /* as on boards: the even ones are machine mode's */
#define CONTEXTS (2 * CORES)

struct riscv_facts riscv_facts;
struct core *riscv_tp;
static struct arch_core hart[CORES];

/* ---- The controller. ---- */

static struct source {
    bool high, pending, served; /* the gateway lets nothing in while it is served */
    uint32_t priority;
} source[SOURCES + 1];
static uint32_t enabled[CONTEXTS][32], threshold[CONTEXTS];

static void gateway(struct source *s) {
    if (s->high && !s->served)
        s->pending = true;
}

static bool is_enabled(uint64_t context, unsigned irq) {
    return enabled[context][irq / 32] >> irq % 32 & 1;
}

/* What a context is told; 0: it is not interrupted. */
static unsigned told(uint64_t context) {
    for (unsigned i = 1; i <= SOURCES; i++)
        if (source[i].pending && source[i].priority > threshold[context] && is_enabled(context, i))
            return i;
    return 0;
}

static uint32_t model_get(uint64_t offset) {
    if (offset >= 0x200000) {
        uint64_t context = (offset - 0x200000) / 0x1000;
        assert_true(context < CONTEXTS && offset % 0x1000 == 4);
        unsigned irq = told(context);
        if (irq) {
            source[irq].pending = false;
            source[irq].served = true;
        }
        return irq;
    }
    assert_true(offset >= 0x2000);
    return enabled[(offset - 0x2000) / 0x80][offset % 0x80 / 4];
}

static void model_put(uint64_t offset, uint32_t value) {
    if (offset < 0x1000) {
        assert_in_range(offset / 4, 1, SOURCES);
        source[offset / 4].priority = value;
    } else if (offset < 0x200000) {
        enabled[(offset - 0x2000) / 0x80][offset % 0x80 / 4] = value;
    } else if (offset % 0x1000 == 0) {
        threshold[(offset - 0x200000) / 0x1000] = value;
    } else {
        assert_in_range(value, 1, SOURCES);
        if (!is_enabled((offset - 0x200000) / 0x1000, value))
            return; /* dropped */
        source[value].served = false;
        gateway(&source[value]);
    }
}

#include "plic.inc"

/* ---- Tests. ---- */

static void on(unsigned index) {
    riscv_tp = (struct core *)&hart[index];
}

static int set_up(void **state) {
    (void)state;
    memset(source, 0, sizeof source);
    memset(enabled, 0xff, sizeof enabled); /* as bad firmware leaves it */
    memset(threshold, 0xff, sizeof threshold);
    memset(enabled_at, 0, sizeof enabled_at);
    riscv_facts = (struct riscv_facts){.plic = {0x0c000000, 0x600000}, .plic_sources = SOURCES};
    for (unsigned i = 0; i < CORES_MAX; i++)
        riscv_facts.plic_context[i] = i < CORES ? CONTEXT(i) : RISCV_NO_PLIC;
    for (unsigned i = 0; i < CORES; i++)
        hart[i] = (struct arch_core){.index = i, .plic_context = CONTEXT(i)};
    for (unsigned i = 1; i <= SOURCES; i++)
        source[i].priority = 7;
    plic_init();
    for (unsigned i = 0; i < CORES; i++)
        plic_core_init(CONTEXT(i));
    return 0;
}

static void raise(unsigned irq) {
    source[irq].high = true;
    gateway(&source[irq]);
}

/* How many cores are interrupted. */
static unsigned interrupted(void) {
    unsigned n = 0;
    for (unsigned i = 0; i < CORES; i++)
        n += told(CONTEXT(i)) != 0;
    return n;
}

/* One core alone is interrupted, the one that let the source in, and a mask is one. */
static void test_one_core(void **state) {
    (void)state;
    for (unsigned irq = 1; irq <= SOURCES; irq++) {
        for (unsigned i = 0; i < CORES; i++) {
            raise(irq);
            assert_int_equal(interrupted(), 0);
            on(i);
            arch_irq_unmask(irq);
            assert_int_equal(interrupted(), 1);
            arch_irq_mask(irq);
            assert_int_equal(interrupted(), 0);
            arch_irq_unmask(irq);
            assert_int_equal(told(CONTEXT(i)), irq);
            assert_int_equal(arch_irq_take((struct core *)&hart[(i + 1) % CORES]), 0);
            source[irq].high = false;
            assert_int_equal(arch_irq_take((struct core *)&hart[i]), irq);
            assert_int_equal(arch_irq_take((struct core *)&hart[i]), 0);
        }
    }
}

/* A driver that acknowledges when it likes, wherever it runs: each interrupt comes to one core, as long as the line is
 * high it comes again, and none is lost for good. */
static void test_moves(void **state) {
    uint64_t seed = 1;
    unsigned taken[SOURCES + 1] = {0};
    (void)state;
    for (unsigned step = 0; step < 200000; step++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        unsigned irq = 1 + (unsigned)(seed >> 33) % SOURCES, at = seed >> 50 & (CORES - 1);
        switch (seed >> 60 & 3) {
        case 0:
            raise(irq);
            break;
        case 1:
            on(at);
            arch_irq_unmask(irq);
            break;
        default:
            irq = told(CONTEXT(at));
            assert_int_equal(arch_irq_take((struct core *)&hart[at]), irq);
            source[irq].high = seed >> 40 & 1;
            taken[irq]++;
        }
        for (unsigned i = 1; step % 64 == 0 && i <= SOURCES; i++) {
            unsigned places = 0;
            for (unsigned c = 0; c < CORES; c++)
                places += is_enabled(CONTEXT(c), i);
            assert_true(places <= 1);
            assert_false(source[i].served); /* else its completion was dropped */
        }
    }
    for (unsigned irq = 1; irq <= SOURCES; irq++) {
        assert_true(taken[irq] > 50);
        raise(irq);
        on(irq % CORES);
        arch_irq_unmask(irq);
    }
    for (unsigned i = 0; i < CORES; i++)
        while (told(CONTEXT(i)))
            taken[arch_irq_take((struct core *)&hart[i])] = 0;
    for (unsigned irq = 1; irq <= SOURCES; irq++)
        assert_int_equal(taken[irq], 0);
}

/* A core that the controller does not reach has its interrupts at one that it does. */
static void test_no_context(void **state) {
    (void)state;
    riscv_facts.plic_context[0] = riscv_facts.plic_context[2] = RISCV_NO_PLIC;
    hart[0].plic_context = hart[2].plic_context = RISCV_NO_PLIC;
    on(0);
    arch_irq_unmask(5);
    raise(5);
    assert_int_equal(arch_irq_take((struct core *)&hart[0]), 0);
    assert_int_equal(arch_irq_take((struct core *)&hart[1]), 5);
    on(3);
    arch_irq_unmask(5);
    assert_int_equal(arch_irq_take((struct core *)&hart[3]), 5);
    on(2);
    arch_irq_unmask(5);
    assert_int_equal(interrupted(), 1);
    assert_int_equal(told(CONTEXT(3)), 5); /* where it was */
    arch_irq_unmask(0);
    arch_irq_unmask(SOURCES + 1);
    arch_irq_mask(SOURCES + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_core, set_up),
        cmocka_unit_test_setup(test_moves, set_up),
        cmocka_unit_test_setup(test_no_context, set_up),
    };
    return cmocka_run_group_tests_name("plic", tests, NULL, NULL);
}
