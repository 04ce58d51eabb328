/* SPDX-License-Identifier: MIT */
/* What of the machine a program may claim: registers of devices but for the kernel's and the firmware's own. There are
 * no I/O ports. */
#include "arch/riscv64/riscv.h"

bool arch_device_allowed(uint64_t base, uint64_t size) {
    uint64_t end = base + size;
    if (riscv_meets(riscv_facts.plic.base, riscv_facts.plic.size, base, end))
        return false;
    if (riscv_facts.test_device && base <= riscv_facts.test_device && riscv_facts.test_device < end)
        return false;
    return !riscv_meets(riscv_facts.clint.base, riscv_facts.clint.size, base, end);
}

bool arch_ports_valid(uint64_t first, uint64_t count) {
    (void)first;
    (void)count;
    return false;
}

bool arch_ports_grant(struct core *core, struct arch_context *context, uint64_t first, uint64_t count) {
    (void)core;
    (void)context;
    (void)first;
    (void)count;
    return false;
}
