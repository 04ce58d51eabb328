/* SPDX-License-Identifier: MIT */
/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0.0).
 *
 *     0x000000 + 4 i             priority of source i; 0: never interrupts
 *     0x002000 + 0x80 c + i / 8  enable bit of source i in context c
 *     0x200000 + 0x1000 c        threshold of context c; + 4: claim (read) and complete (write)
 *
 * A source is masked by priority 0: one word, which any core may write. It is masked and completed at once by the core
 * that claimed it; its driver's acknowledge restores the priority.
 *
 * A source is enabled in one context at a time, that of the core which let it in last: where its driver runs. Enabled
 * in every context, each interrupt would stop every core, for nothing in all but one. Disabling loses completions: the
 * controller drops one for a source that is not enabled in that context, and the source is dead from then on. So a
 * source must not be moved between a claim and its completion. It is not: both are in one call, arch_irq_take(), and
 * the caller's lock is held over that as over arch_irq_unmask(). The old context may have been told already when the
 * source leaves it; then it claims nothing.
 */
#include "arch/riscv64/riscv.h"

static uint8_t enabled_at[PLIC_SOURCES_MAX + 1]; /* the caller's lock: index + 1 of the core, 0: nowhere */

static uint32_t get(uint64_t offset) {
    return *(volatile uint32_t *)arch_phys_to_virt(riscv_facts.plic.base + offset);
}

static void put(uint64_t offset, uint32_t value) {
    *(volatile uint32_t *)arch_phys_to_virt(riscv_facts.plic.base + offset) = value;
}

/* The lock that is held over these calls orders memory only: what this core has written to the controller comes before
 * what the next holder writes. Called last; and first, against that holder's. */
static void settle(void) {
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}

#define PRIORITY(irq) (4 * (uint64_t)(irq))
#define ENABLE(context) (0x2000 + 0x80 * (context))
#define THRESHOLD(context) (0x200000 + 0x1000 * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)

uint64_t plic_context_end(uint64_t context) {
    return CLAIM(context) + 4;
}

void plic_init(void) {
    for (uint32_t i = 1; i <= riscv_facts.plic_sources; i++)
        put(PRIORITY(i), 0);
}

void plic_core_init(uint64_t context) {
    if (context == RISCV_NO_PLIC)
        return;
    for (uint32_t i = 0; i <= riscv_facts.plic_sources / 32; i++)
        put(ENABLE(context) + 4 * i, 0);
    put(THRESHOLD(context), 0);
}

unsigned arch_irq_take(struct core *core) {
    uint64_t context = riscv_core(core)->plic_context;
    if (context == RISCV_NO_PLIC)
        return 0;
    settle();
    uint32_t irq = get(CLAIM(context));
    if (irq) {
        put(PRIORITY(irq), 0);
        put(CLAIM(context), irq);
    }
    settle();
    return irq;
}

static void enable(uint64_t context, unsigned irq, bool on) {
    uint64_t word = ENABLE(context) + 4 * (irq / 32);
    uint32_t bit = 1u << irq % 32;
    put(word, on ? get(word) | bit : get(word) & ~bit);
}

/* Enable a source for the core `index` and for no other; where that one has no context, it stays or goes to any that
 * has. */
static void move(unsigned irq, unsigned index) {
    unsigned was = enabled_at[irq];
    if (riscv_facts.plic_context[index] == RISCV_NO_PLIC) {
        if (was)
            return;
        for (index = 0; riscv_facts.plic_context[index] == RISCV_NO_PLIC;)
            if (++index == CORES_MAX)
                return;
    }
    if (was == index + 1)
        return;
    if (was)
        enable(riscv_facts.plic_context[was - 1], irq, false);
    enable(riscv_facts.plic_context[index], irq, true);
    enabled_at[irq] = (uint8_t)(index + 1);
}

void arch_irq_unmask(unsigned irq) {
    if (irq == 0 || irq > riscv_facts.plic_sources)
        return;
    settle();
    move(irq, arch_core_index());
    put(PRIORITY(irq), 1);
    settle();
}

/* The controller has none: those of PCI come to its lines (INTx). */
bool arch_irq_message(unsigned index, unsigned *ret_irq, uint64_t *ret_address, uint32_t *ret_data) {
    (void)index;
    (void)ret_irq;
    (void)ret_address;
    (void)ret_data;
    return false;
}

void arch_irq_mask(unsigned irq) {
    if (irq == 0 || irq > riscv_facts.plic_sources)
        return;
    put(PRIORITY(irq), 0);
    settle();
}
