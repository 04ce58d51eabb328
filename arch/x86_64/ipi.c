/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of each core (SDM 3A, chapter 11): what one core sends to another, and what a core lets in.
 *
 * It is used as x2APIC where the processor has it, through model-specific registers, else through its page of memory.
 */
#include "arch/x86_64/x86.h"

#define APIC_ENABLED (1u << 11)
#define APIC_X2 (1u << 10)
#define SPURIOUS_ENABLE 0x100u
#define ICR_BUSY (1u << 12)
#define ICR_ASSERT (1u << 14)

static volatile uint32_t *lapic_register(unsigned offset) {
    return arch_phys_to_virt(x86_facts.lapic + offset);
}

uint32_t lapic_read(unsigned offset) {
    return x86_facts.x2apic ? (uint32_t)msr_read(MSR_X2APIC + offset / 16) : *lapic_register(offset);
}

void lapic_write(unsigned offset, uint32_t value) {
    if (x86_facts.x2apic)
        msr_write(MSR_X2APIC + offset / 16, value);
    else
        *lapic_register(offset) = value;
}

void lapic_send(uint32_t apic, uint32_t command) {
    if (x86_facts.x2apic) {
        /* This write may pass stores (SDM 3A, 11.12.3). */
        __asm__ volatile("mfence; lfence" ::: "memory");
        msr_write(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)apic << 32 | command);
        return;
    }
    while (*lapic_register(LAPIC_ICR) & ICR_BUSY)
        arch_relax();
    *lapic_register(LAPIC_ICR_HIGH) = apic << 24;
    *lapic_register(LAPIC_ICR) = command;
}

void lapic_end(void) {
    lapic_write(LAPIC_EOI, 0);
}

void lapic_init(void) {
    msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_ENABLED | (x86_facts.x2apic ? APIC_X2 : 0));
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | X86_VECTOR_SPURIOUS);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LVT_COUNTER, LAPIC_MASKED);
    lapic_write(LAPIC_LVT_LINT0, LAPIC_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LAPIC_MASKED);
    lapic_write(LAPIC_LVT_ERROR, LAPIC_MASKED);
}

/* By the priority of the task: interrupts of its class of 16 vectors and below wait. */
void arch_interrupts_hold(struct core *core, bool hold) {
    (void)core;
    lapic_write(LAPIC_TPR, hold ? X86_VECTOR_PIC : 0);
}
_Static_assert(X86_VECTOR_IPI >> 4 < X86_VECTOR_IRQ >> 4 && X86_VECTOR_IRQ + X86_IRQS <= X86_VECTOR_PIC &&
                   X86_VECTOR_TIMER >= X86_VECTOR_PIC + 16,
               "all vectors but the timer's can be held");

void arch_ipi_send(struct core *core) {
    arch_fence();
    lapic_send(x86_core(core)->apic, X86_VECTOR_IPI);
}

/* Those that have gates for an NMI, and whether the next one is to stop them. */
static struct arch_core *ready[CORES_MAX];
static uint32_t stopping;

void apic_ready(struct arch_core *here) {
    __atomic_store_n(&ready[here->index], here, __ATOMIC_RELEASE); /* pairs with arch_stop_others() */
}

bool apic_stopping(void) {
    return __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);
}

void arch_stop_others(void) {
    __atomic_store_n(&stopping, 1, __ATOMIC_SEQ_CST); /* pairs with apic_stopping() in another core's x86_fatal() */
    for (unsigned i = 0; i < CORES_MAX; i++) {
        const struct arch_core *other = __atomic_load_n(&ready[i], __ATOMIC_ACQUIRE);
        if (other && other->self != arch_core())
            lapic_send(other->apic, LAPIC_NMI | ICR_ASSERT);
    }
}
