/* SPDX-License-Identifier: MIT */
/*
 * All registers around a system call, and all registers of a fresh process: see arch_test.h.
 */
    .text
/* void arch_registers(const uint64_t *in, uint64_t *out) */
    .globl arch_registers
arch_registers:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $32, %rsp
    movq %rsi, 0(%rsp)          /* out */
    stmxcsr 16(%rsp)
    fnstcw 24(%rsp)
    movq %rdi, %rax
    ldmxcsr 256(%rax)
    fldcw 264(%rax)
    movq 128(%rax), %xmm0
    movq 136(%rax), %xmm1
    movq 144(%rax), %xmm2
    movq 152(%rax), %xmm3
    movq 160(%rax), %xmm4
    movq 168(%rax), %xmm5
    movq 176(%rax), %xmm6
    movq 184(%rax), %xmm7
    movq 192(%rax), %xmm8
    movq 200(%rax), %xmm9
    movq 208(%rax), %xmm10
    movq 216(%rax), %xmm11
    movq 224(%rax), %xmm12
    movq 232(%rax), %xmm13
    movq 240(%rax), %xmm14
    movq 248(%rax), %xmm15
    movw 272(%rax), %ds
    movw 280(%rax), %es
    movw 288(%rax), %fs
    movw 296(%rax), %gs
    movq 8(%rax), %rbx
    movq 16(%rax), %rcx
    movq 24(%rax), %rdx
    movq 32(%rax), %rsi
    movq 40(%rax), %rdi
    movq 48(%rax), %rbp
    movq 64(%rax), %r8
    movq 72(%rax), %r9
    movq 80(%rax), %r10
    movq 88(%rax), %r11
    movq 96(%rax), %r12
    movq 104(%rax), %r13
    movq 112(%rax), %r14
    movq 120(%rax), %r15
    movq 0(%rax), %rax
    syscall
    movq %rax, 8(%rsp)
    movq 0(%rsp), %rax
    movq %rbx, 8(%rax)
    movq %rcx, 16(%rax)
    movq %rdx, 24(%rax)
    movq %rsi, 32(%rax)
    movq %rdi, 40(%rax)
    movq %rbp, 48(%rax)
    movq %rsp, 56(%rax)
    movq %r8, 64(%rax)
    movq %r9, 72(%rax)
    movq %r10, 80(%rax)
    movq %r11, 88(%rax)
    movq %r12, 96(%rax)
    movq %r13, 104(%rax)
    movq %r14, 112(%rax)
    movq %r15, 120(%rax)
    movq 8(%rsp), %rcx
    movq %rcx, 0(%rax)
    movq %xmm0, 128(%rax)
    movq %xmm1, 136(%rax)
    movq %xmm2, 144(%rax)
    movq %xmm3, 152(%rax)
    movq %xmm4, 160(%rax)
    movq %xmm5, 168(%rax)
    movq %xmm6, 176(%rax)
    movq %xmm7, 184(%rax)
    movq %xmm8, 192(%rax)
    movq %xmm9, 200(%rax)
    movq %xmm10, 208(%rax)
    movq %xmm11, 216(%rax)
    movq %xmm12, 224(%rax)
    movq %xmm13, 232(%rax)
    movq %xmm14, 240(%rax)
    movq %xmm15, 248(%rax)
    movq $0, 256(%rax)
    stmxcsr 256(%rax)
    movq $0, 264(%rax)
    fnstcw 264(%rax)
    movl %ds, %ecx
    movq %rcx, 272(%rax)
    movl %es, %ecx
    movq %rcx, 280(%rax)
    movl %fs, %ecx
    movq %rcx, 288(%rax)
    movl %gs, %ecx
    movq %rcx, 296(%rax)
    movq $0, 304(%rax)
    xorl %ecx, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %ecx, %fs
    movl %ecx, %gs
    ldmxcsr 16(%rsp)
    fldcw 24(%rsp)
    addq $32, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* Position-independent; rdi = a page, cleared but for what ARCH_DUMP_CONTROL says. */
    .globl arch_fp_look
arch_fp_look:
    movq %xmm0, 128(%rdi)
    movq %xmm1, 136(%rdi)
    movq %xmm2, 144(%rdi)
    movq %xmm3, 152(%rdi)
    movq %xmm4, 160(%rdi)
    movq %xmm5, 168(%rdi)
    movq %xmm6, 176(%rdi)
    movq %xmm7, 184(%rdi)
    movq %xmm8, 192(%rdi)
    movq %xmm9, 200(%rdi)
    movq %xmm10, 208(%rdi)
    movq %xmm11, 216(%rdi)
    movq %xmm12, 224(%rdi)
    movq %xmm13, 232(%rdi)
    movq %xmm14, 240(%rdi)
    movq %xmm15, 248(%rdi)
    ret

    .globl arch_dump
    .globl arch_dump_end
arch_dump:
    movq %rax, 0(%rdi)
    movq %rbx, 8(%rdi)
    movq %rcx, 16(%rdi)
    movq %rdx, 24(%rdi)
    movq %rsi, 32(%rdi)
    movq %rdi, 40(%rdi)
    movq %rbp, 48(%rdi)
    movq %rsp, 56(%rdi)
    movq %r8, 64(%rdi)
    movq %r9, 72(%rdi)
    movq %r10, 80(%rdi)
    movq %r11, 88(%rdi)
    movq %r12, 96(%rdi)
    movq %r13, 104(%rdi)
    movq %r14, 112(%rdi)
    movq %r15, 120(%rdi)
    movq %xmm0, 128(%rdi)
    movq %xmm1, 136(%rdi)
    movq %xmm2, 144(%rdi)
    movq %xmm3, 152(%rdi)
    movq %xmm4, 160(%rdi)
    movq %xmm5, 168(%rdi)
    movq %xmm6, 176(%rdi)
    movq %xmm7, 184(%rdi)
    movq %xmm8, 192(%rdi)
    movq %xmm9, 200(%rdi)
    movq %xmm10, 208(%rdi)
    movq %xmm11, 216(%rdi)
    movq %xmm12, 224(%rdi)
    movq %xmm13, 232(%rdi)
    movq %xmm14, 240(%rdi)
    movq %xmm15, 248(%rdi)
    stmxcsr 256(%rdi)
    fnstcw 264(%rdi)
    movl %ds, %ecx
    movq %rcx, 272(%rdi)
    movl %es, %ecx
    movq %rcx, 280(%rdi)
    movl %fs, %ecx
    movq %rcx, 288(%rdi)
    movl %gs, %ecx
    movq %rcx, 296(%rdi)
    movq %fs:0, %rcx
    movq %rcx, 304(%rdi)
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
