/* SPDX-License-Identifier: MIT */
/* The one system-call stub; usr/include/arch/riscv64/arch_syscall.h says what it is. This is x86_64's. */
#ifndef ARCH_SYSCALL_H
#define ARCH_SYSCALL_H

#include <stdint.h>

#include "os2/abi.h"

/* What a call clobbers of floating point, as a list that follows others. OS2's own programs are built without, so that
 * a switch between two of them has nothing to save, to clear or to load. */
#ifdef __SSE2__
#define ARCH_FP_CLOBBERS                                                                                               \
    , "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",       \
        "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"
#else
#define ARCH_FP_CLOBBERS
#endif

/* One system call. `slots` are the registers in the order of enum os2_slot, replaced by what comes out. */
static inline void arch_syscall(uint64_t slots[OS2_R_COUNT]) {
    register uint64_t rax __asm__("rax") = slots[OS2_R_CONTROL];
    register uint64_t rdi __asm__("rdi") = slots[OS2_R_LABEL];
    register uint64_t rsi __asm__("rsi") = slots[OS2_R_W0];
    register uint64_t rdx __asm__("rdx") = slots[OS2_R_W1];
    register uint64_t r10 __asm__("r10") = slots[OS2_R_W2];
    register uint64_t r8 __asm__("r8") = slots[OS2_R_W3];
    register uint64_t r9 __asm__("r9") = slots[OS2_R_W4];
    register uint64_t rbx __asm__("rbx") = slots[OS2_R_CALLER];
    register uint64_t r12 __asm__("r12");
    register uint64_t r13 __asm__("r13");

    __asm__ volatile("syscall"
                     : "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(rbx), "=r"(r12),
                       "=r"(r13)
                     :
                     : "memory", "cc", "rcx", "r11" ARCH_FP_CLOBBERS);
    slots[OS2_R_CONTROL] = rax;
    slots[OS2_R_LABEL] = rdi;
    slots[OS2_R_W0] = rsi;
    slots[OS2_R_W1] = rdx;
    slots[OS2_R_W2] = r10;
    slots[OS2_R_W3] = r8;
    slots[OS2_R_W4] = r9;
    slots[OS2_R_CALLER] = rbx;
    slots[OS2_R_BADGE] = r12;
    slots[OS2_R_BITS] = r13;
}

#endif
