/* SPDX-License-Identifier: MIT */
/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0.0).
 *
 *     0x000000 + 4 i             priority of source i; 0: never interrupts
 *     0x002000 + 0x80 c + i / 8  enable bit of source i in context c
 *     0x200000 + 0x1000 c        threshold of context c; + 4: claim (read) and complete (write)
 *
 * Every source is enabled in every core's context for good, and masked by priority 0: one word, which any core may
 * write. (Masking by the enable bit would lose the completion: the controller drops one for a source that is not
 * enabled.) A source is masked and completed at once by the core that claimed it; its driver's acknowledge restores the
 * priority.
 */
#include "arch/riscv64/riscv.h"

static volatile uint32_t *reg(uint64_t offset) {
    return (volatile uint32_t *)arch_phys_to_virt(riscv_facts.plic.base + offset);
}

uint64_t plic_context_end(uint64_t context) {
    return 0x200000 + 0x1000 * context + 8;
}

void plic_init(void) {
    for (uint32_t i = 1; i <= riscv_facts.plic_sources; i++)
        *reg(4 * i) = 0;
}

void plic_core_init(uint64_t context) {
    if (context == RISCV_NO_PLIC)
        return;
    for (uint32_t i = 0; i <= riscv_facts.plic_sources / 32; i++)
        *reg(0x2000 + 0x80 * context + 4 * i) = UINT32_MAX;
    *reg(0x200000 + 0x1000 * context) = 0;
}

unsigned plic_claim(uint64_t context) {
    if (context == RISCV_NO_PLIC)
        return 0;
    volatile uint32_t *claim = reg(0x200004 + 0x1000 * context);
    uint32_t irq = *claim;
    if (irq) {
        *reg(4 * irq) = 0;
        *claim = irq;
    }
    return irq;
}

void arch_irq_unmask(unsigned irq) {
    if (irq && irq <= riscv_facts.plic_sources)
        *reg(4 * irq) = 1;
}

void arch_irq_mask(unsigned irq) {
    if (irq && irq <= riscv_facts.plic_sources)
        *reg(4 * irq) = 0;
}
