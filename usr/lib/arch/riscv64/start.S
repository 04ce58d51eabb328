/* SPDX-License-Identifier: MIT */
/*
 * Where a program starts: a0 holds the argument given to process_start, sp the top of the stack, gp and tp are 0.
 * os2_entry never returns; ra = 0 ends a stack trace.
 */
    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    li ra, 0
    li s0, 0
    call os2_entry
    unimp
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
