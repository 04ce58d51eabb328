/* SPDX-License-Identifier: MIT */
/*
 * The short ways of messages, a part of entry.S: a call, of words or with a block, to a server that waits for anyone,
 * and the reply_receive that answers such a call.
 *
 * They are the code of ipc/message.c on the straight path, with the same protocol (core/state.h): each test that fails
 * goes to `long_way`, with the arguments still in a0..a7 and nothing changed. What they rely on: the place, one word
 * for "same core, live ASID, no fence owed" (arch/riscv64/mmu.c), whose last two bits are floating point's (fp.S); a
 * word of kind 0 and peer 0 receives from anyone; struct wait is plain while its process runs; a handle's target is
 * laid out for one sign test and one mask (core/handle.h). The words of the message stay in a1..a6.
 */

    /* Run the process in t5; its satp is set, its results are in a0..a7 and t0; t3 is 0. */
    .macro enter_with_flags
    ld t6, PROCESS_PC(t5)
    csrw sepc, t6
    load_context t5
    clear t1, t2, t4, t5, t6, ra
    .endm

    .macro enter
    li a0, INFO_MESSAGE
    enter_with_flags
    .endm

/* t0 tokens, t1 the caller, t2 handle, then the caller's slot, t3 the server's slot, t4 its word, then seq, t5
 * server */
    /* Find the receiver of a call: t6 is its place, a7 the core's. */
    .macro call_find
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, long_way
    ld t1, CORE_CURRENT(tp)
    srli t2, a0, HANDLE_SHIFT
    slli t2, t2, HANDLE_ENTRY_SHIFT
    ld t3, PROCESS_HANDLES(t1)
    add t2, t2, t3
    lw t3, 0(t2)                /* rights, slot, kind */
    bltz t3, long_way               /* not an inbox that may be sent to */
    andi t3, t3, -(1 << SLOT_SHIFT)
    ld t4, CORE_SLOTS(tp)
    add t3, t3, t4
    ld t4, SLOT_WORD(t3)
    srli t5, t4, SEQ_BITS - 1
    bnez t5, long_way               /* does not receive from anyone */
    fence r, r                  /* the word before the life it is good for */
    lw t5, SLOT_LIFE(t3)
    lw t6, HANDLE_LIFE(t2)
    bne t5, t6, long_way            /* ended, or doomed */
    ld t5, SLOT_PROCESS(t3)
    ld t6, PROCESS_PLACE(t5)      /* nobody held it since the word was seen, or the exchange below fails */
    ld a7, CORE_PLACE(tp)
    .endm

    /* RCV -> RUN: the server is this core's. t3 becomes 0. */
    .macro call_claim lost
    lr.d.aqrl t6, (t3)
    bne t6, t4, \lost
    sc.d.rl t3, a7, (t3)
    bnez t3, \lost
    .endm

    /* A new wait of the caller in t1, whose slot goes to t2: t4 is its number, a7 whom the server in t5 is to answer.
     * It works for that one from here on (core/loan.c). */
    .macro call_number
    ld t2, PROCESS_SLOT(t1)
    ld t4, SLOT_SEQ(t2)
    addi t4, t4, 1
    sd t4, SLOT_SEQ(t2)
    ld a7, PROCESS_CALLER_WORD(t1)
    or a7, a7, t4
    sd a7, PROCESS_LENDER(t5)
    .endm

    /* Leave for the server in t5 and publish the caller. */
    .macro call_publish
    ld t6, PROCESS_SATP(t5)
    root_load t6
    sd t5, CORE_CURRENT(tp)
    ld t6, PROCESS_CALLED_WORD(t5)
    or t4, t4, t6
    fence rw, w                 /* all of the caller before its word: pairs with the claims in ipc/ */
    sd t4, SLOT_WORD(t2)        /* RUN -> CAL */
    .endm

short_call:
    call_find
    beq t6, a7, 1f
    xor t6, t6, a7
    addi t6, t6, -(PLACE_FP_LIVE + PLACE_FP_ON)
    bnez t6, call_fp_one
    fp_exchange call
1:  call_claim call_lost
    sd t0, CORE_TOKENS(tp)
    ld t0, HANDLE_BADGE(t2)                /* the badge */
    sd a0, PROCESS_WAIT_CONTROL(t1)
    call_number
    save_context t1, t6
    call_publish
    enter
    sret

fp_exchange_rest call
call_fp_one:
    jal ra, fp_one
    ld a7, CORE_PLACE(tp)
    j 1b
call_lost:
    jal ra, fp_off
    j long_way

/* t1 the server, t2 its slot, t3 the caller's slot, t4 the word it must have, t5 the caller, t6 the server's new
 * word */
    /* Find the caller that a7 names, which is the one this server works for. So its slot is taken from the kernel's own
     * copy of the name: 0, nobody's, leads to slot 0, which never waits. */
    .macro reply_find
    ld t0, CORE_TOKENS(tp)
    addi t0, t0, -1
    blez t0, long_way
    ld t1, CORE_CURRENT(tp)
    ld t2, PROCESS_LENDER(t1)
    bne t2, a7, long_way
    srli t3, t2, SEQ_BITS
    slli t3, t3, SLOT_SHIFT
    ld t4, CORE_SLOTS(tp)
    add t3, t3, t4
    slli t4, t2, 64 - SEQ_BITS
    srai t4, t4, 64 - SEQ_BITS  /* with the highest bit it is no word's: see core/state.h */
    ld t5, PROCESS_CALLED_WORD(t1)
    or t4, t4, t5               /* CAL, this server, that very call */
    ld t6, SLOT_WORD(t3)
    bne t6, t4, long_way
    ld t5, SLOT_PROCESS(t3)
    ld t6, PROCESS_PLACE(t5)
    ld t2, CORE_PLACE(tp)
    .endm

