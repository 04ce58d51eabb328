/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving the kernel, and the calls that never leave this file.
 *
 * In user mode the hidden gs base holds the core's struct; in the kernel the visible one does. swapgs exchanges them at
 * every entry from user mode and every return to it, and nowhere else.
 *
 * A system call saves what a call keeps (rsp, rbp, r14, r15) and the arguments; all else is dead and comes back as 0 or
 * as it was, but for rcx and r11, which sysret uses up: they come back as the address of the next instruction and as
 * the flags, which the program knows. When the same process goes on, rbp, r14 and r15 are still in their registers,
 * because C keeps them; they are loaded only in x86_enter. The flags of a program are not kept over a call.
 *
 * Light calls (arch/arch.h) are made from the program's registers: the process is not stopped, nothing of it is saved
 * in memory. Six calls never come to C, or only to one function of it: tokens; a poll that finds nothing; yield; a
 * receive that waits; and, in message.S, call and reply_receive between processes that need no more than a switch.
 * Until a call is known to go the long way, nothing is changed: r11, r12 and r13 are free from the start, and so are
 * the registers of arguments that the call does not have; rsp points to the current struct process, and r12 holds its
 * stack pointer. With the boot argument os2.noshort another entry is used, from which every call goes the long way.
 *
 * A program may load the selectors ds, es, fs and gs. Every switch clears them, fs before its base is written: loading
 * it clears the base on some processors.
 *
 * Other traps save the caller-saved registers and return to the same process, or not at all. Whether one comes from a
 * program is told by the privilege level of the code selector that the processor saved, never by gs or rsp: between
 * syscall and swapgs, and between swapgs and sysret, both are the program's, and in the short ways rsp points to a
 * struct process. So every exception has a stack of its own (IST), on which nothing but its frame is put; an interrupt
 * needs none, because it comes only from a program, or in the idle loop. A program's exception goes on to the kernel's
 * stack. Any other one, and an NMI, a machine check or a double fault from anywhere, ends in a panic, on its own stack:
 * the word above its frame there is the core's, and gs is loaded from that.
 */
#include "arch_offsets.h"

#define REG(n) (PROCESS_REG + 8 * (n))
#define USER_FLAGS 0x202        /* IF, and the bit that is always 1 */
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define CR0_TS 8

    /* What a call keeps of the process at rsp. */
    .macro save_context
    movq %r12, PROCESS_SP(%rsp)
    movq %rcx, PROCESS_PC(%rsp)
    movq %rbp, PROCESS_RBP(%rsp)
    movq %r14, PROCESS_R14(%rsp)
    movq %r15, PROCESS_R15(%rsp)
    .endm

    .macro save_words process
    movq %rdi, REG(1)(\process)
    movq %rsi, REG(2)(\process)
    movq %rdx, REG(3)(\process)
    movq %r10, REG(4)(\process)
    movq %r8, REG(5)(\process)
    movq %r9, REG(6)(\process)
    .endm

    .macro load_words process
    movq REG(1)(\process), %rdi
    movq REG(2)(\process), %rsi
    movq REG(3)(\process), %rdx
    movq REG(4)(\process), %r10
    movq REG(5)(\process), %r8
    movq REG(6)(\process), %r9
    .endm

    .macro clear registers:vararg
    .irp r, \registers
    xorl %\r, %\r
    .endr
    .endm

    /* All but gs, which is the kernel's until swapgs. */
    .macro clear_selectors zero
    movl \zero, %ds
    movl \zero, %es
    movl \zero, %fs
    .endm

    .text
    .balign 16
    .globl x86_syscall
