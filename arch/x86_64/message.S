/* SPDX-License-Identifier: MIT */
/*
 * The short ways of messages, a part of entry.S: a call, of words or with a block, to a server that waits for anyone,
 * and the reply_receive that answers such a call.
 *
 * They are the code of ipc/message.c on the straight path, with the same protocol (core/state.h): each test that fails
 * goes the long way, by long_again or long_restored, with the arguments as they were and nothing changed. What they
 * rely on: a word of kind 0 and peer 0 receives from anyone; struct wait is plain while its process runs, but for
 * control; a handle's target is laid out for one sign test and one mask (core/handle.h). The words of the message stay
 * in their registers. rsp points to the caller's struct process, but where C or switch_state is called: then it is r15.
 *
 * Two words tell what the switch needs (arch/x86_64/mmu.c). Equal bare places: nothing but a load of CR3. Equal places:
 * floating point or the base of fs has to change, which switch_state does. Else C does it. The place is also what is
 * written into the state word of a process that is claimed. Loads are acquires, stores are releases, and a locked
 * instruction is a full fence, won or lost.
 */

    /* A short call that turns out not to be one: rsp is the caller's process, whose context and CONTROL are saved. */
long_restored:
    movq PROCESS_WAIT_CONTROL(%rsp), %rax
    movq PROCESS_SP(%rsp), %r12
    movq PROCESS_PC(%rsp), %rcx
    movq PROCESS_RBP(%rsp), %rbp
    movq PROCESS_R14(%rsp), %r14
    movq PROCESS_R15(%rsp), %r15
    jmp long_again

    /* Leave for the process in rbp. r12 is the badge, rbx the caller, rdi .. r9 the words, r13 0; CONTROL is set. */
    .macro enter
    swapgs
    movl %r13d, %gs
    movq PROCESS_PC(%rbp), %rcx
    movq PROCESS_SP(%rbp), %rsp
    movq PROCESS_R14(%rbp), %r14
    movq PROCESS_R15(%rbp), %r15
    movq PROCESS_RBP(%rbp), %rbp
    movl $USER_FLAGS, %r11d
    sysretq
    .endm

    /* The receiver of a call: r12 its handle, r13 its slot, rax its word, which receives from anyone, rbp itself. */
    .macro call_find
    decq %gs:CORE_TOKENS
    jle long_again
    save_context
    movq %rax, PROCESS_WAIT_CONTROL(%rsp)
    movq %rax, %r12
    shrq $HANDLE_SHIFT - HANDLE_ENTRY_SHIFT, %r12
    andl $(HANDLE_ENTRIES - 1) << HANDLE_ENTRY_SHIFT, %r12d
    addq PROCESS_HANDLES(%rsp), %r12
    movl (%r12), %r13d          /* rights, slot, kind */
    andl $-(1 << SLOT_SHIFT), %r13d
    js long_restored            /* not an inbox that may be sent to */
    addq %gs:CORE_SLOTS, %r13
    movq SLOT_WORD(%r13), %rax
    cmpq seq_end, %rax
    jae long_restored           /* does not receive from anyone */
    movl SLOT_LIFE(%r13), %ecx  /* after the word that it is good for */
    cmpl HANDLE_LIFE(%r12), %ecx
    jne long_restored           /* ended, or doomed */
    movq SLOT_PROCESS(%r13), %rbp
    .endm

    /* RCV or CAL, as rax says, -> RUN: the process in rbp is this core's; floating point may have to be switched. */
    .macro claim_placed
    movq %gs:CORE_PLACE, %rcx
    cmpq PROCESS_PLACE(%rbp), %rcx
    jne long_restored
    lock cmpxchgq %rcx, SLOT_WORD(%r13)
    jne long_restored
    .endm

    /* A new wait of the caller in \process, whose slot is r14 then: r11 is its number, rbx whom the server in rbp is to
     * answer. It works for that one from here on (core/loan.c). */
    .macro call_number process
    movq PROCESS_SLOT(\process), %r14
    incq SLOT_SEQ(%r14)
    movq SLOT_SEQ(%r14), %r11
    movq PROCESS_CALLER_WORD(\process), %rbx
    orq %r11, %rbx
    movq %rbx, PROCESS_LENDER(%rbp)
    .endm

    /* The tables of the process in rbp. */
    .macro activate
    movq PROCESS_CR3(%rbp), %rcx
    movq %rcx, %cr3
    movq %rbp, %gs:CORE_CURRENT
    .endm

    /* Publish the caller; nothing of it may be touched after that. */
    .macro call_publish
    orq PROCESS_CALLED_WORD(%rbp), %r11
    movq %r11, SLOT_WORD(%r14)  /* RUN -> CAL; pairs with the claims in ipc/ */
    .endm

    .balign 16
