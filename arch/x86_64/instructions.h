/* SPDX-License-Identifier: MIT */
/* The privileged instructions of this port, cpuid, and device registers in memory, as functions: a host test puts
 * others in their place. */
#ifndef ARCH_X86_64_INSTRUCTIONS_H
#define ARCH_X86_64_INSTRUCTIONS_H

#include <stdint.h>

#define cr_read(name)                                                                                                  \
    ({                                                                                                                 \
        uint64_t cr_value;                                                                                             \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(cr_value)::"memory");                                            \
        cr_value;                                                                                                      \
    })
#define cr_write(name, value) __asm__ volatile("mov %0, %%" #name ::"r"((uint64_t)(value)) : "memory")

static inline uint64_t msr_read(uint32_t number) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number) : "memory");
    return (uint64_t)high << 32 | low;
}
static inline void msr_write(uint32_t number, uint64_t value) {
    __asm__ volatile("wrmsr" ::"c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

struct x86_cpuid {
    uint32_t a, b, c, d;
};
static inline struct x86_cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    struct x86_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint8_t port_read8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline uint16_t port_read16(uint16_t port) {
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline uint32_t port_read32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline void port_write8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
static inline void port_write16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
static inline void port_write32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

/* A device's register in memory. */
static inline uint32_t memory_read32(const volatile uint32_t *at) {
    return *at;
}
static inline void memory_write32(volatile uint32_t *at, uint32_t value) {
    *at = value;
}

/* Drop the translation of `va` under the PCID in use. */
static inline void invlpg(uint64_t va) {
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

#endif