x86_syscall:
    swapgs
    movq %rsp, %r12
    movq %gs:CORE_CURRENT, %rsp
    cmpw $NUMBER_CALL, %ax      /* the number and the flags */
    je short_call
    cmpw $NUMBER_REPLY_RECEIVE, %ax
    je short_reply_receive
    testw %ax, %ax
    jz short_tokens
    cmpw $NUMBER_YIELD, %ax
    je short_yield
    movzwl %ax, %r11d
    cmpl $NUMBER_COUNT, %r11d
    jae flagged
    sbbq %r13, %r13             /* within the table also where the branch was mispredicted */
    andq %r13, %r11
    movq light_handlers(, %r11, 8), %r11
    testq %r11, %r11
    jz not_light

    /* A light call: C keeps r12, the stack pointer, and r13, the address to return to. */
    decq %gs:CORE_TOKENS
    jle long_again              /* the turn is spent */
    movq %rcx, %r13
    movq %gs:CORE_STACK_TOP, %rsp
    movq %rdx, %rcx
    movq %rsi, %rdx
    movq %rdi, %rsi
    movq %rax, %rdi
    call *%r11
    testq %rax, %rax
    jg light_long
    movq %rdx, %rdi
    movq %r13, %rcx
    movl $USER_FLAGS, %r11d
    clear esi, edx, r10d, r8d, r9d, ebx, r13d
    movq %r12, %rsp
    xorl %r12d, %r12d
    swapgs
    sysretq

/* The handler left it to the long way; the arguments that may matter are where it put them. */
light_long:
    movq %gs:CORE_CURRENT, %rsp
    movq %r13, %rcx
    movq REG(0)(%rsp), %rax
    movq REG(1)(%rsp), %rdi
    movq REG(2)(%rsp), %rsi
    movq REG(3)(%rsp), %rdx
    clear r10d, r8d, r9d
long_again:                     /* the long way counts the token */
    incq %gs:CORE_TOKENS
    jmp long_way

    /* With the boot argument os2.noshort. */
    .globl x86_syscall_long
x86_syscall_long:
    swapgs
    movq %rsp, %r12
    movq %gs:CORE_CURRENT, %rsp
long_way:
    movq $0, PROCESS_BLANK(%rsp)
    movq %rax, REG(0)(%rsp)
    save_words %rsp
    movq %rbx, REG(7)(%rsp)
    save_context
    movq %gs:CORE_STACK_TOP, %rsp
    movq %gs:CORE_SELF, %rdi
    call syscall_dispatch

    movq %gs:CORE_CURRENT, %rsp /* the same process goes on */
    swapgs
leave:
    movq REG(0)(%rsp), %rax
    load_words %rsp
    movq REG(7)(%rsp), %rbx
    movq REG(8)(%rsp), %r12
    movq REG(9)(%rsp), %r13
    movq PROCESS_PC(%rsp), %rcx
    movl $USER_FLAGS, %r11d
    movq PROCESS_SP(%rsp), %rsp
    sysretq

/* void x86_enter(struct core *): load the current process, its space being active, and run it. */
    .globl x86_enter
x86_enter:
    movq CORE_CURRENT(%rdi), %rsp
    xorl %r11d, %r11d
    clear_selectors %r11d
    movl $MSR_FS_BASE, %ecx
    movl PROCESS_FS(%rsp), %eax
    movl PROCESS_FS + 4(%rsp), %edx
    wrmsr
load_context:                   /* r11 is 0 */
    swapgs
    movl %r11d, %gs
    movq PROCESS_RBP(%rsp), %rbp
    movq PROCESS_R14(%rsp), %r14
    movq PROCESS_R15(%rsp), %r15
    jmp leave

#if NUMBER_TOKENS != 0
#error "short_tokens is found by a number of 0"
#endif
short_tokens:
    decq %gs:CORE_TOKENS
    jle long_again              /* the turn is spent */
    movq %gs:CORE_TOKENS, %rdi
    xorl %eax, %eax
short_return:
    movq %r12, %rsp
    xorl %r12d, %r12d
    swapgs
    sysretq

flagged:
    cmpw $NUMBER_CALL_BLOCK, %ax
    je short_call_block
    cmpw $NUMBER_REPLY_RECEIVE_BLOCK, %ax
    je short_reply_receive_block
    cmpw $NUMBER_POLL, %ax
    jne long_way

/* A receive from anyone that polls: finds nothing where no sender and no bit is pending. */
short_poll:
    testq %r9, %r9
    jnz long_way                    /* a deadline in time */
    movq PROCESS_SLOT(%rsp), %r11
    cmpl $0, SLOT_PENDING(%r11)
    jne long_way
    decq %gs:CORE_TOKENS
    jle long_again
    movl $USER_FLAGS, %r11d
    movq $STATUS_WOULD_WAIT, %rax
    jmp short_return

