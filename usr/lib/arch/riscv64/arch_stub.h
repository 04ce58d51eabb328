/* SPDX-License-Identifier: MIT */
/*
 * System-call stubs for programs that count instructions; this is the RISC-V half. Each stub sets only the registers
 * its call reads, so that a measured loop holds nothing but the call, the loads of its arguments and the look at its
 * status. Each returns CONTROL: below 0 a status, else what came. Each port has this file, with the same functions.
 *
 *   arch_stub_plain     CONTROL only: tokens, yield
 *   arch_stub_label     CONTROL and LABEL; LABEL comes back: block_alloc, block_free, notify, a message of a label only
 *   arch_stub_deadline  CONTROL, LABEL and W4, the deadline
 *   arch_stub_words     CONTROL, LABEL and W0 .. W3
 *   arch_stub_block     CONTROL, LABEL and W3, the address of a block; what comes back in W3 replaces it
 *   arch_stub_fp_touch  one floating-point instruction on a register that C keeps over a call
 *   arch_stub_serve     the loop of a server that answers each call with the registers as they came; ends only on an
 *                       error or a wrong badge
 *   arch_stub_serve_fp  the same with a floating-point instruction between two calls
 *   arch_stub_mark      a macro: an instruction that does nothing, by which a plugin of QEMU's (tests/bench/several.c)
 *                       knows where the count of series 1 to 3 begins; 0: where it ends
 *   arch_stub_count     an empty loop of the shape the measured loops have: what to subtract
 */
#ifndef ARCH_STUB_H
#define ARCH_STUB_H

#include <stdint.h>

#define STUB_CLOBBERS                                                                                                  \
    "memory", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7",  \
        "ft8", "ft9", "ft10", "ft11", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7"

static inline int64_t arch_stub_plain(uint64_t control) {
    register uint64_t a0 __asm__("a0") = control;
    __asm__ volatile("ecall" : "+r"(a0)::"a1", "a2", "a3", "a4", "a5", "a6", "a7", STUB_CLOBBERS);
    return (int64_t)a0;
}

static inline int64_t arch_stub_label(uint64_t control, uint64_t *label) {
    register uint64_t a0 __asm__("a0") = control;
    register uint64_t a1 __asm__("a1") = *label;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1)::"a2", "a3", "a4", "a5", "a6", "a7", STUB_CLOBBERS);
    *label = a1;
    return (int64_t)a0;
}

static inline int64_t arch_stub_deadline(uint64_t control, uint64_t label, uint64_t deadline) {
    register uint64_t a0 __asm__("a0") = control;
    register uint64_t a1 __asm__("a1") = label;
    register uint64_t a6 __asm__("a6") = deadline;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a6)::"a2", "a3", "a4", "a5", "a7", STUB_CLOBBERS);
    return (int64_t)a0;
}

static inline int64_t arch_stub_words(uint64_t control, uint64_t label, uint64_t w0, uint64_t w1, uint64_t w2,
                                      uint64_t w3) {
    register uint64_t a0 __asm__("a0") = control;
    register uint64_t a1 __asm__("a1") = label;
    register uint64_t a2 __asm__("a2") = w0;
    register uint64_t a3 __asm__("a3") = w1;
    register uint64_t a4 __asm__("a4") = w2;
    register uint64_t a5 __asm__("a5") = w3;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4), "+r"(a5)::"a6", "a7", STUB_CLOBBERS);
    return (int64_t)a0;
}

static inline int64_t arch_stub_block(uint64_t control, uint64_t label, uint64_t *block) {
    register uint64_t a0 __asm__("a0") = control;
    register uint64_t a1 __asm__("a1") = label;
    register uint64_t a5 __asm__("a5") = *block;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1), "+r"(a5)::"a2", "a3", "a4", "a6", "a7", STUB_CLOBBERS);
    *block = a5;
    return (int64_t)a0;
}

static inline void arch_stub_fp_touch(void) {
    __asm__ volatile("fadd.d fs0, fs0, fs1" ::: "fs0");
}

static inline void arch_stub_serve(uint64_t receive, uint64_t reply_receive, uint64_t badge) {
    __asm__ volatile("mv a0, %0\n"
                     "    ecall\n"
                     "    bltz a0, 2f\n"
                     "    bne t0, %2, 2f\n"
                     "1:  mv a0, %1\n"
                     "    ecall\n"
                     "    bltz a0, 2f\n"
                     "    beq t0, %2, 1b\n"
                     "2:" ::"r"(receive),
                     "r"(reply_receive), "r"(badge)
                     : "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", STUB_CLOBBERS);
}

static inline void arch_stub_serve_fp(uint64_t receive, uint64_t reply_receive, uint64_t badge) {
    __asm__ volatile("mv a0, %0\n"
                     "    ecall\n"
                     "    bltz a0, 2f\n"
                     "    bne t0, %2, 2f\n"
                     "1:  fadd.d fs0, fs0, fs1\n"
                     "    mv a0, %1\n"
                     "    ecall\n"
                     "    bltz a0, 2f\n"
                     "    beq t0, %2, 1b\n"
                     "2:" ::"r"(receive),
                     "r"(reply_receive), "r"(badge)
                     : "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "fs0", STUB_CLOBBERS);
}

/* A hint that the architecture leaves to anybody's use: `slti zero`, whose last byte is the number. */
#define arch_stub_mark(series) __asm__ volatile("slti zero, zero, %0" ::"i"((series) << 4 | 5))

static inline void arch_stub_count(uint64_t rounds) {
    for (; rounds; rounds--)
        __asm__ volatile("");
}

#endif