short_call:
    call_find
    movq %gs:CORE_BARE_PLACE, %rcx     /* nobody held it since the word was seen, or the exchange below fails */
    cmpq PROCESS_BARE_PLACE(%rbp), %rcx
    jne call_not_plain
    lock cmpxchgq %rcx, SLOT_WORD(%r13) /* RCV -> RUN: the server is this core's */
    jne long_restored
    xorl %r13d, %r13d
    clear_selectors %r13d
call_claimed:
    movq HANDLE_BADGE(%r12), %r12          /* the badge */
    call_number %rsp
    activate
    call_publish
    movl $INFO_MESSAGE, %eax
    enter

call_not_plain:
    claim_placed
    xorl %r13d, %r13d
    clear_selectors %r13d
    movq %rsp, %r15
    movq %gs:CORE_STACK_TOP, %rsp
    call switch_state
    movq %r15, %rsp
    jmp call_claimed

    /* The caller that rbx names, which is the one this server works for: r13 its slot, rax the word it must have and
     * has, rbp itself. Its slot is taken from the kernel's own copy of the name: 0, nobody's, leads to slot 0, which
     * never waits. */
    .macro reply_find
    decq %gs:CORE_TOKENS
    jle long_again
    save_context
    movq %rax, PROCESS_WAIT_CONTROL(%rsp)
    movq PROCESS_LENDER(%rsp), %r13
    cmpq %rbx, %r13
    jne long_restored
    shrq $SEQ_BITS, %r13
    shlq $SLOT_SHIFT, %r13
    addq %gs:CORE_SLOTS, %r13
    movq %rbx, %rax
    shlq $64 - SEQ_BITS, %rax
    sarq $64 - SEQ_BITS, %rax   /* with the highest bit it is no word's: see core/state.h */
    orq PROCESS_CALLED_WORD(%rsp), %rax /* CAL, this server, that very call */
    cmpq SLOT_WORD(%r13), %rax
    jne long_restored
    movq SLOT_PROCESS(%r13), %rbp
    .endm

    /* The server in \process waits again: r14 its slot, r15 its word from here on. */
    .macro reply_publish process
    movq PROCESS_SLOT(\process), %r14
    incq SLOT_SEQ(%r14)
    movq SLOT_SEQ(%r14), %r15
    movq %r15, SLOT_WORD(%r14)  /* RUN -> RCV from anyone */
    .endm

    .balign 16
short_reply_receive:
    reply_find
    movq %gs:CORE_BARE_PLACE, %rcx
    cmpq PROCESS_BARE_PLACE(%rbp), %rcx
    jne reply_not_plain
    xorl %r12d, %r12d
    clear_selectors %r12d
    reply_publish %rsp
reply_claim:
    lock cmpxchgq %rcx, SLOT_WORD(%r13) /* CAL -> RUN; the fence between the word above and the look below */
    jne reply_held
    cmpl $0, SLOT_PENDING(%r14)
    jne words_missed            /* a message or bits came before the word: look again */
reply_stated:
    activate
    xorl %r13d, %r13d
    movl $INFO_MESSAGE, %eax
    enter                       /* rbx names the call, which its caller may know */

reply_not_plain:                /* all of the server is stored before it is published */
    movq %gs:CORE_PLACE, %rcx
    cmpq PROCESS_PLACE(%rbp), %rcx
    jne long_restored
    xorl %r12d, %r12d
    clear_selectors %r12d
    movq PROCESS_FS(%rsp), %r12 /* once the server is published, nothing of it is read */
    movq %rsp, %r15
    movq %gs:CORE_STACK_TOP, %rsp
    switch_out
    reply_publish %r15
