/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving the kernel.
 *
 * In user mode the hidden gs base holds the core's struct; in the kernel the visible one does. swapgs exchanges them at
 * every entry from user mode and every return to it, and nowhere else.
 *
 * A system call saves what a call keeps (rsp, rbp, r14, r15) and the arguments; all else is dead and comes back as 0,
 * but for rcx and r11, which sysret uses up: they come back as the address of the next instruction and as the flags,
 * which the program knows. When the same process goes on, rbp, r14 and r15 are still in their registers, because C
 * keeps them; they are loaded only in x86_enter. The flags of a program are not kept over a call.
 *
 * Other traps save the caller-saved registers on the core's stack and return to the same process, or not at all. Those
 * that can come anywhere, even between syscall and swapgs (NMI, machine check, double fault), have stacks of their own,
 * trust no gs, and end in a panic.
 */
#include "arch_offsets.h"

#define REG(n) (PROCESS_REG + 8 * (n))
#define USER_FLAGS 0x202        /* IF, and the bit that is always 1 */

    .text
    .balign 16
    .globl x86_syscall
x86_syscall:
    swapgs
    movq %rsp, %gs:CORE_USER_SP
    movq %gs:CORE_CURRENT, %rsp
    movq %rax, REG(0)(%rsp)
    movq %rdi, REG(1)(%rsp)
    movq %rsi, REG(2)(%rsp)
    movq %rdx, REG(3)(%rsp)
    movq %r10, REG(4)(%rsp)
    movq %r8, REG(5)(%rsp)
    movq %r9, REG(6)(%rsp)
    movq %rbx, REG(7)(%rsp)
    movq %rcx, PROCESS_PC(%rsp)
    movq %rbp, PROCESS_RBP(%rsp)
    movq %r14, PROCESS_R14(%rsp)
    movq %r15, PROCESS_R15(%rsp)
    movq %gs:CORE_USER_SP, %rcx
    movq %rcx, PROCESS_SP(%rsp)
    movq %gs:CORE_STACK_TOP, %rsp
    movq %gs:CORE_SELF, %rdi
    call syscall_dispatch

    movq %gs:CORE_CURRENT, %rsp /* the same process goes on */
    swapgs
leave:
    movq REG(0)(%rsp), %rax
    movq REG(1)(%rsp), %rdi
    movq REG(2)(%rsp), %rsi
    movq REG(3)(%rsp), %rdx
    movq REG(4)(%rsp), %r10
    movq REG(5)(%rsp), %r8
    movq REG(6)(%rsp), %r9
    movq REG(7)(%rsp), %rbx
    movq REG(8)(%rsp), %r12
    movq REG(9)(%rsp), %r13
    movq PROCESS_PC(%rsp), %rcx
    movl $USER_FLAGS, %r11d
    movq PROCESS_SP(%rsp), %rsp
    sysretq

/* void x86_enter(struct core *, struct arch_context *): load the current process, its space being active, and run it.
 * The selectors that a program can load are cleared, and with them what the next one could read from them. */
    .globl x86_enter
x86_enter:
    movq CORE_CURRENT(%rdi), %rsp
    swapgs
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl $0xc0000100, %ecx      /* fs base */
    movq PROCESS_FS(%rsp), %rax
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
    movq PROCESS_RBP(%rsp), %rbp
    movq PROCESS_R14(%rsp), %r14
    movq PROCESS_R15(%rsp), %r15
    jmp leave

/* Exceptions, 16 bytes for each vector. */
    .balign 16
    .globl x86_stub_exceptions
x86_stub_exceptions:
    vector = 0
    .rept 32
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    .if vector == 2 || vector == 8 || vector == 18
    jmp fatal
    .else
    jmp trap
    .endif
    vector = vector + 1
    .endr

/* Interrupts, 8 bytes for each vector from 32 on. */
    .balign 16
    .globl x86_stub_interrupts
x86_stub_interrupts:
    .rept 256 - 32
    .balign 8
    .byte 0x6a, vector          /* pushq, sign-extended */
    jmp interrupt
    vector = vector + 1
    .endr

interrupt:
    pushq $32
trap:
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  pushq $2                    /* direction and alignment-check flags off */
    popfq
    movq %rsp, %rdi
    call x86_trap
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    popq %r8
    popq %r9
    popq %r10
    popq %r11
    addq $16, %rsp
    iretq

fatal:
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq $2
    popfq
    movq %rsp, %rdi
    call x86_fatal

    .section .note.GNU-stack, "", @progbits
