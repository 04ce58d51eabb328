/* SPDX-License-Identifier: MIT */
/* In the place of arch/x86_64/port.h: physical memory and the time-stamp counter are the test's. */
#ifndef FAKE_X86_64_MEMORY_PORT_H
#define FAKE_X86_64_MEMORY_PORT_H

#define arch_phys_to_virt direct_phys_to_virt
#define arch_virt_to_phys direct_virt_to_phys
#define arch_clock processor_clock
#include "../../../../arch/x86_64/port.h"
#undef arch_phys_to_virt
#undef arch_virt_to_phys
#undef arch_clock

extern uint8_t *fake_memory;
uint64_t arch_clock(void);

static inline void *arch_phys_to_virt(uint64_t pa) {
    return fake_memory + pa;
}
static inline uint64_t arch_virt_to_phys(const void *va) {
    return (uint64_t)((const uint8_t *)va - fake_memory);
}

#endif
