/* SPDX-License-Identifier: MIT */
/*
 * The one system-call stub, arch_syscall: all ten slots of the register map in, all ten out. Each port has this file;
 * this is RISC-V's. It is inline: where the slots are a variable of the caller's they are nothing but registers.
 */
#ifndef ARCH_SYSCALL_H
#define ARCH_SYSCALL_H

#include <stdint.h>

#include "os2/abi.h"

/* One system call. `slots` are the registers in the order of enum os2_slot, replaced by what comes out. */
static inline void arch_syscall(uint64_t slots[OS2_R_COUNT]) {
    register uint64_t a0 __asm__("a0") = slots[OS2_R_CONTROL];
    register uint64_t a1 __asm__("a1") = slots[OS2_R_LABEL];
    register uint64_t a2 __asm__("a2") = slots[OS2_R_W0];
    register uint64_t a3 __asm__("a3") = slots[OS2_R_W1];
    register uint64_t a4 __asm__("a4") = slots[OS2_R_W2];
    register uint64_t a5 __asm__("a5") = slots[OS2_R_W3];
    register uint64_t a6 __asm__("a6") = slots[OS2_R_W4];
    register uint64_t a7 __asm__("a7") = slots[OS2_R_CALLER];
    register uint64_t t0 __asm__("t0");
    register uint64_t t1 __asm__("t1");

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5), "+r"(a6), "+r"(a7), "=r"(t0),
                       "=r"(t1)
                     :
                     : "memory", "ra", "t2", "t3", "t4", "t5", "t6", "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6",
                       "ft7", "ft8", "ft9", "ft10", "ft11", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7");
    slots[OS2_R_CONTROL] = a0;
    slots[OS2_R_LABEL] = a1;
    slots[OS2_R_W0] = a2;
    slots[OS2_R_W1] = a3;
    slots[OS2_R_W2] = a4;
    slots[OS2_R_W3] = a5;
    slots[OS2_R_W4] = a6;
    slots[OS2_R_CALLER] = a7;
    slots[OS2_R_BADGE] = t0;
    slots[OS2_R_BITS] = t1;
}

#endif
