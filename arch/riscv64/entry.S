/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving the kernel, and the calls that never leave this file.
 *
 * In user mode sscratch holds the core's struct; in the kernel tp does, and sscratch keeps the program's tp. A core's
 * struct has a negative address, a program's tp is below 2^38: so a trap taken in the kernel, which is a kernel bug,
 * shows at the first branch (a program that sets tp to something else only spoils the report of such a bug).
 *
 * A system call saves what the C calling convention keeps over a call, and the arguments; all else is dead. When the
 * same process goes on, s0..s11 are still in their registers, because C keeps them; they are loaded only in
 * riscv_enter. Other traps save the caller-saved registers on the core's stack and return to the same process, or not
 * at all.
 *
 * Light calls (arch/arch.h) are made from the program's registers: the process is not stopped, nothing of it is saved
 * but sp. C code of the kernel is compiled not to touch t3..t6, so that they need no clearing.
 *
 * Eight calls never come to C, or only to one function of it: tokens, a poll that finds nothing, yield, and a receive
 * that waits, here; call and reply_receive between processes that need no more than a switch, in message.S; block_alloc
 * and block_free of one page, in block.S.
 *
 * With the boot argument os2.nofast another entry is used, from which every call goes the long way.
 */
#include "arch_offsets.h"

#define REG(n) (PROCESS_REG + 8 * (n))
#define S(n) (PROCESS_S + 8 * (n))

    /* The registers of a process that a call keeps, and its pc behind the ecall; light: where a light call is made, sp
     * is not its own any more. */
    .macro save_context process, scratch, light=0
    csrr \scratch, sepc
    addi \scratch, \scratch, 4
    sd \scratch, PROCESS_PC(\process)
    .if \light
    ld \scratch, CORE_USER_SP(tp)
    sd \scratch, PROCESS_SP(\process)
    .else
    sd sp, PROCESS_SP(\process)
    .endif
    sd s0, S(0)(\process)
    sd s1, S(1)(\process)
    sd s2, S(2)(\process)
    sd s3, S(3)(\process)
    sd s4, S(4)(\process)
    sd s5, S(5)(\process)
    sd s6, S(6)(\process)
    sd s7, S(7)(\process)
    sd s8, S(8)(\process)
    sd s9, S(9)(\process)
    sd s10, S(10)(\process)
    sd s11, S(11)(\process)
    .endm

    /* The same back, and its constants; tp is the core until then. */
    .macro load_context process
    csrw sscratch, tp
    ld sp, PROCESS_SP(\process)
    ld gp, PROCESS_GP(\process)
    ld tp, PROCESS_TP(\process)
    ld s0, S(0)(\process)
    ld s1, S(1)(\process)
    ld s2, S(2)(\process)
    ld s3, S(3)(\process)
    ld s4, S(4)(\process)
    ld s5, S(5)(\process)
    ld s6, S(6)(\process)
    ld s7, S(7)(\process)
    ld s8, S(8)(\process)
    ld s9, S(9)(\process)
    ld s10, S(10)(\process)
    ld s11, S(11)(\process)
    .endm

    .text
/* With os2.nofast: every system call goes the long way. */
    .balign 4
    .globl trap_entry_plain
trap_entry_plain:
    csrrw tp, sscratch, tp
    bgez tp, kernel_trap
    sd t0, CORE_SCRATCH(tp)
    csrr t0, scause
    addi t0, t0, -8
    bnez t0, other_trap
    j slow

    .balign 4
    .globl trap_entry
trap_entry:
    csrrw tp, sscratch, tp
    bgez tp, kernel_trap
    sd t0, CORE_SCRATCH(tp)
    csrr t0, scause
    addi t0, t0, -8             /* environment call from U-mode */
    bnez t0, other_trap

    slliw t0, a0, 16            /* the number and the flags, where lui has them */
    beqz t0, fast_tokens
    lui t1, NUMBER_CALL << 4
    beq t0, t1, fast_call
    lui t1, NUMBER_REPLY_RECEIVE << 4
    beq t0, t1, fast_reply_receive

    /* A light call, or a label from the same table. */
    srliw t1, t0, 13
    andi t2, t1, 8 * (LIGHT_ENTRIES - 1)
    bne t1, t2, flagged
    add t1, t2, tp              /* within the table also where the branch was mispredicted */
    ld t1, CORE_LIGHT(t1)
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, slow
    sd t0, CORE_TOKENS(tp)
    sd sp, CORE_USER_SP(tp)
    ld sp, CORE_STACK_TOP(tp)
    jalr t1
light_done:
    bgtz a0, light_long
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    ld sp, CORE_USER_SP(tp)
    li a2, 0
    li a3, 0
    li a4, 0
    li a5, 0
    li a6, 0
    li a7, 0
    li t0, 0
    li t1, 0
    li t2, 0
    li ra, 0
    csrrw tp, sscratch, tp
    sret

