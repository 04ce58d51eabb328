/* SPDX-License-Identifier: MIT */
/* What one core sends to another, through the firmware; and what a core lets in. */
#include "arch/riscv64/riscv.h"

#define SBI_LEGACY_SEND_IPI 4

struct core *riscv_ready[CORES_MAX];

void arch_ipi_send(struct core *core) {
    uint64_t hart = riscv_core(core)->hart;
    arch_fence();
    if (sbi_has.ipi) {
        sbi_call(SBI_IPI, 0, 1, hart, 0);
    } else if (hart < 64) {                  /* another core finds its work when its nap ends */
        uint64_t mask = UINT64_C(1) << hart; /* legacy: read by firmware at this address */
        sbi_call(SBI_LEGACY_SEND_IPI, 0, (uint64_t)(uintptr_t)&mask, 0, 0);
    }
}

/* An interrupt waits until the core lets it in: at the latest when it returns to user mode. */
void arch_stop_others(void) {
    for (unsigned i = 0; i < CORES_MAX; i++)
        if (riscv_ready[i] && riscv_ready[i] != arch_core())
            arch_ipi_send(riscv_ready[i]);
}

void arch_interrupts_hold(struct core *core, bool hold) {
    uint64_t others = UINT64_C(1) << RISCV_IRQ_SOFT | UINT64_C(1) << RISCV_IRQ_EXTERNAL;
    (void)core;
    if (hold)
        csr_clear(sie, others);
    else
        csr_set(sie, others);
}
