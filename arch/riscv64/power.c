/* SPDX-License-Identifier: MIT */
/* Power off and restart: the sifive,test device, which alone can tell a code; else the firmware. */
#include "arch/riscv64/riscv.h"

#define SBI_LEGACY_SHUTDOWN 8

void arch_halt(void) {
    csr_write(sie, 0);
    for (;;)
        __asm__ volatile("wfi");
}

/* The sifive,test device: 0x5555 is success, 0x3333 with a code above it is failure. */
static void test_device_exit(uint32_t value) {
    if (sbi_has.test_device && riscv_facts.test_device)
        *(volatile uint32_t *)arch_phys_to_virt(riscv_facts.test_device) = value;
}

void arch_power_off(unsigned code) {
    test_device_exit(code ? 0x3333 | code << 16 : 0x5555);
    if (sbi_has.srst)
        sbi_call(SBI_SRST, 0, 0, code != 0, 0);
    /* Firmware that cannot do this either stops here and says nothing. */
    static const char last[] = "[log: stopped; if the power stays on, it may be switched off]\n";
    arch_console_write(last, sizeof last - 1);
    sbi_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0);
    arch_halt();
}

void arch_restart(void) {
    if (sbi_has.srst)
        sbi_call(SBI_SRST, 0, 1, 0, 0);
    test_device_exit(0x7777);
    arch_halt();
}
