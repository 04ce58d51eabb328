/* SPDX-License-Identifier: MIT */
/* What the assembly needs to know of C: see cross/offsets.py. */
#include "arch/x86_64/x86.h"
#include "core/state.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" ::"i"(value))

_Static_assert(offsetof(struct core, arch.self) == 0, "arch_core() reads gs:0");

void offsets(void);
void offsets(void) {
    DEFINE(CORES_MAX_COUNT, CORES_MAX);
    DEFINE(CORE_SELF, offsetof(struct core, arch.self));
    DEFINE(CORE_STACK_TOP, offsetof(struct core, arch.stack_top));
    DEFINE(CORE_PLACE, offsetof(struct core, arch.place));
    DEFINE(CORE_CTX, offsetof(struct core, arch.ctx));
    DEFINE(CORE_FP_OWNER, offsetof(struct core, arch.fp_owner));
    DEFINE(CORE_FP_DIRTY, offsetof(struct core, arch.fp_dirty));
    DEFINE(CORE_FP_ON, offsetof(struct core, arch.fp_on));
    DEFINE(CORE_APIC, offsetof(struct core, arch.apic));
    DEFINE(CORE_CURRENT, offsetof(struct core, current));
    DEFINE(CORE_TOKENS, offsetof(struct core, tokens));
    DEFINE(CORE_SLOTS, offsetof(struct core, slots));
    DEFINE(CORE_READY_WORD, offsetof(struct core, ready_word));
    DEFINE(CORE_TURN_SLOT, offsetof(struct core, turn_slot));
    DEFINE(CORE_TURN_LIFE, offsetof(struct core, turn_life));
    DEFINE(CORE_TURN_QUANTUM, offsetof(struct core, turn_quantum));
    DEFINE(CORE_TURNS, offsetof(struct core, turns));
    DEFINE(CORE_LONGEST_WAIT, offsetof(struct core, longest_wait));
    DEFINE(QUEUE_HEAD, offsetof(struct core, shared.queue.list.head));
    DEFINE(QUEUE_TAIL, offsetof(struct core, shared.queue.list.tail));
    DEFINE(QUEUE_LENGTH, offsetof(struct core, shared.queue.length));
    DEFINE(QUEUE_MODE, offsetof(struct core, shared.queue.mode));
    DEFINE(SLOT_RUN_NEXT, offsetof(struct slot, run_next));
    DEFINE(SLOT_READY_SINCE, offsetof(struct slot, ready_since));
    DEFINE(SLOT_SPENT, offsetof(struct slot, spent));
    DEFINE(PROCESS_LENT, offsetof(struct process, lent));
    DEFINE(PROCESS_TURNS, offsetof(struct process, turns));
    DEFINE(PROCESS_BLANK, offsetof(struct process, blank));
    DEFINE(REGISTERS, OS2_R_COUNT);
    DEFINE(SLOT_WORD, offsetof(struct slot, word));
    DEFINE(SLOT_LIFE, offsetof(struct slot, life));
    DEFINE(SLOT_PENDING, offsetof(struct slot, queue_head));
    DEFINE(SLOT_SEQ, offsetof(struct slot, seq));
    DEFINE(SLOT_PROCESS, offsetof(struct slot, process));
    DEFINE(SEQ_BITS, STATE_SEQ_BITS);
    DEFINE(HANDLE_SHIFT, OS2_HANDLE_SHIFT);
    DEFINE(INFO_MESSAGE, OS2_I_MESSAGE);
    DEFINE(NUMBER_TOKENS, OS2_SYS_tokens);
    DEFINE(NUMBER_CALL, OS2_SYS_call);
    DEFINE(NUMBER_REPLY_RECEIVE, OS2_SYS_reply_receive);
    DEFINE(NUMBER_CALL_BLOCK, OS2_SYS_call | OS2_F_BLOCK);
    DEFINE(NUMBER_REPLY_RECEIVE_BLOCK, OS2_SYS_reply_receive | OS2_F_BLOCK);
    DEFINE(NUMBER_YIELD, OS2_SYS_yield);
    DEFINE(NUMBER_RECEIVE, OS2_SYS_receive);
    DEFINE(NUMBER_COUNT, OS2_SYS_COUNT);
    DEFINE(NUMBER_POLL, OS2_SYS_receive | OS2_F_DEADLINE);
    DEFINE(STATUS_WOULD_WAIT, OS2_E_WOULD_WAIT);
    DEFINE(PROCESS_SLOT, offsetof(struct process, slot));
    DEFINE(PROCESS_HANDLES, offsetof(struct process, handles));
    DEFINE(PROCESS_CALLER_WORD, offsetof(struct process, caller_word));
    DEFINE(PROCESS_CALLED_WORD, offsetof(struct process, called_word));
    DEFINE(PROCESS_LENDER, offsetof(struct process, lender));
    DEFINE(PROCESS_WAIT_CONTROL, offsetof(struct process, wait.control));
    DEFINE(PROCESS_CR3, offsetof(struct process, space.arch.cr3));
    DEFINE(PROCESS_PLACE, offsetof(struct process, space.arch.place));
    DEFINE(PROCESS_CTX, offsetof(struct process, space.arch.ctx));
    DEFINE(PROCESS_FP_LIVE, offsetof(struct process, space.arch.fp_live));
    DEFINE(PROCESS_CONTEXT, offsetof(struct process, context));
    DEFINE(PROCESS_MXCSR, offsetof(struct process, context.mxcsr));
    DEFINE(PROCESS_FCW, offsetof(struct process, context.fcw));
    DEFINE(PROCESS_REG, offsetof(struct process, reg));
    DEFINE(PROCESS_PC, offsetof(struct process, context.pc));
    DEFINE(PROCESS_SP, offsetof(struct process, context.sp));
    DEFINE(PROCESS_FS, offsetof(struct process, context.fs));
    DEFINE(PROCESS_RBP, offsetof(struct process, context.rbp));
    DEFINE(PROCESS_R14, offsetof(struct process, context.r14));
    DEFINE(PROCESS_R15, offsetof(struct process, context.r15));
    DEFINE(STUB_EXCEPTION, X86_STUB_EXCEPTION);
    DEFINE(STUB_GROUP, X86_STUB_GROUP);
    DEFINE(FRAME_CS, offsetof(struct x86_frame, cs));
    DEFINE(FRAME_BYTES, sizeof(struct x86_frame));
}
