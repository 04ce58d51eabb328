/* SPDX-License-Identifier: MIT */
/* What the suite must write differently for each processor; this is the x86_64 half. See the RISC-V half. */
#ifndef ARCH_TEST_H
#define ARCH_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "arch_user.h"
#include "os2/abi.h"

/*
 * Index 0 to 15 is rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8 .. r15; 16 the base of fs; 17 + 2i and 18 + 2i the halves
 * of xmm(i); 49 MXCSR and 50 the x87 control word, as differences from what they are in a fresh process; 51 to 58 mm0 to
 * mm7, which are the x87 registers. rsp and fs are not loaded.
 */
void arch_registers(const uint64_t *in, uint64_t *out);
#define ARCH_REGISTERS 59u

#define ARCH_DUMP_CONTROL 1024u
extern const char arch_dump[], arch_dump_end[];
extern const char arch_loop[], arch_loop_end[];

static const uint8_t arch_slot[OS2_R_COUNT] = {0, 5, 4, 3, 10, 8, 9, 1, 12, 13};

/* Page tables that a process has with one page mapped. */
#define ARCH_TABLE_LEVELS 4u

enum arch_role {
    ARCH_FIXED,    /* not loaded: sp, constants */
    ARCH_KEPT,     /* the same after a call */
    ARCH_SLOT,     /* carries arguments and results */
    ARCH_SCRUBBED, /* 0 after a call */
    ARCH_LOST      /* not promised after a call; 0 after another process ran */
};
static inline enum arch_role arch_role(unsigned i) {
    if (i == 7 || i == 16)
        return ARCH_FIXED;
    if (i == 6 || i == 14 || i == 15 || i == 49 || i == 50)
        return ARCH_KEPT;
    return i == 2 || i == 11 || i > 16 ? ARCH_LOST : ARCH_SLOT; /* sysret uses up rcx and r11 */
}

/* MXCSR: flags, rounding, flush to zero; control word: rounding. All exceptions stay masked. */
static inline uint64_t arch_register_value(unsigned i, uint64_t value) {
    return i == 49 ? value & 0xe03f : i == 50 ? value & 0xc00 : value;
}

#define ARCH_REGISTER_ARGUMENT 5u
#define ARCH_REGISTER_SP 7u
#define ARCH_REGISTER_GP ARCH_REGISTERS /* there is none */
#define ARCH_REGISTER_TP 16u

static inline void arch_breakpoint(void) {
    __asm__ volatile("int3");
}

static inline bool arch_misaligned(void) {
    return false; /* no alignment is asked for */
}

static inline bool arch_divide_by_zero(void) {
    __asm__ volatile("xorl %%edx, %%edx; xorl %%ecx, %%ecx; divl %%ecx" ::: "eax", "ecx", "edx", "cc");
    return true;
}

/*
 * A device that interrupts when it is asked to: the real-time clock, whose periodic interrupt comes 8 times a second.
 * Each is an edge, until register C is read and it is turned off: slow enough that a test sees one at a time.
 */
#define ARCH_DEVICE_BASE UINT64_C(0)
#define ARCH_DEVICE_IRQ 8u
#define ARCH_DEVICE_PORTS 0x70u
#define ARCH_DEVICE_PORTS_COUNT 2u
static inline uint8_t arch_rtc_read(uint8_t number) {
    arch_io_write(ARCH_DEVICE_PORTS, number);
    return arch_io_read(ARCH_DEVICE_PORTS + 1);
}
static inline void arch_rtc_write(uint8_t number, uint8_t value) {
    arch_io_write(ARCH_DEVICE_PORTS, number);
    arch_io_write(ARCH_DEVICE_PORTS + 1, value);
}
static inline void arch_device_quiet(uintptr_t block) {
    (void)block;
    arch_rtc_write(0xb, arch_rtc_read(0xb) & 0x8f); /* no interrupts */
    arch_rtc_read(0xc);
}
static inline void arch_device_fire(uintptr_t block) {
    arch_device_quiet(block);
    arch_rtc_write(0xa, 0x2d); /* 8 Hz */
    arch_rtc_write(0xb, arch_rtc_read(0xb) | 0x40);
}

/* Physical addresses that nobody may claim: RAM, the kernel, interrupt controllers. */
static const uint64_t arch_forbidden[] = {0x1000, 0x100000, 0x200000, 0xfec00000, 0xfee00000};

#endif
