/* SPDX-License-Identifier: MIT */
/*
 * Floating-point registers: x87 and SSE (XSAVE is off, so there is no wider state).
 *
 * A process stops only at a call, and the C calling convention keeps nothing of them over a call but the control bits
 * of MXCSR and the x87 control word: those two are all that a switch saves (trap.c). The rest is put back into its
 * initial state before another process runs. On AMD's processors fxrstor leaves the addresses of the last x87
 * instruction and operand alone unless an exception is pending, so an x87 load from the kernel takes their place first.
 */
    .text
/* void x86_fp_clean(void): CR0.TS is clear. */
    .globl x86_fp_clean
x86_fp_clean:
    fnclex
    emms
    fildl initial_state
    fxrstor64 initial_state
    ret

    .section .rodata
    .balign 16
initial_state:
    .word 0x37f                 /* control word: all exceptions masked, 64-bit precision */
    .skip 22
    .long 0x1f80                /* MXCSR: all exceptions masked */
    .long 0
    .skip 512 - 32

    .section .note.GNU-stack, "", @progbits
