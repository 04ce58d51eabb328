/* SPDX-License-Identifier: MIT */
/*
 * System-call stubs for programs that count instructions; this is the x86_64 half. arch/riscv64/arch_stub.h says what
 * each function is for.
 */
#ifndef ARCH_STUB_H
#define ARCH_STUB_H

#include <stdint.h>

#include "arch_user.h"

#define STUB_CLOBBERS "memory", "cc", "rcx", "r11", "rbx", "r12", "r13" ARCH_FP_CLOBBERS

static inline int64_t arch_stub_plain(uint64_t control) {
    register uint64_t rax __asm__("rax") = control;
    __asm__ volatile("syscall" : "+r"(rax)::"rdi", "rsi", "rdx", "r10", "r8", "r9", STUB_CLOBBERS);
    return (int64_t)rax;
}

static inline int64_t arch_stub_label(uint64_t control, uint64_t *label) {
    register uint64_t rax __asm__("rax") = control;
    register uint64_t rdi __asm__("rdi") = *label;
    __asm__ volatile("syscall" : "+r"(rax), "+r"(rdi)::"rsi", "rdx", "r10", "r8", "r9", STUB_CLOBBERS);
    *label = rdi;
    return (int64_t)rax;
}

static inline int64_t arch_stub_deadline(uint64_t control, uint64_t label, uint64_t deadline) {
    register uint64_t rax __asm__("rax") = control;
    register uint64_t rdi __asm__("rdi") = label;
    register uint64_t r9 __asm__("r9") = deadline;
    __asm__ volatile("syscall" : "+r"(rax), "+r"(rdi), "+r"(r9)::"rsi", "rdx", "r10", "r8", STUB_CLOBBERS);
    return (int64_t)rax;
}

static inline int64_t arch_stub_words(uint64_t control, uint64_t label, uint64_t w0, uint64_t w1, uint64_t w2,
                                      uint64_t w3) {
    register uint64_t rax __asm__("rax") = control;
    register uint64_t rdi __asm__("rdi") = label;
    register uint64_t rsi __asm__("rsi") = w0;
    register uint64_t rdx __asm__("rdx") = w1;
    register uint64_t r10 __asm__("r10") = w2;
    register uint64_t r8 __asm__("r8") = w3;
    __asm__ volatile("syscall" : "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8)::"r9", STUB_CLOBBERS);
    return (int64_t)rax;
}

static inline int64_t arch_stub_block(uint64_t control, uint64_t label, uint64_t *block) {
    register uint64_t rax __asm__("rax") = control;
    register uint64_t rdi __asm__("rdi") = label;
    register uint64_t r8 __asm__("r8") = *block;
    __asm__ volatile("syscall" : "+r"(rax), "+r"(rdi), "+r"(r8)::"rsi", "rdx", "r10", "r9", STUB_CLOBBERS);
    *block = r8;
    return (int64_t)rax;
}

/* C keeps no register of these over a call, and uses none in a program built without. */
static inline void arch_stub_fp_touch(void) {
    __asm__ volatile("addsd %%xmm1, %%xmm0" ::: "memory" ARCH_FP_CLOBBERS);
}

static inline void arch_stub_serve(uint64_t receive, uint64_t reply_receive, uint64_t badge) {
    register uint64_t answer __asm__("r14") = reply_receive;
    register uint64_t client __asm__("r15") = badge;
    register uint64_t rax __asm__("rax") = receive;
    __asm__ volatile("   syscall\n"
                     "   test %0, %0\n"
                     "   js 2f\n"
                     "   cmp %2, %%r12\n"
                     "   jne 2f\n"
                     "1: mov %1, %0\n"
                     "   syscall\n"
                     "   test %0, %0\n"
                     "   js 2f\n"
                     "   cmp %2, %%r12\n"
                     "   je 1b\n"
                     "2:"
                     : "+r"(rax)
                     : "r"(answer), "r"(client)
                     : "rdi", "rsi", "rdx", "r10", "r8", "r9", STUB_CLOBBERS);
}

static inline void arch_stub_serve_fp(uint64_t receive, uint64_t reply_receive, uint64_t badge) {
    register uint64_t answer __asm__("r14") = reply_receive;
    register uint64_t client __asm__("r15") = badge;
    register uint64_t rax __asm__("rax") = receive;
    __asm__ volatile("   syscall\n"
                     "   test %0, %0\n"
                     "   js 2f\n"
                     "   cmp %2, %%r12\n"
                     "   jne 2f\n"
                     "1: addsd %%xmm1, %%xmm0\n"
                     "   mov %1, %0\n"
                     "   syscall\n"
                     "   test %0, %0\n"
                     "   js 2f\n"
                     "   cmp %2, %%r12\n"
                     "   je 1b\n"
                     "2:"
                     : "+r"(rax)
                     : "r"(answer), "r"(client)
                     : "rdi", "rsi", "rdx", "r10", "r8", "r9", STUB_CLOBBERS);
}

/* A no-operation of seven bytes, with "OS2" and the number as its displacement. */
#define arch_stub_mark(series) __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 'O', 'S', '2', %c0" ::"i"(series))

static inline void arch_stub_count(uint64_t rounds) {
    for (; rounds; rounds--)
        __asm__ volatile("");
}

#endif
