/* SPDX-License-Identifier: MIT */
/*
 * What the suite must write differently for each processor; this is the x86_64 half. arch/riscv64/arch_test.h says what
 * each function is for. Registers: rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8 .. r15, xmm0 .. xmm15 (their low half),
 * mxcsr, the x87 control word, ds, es, fs, gs, and the word at fs:0, which only arch_dump looks at.
 */
#ifndef ARCH_TEST_H
#define ARCH_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "arch_user.h"
#include "os2/abi.h"
#include "os2/call.h"

void arch_registers(const uint64_t *in, uint64_t *out);
#define ARCH_REGISTERS 39u

void arch_fp_look(uint64_t *out);
#define ARCH_FP_FIRST 16u

#define ARCH_DUMP_CONTROL 1024u
#define ARCH_DUMP_TP 1048u
extern const char arch_dump[], arch_dump_end[];
extern const char arch_loop[], arch_loop_end[];

static const uint8_t arch_slot[OS2_R_COUNT] = {0, 5, 4, 3, 10, 8, 9, 1, 12, 13};

enum arch_role { ARCH_FIXED, ARCH_KEPT, ARCH_SLOT, ARCH_SCRUBBED, ARCH_LOST };
static inline enum arch_role arch_role(unsigned i) {
    if (i == 7 || i == 38)
        return ARCH_FIXED;
    if (i == 6 || i == 14 || i == 15 || i == 32 || i == 33)
        return ARCH_KEPT;
    if (i >= 34)
        return ARCH_SCRUBBED;
    return i == 2 || i == 11 || i >= 16 ? ARCH_LOST : ARCH_SLOT; /* syscall itself sets rcx and r11 */
}

static inline uint64_t arch_register_value(unsigned i, uint64_t value) {
    if (i == 32)
        return 0x1f80 | (value >> 24 & 3) << 13; /* all exceptions masked, a rounding mode that differs by the salt */
    if (i == 33)
        return 0x037f | (value >> 24 & 3) << 10;
    if (i >= 34 && i < 38)
        return value >> 24 & 3; /* selectors that name nothing, whatever their lowest bits */
    return value;
}

static inline bool arch_fresh(unsigned i, uint64_t value) {
    if (i == 2 || i == 11)
        return true; /* its own pc and flags */
    return value == (i == 32 ? 0x1f80 : i == 33 ? 0x037f : 0);
}
#define ARCH_REGISTER_ARGUMENT 5u
#define ARCH_REGISTER_SP 7u
#define ARCH_REGISTER_GP 255u /* there is none */
#define ARCH_REGISTER_TP 38u

static inline void arch_breakpoint(void) {
    __asm__ volatile("int3");
}

#define ARCH_TABLES 4u

#define ARCH_DIVIDES 1
static inline void arch_divide_by_zero(void) {
    __asm__ volatile("divl %%ecx" ::"a"(1), "c"(0), "d"(0));
}

/* The CMOS clock's periodic interrupt: each is an edge, slow enough that a test sees one at a time. The kernel holds an
 * edge that comes while the interrupt is not let in. */
#define ARCH_DEVICE_BASE UINT64_C(0)
#define ARCH_DEVICE_IRQ 8u
#define ARCH_DEVICE_PORTS 1
#define ARCH_DEVICE_HELD 1
static inline bool arch_device_open(unsigned handle) {
    uint64_t ports;
    if (os2_device_claim(handle, OS2_DEVICE_PORTS, 0x70, 2, &ports) < 0)
        return false;
    bool good = os2_port_grant((unsigned)ports) >= 0;
    os2_handle_close((unsigned)ports);
    return good;
}
static inline uint8_t arch_cmos_read(uint8_t index) {
    arch_io_write(0x70, index);
    return arch_io_read(0x71);
}
static inline void arch_cmos_write(uint8_t index, uint8_t value) {
    arch_io_write(0x70, index);
    arch_io_write(0x71, value);
}
static inline void arch_device_quiet(uintptr_t block) {
    (void)block;
    arch_cmos_write(0x0b, arch_cmos_read(0x0b) & ~0x40);
    arch_cmos_read(0x0c);
}
static inline void arch_device_fire(uintptr_t block) {
    arch_device_quiet(block);
    arch_cmos_write(0x0a, 0x2d); /* 8 Hz */
    arch_cmos_write(0x0b, arch_cmos_read(0x0b) | 0x40);
}

/* RAM, the I/O APIC, the local APIC. */
static const uint64_t arch_forbidden[] = {0x00200000, 0xfec00000, 0xfee00000};

#endif
