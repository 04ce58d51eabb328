/* SPDX-License-Identifier: MIT */
/*
 * What a program must write differently for each processor; this is the RISC-V half. Each port has this file, with the
 * same functions:
 *
 *   arch_io_read/_write    one byte of I/O port space, for ports that are granted (there are none here)
 *   arch_device_read/_write  one device register of 1, 2 or 4 bytes, in program order with other device accesses
 *   arch_instructions      a counter that goes up by one for each instruction, where the machine has one (QEMU with
 *                          -icount); ARCH_INSTRUCTIONS_READ is what two reads in a row differ by
 *   arch_privileged, arch_illegal, arch_fault_priv  two instructions a program may not use, and how the first one ends
 *   arch_pretend           puts an address where the kernel, in the kernel, has one that it trusts, as far as a program
 *                          can: until the next switch
 *   ARCH_KERNEL_ADDRESS    an address that belongs to the kernel: where physical address 0 is, or would be
 */
#ifndef ARCH_USER_H
#define ARCH_USER_H

#include <stdint.h>

#include "arch_syscall.h"
#include "os2/abi.h"

#define ARCH_KERNEL_ADDRESS UINT64_C(0xffffffc000000000)

static inline uint8_t arch_io_read(uint16_t port) {
    (void)port;
    return 0xff;
}

static inline void arch_io_write(uint16_t port, uint8_t value) {
    (void)port;
    (void)value;
}

static inline uint32_t arch_device_read(uintptr_t address, unsigned width) {
    uint32_t value = width == 4   ? *(volatile uint32_t *)address
                     : width == 2 ? *(volatile uint16_t *)address
                                  : *(volatile uint8_t *)address;
    __asm__ volatile("fence i, rw" ::: "memory");
    return value;
}

static inline void arch_device_write(uintptr_t address, unsigned width, uint32_t value) {
    __asm__ volatile("fence rw, o" ::: "memory");
    if (width == 4)
        *(volatile uint32_t *)address = value;
    else if (width == 2)
        *(volatile uint16_t *)address = (uint16_t)value;
    else
        *(volatile uint8_t *)address = (uint8_t)value;
}

/* instret. QEMU counts instructions in it only with -icount; else it shows the host's time. */
static inline uint64_t arch_instructions(void) {
    uint64_t count;
    __asm__ volatile("rdinstret %0" : "=r"(count)::"memory");
    return count;
}
#define ARCH_INSTRUCTIONS_READ 1u

/* Reads a supervisor register. */
static inline void arch_privileged(void) {
    __asm__ volatile("csrr t0, sstatus" ::: "t0");
}
#define arch_fault_priv OS2_FAULT_INSTRUCTION

static inline void arch_illegal(void) {
    __asm__ volatile("unimp");
}

/* C does not use tp here. */
static inline void arch_pretend(uint64_t address) {
    __asm__ volatile("mv tp, %0" ::"r"(address));
}

#endif
