/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving the kernel.
 *
 * In user mode sscratch holds the core's struct; in the kernel tp does, and sscratch keeps the program's tp. A core's
 * struct has a negative address, a program's tp is below 2^38: so a trap taken in the kernel, which is a kernel bug,
 * shows at the first branch (a program that sets tp to something else only spoils the report of such a bug).
 *
 * A system call saves what the C calling convention keeps over a call, and the arguments; all else is dead and comes
 * back as 0. When the same process goes on, s0..s11 are still in their registers, because C keeps them; they are loaded
 * only in riscv_enter. Other traps save the caller-saved registers on the core's stack and return to the same process,
 * or not at all.
 */
#include "arch_offsets.h"

#define REG(n) (PROCESS_REG + 8 * (n))
#define S(n) (PROCESS_S + 8 * (n))

    .text
    .balign 4
    .globl trap_entry
trap_entry:
    csrrw tp, sscratch, tp
    bgez tp, kernel_trap
    sd t0, CORE_SCRATCH(tp)
    csrr t0, scause
    addi t0, t0, -8             /* environment call from U-mode */
    bnez t0, other_trap

    ld t0, CORE_CURRENT(tp)
    sd a0, REG(0)(t0)
    sd a1, REG(1)(t0)
    sd a2, REG(2)(t0)
    sd a3, REG(3)(t0)
    sd a4, REG(4)(t0)
    sd a5, REG(5)(t0)
    sd a6, REG(6)(t0)
    sd a7, REG(7)(t0)
    sd sp, PROCESS_SP(t0)
    sd s0, S(0)(t0)
    sd s1, S(1)(t0)
    sd s2, S(2)(t0)
    sd s3, S(3)(t0)
    sd s4, S(4)(t0)
    sd s5, S(5)(t0)
    sd s6, S(6)(t0)
    sd s7, S(7)(t0)
    sd s8, S(8)(t0)
    sd s9, S(9)(t0)
    sd s10, S(10)(t0)
    sd s11, S(11)(t0)
    csrr t1, sepc
    addi t1, t1, 4
    sd t1, PROCESS_PC(t0)
    ld sp, CORE_STACK_TOP(tp)
    mv a0, tp
    call syscall_dispatch

    ld t2, CORE_CURRENT(tp)     /* the same process goes on */
    csrrw tp, sscratch, tp
    ld sp, PROCESS_SP(t2)
    j leave

/* void riscv_enter(struct core *): load the current process, its space being active, and run it. */
    .globl riscv_enter
riscv_enter:
    ld t2, CORE_CURRENT(a0)
    csrw sscratch, a0
    ld sp, PROCESS_SP(t2)
    ld gp, PROCESS_GP(t2)
    ld tp, PROCESS_TP(t2)
    ld s0, S(0)(t2)
    ld s1, S(1)(t2)
    ld s2, S(2)(t2)
    ld s3, S(3)(t2)
    ld s4, S(4)(t2)
    ld s5, S(5)(t2)
    ld s6, S(6)(t2)
    ld s7, S(7)(t2)
    ld s8, S(8)(t2)
    ld s9, S(9)(t2)
    ld s10, S(10)(t2)
    ld s11, S(11)(t2)
leave:
    ld t0, PROCESS_PC(t2)
    csrw sepc, t0
    ld a0, REG(0)(t2)
    ld a1, REG(1)(t2)
    ld a2, REG(2)(t2)
    ld a3, REG(3)(t2)
    ld a4, REG(4)(t2)
    ld a5, REG(5)(t2)
    ld a6, REG(6)(t2)
    ld a7, REG(7)(t2)
    ld t0, REG(8)(t2)
    ld t1, REG(9)(t2)
    li t2, 0
    li t3, 0
    li t4, 0
    li t5, 0
    li t6, 0
    li ra, 0
    sret

other_trap:
    sd sp, CORE_USER_SP(tp)
    ld sp, CORE_STACK_TOP(tp)
    addi sp, sp, -128
    sd ra, 0(sp)
    ld t0, CORE_SCRATCH(tp)
    sd t0, 8(sp)
    sd t1, 16(sp)
    sd t2, 24(sp)
    sd t3, 32(sp)
    sd t4, 40(sp)
    sd t5, 48(sp)
    sd t6, 56(sp)
    sd a0, 64(sp)
    sd a1, 72(sp)
    sd a2, 80(sp)
    sd a3, 88(sp)
    sd a4, 96(sp)
    sd a5, 104(sp)
    sd a6, 112(sp)
    sd a7, 120(sp)
    mv a0, tp
    csrr a1, scause
    csrr a2, sepc
    csrr a3, stval
    call riscv_trap
    ld ra, 0(sp)
    ld t0, 8(sp)
    ld t1, 16(sp)
    ld t2, 24(sp)
    ld t3, 32(sp)
    ld t4, 40(sp)
    ld t5, 48(sp)
    ld t6, 56(sp)
    ld a0, 64(sp)
    ld a1, 72(sp)
    ld a2, 80(sp)
    ld a3, 88(sp)
    ld a4, 96(sp)
    ld a5, 104(sp)
    ld a6, 112(sp)
    ld a7, 120(sp)
    ld sp, CORE_USER_SP(tp)
    csrrw tp, sscratch, tp
    sret

/* A trap in the kernel: report it on the boot stack, which nothing else uses any more. */
kernel_trap:
    csrrw tp, sscratch, tp
    mv a3, sp
    la sp, boot_stack_top
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    mv a4, ra
    call riscv_kernel_trap

/* int riscv_probe_stimecmp(void): 1 where the Sstc register can be read; its number is 0x14d. */
    .globl riscv_probe_stimecmp
    .balign 4
riscv_probe_stimecmp:
    la t0, 1f
    csrrw t1, stvec, t0
    li a0, 0
    csrr t0, 0x14d
    li a0, 1
    .balign 4
1:  csrw stvec, t1
    ret
