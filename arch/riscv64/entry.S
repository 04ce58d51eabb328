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
 * Five calls are tried here first: tokens; a poll that finds nothing; yield; a call, of words or with a block, to a
 * server that waits for anyone; and the reply_receive that answers such a call. The latter two are the code of
 * ipc/message.c on the straight path, with the same protocol (core/state.h): each test that fails goes to `slow`, with
 * the arguments still in a0..a7 and nothing changed. What they rely on: one context word for "same core, live ASID, no
 * fence owed, no floating point" (arch/riscv64/mmu.c); a word of kind 0 and peer 0 receives from anyone; struct wait
 * is plain while its process runs; a handle's target is laid out for one sign test and one mask (core/handle.h). The
 * words of the message stay in a1..a6.
 */
#include "arch_offsets.h"

#define REG(n) (PROCESS_REG + 8 * (n))
#define S(n) (PROCESS_S + 8 * (n))

    /* The current process's registers that a call keeps, and its pc behind the ecall. */
    .macro save_context process, scratch
    csrr \scratch, sepc
    addi \scratch, \scratch, 4
    sd \scratch, PROCESS_PC(\process)
    sd sp, PROCESS_SP(\process)
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

    slli t0, a0, 48             /* the number and the flags */
    beqz t0, fast_tokens
    srli t0, t0, 48
    addi t0, t0, -NUMBER_CALL
    beqz t0, fast_call
    addi t0, t0, NUMBER_CALL - NUMBER_REPLY_RECEIVE
    beqz t0, fast_reply_receive
    addi t0, t0, NUMBER_REPLY_RECEIVE - NUMBER_CALL_BLOCK
    beqz t0, fast_call_block
    addi t0, t0, NUMBER_CALL_BLOCK - NUMBER_REPLY_RECEIVE_BLOCK
    beqz t0, fast_reply_receive_block
    addi t0, t0, NUMBER_REPLY_RECEIVE_BLOCK - NUMBER_YIELD
    beqz t0, fast_yield
    addi t0, t0, NUMBER_YIELD - NUMBER_POLL
    beqz t0, fast_poll

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
    j fast_return

/* Where nobody else is ready, the turn goes on. */
fast_yield:
    ld t1, CORE_SHARED(tp)
    lw t1, SHARED_LENGTH(t1)
    bnez t1, yield_to_next
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, slow
    sd t0, CORE_TOKENS(tp)
    li a0, 0
fast_return:
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    li t0, 0
    li t1, 0
    csrrw tp, sscratch, tp
    sret

yield_to_next:
    ld t1, CORE_CURRENT(tp)
    save_context t1, t0
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
    ld sp, CORE_STACK_TOP(tp)
    mv a0, tp
    call turn_rotate
    mv t5, a0
    beqz a0, yield_slow
    ld t0, PROCESS_SATP(t5)
    csrw satp, t0
    sd t5, CORE_CURRENT(tp)
    mv a0, tp
    j riscv_enter
yield_slow:
    ld t1, CORE_CURRENT(tp)
    ld sp, PROCESS_SP(t1)
    li a0, NUMBER_YIELD
    j slow

    /* Run the process in t5; its satp is set, its results are in a1..a7 and t0, and a0 with_flags. */
    .macro enter_with_flags
    ld t6, PROCESS_PC(t5)
    csrw sepc, t6
    csrw sscratch, tp
    ld sp, PROCESS_SP(t5)
    ld gp, PROCESS_GP(t5)
    ld tp, PROCESS_TP(t5)
    ld s0, S(0)(t5)
    ld s1, S(1)(t5)
    ld s2, S(2)(t5)
    ld s3, S(3)(t5)
    ld s4, S(4)(t5)
    ld s5, S(5)(t5)
    ld s6, S(6)(t5)
    ld s7, S(7)(t5)
    ld s8, S(8)(t5)
    ld s9, S(9)(t5)
    ld s10, S(10)(t5)
    ld s11, S(11)(t5)
    li t1, 0
    li t2, 0
    li t3, 0
    li t4, 0
    li t5, 0
    li t6, 0
    li ra, 0
    .endm

    .macro enter
    li a0, INFO_MESSAGE
    enter_with_flags
    .endm