/*
 * A switch to the next ready process, where that needs no more than other tables: all that is unusual about the queue
 * or the turn is in one word (core/runqueue.h), and the place says the rest of the next one, who is not ending then.
 * r11 is its slot, rbx its process, r13 its place, which becomes its state word; rsi the slot of the current process,
 * whose turn it is.
 */
    .macro next_find none, long_way
    cmpl $0, %gs:QUEUE_LENGTH
    je \none
    cmpl $0, %gs:QUEUE_MODE
    jne \long_way
    movq %gs:QUEUE_HEAD, %r11
    movq SLOT_PROCESS(%r11), %rbx
    movq PROCESS_PLACE(%rbx), %r13
    cmpq %gs:CORE_PLACE, %r13
    jne \long_way
    .endm

    .macro account slot
    movl %gs:CORE_TURN_QUANTUM, %edx
    subq %gs:CORE_TOKENS, %rdx
    lock addq %rdx, SLOT_SPENT(\slot)
    .endm

    /* Save the current process, and what differs but for the tables becomes that of the next one. */
    .macro leave_current way
    save_context
    xorl %edi, %edi
    clear_selectors %edi
    movq PROCESS_BARE_PLACE(%rbx), %rax
    cmpq %gs:CORE_BARE_PLACE, %rax
    jne \way\()_state
\way\()_stated:
    .endm

    .macro leave_current_state way
\way\()_state:
    movq %rsp, %r15
    movq %rbx, %rbp
    movq %gs:CORE_STACK_TOP, %rsp
    call switch_state
    movq %r15, %rsp
    jmp \way\()_stated
    .endm

/* The results of a yield are all 0 already; elsewhere, or in the turn of another, blank is not the turn's slot. */
short_yield:
    decq %gs:CORE_TOKENS
    jle long_again
    next_find yield_alone, long_again
    movq PROCESS_BLANK(%rsp), %rsi
    cmpq %gs:CORE_TURN_SLOT, %rsi
    jne yield_not_blank
yield_blank:
    account %rsi
    leave_current yield
    movq %gs:QUEUE_TAIL, %rdi   /* to the tail, and the first one off */
    movq %rsi, SLOT_RUN_NEXT(%rdi)
    movq %rsi, %gs:QUEUE_TAIL
    movq SLOT_RUN_NEXT(%r11), %rdi
    movq %rdi, %gs:QUEUE_HEAD
    xchgq %r13, SLOT_WORD(%r11) /* RDY -> RUN, and a full fence: pairs with end_kill() */
    movq %gs:CORE_READY_WORD, %rdi
    movq %rdi, SLOT_WORD(%rsi)  /* RUN -> RDY */
next_enter:                     /* as turn_begin() and turn_switch() of core/turn.h */
    movq SLOT_LIFE(%r11), %rdi
    testb $1, %dil
    jnz next_doomed
    incq %gs:CORE_TURNS
    incq PROCESS_TURNS(%rbx)
    movq %r11, %gs:CORE_TURN_SLOT
    movq %rdi, %gs:CORE_TURN_LIFE
    movl PROCESS_LENT(%rbx), %eax
    movq %rax, %gs:CORE_TOKENS
    movl %eax, %gs:CORE_TURN_QUANTUM
    movq PROCESS_CR3(%rbx), %rax
    movq %rax, %cr3
    movq %rbx, %gs:CORE_CURRENT
    movq %rbx, %rsp
    xorl %r11d, %r11d
    jmp load_context
    leave_current_state yield
    leave_current_state receive

yield_not_blank:
    movq PROCESS_SLOT(%rsp), %rsi
    cmpq %gs:CORE_TURN_SLOT, %rsi
    jne long_again              /* another's turn */
    movq %rcx, %rdx
    xorl %eax, %eax
    movl $REGISTERS, %ecx
    leaq REG(0)(%rsp), %rdi
    rep stosq
    movq %rsi, PROCESS_BLANK(%rsp)
    movq %rdx, %rcx
    jmp yield_blank

