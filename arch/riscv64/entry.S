/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving the kernel, and the calls that never leave this file.
 *
 * sscratch holds the core's struct, in user mode and in the kernel; in the kernel tp does too. The first instruction of
 * a trap exchanges the two, so that tp is the core's struct wherever the trap comes from; the program's tp goes to t6,
 * which C code leaves alone, and sscratch gets the core back. Whether a trap comes from the kernel, which is a kernel
 * bug, is told by what no program can set: an environment call from U-mode has a cause of its own, and for all other
 * causes sstatus.SPP says it. Rejected: to keep the program's tp in sscratch, and to tell by its sign. A program sets
 * tp as it likes, so that with a second bug the kernel went on with a struct core that the program had written.
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
 * and block_free of one page, in block.S. Some are told by compares, the rest by a table; yield is compared though that
 * costs those in the table two instructions, since the way through it would cost yield seven.
 *
 * With the boot argument os2.noshort another entry is used, from which every call goes the long way.
 */
#include "arch_offsets.h"

#define REG(n) (PROCESS_REG + 8 * (n))
#define S(n) (PROCESS_S + 8 * (n))

    /* The registers of a process that a call keeps, and its pc behind the ecall. */
    .macro save_context process, scratch
    csrr \scratch, sepc
    addi \scratch, \scratch, 4
    sd \scratch, PROCESS_PC(\process)
    sd sp, PROCESS_SP(\process)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    sd s\n, S(\n)(\process)
    .endr
    .endm

    /* The same back, and its constants: tp is the core until then, and no longer the core's afterwards. */
    .macro load_context process
    ld sp, PROCESS_SP(\process)
    ld gp, PROCESS_GP(\process)
    ld tp, PROCESS_TP(\process)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    ld s\n, S(\n)(\process)
    .endr
    .endm

    /* CONTROL and the words of a message. */
    .macro save_words process
    .irp n, 0,1,2,3,4,5,6
    sd a\n, REG(\n)(\process)
    .endr
    sd zero, PROCESS_BLANK(\process)
    .endm

    /* The same back, but for CONTROL. */
    .macro load_words process
    .irp n, 1,2,3,4,5,6
    ld a\n, REG(\n)(\process)
    .endr
    .endm

    .macro clear registers:vararg
    .irp r, \registers
    li \r, 0
    .endr
    .endm

    /* Load a root: by itself where there are ASIDs; where there are none, a jump to the same with a fence of ASID 0
     * behind it, or of everything, is put in its place at boot: fence_short_ways() in mmu.c. */
    .macro root_load root
    .option push
    .option norvc
.Lload\@:
    csrw satp, \root
    .subsection 1
.Lfenced\@:
    csrw satp, \root
    li \root, 0
.Lfence\@:
    sfence.vma x0, \root
    j .Lload\@ + 4
    .previous
    .pushsection .root_loads, "a"
    .dword .Lload\@, .Lfenced\@, .Lfence\@
    .popsection
    .option pop
    .endm

    /* tp is the core; goes on here for system calls alone, with the program's tp in t6. */
    .macro trap_begin
    csrrw tp, sscratch, tp
    sd t0, CORE_SCRATCH(tp)
    csrr t0, scause
    addi t0, t0, -8             /* environment call from U-mode */
    bnez t0, other_trap
    csrrw t6, sscratch, tp
    .endm

    .text
/* With os2.noshort: every system call goes the long way. */
    .balign 4
    .globl trap_entry_long
trap_entry_long:
    trap_begin
    j long_way

    .balign 4
    .globl trap_entry
trap_entry:
    trap_begin

    slliw t0, a0, 16            /* the number and the flags, where lui has them */
    beqz t0, short_tokens
    lui t1, NUMBER_CALL << 4
    beq t0, t1, short_call
    lui t1, NUMBER_REPLY_RECEIVE << 4
    beq t0, t1, short_reply_receive
    lui t1, NUMBER_YIELD << 4
    beq t0, t1, short_yield

    /* From a table: riscv_light, or a label with a short way of its own. */
    srliw t1, t0, 13
    andi t2, t1, 8 * (LIGHT_ENTRIES - 1)
    bne t1, t2, flagged
    add t2, t2, tp              /* within the table also where the branch was mispredicted */
    ld t1, CORE_SHORT(t2)
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, long_way
    sd t0, CORE_TOKENS(tp)
    jr t1

    /* A light call. */
    .globl riscv_light
