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
    movq %rsi, (%rsp)           /* out */
    stmxcsr 8(%rsp)
    fnstcw 12(%rsp)
    movdqu 136(%rdi), %xmm0
    movdqu 152(%rdi), %xmm1
    movdqu 168(%rdi), %xmm2
    movdqu 184(%rdi), %xmm3
    movdqu 200(%rdi), %xmm4
    movdqu 216(%rdi), %xmm5
    movdqu 232(%rdi), %xmm6
    movdqu 248(%rdi), %xmm7
    movdqu 264(%rdi), %xmm8
    movdqu 280(%rdi), %xmm9
    movdqu 296(%rdi), %xmm10
    movdqu 312(%rdi), %xmm11
    movdqu 328(%rdi), %xmm12
    movdqu 344(%rdi), %xmm13
    movdqu 360(%rdi), %xmm14
    movdqu 376(%rdi), %xmm15
    movl 392(%rdi), %eax
    xorl $0x1f80, %eax
    movl %eax, 16(%rsp)
    ldmxcsr 16(%rsp)
    movl 400(%rdi), %eax
    xorl $0x37f, %eax
    movl %eax, 16(%rsp)
    fldcw 16(%rsp)
    movq 408(%rdi), %mm0
    movq 416(%rdi), %mm1
    movq 424(%rdi), %mm2
    movq 432(%rdi), %mm3
    movq 440(%rdi), %mm4
    movq 448(%rdi), %mm5
    movq 456(%rdi), %mm6
    movq 464(%rdi), %mm7
    movq 0(%rdi), %rax
    movq 8(%rdi), %rbx
    movq 16(%rdi), %rcx
    movq 24(%rdi), %rdx
    movq 32(%rdi), %rsi
    movq 48(%rdi), %rbp
    movq 64(%rdi), %r8
    movq 72(%rdi), %r9
    movq 80(%rdi), %r10
    movq 88(%rdi), %r11
    movq 96(%rdi), %r12
    movq 104(%rdi), %r13
    movq 112(%rdi), %r14
    movq 120(%rdi), %r15
    movq 40(%rdi), %rdi
    syscall
    movq %rdi, 24(%rsp)
    movq (%rsp), %rdi
    movq %rax, 0(%rdi)
    movq %rbx, 8(%rdi)
    movq %rcx, 16(%rdi)
    movq %rdx, 24(%rdi)
    movq %rsi, 32(%rdi)
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
    movq 24(%rsp), %rax
    movq %rax, 40(%rdi)
    movq $0, 128(%rdi)
    movdqu %xmm0, 136(%rdi)
    movdqu %xmm1, 152(%rdi)
    movdqu %xmm2, 168(%rdi)
    movdqu %xmm3, 184(%rdi)
    movdqu %xmm4, 200(%rdi)
    movdqu %xmm5, 216(%rdi)
    movdqu %xmm6, 232(%rdi)
    movdqu %xmm7, 248(%rdi)
    movdqu %xmm8, 264(%rdi)
    movdqu %xmm9, 280(%rdi)
    movdqu %xmm10, 296(%rdi)
    movdqu %xmm11, 312(%rdi)
    movdqu %xmm12, 328(%rdi)
    movdqu %xmm13, 344(%rdi)
    movdqu %xmm14, 360(%rdi)
    movdqu %xmm15, 376(%rdi)
    movq %mm0, 408(%rdi)
    movq %mm1, 416(%rdi)
    movq %mm2, 424(%rdi)
    movq %mm3, 432(%rdi)
    movq %mm4, 440(%rdi)
    movq %mm5, 448(%rdi)
    movq %mm6, 456(%rdi)
    movq %mm7, 464(%rdi)
    movq $0, 392(%rdi)
    stmxcsr 392(%rdi)
    xorl $0x1f80, 392(%rdi)
    movq $0, 400(%rdi)
    fnstcw 400(%rdi)
    xorl $0x37f, 400(%rdi)
    emms
    ldmxcsr 8(%rsp)
    fldcw 12(%rsp)
    addq $32, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* Position-independent; rdi = a page. rcx and r11 are used up by sysret: stored are the differences from what it left
 * there, the first address and the flags. That fs has the base 0x543210 is seen by reading through it. */
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
    leaq arch_dump(%rip), %rax
    subq %rax, 16(%rdi)
    xorq $0x202, 88(%rdi)
    leaq 1024 - 0x543210(%rdi), %rax
    movq %fs:(%rax), %rax
    xorq 1024(%rdi), %rax
    addq $0x543210, %rax
    movq %rax, 128(%rdi)
    movdqu %xmm0, 136(%rdi)
    movdqu %xmm1, 152(%rdi)
    movdqu %xmm2, 168(%rdi)
    movdqu %xmm3, 184(%rdi)
    movdqu %xmm4, 200(%rdi)
    movdqu %xmm5, 216(%rdi)
    movdqu %xmm6, 232(%rdi)
    movdqu %xmm7, 248(%rdi)
    movdqu %xmm8, 264(%rdi)
    movdqu %xmm9, 280(%rdi)
    movdqu %xmm10, 296(%rdi)
    movdqu %xmm11, 312(%rdi)
    movdqu %xmm12, 328(%rdi)
    movdqu %xmm13, 344(%rdi)
    movdqu %xmm14, 360(%rdi)
    movdqu %xmm15, 376(%rdi)
    movq %mm0, 408(%rdi)
    movq %mm1, 416(%rdi)
    movq %mm2, 424(%rdi)
    movq %mm3, 432(%rdi)
    movq %mm4, 440(%rdi)
    movq %mm5, 448(%rdi)
    movq %mm6, 456(%rdi)
    movq %mm7, 464(%rdi)
    movq $0, 392(%rdi)
    stmxcsr 392(%rdi)
    xorl $0x1f80, 392(%rdi)
    movq $0, 400(%rdi)
    fnstcw 400(%rdi)
    xorl $0x37f, 400(%rdi)
    emms
    movq %rdi, %r8
    movq 1032(%r8), %rbp
    movq 1024(%r8), %rax
    syscall
    movq %rbp, %rax
    syscall
arch_dump_end:

    .globl arch_loop
    .globl arch_loop_end
arch_loop:
    jmp arch_loop
arch_loop_end:

    .section .note.GNU-stack, "", @progbits
