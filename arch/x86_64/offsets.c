/* SPDX-License-Identifier: MIT */
/* What the assembly needs to know of C: see cross/offsets.py. */
#include "arch/x86_64/x86.h"
#include "core/process.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" ::"i"(value))

_Static_assert(offsetof(struct core, arch.self) == 0, "arch_core() reads gs:0");

void offsets(void);
void offsets(void) {
    DEFINE(CORES_MAX_COUNT, CORES_MAX);
    DEFINE(CORE_SELF, offsetof(struct core, arch.self));
    DEFINE(CORE_USER_SP, offsetof(struct core, arch.user_sp));
    DEFINE(CORE_STACK_TOP, offsetof(struct core, arch.stack_top));
    DEFINE(CORE_APIC, offsetof(struct core, arch.apic));
    DEFINE(CORE_CURRENT, offsetof(struct core, current));
    DEFINE(PROCESS_REG, offsetof(struct process, reg));
    DEFINE(PROCESS_PC, offsetof(struct process, context.pc));
    DEFINE(PROCESS_SP, offsetof(struct process, context.sp));
    DEFINE(PROCESS_FS, offsetof(struct process, context.fs));
    DEFINE(PROCESS_RBP, offsetof(struct process, context.rbp));
    DEFINE(PROCESS_R14, offsetof(struct process, context.r14));
    DEFINE(PROCESS_R15, offsetof(struct process, context.r15));
    DEFINE(FRAME_CS, offsetof(struct x86_frame, cs));
}