reply_claim_state:
    lock cmpxchgq %rcx, SLOT_WORD(%r13)
    jne reply_held_state
    cmpl $0, SLOT_PENDING(%r14)
    jne words_missed
    movq %rdx, %r13
    switch_in %r12
    movq %r13, %rdx
    xorl %r12d, %r12d
    jmp reply_stated

    /* Floating point, where the processes in r15 and rbp differ in that. */
    .macro switch_state_if_needed
    movq PROCESS_BARE_PLACE(%rbp), %rcx
    cmpq %gs:CORE_BARE_PLACE, %rcx
    je 1f
    call switch_state
1:
    .endm

    /* The block at r8 goes from the process at rsp, which is r15 then, to that in rbp; where it does not, to 2. */
    .macro move_block
    save_words %rsp
    movq $0, PROCESS_BLANK(%rsp)
    movq %rsp, %r15
    movq %gs:CORE_STACK_TOP, %rsp
    movq %r15, %rdi
    movq %rbp, %rsi
    movq %r8, %rdx
    call message_pass
    testq %rax, %rax
    jz 2f
    .endm

/* With a block: as above, but the block moves in C, once the peer is claimed. r15 the caller, r12 the badge. */
short_call_block:
    call_find
    claim_placed
    movq HANDLE_BADGE(%r12), %r12
    move_block
    xorl %r13d, %r13d
    clear_selectors %r13d
    switch_state_if_needed
    load_words %r15
    call_number %r15
    activate
    call_publish
    enter
2:  movq %gs:CORE_SELF, %rdi    /* not that simple: let the server receive again, and start over */
    movq %rbp, %rsi
    call message_pass_undo_call
    movq %r15, %rsp
    load_words %rsp
    jmp long_restored

short_reply_receive_block:
    reply_find
    claim_placed
    move_block
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    clear_selectors %r13d
    switch_state_if_needed
    load_words %r15
    reply_publish %r15          /* only now that its tables are as they will be */
    lock orl $0, -8(%rsp)       /* above rsp there is nothing: the stack is empty */
    cmpl $0, SLOT_PENDING(%r14)
    jne reply_missed
    activate
    enter
2:  movq %gs:CORE_SELF, %rdi    /* not that simple: the caller waits on, and start over */
    movq %rbp, %rsi
    movq %rbx, %rdx
    call message_pass_undo_reply
    movq %r15, %rsp
    load_words %rsp
    jmp long_restored

/* The server is published and has to look again, in C; the answer goes to the caller's saved registers. */
words_missed:
    movl $INFO_MESSAGE, %eax
reply_missed:
    movq $0, PROCESS_BLANK(%rbp)
    movq %rax, REG(0)(%rbp)
    save_words %rbp
    xorl %eax, %eax
    movq %rax, REG(7)(%rbp)
    movq %rax, REG(8)(%rbp)
    movq %rax, REG(9)(%rbp)
    movq %rbp, %rdx
    jmp 1f
/* The server, woken, receives again elsewhere, and just parks the very call that it answers: then try again. */
    .macro reply_again claim
    movq %rax, %r11
    shrq $WORD_KIND_SHIFT, %r11
    cmpl $WORD_CLM, %r11d
    jne reply_lost
    xorq %rbx, %rax
    shlq $64 - SEQ_BITS, %rax
    jnz reply_lost
    movq %r14, %rax             /* the word that the caller must have: CAL, this server, that call */
    subq %gs:CORE_SLOTS, %rax
    shrq $SLOT_SHIFT, %rax
    orq $WORD_CAL << (WORD_KIND_SHIFT - SEQ_BITS), %rax
    movq %rbx, %r11
    shlq $64 - SEQ_BITS, %r11
    shldq $SEQ_BITS, %r11, %rax
    jmp \claim
    .endm

reply_held:
    reply_again reply_claim
reply_held_state:
    reply_again reply_claim_state
reply_lost:                     /* its deadline passed, or it was killed, in this moment */
    xorl %edx, %edx
1:  movq %gs:CORE_SELF, %rdi
    movq %r15, %rsi
    movq %gs:CORE_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call message_looked_at_late

    .section .rodata
    .balign 8
seq_end:
    .quad 1 << (SEQ_BITS - 1)   /* a word below it is of kind 0 and peer 0, and has not counted too far */
    .text
