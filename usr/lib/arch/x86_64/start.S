/* SPDX-License-Identifier: MIT */
/*
 * Where a program starts: rdi holds the argument given to process_start, rsp the top of the stack. os2_entry never
 * returns; rbp = 0 ends a stack trace. The call leaves rsp as the C calling convention wants it.
 */
    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    andq $-16, %rsp
    call os2_entry
    ud2
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
