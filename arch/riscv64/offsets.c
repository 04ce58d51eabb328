/* SPDX-License-Identifier: MIT */
/* What the assembly needs to know of C: see cross/offsets.py. */
#include "arch/riscv64/riscv.h"
#include "core/process.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" ::"i"(value))

void offsets(void);
void offsets(void) {
    DEFINE(CORE_SCRATCH, offsetof(struct core, arch.scratch));
    DEFINE(CORE_USER_SP, offsetof(struct core, arch.user_sp));
    DEFINE(CORE_STACK_TOP, offsetof(struct core, arch.stack_top));
    DEFINE(CORE_HART, offsetof(struct core, arch.hart));
    DEFINE(CORES_MAX_COUNT, CORES_MAX);
    DEFINE(CORE_CURRENT, offsetof(struct core, current));
    DEFINE(PROCESS_REG, offsetof(struct process, reg));
    DEFINE(PROCESS_PC, offsetof(struct process, context.pc));
    DEFINE(PROCESS_SP, offsetof(struct process, context.sp));
    DEFINE(PROCESS_GP, offsetof(struct process, context.gp));
    DEFINE(PROCESS_TP, offsetof(struct process, context.tp));
    DEFINE(PROCESS_S, offsetof(struct process, context.s));
    DEFINE(CONTEXT_FS, offsetof(struct arch_context, fs));
    DEFINE(CONTEXT_FCSR, offsetof(struct arch_context, fcsr));
}
