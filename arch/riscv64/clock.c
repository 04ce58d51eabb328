/* SPDX-License-Identifier: MIT */
/* Time: the time register is the clock; the alarm is stimecmp where the processor has it, else the firmware's. */
#include "arch/riscv64/riscv.h"

#define SBI_LEGACY_SET_TIMER 0

void arch_timer_set(struct core *core, uint64_t when) {
    (void)core;
    if (when == UINT64_MAX) {
        csr_clear(sie, UINT64_C(1) << RISCV_IRQ_TIMER);
        return;
    }
    if (riscv_facts.sstc)
        __asm__ volatile("csrw 0x14d, %0" ::"r"(when) : "memory"); /* stimecmp */
    else if (sbi_has.time)
        sbi_call(SBI_TIME, 0, when, 0, 0);
    else
        sbi_call(SBI_LEGACY_SET_TIMER, 0, when, 0, 0);
    csr_set(sie, UINT64_C(1) << RISCV_IRQ_TIMER);
}
