/* SPDX-License-Identifier: MIT */
/* In the place of arch/x86_64/instructions.h: a processor that the test plays. */
#ifndef ARCH_X86_64_INSTRUCTIONS_H
#define ARCH_X86_64_INSTRUCTIONS_H

#include <stdint.h>

uint64_t fake_cr0_read(void);
uint64_t fake_cr2_read(void);
uint64_t fake_cr3_read(void);
uint64_t fake_cr4_read(void);
void fake_cr0_write(uint64_t value);
void fake_cr3_write(uint64_t value);
void fake_cr4_write(uint64_t value);
#define cr_read(name) fake_##name##_read()
#define cr_write(name, value) fake_##name##_write(value)

struct x86_cpuid {
    uint32_t a, b, c, d;
};
struct x86_cpuid cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t msr_read(uint32_t number);
void msr_write(uint32_t number, uint64_t value);
uint8_t port_read8(uint16_t port);
uint16_t port_read16(uint16_t port);
uint32_t port_read32(uint16_t port);
void port_write8(uint16_t port, uint8_t value);
void port_write16(uint16_t port, uint16_t value);
void port_write32(uint16_t port, uint32_t value);
uint32_t mmio_read32(void *at);
void mmio_write32(void *at, uint32_t value);
void invlpg(uint64_t va);

#endif