riscv_light:
    sd sp, CORE_USER_SP(tp)
    ld sp, CORE_STACK_TOP(tp)
    ld t1, CORE_LIGHT(t2)
    jalr t1
light_done:
    bgtz a0, light_long
    csrr t2, sepc               /* which is the program's own, and may stay in t2 */
    addi t2, t2, 4
    csrw sepc, t2
    ld sp, CORE_USER_SP(tp)
    clear a2, a3, a4, a5, a6, a7, t0, t1, ra
    mv tp, t6                   /* it may stay in t6 too */
    sret

/* The handler left it to the long way; the arguments that may matter are where it put them. */
light_long:
    ld sp, CORE_USER_SP(tp)
    ld t1, CORE_CURRENT(tp)
    ld a0, REG(0)(t1)
    ld a1, REG(1)(t1)
    ld a2, REG(2)(t1)
    ld a3, REG(3)(t1)
    clear a4, a5, a6, a7
/* What is no light call comes here from the same table. */
    .globl riscv_not_light
riscv_not_light:
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, 1
    sd t0, CORE_TOKENS(tp)
long_way:
    ld t0, CORE_CURRENT(tp)
    save_words t0
    sd a7, REG(7)(t0)
    save_context t0, t1
    ld sp, CORE_STACK_TOP(tp)
    mv a0, tp
    call syscall_dispatch

    ld t2, CORE_CURRENT(tp)     /* the same process goes on */
    ld tp, PROCESS_TP(t2)
    ld sp, PROCESS_SP(t2)
    j leave

flagged:
    lui t1, NUMBER_CALL_BLOCK << 4
    beq t0, t1, short_call_block
    lui t1, NUMBER_REPLY_RECEIVE_BLOCK << 4
    beq t0, t1, short_reply_receive_block
    lui t1, NUMBER_POLL << 4
    bne t0, t1, long_way

/* A receive from anyone that polls: finds nothing where no sender and no bit is pending. */
short_poll:
    bnez a6, long_way               /* a deadline in time */
    ld t1, CORE_CURRENT(tp)
    ld t2, PROCESS_SLOT(t1)
    lw t2, SLOT_PENDING(t2)
    bnez t2, long_way
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, long_way
    sd t0, CORE_TOKENS(tp)
    li a0, STATUS_WOULD_WAIT
short_return:
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    clear t0, t1
    mv tp, t6
    sret

#if NUMBER_TOKENS != 0
#error "short_tokens is found by a number of 0"
#endif
short_tokens:
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, long_way               /* the turn is spent */
    sd t0, CORE_TOKENS(tp)
    mv a1, t0
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    clear a0, t0
    mv tp, t6
    sret

/*
 * A switch to the next ready process, where that needs no more than other tables: all that is unusual about the queue
 * or the turn is in one word (core/runqueue.h), and the places say the rest of the next one, who is not ending
 * then. t1 is its slot, t2 its process, t3 its place, which becomes its state word.
 */
    .macro next_find none, long_way
    ld t1, QUEUE_HEAD(tp)
    beqz t1, \none
    lw t2, QUEUE_MODE(tp)
    bnez t2, \long_way
    ld t2, SLOT_PROCESS(t1)
    ld t3, PROCESS_PLACE(t2)
    ld t4, CORE_PLACE(tp)
    bne t3, t4, \long_way
    .endm

    /* The turn is that of `slot`, and has t0 tokens left. */
    .macro account slot
    lwu a1, CORE_TURN_QUANTUM(tp)
    sub a1, a1, t0
    addi a2, \slot, SLOT_SPENT
    amoadd.d zero, a1, (a2)
    .endm

/* t5 is the current process, t6 its slot. Its results are all 0 already; elsewhere, or in the turn of another, blank is
 * not the turn's slot. */
short_yield:
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, long_way
    next_find yield_alone, long_way
    ld t5, CORE_CURRENT(tp)
    ld t6, PROCESS_BLANK(t5)
    ld a1, CORE_TURN_SLOT(tp)
    bne t6, a1, yield_not_blank
