/* SPDX-License-Identifier: MIT */
/*
 * What the suite must write differently for each processor; this is the RISC-V half. Each port has this file, with the
 * same functions, and registers.S, whose functions registers.h declares.
 */
#ifndef ARCH_TEST_H
#define ARCH_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "os2/abi.h"
#include "registers.h"

/* Index i is x(i) up to 31, f(i - 32) up to 63, 64 is fcsr. sp, gp and tp are not loaded, only stored. */
#define ARCH_REGISTERS 65u
#define ARCH_FP_FIRST 32u

/* Where the slots of the register map are. */
static const uint8_t arch_slot[OS2_R_COUNT] = {10, 11, 12, 13, 14, 15, 16, 17, 5, 6};

static inline enum arch_role arch_role(unsigned i) {
    if (i == 0 || (i >= 2 && i <= 4))
        return ARCH_FIXED;
    if (i < 32) {
        if (i == 8 || i == 9 || (i >= 18 && i <= 27))
            return ARCH_KEPT;
        if (i == 7)
            return ARCH_RETURN;
        return i == 5 || i == 6 || (i >= 10 && i <= 17) ? ARCH_SLOT : ARCH_SCRUBBED;
    }
    return i == 64 || i == 40 || i == 41 || (i >= 50 && i <= 59) ? ARCH_KEPT : ARCH_LOST;
}

/* A value that the register can hold. */
static inline uint64_t arch_register_value(unsigned i, uint64_t value) {
    return i == 64 ? value & 0x7f : value; /* fcsr: flags and a rounding mode below 4 */
}

/* What a fresh process may find in it; the argument's register; those that process_start() sets. */
static inline bool arch_fresh(unsigned i, uint64_t value) {
    (void)i;
    return value == 0;
}
#define ARCH_REGISTER_ARGUMENT 10u
#define ARCH_REGISTER_SP 2u
#define ARCH_REGISTER_GP 3u
#define ARCH_REGISTER_TP 4u

static inline void arch_breakpoint(void) {
    __asm__ volatile("ebreak");
}

/* Page tables of a process whose memory is all in one place: one a level. */
#define ARCH_TABLES 3u

#define ARCH_FIRMWARE_CONSOLE 1 /* SBI has one */
#define ARCH_DIVIDES 0          /* division by zero has a result */
static inline void arch_divide_by_zero(void) {}

/* Instructions by which a program could see where the kernel has its tables, and their number on this processor. (Here
 * all registers of the kernel are refused alike: arch_fault_priv.) */
static inline unsigned arch_secrets(void) {
    return 0;
}
static inline void arch_secret(uint64_t number) {
    (void)number;
}

/* A byte of an I/O port, where there are any. */
static inline uint64_t arch_port_read(uint64_t port) {
    return port;
}
static const uint16_t arch_forbidden_ports[] = {0};

/* An instruction on state that the kernel would neither keep nor clear, and so does not let in: vector registers. */
static inline void arch_wide(void) {
    __asm__ volatile(".insn i 0x57, 7, x0, x0, 0"); /* vsetvli zero, zero, e8, m1 */
}

/*
 * A device that interrupts when it is asked to: the goldfish RTC of QEMU's virt machine, whose alarm in the past fires
 * at once. Its registers are one page.
 */
#define ARCH_DEVICE_BASE UINT64_C(0x101000)
#define ARCH_CLAIM_BASE ARCH_DEVICE_BASE /* registers in memory that nobody else has */
#define ARCH_DEVICE_IRQ 11u
#define ARCH_DEVICE_PORTS 0u   /* no I/O ports */
#define ARCH_DEVICE_MESSAGES 0 /* message-signalled interrupts */
#define ARCH_DEVICE_HELD 1     /* an interrupt that comes while nobody has bound it is kept */
static inline bool arch_device_open(unsigned handle) {
    (void)handle;
    return true;
}
static inline volatile uint32_t *arch_device_register(uintptr_t block, unsigned offset) {
    return (volatile uint32_t *)(block + offset);
}
static inline void arch_device_fire(uintptr_t block) {
    *arch_device_register(block, 0x10) = 1; /* IRQ_ENABLED */
    *arch_device_register(block, 0x0c) = 0; /* ALARM_HIGH */
    *arch_device_register(block, 0x08) = 1; /* ALARM_LOW, which sets it */
}
static inline void arch_device_quiet(uintptr_t block) {
    *arch_device_register(block, 0x1c) = 1; /* CLEAR_INTERRUPT */
    *arch_device_register(block, 0x10) = 0;
}

/* The line goes down and up again. */
static inline void arch_device_again(uintptr_t block) {
    arch_device_quiet(block);
    arch_device_fire(block);
}

/* Physical addresses that nobody may claim: RAM, interrupt controller, core-local interruptor, the power device. */
static const uint64_t arch_forbidden[] = {0x80000000, 0x80200000, 0x0c000000, 0x0c200000, 0x02000000, 0x00100000};

#endif
