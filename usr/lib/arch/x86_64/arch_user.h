/* SPDX-License-Identifier: MIT */
/*
 * What a program must write differently for each processor; this is the x86_64 half. arch/riscv64/arch_user.h says what
 * each function is for.
 */
#ifndef ARCH_USER_H
#define ARCH_USER_H

#include <stdint.h>

#include "arch_syscall.h"
#include "os2/abi.h"

#define ARCH_KERNEL_ADDRESS UINT64_C(0xffff800000000000)

static inline uint8_t arch_io_read(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void arch_io_write(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

/* Uncached memory is accessed in program order; only the compiler must be held. */
static inline uint32_t arch_device_read(uintptr_t address, unsigned width) {
    uint32_t value = width == 4   ? *(volatile uint32_t *)address
                     : width == 2 ? *(volatile uint16_t *)address
                                  : *(volatile uint8_t *)address;
    __asm__ volatile("" ::: "memory");
    return value;
}

static inline void arch_device_write(uintptr_t address, unsigned width, uint32_t value) {
    __asm__ volatile("" ::: "memory");
    if (width == 4)
        *(volatile uint32_t *)address = value;
    else if (width == 2)
        *(volatile uint16_t *)address = (uint16_t)value;
    else
        *(volatile uint8_t *)address = (uint8_t)value;
}

/* The time stamp counter: QEMU lets it go up by one for each instruction with -icount shift=0. */
static inline uint64_t arch_instructions(void) {
    uint64_t count;
    __asm__ volatile("rdtsc; shl $32, %%rdx; or %%rdx, %0" : "=a"(count)::"rdx", "cc", "memory");
    return count;
}
#define ARCH_INSTRUCTIONS_READ 3u

/* Stops the processor: a general-protection fault outside ring 0. */
static inline void arch_privileged(void) {
    __asm__ volatile("hlt");
}
#define arch_fault_priv OS2_FAULT_OTHER

static inline void arch_illegal(void) {
    __asm__ volatile("ud2");
}

/* No program can load the base of gs but with 0, by its selector. */
static inline void arch_pretend(uint64_t address) {
    (void)address;
    __asm__ volatile("movl %0, %%gs" ::"r"(0));
}

#endif
