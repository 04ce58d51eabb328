/* SPDX-License-Identifier: MIT */
/*
 * Floating-point registers: x87 and SSE (XSAVE is off, so there is no wider state).
 *
 * A process stops only at a call, and the C calling convention keeps nothing of them over a call but the control bits
 * of MXCSR and the x87 control word: those two are all that a switch saves (trap.c). The rest is put back into its
 * initial state before another process runs. On AMD's processors fxrstor leaves the addresses of the last x87
 * instruction and operand alone unless an exception is pending, so an x87 load from the kernel takes their place first.
 */
#include "arch_offsets.h"

    .text
/* void x86_fp_clean(void): CR0.TS is clear. */
    .globl x86_fp_clean
x86_fp_clean:
    fnclex
    emms
    fildl x86_fp_initial
    fxrstor64 x86_fp_initial
    ret

    .globl x86_fp_initial
    .bss
    .balign 16
x86_fp_initial:                 /* cpu_find_features() sets the two control words; the rest is 0 */
    .skip FP_STATE_BYTES

    .section .note.GNU-stack, "", @progbits