/* t0 tokens, t1 the caller, t2 handle, then the caller's slot, t3 the server's slot, t4 its word, then seq, t5
 * server */
    /* Find the receiver of a call and claim it. */
    .macro call_claim
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, slow
    ld t1, CORE_CURRENT(tp)
    srli t2, a0, HANDLE_SHIFT
    slli t2, t2, 4
    ld t3, PROCESS_HANDLES(t1)
    add t2, t2, t3
    lw t3, 0(t2)                /* rights, slot, kind */
    bltz t3, slow               /* not an inbox that may be sent to */
    andi t3, t3, -512
    ld t4, CORE_SLOTS(tp)
    add t3, t3, t4
    ld t4, SLOT_WORD(t3)
    srli t5, t4, SEQ_BITS
    bnez t5, slow               /* does not receive from anyone */
    fence r, r                  /* the word before the life it is good for */
    lw t5, SLOT_LIFE(t3)
    lw t6, 4(t2)
    bne t5, t6, slow            /* ended, or doomed */
    ld t5, SLOT_PROCESS(t3)
    ld t6, PROCESS_CTX(t5)      /* nobody held it since the word was seen, or the exchange below fails */
    ld a7, CORE_CTX(tp)
    bne t6, a7, slow
1:  lr.d.aqrl t6, (t3)          /* RCV -> RUN: the server is this core's */
    bne t6, t4, slow
    sc.d.rl t6, a7, (t3)
    bnez t6, 1b
    .endm

    /* A new wait of the caller in t1, whose slot goes to t2: a7 is whom to answer, t4 its number. */
    .macro call_number
    ld t2, PROCESS_SLOT(t1)
    ld t4, SLOT_SEQ(t2)
    addi t4, t4, 1
    sd t4, SLOT_SEQ(t2)
    ld a7, PROCESS_CALLER_WORD(t1)
    or a7, a7, t4
    .endm

    /* Leave for the server in t5 and publish the caller. */
    .macro call_publish
    ld t6, PROCESS_SATP(t5)
    csrw satp, t6
    sd t5, CORE_CURRENT(tp)
    ld t6, PROCESS_CALLED_WORD(t5)
    or t4, t4, t6
    fence rw, w                 /* all of the caller before its word: pairs with the claims in ipc/ */
    sd t4, SLOT_WORD(t2)        /* RUN -> CAL */
    .endm

fast_call:
    call_claim
    sd t0, CORE_TOKENS(tp)
    ld t0, 8(t2)                /* the badge */
    sd a0, PROCESS_WAIT_CONTROL(t1)
    call_number
    save_context t1, t6
    call_publish
    enter
    sret

/* t1 the server, t2 its slot, t3 the caller's slot, t4 the word it must have, t5 the caller, t6 the server's new
 * word */
    /* Find the caller that a7 names. */
    .macro reply_find
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, slow
    ld t1, CORE_CURRENT(tp)
    srli t2, a7, SEQ_BITS
    slli t3, t2, 9
    ld t4, CORE_SLOTS_BYTES(tp)
    bgeu t3, t4, slow           /* no such slot */
    ld t4, CORE_SLOTS(tp)
    add t3, t3, t4
    slli t4, a7, 64 - SEQ_BITS
    srli t4, t4, 64 - SEQ_BITS
    ld t5, PROCESS_CALLED_WORD(t1)
    or t4, t4, t5               /* CAL, this server, that very call */
    ld t6, SLOT_WORD(t3)
    bne t6, t4, slow
    ld t5, SLOT_PROCESS(t3)
    ld t6, PROCESS_CTX(t5)
    ld t2, CORE_CTX(tp)
    bne t6, t2, slow
    .endm

fast_reply_receive:
    reply_find
    sd t0, CORE_TOKENS(tp)
    save_context t1, t6
    sd a0, PROCESS_WAIT_CONTROL(t1)
    ld t2, PROCESS_SLOT(t1)
    ld t6, SLOT_SEQ(t2)
    addi t6, t6, 1
    sd t6, SLOT_SEQ(t2)
    ld a0, CORE_CTX(tp)
    fence rw, w
    sd t6, SLOT_WORD(t2)        /* RUN -> RCV from anyone */
1:  lr.d.aqrl t0, (t3)          /* CAL -> RUN; the full fence between the word above and the look below */
    bne t0, t4, reply_lost
    sc.d.rl t0, a0, (t3)
    bnez t0, 1b
    lw t0, SLOT_PENDING(t2)
    bnez t0, words_missed       /* a message or bits came before the word: look again */
    ld t4, PROCESS_SATP(t5)
    csrw satp, t4
    sd t5, CORE_CURRENT(tp)
    enter                       /* t0 is 0; a7 names the call, which its caller may know */
    sret

    /* The words and the flags of the message, to the sender's saved registers; those of C's that it keeps are free
     * then. */
    .macro save_message process
    sd a0, REG(0)(\process)
    sd a1, REG(1)(\process)
    sd a2, REG(2)(\process)
    sd a3, REG(3)(\process)
    sd a4, REG(4)(\process)
    sd a5, REG(5)(\process)
    sd a6, REG(6)(\process)
    .endm

    /* The same back, but for a0, which the block's move has set. */
    .macro load_words process
    ld a1, REG(1)(\process)
    ld a2, REG(2)(\process)
    ld a3, REG(3)(\process)
    ld a4, REG(4)(\process)
    ld a5, REG(5)(\process)
    ld a6, REG(6)(\process)
    .endm