/* Where nobody else is ready, the turn goes on. */
yield_alone:
    movl $USER_FLAGS, %r11d
    xorl %eax, %eax
    jmp short_return

next_doomed:
    movq %gs:CORE_SELF, %rdi
    movq %r11, %rsi
    movq %gs:CORE_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call loop_doomed

not_light:
    cmpw $NUMBER_RECEIVE, %ax
    jne long_way
/* A receive from anyone, for ever. It waits, where nothing has come. */
short_receive:
    decq %gs:CORE_TOKENS
    jle long_again
    movq PROCESS_SLOT(%rsp), %rsi
    cmpl $0, SLOT_PENDING(%rsi)
    jne long_again
    movq %gs:CORE_TURN_SLOT, %r8
    cmpq %r8, %rsi
    jne receive_lent
receive_own:
    movq PROCESS_LENDER(%rsp), %rdi
    testq %rdi, %rdi
    jnz receive_lender
receive_nobodys:
    next_find long_again, long_again
    movq %rax, PROCESS_WAIT_CONTROL(%rsp)
    account %r8
    leave_current receive
    incq SLOT_SEQ(%rsi)
    movq SLOT_SEQ(%rsi), %rdi
    movq %rdi, %rax
    xchgq %rax, SLOT_WORD(%rsi) /* RUN -> RCV from anyone; pairs with the looks at the word in ipc/ */
    cmpl $0, SLOT_PENDING(%rsi)
    jne receive_missed
    movq SLOT_RUN_NEXT(%r11), %rdi
    cmpq %gs:QUEUE_TAIL, %r11
    je receive_last
receive_taken:
    movq %rdi, %gs:QUEUE_HEAD
    decl %gs:QUEUE_LENGTH
    xchgq %r13, SLOT_WORD(%r11) /* RDY -> RUN, and a full fence: pairs with end_kill() */
    jmp next_enter
receive_last:
    xorl %edi, %edi
    jmp receive_taken
receive_lent:                   /* another's turn, who may have ended since */
    movq SLOT_LIFE(%r8), %rdi
    xorq %gs:CORE_TURN_LIFE, %rdi
    shrq $1, %rdi
    jnz long_again
    jmp receive_own
receive_lender:                 /* it worked for a call: where that is answered there is nothing to remember */
    movq %rdi, %rdx
    shrq $SEQ_BITS, %rdx
    shlq $SLOT_SHIFT, %rdx
    addq %gs:CORE_SLOTS, %rdx
    shlq $64 - SEQ_BITS, %rdi
    shrq $64 - SEQ_BITS, %rdi
    orq PROCESS_CALLED_WORD(%rsp), %rdi
    cmpq SLOT_WORD(%rdx), %rdi
    je long_again
    movq $0, PROCESS_LENDER(%rsp)
    jmp receive_nobodys
receive_missed:                 /* something came before the word: look again, in C; the turn goes on */
    movl %gs:CORE_TURN_QUANTUM, %edx
    subq %gs:CORE_TOKENS, %rdx
    movq %gs:CORE_TURN_SLOT, %r8
    lock subq %rdx, SLOT_SPENT(%r8)
    movq %rdi, %rsi
    movq %gs:CORE_SELF, %rdi
    xorl %edx, %edx
    movq %gs:CORE_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call message_looked_at_late

/*
 * Where the bare places of two processes differ and their place is the same: floating point, the base of fs, the
 * core's bare place. The process in r15 stops running here, that in rbp begins to. The caller has cleared the
 * selectors. Two halves, since the second gives what it reads of rbp to instructions that trap on nonsense: it may only
 * be used once rbp is claimed. Between them floating point is nobody's. The second changes rax, rcx and rdx.
 */
    .macro switch_out
    cmpb $0, PROCESS_FP_LIVE(%r15)
    je 1f
    stmxcsr PROCESS_MXCSR(%r15)
    fnstcw PROCESS_FCW(%r15)
    call x86_fp_clean
    movq $0, %gs:CORE_FP_OWNER
