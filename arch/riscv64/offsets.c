/* SPDX-License-Identifier: MIT */
/* What the assembly needs to know of C: see cross/offsets.py. */
#include "arch/riscv64/riscv.h"
#include "core/state.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" ::"i"(value))

void offsets(void);
void offsets(void) {
    DEFINE(CORE_SCRATCH, offsetof(struct core, arch.scratch));
    DEFINE(CORE_USER_SP, offsetof(struct core, arch.user_sp));
    DEFINE(CORE_USER_TP, offsetof(struct core, arch.user_tp));
    DEFINE(SSTATUS_SPP, RISCV_SSTATUS_SPP);
    DEFINE(CORE_STACK_TOP, offsetof(struct core, arch.stack_top));
    DEFINE(CORE_HART, offsetof(struct core, arch.hart));
    DEFINE(CORE_SHORT, offsetof(struct core, arch.shorts));
    DEFINE(CORE_LIGHT, offsetof(struct core, arch.light));
    DEFINE(LIGHT_ENTRIES, RISCV_LIGHT_ENTRIES);
    DEFINE(CORES_MAX_COUNT, CORES_MAX);
    DEFINE(CORE_CURRENT, offsetof(struct core, current));
    DEFINE(CORE_CTX, offsetof(struct core, arch.ctx));
    DEFINE(CORE_TOKENS, offsetof(struct core, tokens));
    DEFINE(CORE_SLOTS, offsetof(struct core, slots));
    DEFINE(PROCESS_SLOT, offsetof(struct process, slot));
    DEFINE(PROCESS_HANDLES, offsetof(struct process, handles));
    DEFINE(PROCESS_CALLER_WORD, offsetof(struct process, caller_word));
    DEFINE(PROCESS_CALLED_WORD, offsetof(struct process, called_word));
    DEFINE(PROCESS_LENDER, offsetof(struct process, lender));
    DEFINE(PROCESS_WAIT_CONTROL, offsetof(struct process, wait.control));
    DEFINE(PROCESS_SATP, offsetof(struct process, space.arch.satp));
    DEFINE(PROCESS_CTX, offsetof(struct process, space.arch.ctx));
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
    DEFINE(NUMBER_POLL, OS2_SYS_receive | OS2_F_DEADLINE);
    DEFINE(STATUS_WOULD_WAIT, OS2_E_WOULD_WAIT);
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
    DEFINE(CORE_CLEARED_TOP, offsetof(struct core, magazines.cleared.top));
    DEFINE(CORE_DIRTY_TOP, offsetof(struct core, magazines.dirty[0].top));
    DEFINE(CORE_DIRTY_END, offsetof(struct core, magazines.dirty[0].frame[MAGAZINE_ROUNDS]));
    DEFINE(SPACE_REGION, offsetof(struct process, space.page.region));
    DEFINE(SPACE_WINDOW, offsetof(struct process, space.page.window));
    DEFINE(SPACE_LEAVES, offsetof(struct process, space.page.leaves));
    DEFINE(SPACE_TABLE, offsetof(struct process, space.page.table));
    DEFINE(SPACE_FRAMES, offsetof(struct process, space.frames));
    DEFINE(SPACE_CHARGED, offsetof(struct process, space.charged));
    DEFINE(SPACE_QUOTA, offsetof(struct process, space.quota));
    DEFINE(SPACE_PAGE_TAG, offsetof(struct process, space.page_tag));
    DEFINE(SPACE_BLOCKS, offsetof(struct process, space.blocks));
    DEFINE(FRAME_LINKS, offsetof(struct frame, links));
    DEFINE(FRAME_NEXT, offsetof(struct frame, next));
    DEFINE(FRAME_PREV, offsetof(struct frame, prev));
    DEFINE(FRAME_TAG, offsetof(struct frame, tag));
    DEFINE(FRAME_LIVE, offsetof(struct frame, live));
    DEFINE(FRAME_SHIFT, __builtin_ctz(sizeof(struct frame)));
    DEFINE(PAGE_LEAF, RISCV_PTE_V | RISCV_PTE_U | RISCV_PTE_A | RISCV_PTE_D | RISCV_PTE_R | RISCV_PTE_W);
    DEFINE(PAGE_SHIFT, OS2_PAGE_SHIFT);
    DEFINE(REGION_SHIFT, PAGE_REGION_SHIFT);
    DEFINE(EXCHANGE_NUMBER, OS2_EXCHANGE_BASE >> OS2_PAGE_SHIFT);
    DEFINE(PROCESS_REG, offsetof(struct process, reg));
    DEFINE(PROCESS_PC, offsetof(struct process, context.pc));
    DEFINE(PROCESS_SP, offsetof(struct process, context.sp));
    DEFINE(PROCESS_GP, offsetof(struct process, context.gp));
    DEFINE(PROCESS_TP, offsetof(struct process, context.tp));
    DEFINE(PROCESS_S, offsetof(struct process, context.s));
    DEFINE(PROCESS_FS, offsetof(struct process, context.fs));
    DEFINE(PROCESS_FP_LIVE, offsetof(struct process, space.arch.fp_live));
    DEFINE(CTX_FP_LIVE, RISCV_CTX_FP_LIVE);
    DEFINE(CTX_FP_ON, RISCV_CTX_FP_ON);
    DEFINE(CONTEXT_FS, offsetof(struct arch_context, fs));
    DEFINE(CONTEXT_FCSR, offsetof(struct arch_context, fcsr));
}