/* With a block: as above, but the block moves in C, once the peer is claimed. s0 the peer, s1 the badge or the word. */
fast_call_block:
    call_claim
    sd t0, CORE_TOKENS(tp)
    save_context t1, t6
    save_message t1
    mv s0, t5
    ld s1, 8(t2)
    ld sp, CORE_STACK_TOP(tp)
    mv a0, t1
    mv a1, t5
    mv a2, a5
    call message_pass
    beqz a0, 1f
    ld t1, CORE_CURRENT(tp)
    load_words t1
    mv t5, s0
    mv t0, s1
    ld t6, REG(0)(t1)
    sd t6, PROCESS_WAIT_CONTROL(t1)
    call_number
    call_publish
    enter_with_flags
    sret
1:  mv a0, tp                   /* not that simple: let the server receive again, and start over */
    mv a1, s0
    call message_pass_undo_call
    ld t1, CORE_CURRENT(tp)
    j block_slow

fast_reply_receive_block:
    reply_find
    ld t2, CORE_CTX(tp)
1:  lr.d.aqrl t6, (t3)          /* CAL -> RUN */
    bne t6, t4, slow
    sc.d.rl t6, t2, (t3)
    bnez t6, 1b
    sd t0, CORE_TOKENS(tp)
    save_context t1, t6
    save_message t1
    sd a7, REG(7)(t1)
    mv s0, t5
    ld sp, CORE_STACK_TOP(tp)
    mv a0, t1
    mv a1, t5
    mv a2, a5
    call message_pass
    beqz a0, 1f
    ld t1, CORE_CURRENT(tp)
    load_words t1
    mv t5, s0
    ld t6, REG(0)(t1)
    sd t6, PROCESS_WAIT_CONTROL(t1)
    ld t2, PROCESS_SLOT(t1)
    ld t6, SLOT_SEQ(t2)
    addi t6, t6, 1
    sd t6, SLOT_SEQ(t2)
    fence rw, w
    sd t6, SLOT_WORD(t2)        /* RUN -> RCV from anyone: only now that its tables are as they will be */
    fence rw, rw
    lw t0, SLOT_PENDING(t2)
    bnez t0, reply_missed
    ld t4, PROCESS_SATP(t5)
    csrw satp, t4
    sd t5, CORE_CURRENT(tp)
    ld a7, PROCESS_CALLER_WORD(t5) /* nothing of the server's */
    enter_with_flags
    sret
1:  mv a0, tp                   /* not that simple: the caller waits on, and start over */
    mv a1, s0
    ld t1, CORE_CURRENT(tp)
    ld a2, REG(7)(t1)
    call message_pass_undo_reply
    ld t1, CORE_CURRENT(tp)
    ld a7, REG(7)(t1)
block_slow:
    ld a0, REG(0)(t1)
    load_words t1
    ld sp, PROCESS_SP(t1)
    ld s0, S(0)(t1)
    ld s1, S(1)(t1)
    ld t0, CORE_TOKENS(tp)      /* the long way counts it */
    addi t0, t0, 1
    sd t0, CORE_TOKENS(tp)
    j slow

/* The server is published and has to look again, in C; the answer goes to the caller's saved registers. */
words_missed:
    li a0, INFO_MESSAGE
reply_missed:
    sd a0, REG(0)(t5)
    sd a1, REG(1)(t5)
    sd a2, REG(2)(t5)
    sd a3, REG(3)(t5)
    sd a4, REG(4)(t5)
    sd a5, REG(5)(t5)
    sd a6, REG(6)(t5)
    sd zero, REG(7)(t5)
    sd zero, REG(8)(t5)
    sd zero, REG(9)(t5)
    mv a2, t5
    j 1f
reply_lost:                     /* its deadline passed, or it was killed, in this moment */
    li a2, 0
1:  mv a0, tp
    mv a1, t6
    ld sp, CORE_STACK_TOP(tp)
    call message_looked_at_late

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