short_reply_receive:
    reply_find
    beq t6, t2, 1f
    xor t6, t6, t2
    addi t6, t6, -(PLACE_FP_LIVE + PLACE_FP_ON)
    bnez t6, reply_fp_one
    fp_exchange reply
1:
    sd t0, CORE_TOKENS(tp)
    save_context t1, t6
    sd a0, PROCESS_WAIT_CONTROL(t1)
    ld t2, PROCESS_SLOT(t1)
    ld t6, SLOT_SEQ(t2)
    addi t6, t6, 1
    sd t6, SLOT_SEQ(t2)
    ld a0, CORE_PLACE(tp)
    fence rw, w
    sd t6, SLOT_WORD(t2)        /* RUN -> RCV from anyone */
reply_claim:
    lr.d.aqrl t0, (t3)          /* CAL -> RUN; the full fence between the word above and the look below */
    bne t0, t4, reply_lost
    sc.d.rl t3, a0, (t3)
    bnez t3, reply_again
    lw t0, SLOT_PENDING(t2)
    bnez t0, words_missed       /* a message or bits came before the word: look again */
    ld t4, PROCESS_SATP(t5)
    root_load t4
    sd t5, CORE_CURRENT(tp)
    enter                       /* t0 is 0; a7 names the call, which its caller may know */
    sret
reply_again:
    srli t3, a7, SEQ_BITS       /* the reservation was lost; the caller in t5 may be nobody by now */
    slli t3, t3, SLOT_SHIFT
    ld t0, CORE_SLOTS(tp)
    add t3, t3, t0
    j reply_claim

fp_exchange_rest reply
reply_fp_one:
    jal ra, fp_one
    j 1b

    /* The block at a5 goes from the process in t1 to that in t5; where it does not, to 1. t3..t6 stay over C. */
    .macro move_block
    save_context t1, t6
    save_words t1
    ld sp, CORE_STACK_TOP(tp)
    mv a0, t1
    mv a1, t5
    mv a2, a5
    call message_pass
    beqz a0, 1f
    ld t1, CORE_CURRENT(tp)
    load_words t1
    ld t6, REG(0)(t1)
    sd t6, PROCESS_WAIT_CONTROL(t1)
    .endm

/* With a block: as above, but the block moves in C, once the peer is claimed. */
short_call_block:
    call_find
    bne t6, a7, long_way
    call_claim long_way
    sd t0, CORE_TOKENS(tp)
    ld t4, HANDLE_BADGE(t2)
    move_block
    mv t0, t4
    call_number
    call_publish
    enter_with_flags
    sret
1:  mv a0, tp                   /* not that simple: let the server receive again, and start over */
    mv a1, t5
    call message_pass_undo_call
    ld t1, CORE_CURRENT(tp)
    j block_long

short_reply_receive_block:
    reply_find
    bne t6, t2, long_way
    lr.d.aqrl t6, (t3)          /* CAL -> RUN */
    bne t6, t4, long_way
    sc.d.rl t3, t2, (t3)
    bnez t3, long_way
    sd t0, CORE_TOKENS(tp)
    sd a7, REG(7)(t1)
    move_block
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
    root_load t4
    sd t5, CORE_CURRENT(tp)
    ld a7, PROCESS_CALLER_WORD(t5) /* nothing of the server's */
    enter_with_flags
    sret
1:  mv a0, tp                   /* not that simple: the caller waits on, and start over */
    mv a1, t5
    ld t1, CORE_CURRENT(tp)
    ld a2, REG(7)(t1)
    call message_pass_undo_reply
    ld t1, CORE_CURRENT(tp)
    ld a7, REG(7)(t1)
block_long:
    ld a0, REG(0)(t1)
    load_words t1
    ld sp, PROCESS_SP(t1)
    ld t0, CORE_TOKENS(tp)      /* the long way counts it */
    addi t0, t0, 1
    sd t0, CORE_TOKENS(tp)
    j long_way

/* The server is published and has to look again, in C; the answer goes to the caller's saved registers. */
words_missed:
    li a0, INFO_MESSAGE
reply_missed:
    save_words t5
    sd zero, REG(7)(t5)
    sd zero, REG(8)(t5)
    sd zero, REG(9)(t5)
    mv a2, t5
    j 1f
reply_lost:                     /* its deadline passed, or it was killed, in this moment */
    srli t1, t0, WORD_KIND_SHIFT    /* or the server, woken, receives again elsewhere and just parks this very call */
    addi t1, t1, -WORD_CLM
    bnez t1, 3f
    xor t0, t0, t4
    slli t0, t0, 64 - SEQ_BITS
    beqz t0, reply_claim
3:  li a2, 0
1:  mv a0, tp
    mv a1, t6
    ld sp, CORE_STACK_TOP(tp)
    call message_looked_at_late