yield_blank:
    account t6
    save_context t5, a3
    ld a5, CORE_READY_WORD(tp)
    ld a6, QUEUE_TAIL(tp)       /* to the tail, and the first one off */
    sd t6, SLOT_RUN_NEXT(a6)
    sd t6, QUEUE_TAIL(tp)
    ld a6, SLOT_RUN_NEXT(t1)
    sd a6, QUEUE_HEAD(tp)
    sd t3, SLOT_WORD(t1)        /* RDY -> RUN */
    fence rw, rw                /* for both words: pairs with end_kill(), and with who finds the other one ready */
    sd a5, SLOT_WORD(t6)        /* RUN -> RDY */
next_enter:                     /* as turn_begin() and turn_switch() of core/turn.h */
    ld a5, SLOT_LIFE(t1)
    andi a6, a5, 1
    bnez a6, next_doomed
    ld a6, CORE_TURNS(tp)
    addi a6, a6, 1
    sd a6, CORE_TURNS(tp)
    ld a6, PROCESS_TURNS(t2)
    addi a6, a6, 1
    sd a6, PROCESS_TURNS(t2)
    sd t1, CORE_TURN_SLOT(tp)
    sd a5, CORE_TURN_LIFE(tp)
    lwu a5, PROCESS_LENT(t2)
    sd a5, CORE_TOKENS(tp)
    sw a5, CORE_TURN_QUANTUM(tp)
    ld t0, PROCESS_SATP(t2)
    root_load t0
    sd t2, CORE_CURRENT(tp)
enter_t2:
    load_context t2
leave:
    ld t0, PROCESS_PC(t2)
    csrw sepc, t0
    ld a0, REG(0)(t2)
    load_words t2
    ld a7, REG(7)(t2)
    ld t0, REG(8)(t2)
    ld t1, REG(9)(t2)
    clear t2, t3, t4, t5, t6, ra
    sret

/* void riscv_enter(struct core *): load the current process, its space being active, and run it. */
    .globl riscv_enter
riscv_enter:
    mv tp, a0
    ld t2, CORE_CURRENT(tp)
    j enter_t2

/* Where nobody else is ready, the turn goes on. */
yield_alone:
    lw t2, QUEUE_LENGTH(tp)     /* others may be on offer, or in the front place */
    bnez t2, long_way
    sd t0, CORE_TOKENS(tp)
    li a0, 0
    j short_return

yield_not_blank:
    ld t6, PROCESS_SLOT(t5)
    bne t6, a1, long_way            /* another's turn */
    sd t6, PROCESS_BLANK(t5)
    .irp n, 0,1,2,3,4,5,6,7,8,9
    sd zero, REG(\n)(t5)
    .endr
    j yield_blank

next_doomed:
    mv a0, tp
    mv a1, t1
    ld sp, CORE_STACK_TOP(tp)
    call loop_doomed

/* In the place of a light call: a receive from anyone, for ever. It waits, where nothing has come. */
    .globl riscv_receive
riscv_receive:
    ld t5, CORE_CURRENT(tp)
    ld t6, PROCESS_SLOT(t5)
    lw t4, SLOT_PENDING(t6)
    bnez t4, riscv_not_light
    ld a4, CORE_TURN_SLOT(tp)
    bne t6, a4, receive_lent
receive_own:
    ld a1, PROCESS_LENDER(t5)
    bnez a1, receive_lender
receive_nobodys:
    next_find riscv_not_light, riscv_not_light
    account a4
    sd a0, PROCESS_WAIT_CONTROL(t5)
    save_context t5, a3
    ld a3, SLOT_SEQ(t6)
    addi a3, a3, 1
    sd a3, SLOT_SEQ(t6)
    amoswap.d.aqrl zero, a3, (t6)   /* RUN -> RCV from anyone; pairs with the looks at the word in ipc/ */
    lw t4, SLOT_PENDING(t6)
    bnez t4, receive_missed
    ld a5, QUEUE_TAIL(tp)           /* the first one off */
    ld a6, SLOT_RUN_NEXT(t1)
    beq a5, t1, receive_last
