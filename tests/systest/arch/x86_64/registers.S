/* SPDX-License-Identifier: MIT */
/*
 * All registers around a system call, and all registers of a fresh process: see tests/systest/registers.h.
 */
#define WORD(i) (8 * (i))
#define IMAGE_WORDS 52          /* of the 64 of fxsave64, which wants them aligned */
#define IMAGE_BYTES 512

    /* rbx .. rdi and r8 .. r15 at the places of their indices; rax, the base, and rsp aside. */
    .macro general_load base
    movq WORD(1)(\base), %rbx
    movq WORD(2)(\base), %rcx
    movq WORD(3)(\base), %rdx
    movq WORD(4)(\base), %rsi
    movq WORD(5)(\base), %rdi
    movq WORD(6)(\base), %rbp
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    movq WORD(\n)(\base), %r\n
    .endr
    .endm
    .macro general_store base
    movq %rbx, WORD(1)(\base)
    movq %rcx, WORD(2)(\base)
    movq %rdx, WORD(3)(\base)
    movq %rsi, WORD(4)(\base)
    movq %rdi, WORD(5)(\base)
    movq %rbp, WORD(6)(\base)
    movq %rsp, WORD(7)(\base)
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    movq %r\n, WORD(\n)(\base)
    .endr
    .endm
    /* Control words and selectors. */
    .macro control_store base
    movq $0, WORD(68)(\base)
    stmxcsr WORD(68)(\base)
    movq $0, WORD(69)(\base)
    fnstcw WORD(69)(\base)
    movl %ds, %ecx
    movq %rcx, WORD(70)(\base)
    movl %es, %ecx
    movq %rcx, WORD(71)(\base)
    movl %fs, %ecx
    movq %rcx, WORD(72)(\base)
    movl %gs, %ecx
    movq %rcx, WORD(73)(\base)
    .endm

    .text
/* void arch_registers(const uint64_t *in, uint64_t *out): the stack holds an image for floating point, `out`, rax, and
 * the caller's control words. */
    .globl arch_registers
arch_registers:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rax
    subq $IMAGE_BYTES + 48, %rsp
    andq $-16, %rsp
    movq %rsi, IMAGE_BYTES(%rsp)
    movq %rax, IMAGE_BYTES + 16(%rsp)
    stmxcsr IMAGE_BYTES + 24(%rsp)
    fnstcw IMAGE_BYTES + 32(%rsp)
    movq %rdi, %rax
    leaq WORD(16)(%rax), %rsi
    movq %rsp, %rdi
    movl $IMAGE_WORDS, %ecx
    rep movsq
    fxrstor64 (%rsp)
    ldmxcsr WORD(68)(%rax)
    fldcw WORD(69)(%rax)
    movw WORD(70)(%rax), %ds
    movw WORD(71)(%rax), %es
    movw WORD(72)(%rax), %fs
    movw WORD(73)(%rax), %gs
    general_load %rax
    movq WORD(0)(%rax), %rax
    syscall
    .globl arch_registers_return
arch_registers_return:
    movq %rax, IMAGE_BYTES + 8(%rsp)
    movq IMAGE_BYTES(%rsp), %rax
    general_store %rax
    control_store %rax
    movq $0, WORD(74)(%rax)
    xorl %ecx, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %ecx, %fs
    movl %ecx, %gs
    movq IMAGE_BYTES + 8(%rsp), %rcx
    movq %rcx, WORD(0)(%rax)
    fxsave64 (%rsp)
    movq %rsp, %rsi
    leaq WORD(16)(%rax), %rdi
    movl $IMAGE_WORDS, %ecx
    rep movsq
    fninit
    ldmxcsr IMAGE_BYTES + 24(%rsp)
    fldcw IMAGE_BYTES + 32(%rsp)
    movq IMAGE_BYTES + 16(%rsp), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

    .globl arch_fp_look
arch_fp_look:
    movq %rsp, %rax
    subq $IMAGE_BYTES, %rsp
    andq $-16, %rsp
    fxsave64 (%rsp)
    movq %rsp, %rsi
    addq $WORD(16), %rdi
    movl $IMAGE_WORDS, %ecx
    rep movsq
    movq %rax, %rsp
    ret

/* Position-independent; rdi = a page, cleared but for what ARCH_DUMP_CONTROL says. */
    .globl arch_dump
    .globl arch_dump_end
arch_dump:
    movq %rax, WORD(0)(%rdi)
    general_store %rdi
    fxsave64 WORD(16)(%rdi)
    control_store %rdi
    movq %fs:0, %rcx
    movq %rcx, WORD(74)(%rdi)
    movq %rdi, %r8
    movq 1032(%r8), %rbp
    movq 1040(%r8), %r14
    movq 1024(%r8), %rax
    syscall
    movq %fs:0, %rcx
    movq %rcx, 1048(%r8)
    movq %rbp, %rax
    syscall
    movq %r14, %rax
    syscall
arch_dump_end:

    .globl arch_loop
    .globl arch_loop_end
arch_loop:
    jmp arch_loop
arch_loop_end:

    .section .note.GNU-stack, "", @progbits
