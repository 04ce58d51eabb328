/* SPDX-License-Identifier: MIT */
/*
 * What the suite must write differently for each processor; this is the x86_64 half. arch/riscv64/arch_test.h says what
 * each function is for. Registers: rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8 .. r15; what fxsave64 stores of x87 and
 * SSE, as words (SDM 1, 10.5.1: four of control, then st0 .. st7 and xmm0 .. xmm15, two each); mxcsr and the x87
 * control word once more, ds, es, fs, gs, and the word at fs:0, which only arch_dump looks at.
 */
#ifndef ARCH_TEST_H
#define ARCH_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "arch_user.h"
#include "os2/abi.h"
#include "os2/call.h"
#include "registers.h"

#define ARCH_FP_FIRST 16u
#define ARCH_FP_MXCSR 19u
#define ARCH_FP_X87 20u
#define ARCH_FP_SSE 36u
#define ARCH_REGISTER_MXCSR 68u
#define ARCH_REGISTER_FCW 69u
#define ARCH_REGISTER_DS 70u /* es, fs, gs follow */
#define ARCH_REGISTER_TP 74u
#define ARCH_REGISTERS 75u

static const uint8_t arch_slot[OS2_R_COUNT] = {0, 5, 4, 3, 10, 8, 9, 1, 12, 13};

static inline enum arch_role arch_role(unsigned i) {
    if (i == 7 || i == ARCH_REGISTER_TP)
        return ARCH_FIXED;
    if (i == 6 || i == 14 || i == 15 || i == ARCH_REGISTER_MXCSR || i == ARCH_REGISTER_FCW)
        return ARCH_KEPT;
    if (i >= ARCH_REGISTER_DS)
        return ARCH_SCRUBBED;
    if (i == 2)
        return ARCH_RETURN;
    return i == 11 || i >= ARCH_FP_FIRST ? ARCH_LOST : ARCH_SLOT; /* syscall itself sets rcx and r11 */
}

/* All exceptions masked, and what else differs by the salt: the rounding mode; of x87 the top of the stack, which is
 * full, and the signs and exponents. Addresses are canonical, selectors name nothing, whatever their lowest bits. */
static inline uint64_t arch_register_value(unsigned i, uint64_t value) {
    uint64_t salt = value >> 24;
    if (i == ARCH_FP_FIRST)
        return 0x037f | (salt & 7) << 27 | UINT64_C(0xff) << 32;
    if (i == ARCH_REGISTER_MXCSR || i == ARCH_FP_MXCSR)
        return 0x1f80 | (salt & 3) << 13;
    if (i == ARCH_REGISTER_FCW)
        return 0x037f | (salt & 3) << 10;
    if (i == ARCH_FP_FIRST + 1 || i == ARCH_FP_FIRST + 2)
        return value & 0x7fffffffffff;
    if (i >= ARCH_FP_X87 && i < ARCH_FP_SSE && (i - ARCH_FP_X87) % 2)
        return value & 0xffff;
    return i >= ARCH_REGISTER_DS && i < ARCH_REGISTER_TP ? salt & 3 : value;
}

static inline bool arch_fresh(unsigned i, uint64_t value) {
    if (i == 2 || i == 11)
        return true; /* its own pc and flags */
    if (i == ARCH_FP_MXCSR)
        value &= UINT32_MAX; /* above it is which bits of it the processor has */
    return value == (i == ARCH_REGISTER_MXCSR || i == ARCH_FP_MXCSR ? 0x1f80
                     : i == ARCH_REGISTER_FCW || i == ARCH_FP_FIRST ? 0x037f
                                                                    : 0);
}
#define ARCH_REGISTER_ARGUMENT 5u
#define ARCH_REGISTER_SP 7u
#define ARCH_REGISTER_GP 255u /* there is none */

static inline void arch_breakpoint(void) {
    __asm__ volatile("int3");
}

#define ARCH_TABLES 4u

#define ARCH_FIRMWARE_CONSOLE 0 /* none is left when a kernel runs */
#define ARCH_DIVIDES 1
static inline void arch_divide_by_zero(void) {
    __asm__ volatile("divl %%ecx" ::"a"(1), "c"(0), "d"(0));
}

static inline void arch_wide(void) {
    __asm__ volatile("vzeroupper");
}

/* Those that UMIP refuses (SDM 3A, 2.5), where the processor has it. */
static inline unsigned arch_secrets(void) {
    uint32_t a = 7, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 2 & 1 ? 5 : 0;
}
static inline void arch_secret(uint64_t number) {
    uint8_t seen[16];
    switch (number) {
    case 0:
        __asm__ volatile("sgdt %0" : "=m"(seen));
        break;
    case 1:
        __asm__ volatile("sidt %0" : "=m"(seen));
        break;
    case 2:
        __asm__ volatile("sldtw %0" : "=m"(seen));
        break;
    case 3:
        __asm__ volatile("strw %0" : "=m"(seen));
        break;
    default:
        __asm__ volatile("smsww %0" : "=m"(seen));
    }
}

static inline uint64_t arch_port_read(uint64_t port) {
    return arch_io_read((uint16_t)port);
}
/* Interrupt controllers, timer, what restarts the machine, QEMU's test device. */
static const uint16_t arch_forbidden_ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43, 0x61, 0xf4, 0x4d0, 0x4d1, 0xcf9};

/* The CMOS clock's periodic interrupt: each is an edge, slow enough that a test sees one at a time. The kernel holds an
 * edge that comes while the interrupt is not let in. */
#define ARCH_DEVICE_BASE UINT64_C(0)
#define ARCH_CLAIM_BASE UINT64_C(0xfeb00000) /* microvm's virtio transports, eight to a page; nothing on q35 */
#define ARCH_DEVICE_IRQ 8u
#define ARCH_DEVICE_PORTS 1
#define ARCH_DEVICE_MESSAGES 1 /* message-signalled interrupts */
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

/* The line goes down and up again: what the clock has noted of a period that is over interrupts when it is let to. */
static inline void arch_device_again(uintptr_t block) {
    (void)block;
    uint8_t control = arch_cmos_read(0x0b);
    arch_cmos_write(0x0a, 0x23); /* 8192 Hz */
    arch_cmos_write(0x0b, control & ~0x40);
    arch_cmos_write(0x0b, control | 0x40);
}

/* RAM, the I/O APIC, the local APIC. */
static const uint64_t arch_forbidden[] = {0x00200000, 0xfec00000, 0xfee00000};

#endif