1:
    .endm

    /* \fs is the base of fs that is loaded. */
    .macro switch_in fs
    cmpb $0, PROCESS_FP_LIVE(%rbp)
    jne 2f
    cmpb $0, %gs:CORE_FP_ON
    je 3f
    movq %cr0, %rax
    orq $CR0_TS, %rax
    movq %rax, %cr0
    xorl %eax, %eax
    movb %al, %gs:CORE_FP_ON
    movb %al, %gs:CORE_FP_DIRTY
    jmp 3f
2:  cmpb $0, %gs:CORE_FP_ON
    jne 1f
    clts
    movb $1, %gs:CORE_FP_ON
    movb $1, %gs:CORE_FP_DIRTY
1:  ldmxcsr PROCESS_MXCSR(%rbp)
    fldcw PROCESS_FCW(%rbp)
    leaq PROCESS_CONTEXT(%rbp), %rax
    movq %rax, %gs:CORE_FP_OWNER
3:  movq \fs, %rax
    orq PROCESS_FS(%rbp), %rax
    jz 4f
    movl $MSR_FS_BASE, %ecx
    movl PROCESS_FS(%rbp), %eax
    movl PROCESS_FS + 4(%rbp), %edx
    wrmsr
4:  movq PROCESS_BARE_PLACE(%rbp), %rax
    cmpq $1, %rax               /* 0, not plain, becomes X86_NOWHERE, which no space has */
    sbbq %rcx, %rcx
    orq %rcx, %rax
    movq %rax, %gs:CORE_BARE_PLACE
    .endm

/* Both at once, where rbp is this core's. Keeps all registers. */
switch_state:
    pushq %rax
    pushq %rcx
    pushq %rdx
    switch_out
    switch_in PROCESS_FS(%r15)
    popq %rdx
    popq %rcx
    popq %rax
    ret

#include "arch/x86_64/message.S"

/* Exceptions: stub() in cpu.c finds them. */
    .balign 8
    .globl x86_stub_exceptions
x86_stub_exceptions:
    vector = 0
    .rept 32
    .org x86_stub_exceptions + STUB_EXCEPTION * vector
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    .if vector == 2 || vector == 8 || vector == 18
    jmp fatal
    .else
    jmp exception
    .endif
    vector = vector + 1
    .endr

/* Interrupts, from vector 32 on: 4 bytes each, in groups that reach their one long jump by short ones. */
    .balign 8
    .globl x86_stub_interrupts
x86_stub_interrupts:
    .rept (256 - 32) / STUB_GROUP
    .balign 8
    .rept STUB_GROUP
    .byte 0x6a, vector          /* pushq, sign-extended */
    jmp 1f
    vector = vector + 1
    .endr
1:  jmp interrupt
    .endr

    .macro push_scratch
    .irp r, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
    pushq %\r
    .endr
    .endm

interrupt:
    pushq $32
    push_scratch
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  lfence                      /* nothing runs ahead with the gs of the other side */
trap:
    pushq $2                    /* direction and alignment-check flags off */
    popfq
    movq %rsp, %rdi
    call x86_trap
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  .irp r, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
    popq %\r
    .endr
    addq $16, %rsp
    iretq

/* A program's: with its frame to the kernel's stack, which is empty. */
exception:
    push_scratch
    testb $3, FRAME_CS(%rsp)
    jz kernel_exception
    swapgs
    lfence
    pushq $2
    popfq
    movq %rsp, %rsi
    movq %gs:CORE_STACK_TOP, %rdi
    subq $FRAME_BYTES, %rdi
    movq %rdi, %rsp
    movl $FRAME_BYTES / 8, %ecx
    rep movsq
    jmp trap

fatal:
    push_scratch
kernel_exception:
    pushq $2
    popfq
    strw %ax
    testw %ax, %ax
    jz 1f                       /* early in boot: there are no such stacks, and gs is good */
    movq FRAME_BYTES(%rsp), %rdx
    movl %edx, %eax
    shrq $32, %rdx
    movl $MSR_GS_BASE, %ecx
    wrmsr
1:  movq %rsp, %rdi
    call x86_fatal

    .section .note.GNU-stack, "", @progbits