receive_taken:
    sd a6, QUEUE_HEAD(tp)
    lw a6, QUEUE_LENGTH(tp)
    addi a6, a6, -1
    sw a6, QUEUE_LENGTH(tp)
    sd t3, SLOT_WORD(t1)            /* RDY -> RUN */
    fence rw, rw                    /* pairs with end_kill() */
    j next_enter
receive_last:
    li a6, 0
    j receive_taken
receive_lent:                       /* another's turn, who may have ended since */
    ld a1, SLOT_LIFE(a4)
    ld a2, CORE_TURN_LIFE(tp)
    xor a1, a1, a2
    srli a1, a1, 1
    bnez a1, riscv_not_light
    j receive_own
receive_lender:                     /* it worked for a call: where that is answered there is nothing to remember */
    srli a2, a1, SEQ_BITS
    slli a2, a2, SLOT_SHIFT
    ld a3, CORE_SLOTS(tp)
    add a2, a2, a3
    ld a2, SLOT_WORD(a2)
    slli a1, a1, 64 - SEQ_BITS
    srli a1, a1, 64 - SEQ_BITS
    ld a3, PROCESS_CALLED_WORD(t5)
    or a1, a1, a3
    beq a1, a2, riscv_not_light
    sd zero, PROCESS_LENDER(t5)
    j receive_nobodys
receive_missed:                     /* something came before the word: look again, in C */
    neg a1, a1                      /* the turn goes on */
    amoadd.d zero, a1, (a2)
    mv a0, tp
    mv a1, a3
    li a2, 0
    ld sp, CORE_STACK_TOP(tp)
    call message_looked_at_late

other_trap:
    csrrw t0, sscratch, tp
    sd t0, CORE_USER_TP(tp)
    csrr t0, sstatus
    andi t0, t0, SSTATUS_SPP
    bnez t0, kernel_trap
    sd sp, CORE_USER_SP(tp)
    ld sp, CORE_STACK_TOP(tp)
    addi sp, sp, -128
    sd ra, 0(sp)
    ld ra, CORE_SCRATCH(tp)
    sd ra, 8(sp)
    .Lat = 16
    .irp r, t1, t2, t3, t4, t5, t6, a0, a1, a2, a3, a4, a5, a6, a7
    sd \r, .Lat(sp)
    .Lat = .Lat + 8
    .endr
    mv a0, tp
    csrr a1, scause
    csrr a2, sepc
    csrr a3, stval
    call riscv_trap
    .Lat = 0
    .irp r, ra, t0, t1, t2, t3, t4, t5, t6, a0, a1, a2, a3, a4, a5, a6, a7
    ld \r, .Lat(sp)
    .Lat = .Lat + 8
    .endr
    ld sp, CORE_USER_SP(tp)
    ld tp, CORE_USER_TP(tp)
    sret

#include "arch/riscv64/block.S"
#include "arch/riscv64/fp.S"
#include "arch/riscv64/message.S"

/* A trap in the kernel: the first core that comes here reports it, on the boot stack, which nothing else uses any
 * more. A trap in that report, or on another core, ends in silence. */
    .globl kernel_trap
    .balign 4
kernel_trap:
    la t0, kernel_trapped
    li t1, 1
    amoadd.w t1, t1, (t0)
    bnez t1, halt_trapped
    mv a3, sp
    la sp, boot_stack_top
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    mv a4, ra
    call riscv_kernel_trap

    .globl halt_trapped
halt_trapped:
    wfi
    j halt_trapped

    .bss
    .balign 4
kernel_trapped:
    .skip 4
    .text

/*
 * void riscv_clear_optional(void): 0 into the registers that say what else programs may do, where the processor has
 * them; a write of one that it has not traps. As firmware leaves them they may let programs invalidate cache blocks,
 * and so undo the clearing of memory (senvcfg.CBIE), or keep state that no switch saves (sstateen0). Changes sstatus.
 */
    .globl riscv_clear_optional
    .balign 4
riscv_clear_optional:
    la t0, 1f
    csrrw t1, stvec, t0
    csrw 0x10a, zero            /* senvcfg */
    .balign 4
1:  la t0, 2f
    csrw stvec, t0
    csrw 0x10c, zero            /* sstateen0 */
    .balign 4
2:  csrw stvec, t1
    ret

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
