/* SPDX-License-Identifier: MIT */
/* What the assembly of every port needs to know of C, and what a port's own does (offsets.h): see cross/offsets.py. */
#include "core/state.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" ::"i"(value))

#include "offsets.h"

void offsets(void);
void offsets(void) {
    DEFINE(PAGE_SHIFT, OS2_PAGE_SHIFT);
    DEFINE(CORES_MAX_COUNT, CORES_MAX);
    DEFINE(CORE_STACK_TOP, offsetof(struct core, arch.stack_top));
    DEFINE(STACK_BYTES, KERNEL_STACK_SIZE);
    DEFINE(CORE_PLACE, offsetof(struct core, arch.place));
    DEFINE(CORE_CURRENT, offsetof(struct core, current));
    DEFINE(CORE_TOKENS, offsetof(struct core, tokens));
    DEFINE(CORE_SLOTS, offsetof(struct core, slots));
    DEFINE(CORE_READY_WORD, offsetof(struct core, ready_word));
    DEFINE(CORE_TURN_SLOT, offsetof(struct core, turn_slot));
    DEFINE(CORE_TURN_LIFE, offsetof(struct core, turn_life));
    DEFINE(CORE_TURN_QUANTUM, offsetof(struct core, turn_quantum));
    DEFINE(CORE_TURNS, offsetof(struct core, turns));
    DEFINE(QUEUE_HEAD, offsetof(struct core, shared.queue.list.head));
    DEFINE(QUEUE_TAIL, offsetof(struct core, shared.queue.list.tail));
    DEFINE(QUEUE_LENGTH, offsetof(struct core, shared.queue.length));
    DEFINE(QUEUE_MODE, offsetof(struct core, shared.queue.mode));

    DEFINE(SLOT_WORD, offsetof(struct slot, word));
    DEFINE(SLOT_LIFE, offsetof(struct slot, life));
    DEFINE(SLOT_PENDING, offsetof(struct slot, queue_head));
    DEFINE(SLOT_SEQ, offsetof(struct slot, seq));
    DEFINE(SLOT_PROCESS, offsetof(struct slot, process));
    DEFINE(SLOT_RUN_NEXT, offsetof(struct slot, run_next));
    DEFINE(SLOT_SPENT, offsetof(struct slot, spent));
    DEFINE(SEQ_BITS, STATE_SEQ_BITS);
    DEFINE(WORD_KIND_SHIFT, STATE_KIND_SHIFT);
    DEFINE(WORD_CLM, KIND_CLM);
    DEFINE(WORD_CAL, KIND_CAL);
    DEFINE(SLOT_SHIFT, __builtin_ctz(SLOT_SIZE));

    DEFINE(PROCESS_REG, offsetof(struct process, reg));
    DEFINE(PROCESS_BLANK, offsetof(struct process, blank));
    DEFINE(PROCESS_PC, offsetof(struct process, context.pc));
    DEFINE(PROCESS_SP, offsetof(struct process, context.sp));
    DEFINE(PROCESS_SLOT, offsetof(struct process, slot));
    DEFINE(PROCESS_HANDLES, offsetof(struct process, handles));
    DEFINE(PROCESS_CALLER_WORD, offsetof(struct process, caller_word));
    DEFINE(PROCESS_CALLED_WORD, offsetof(struct process, called_word));
    DEFINE(PROCESS_WAIT_CONTROL, offsetof(struct process, wait.control));
    DEFINE(PROCESS_LENDER, offsetof(struct process, lender));
    DEFINE(PROCESS_LENT, offsetof(struct process, lent));
    DEFINE(PROCESS_TURNS, offsetof(struct process, turns));
    DEFINE(PROCESS_PLACE, offsetof(struct process, space.arch.place));
    DEFINE(PROCESS_FP_LIVE, offsetof(struct process, space.arch.fp_live));

    DEFINE(HANDLE_SHIFT, OS2_HANDLE_SHIFT);
    DEFINE(HANDLE_ENTRY_SHIFT, __builtin_ctz(sizeof(struct handle)));
    DEFINE(HANDLE_LIFE, offsetof(struct handle, target) + 4);
    DEFINE(HANDLE_BADGE, offsetof(struct handle, badge));

    DEFINE(NUMBER_TOKENS, OS2_SYS_tokens);
    DEFINE(NUMBER_CALL, OS2_SYS_call);
    DEFINE(NUMBER_CALL_BLOCK, OS2_SYS_call | OS2_F_BLOCK);
    DEFINE(NUMBER_REPLY_RECEIVE, OS2_SYS_reply_receive);
    DEFINE(NUMBER_REPLY_RECEIVE_BLOCK, OS2_SYS_reply_receive | OS2_F_BLOCK);
    DEFINE(NUMBER_YIELD, OS2_SYS_yield);
    DEFINE(NUMBER_POLL, OS2_SYS_receive | OS2_F_DEADLINE);
    DEFINE(INFO_MESSAGE, OS2_I_MESSAGE);
    DEFINE(STATUS_WOULD_WAIT, OS2_E_WOULD_WAIT);

    port_offsets();
}
