/* SPDX-License-Identifier: MIT */
/* What this port's assembly alone needs to know of C, a part of arch/offsets.c. */
#include "arch/riscv64/riscv.h"

static inline void port_offsets(void) {
    DEFINE(CORE_SCRATCH, offsetof(struct core, arch.scratch));
    DEFINE(CORE_USER_SP, offsetof(struct core, arch.user_sp));
    DEFINE(CORE_USER_TP, offsetof(struct core, arch.user_tp));
    DEFINE(SSTATUS_SPP, RISCV_SSTATUS_SPP);
    DEFINE(CORE_HART, offsetof(struct core, arch.hart));
    DEFINE(CORE_SHORT, offsetof(struct core, arch.shorts));
    DEFINE(CORE_LIGHT, offsetof(struct core, arch.light));
    DEFINE(LIGHT_ENTRIES, RISCV_LIGHT_ENTRIES);
    DEFINE(PROCESS_SATP, offsetof(struct process, space.arch.satp));
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
    DEFINE(REGION_SHIFT, PAGE_REGION_SHIFT);
    DEFINE(EXCHANGE_NUMBER, OS2_EXCHANGE_BASE >> OS2_PAGE_SHIFT);
    DEFINE(PROCESS_GP, offsetof(struct process, context.gp));
    DEFINE(PROCESS_TP, offsetof(struct process, context.tp));
    DEFINE(PROCESS_S, offsetof(struct process, context.s));
    DEFINE(PLACE_FP_LIVE, RISCV_PLACE_FP_LIVE);
    DEFINE(PLACE_FP_ON, RISCV_PLACE_FP_ON);
    DEFINE(CONTEXT_FS, offsetof(struct arch_context, fs));
    DEFINE(CONTEXT_FCSR, offsetof(struct arch_context, fcsr));
    DEFINE(PROCESS_FS, offsetof(struct process, context.fs));
}