/* The handler left it to the long way; the arguments that may matter are where it put them. */
light_long:
    ld t1, CORE_CURRENT(tp)
    ld a0, REG(0)(t1)
    ld a1, REG(1)(t1)
    ld a2, REG(2)(t1)
    ld a3, REG(3)(t1)
    li a4, 0
    li a5, 0
    li a6, 0
    li a7, 0
/* What is no light call comes here from the same table. */
    .globl riscv_not_light
riscv_not_light:
    ld sp, CORE_USER_SP(tp)
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, 1
    sd t0, CORE_TOKENS(tp)
slow:
    ld t0, CORE_CURRENT(tp)
    sd a0, REG(0)(t0)
    sd a1, REG(1)(t0)
    sd a2, REG(2)(t0)
    sd a3, REG(3)(t0)
    sd a4, REG(4)(t0)
    sd a5, REG(5)(t0)
    sd a6, REG(6)(t0)
    sd a7, REG(7)(t0)
    save_context t0, t1
    ld sp, CORE_STACK_TOP(tp)
    mv a0, tp
    call syscall_dispatch

    ld t2, CORE_CURRENT(tp)     /* the same process goes on */
    csrrw tp, sscratch, tp
    ld sp, PROCESS_SP(t2)
    j leave

flagged:
    lui t1, NUMBER_CALL_BLOCK << 4
    beq t0, t1, fast_call_block
    lui t1, NUMBER_REPLY_RECEIVE_BLOCK << 4
    beq t0, t1, fast_reply_receive_block
    lui t1, NUMBER_POLL << 4
    bne t0, t1, slow

/* A receive from anyone that polls: finds nothing where no sender and no bit is pending. */
fast_poll:
    bnez a6, slow               /* a deadline in time */
    ld t1, CORE_CURRENT(tp)
    ld t2, PROCESS_SLOT(t1)
    lw t2, SLOT_PENDING(t2)
    bnez t2, slow
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, slow
    sd t0, CORE_TOKENS(tp)
    li a0, STATUS_WOULD_WAIT
fast_return:
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    li t0, 0
    li t1, 0
    csrrw tp, sscratch, tp
    sret

/* void riscv_enter(struct core *): load the current process, its space being active, and run it. */
    .globl riscv_enter
riscv_enter:
    mv tp, a0
    ld t2, CORE_CURRENT(tp)
enter_t2:
    load_context t2
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

#if NUMBER_TOKENS != 0
#error "fast_tokens is found by a number of 0"
#endif
fast_tokens:
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, slow               /* the turn is spent */
    sd t0, CORE_TOKENS(tp)
    mv a1, t0
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    li a0, 0
    li t0, 0
    csrrw tp, sscratch, tp
    sret

/* In the place of a light call. Where nobody else is ready, the turn goes on. */
    .globl riscv_yield
riscv_yield:
    ld t1, CORE_SHARED(tp)
    lw t1, SHARED_LENGTH(t1)
    bnez t1, yield_to_next
    ld sp, CORE_USER_SP(tp)
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    li a0, 0
    li t0, 0                    /* t1 is 0 */
    li t2, 0
    li ra, 0
    csrrw tp, sscratch, tp
    sret

yield_to_next:
    ld t1, CORE_CURRENT(tp)
    save_context t1, t0, light=1
    sd zero, REG(0)(t1)         /* what yield returns, when its turn comes */
    sd zero, REG(1)(t1)
    sd zero, REG(2)(t1)
    sd zero, REG(3)(t1)
    sd zero, REG(4)(t1)
    sd zero, REG(5)(t1)
    sd zero, REG(6)(t1)
    sd zero, REG(7)(t1)
    sd zero, REG(8)(t1)
    sd zero, REG(9)(t1)
    mv a0, tp
    call turn_rotate
    mv t2, a0
    li a0, NUMBER_YIELD
    beqz t2, long_way
switch_to_t2:
    ld t0, PROCESS_SATP(t2)
    csrw satp, t0
    sd t2, CORE_CURRENT(tp)
    j enter_t2

/* In the place of a light call: a receive from anyone, for ever. It waits, where nothing has come. */
    .globl riscv_receive
riscv_receive:
    ld t1, CORE_CURRENT(tp)
    ld t2, PROCESS_SLOT(t1)
    lw t2, SLOT_PENDING(t2)
    bnez t2, riscv_not_light
    sd a0, PROCESS_WAIT_CONTROL(t1)
    save_context t1, t0, light=1
    mv a0, tp
    call message_wait
    mv t2, a0
    bnez a0, switch_to_t2
    ld t1, CORE_CURRENT(tp)
    ld a0, PROCESS_WAIT_CONTROL(t1)
/* A call that began as a light one and takes no argument but CONTROL. */
long_way:
    li a1, 0
    li a2, 0
    li a3, 0
    li a4, 0
    li a5, 0
    li a6, 0
    li a7, 0
    j riscv_not_light

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

#include "arch/riscv64/block.S"
#include "arch/riscv64/fp.S"
#include "arch/riscv64/message.S"

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
