/* SPDX-License-Identifier: MIT */
/* What this port's assembly alone needs to know of C, a part of arch/offsets.c. */
#include "arch/x86_64/x86.h"

_Static_assert(offsetof(struct core, arch.self) == 0, "arch_core() reads gs:0");

static inline void port_offsets(void) {
    DEFINE(CORE_SELF, offsetof(struct core, arch.self));
    DEFINE(CORE_BARE_PLACE, offsetof(struct core, arch.bare_place));
    DEFINE(CORE_FP_OWNER, offsetof(struct core, arch.fp_owner));
    DEFINE(CORE_FP_DIRTY, offsetof(struct core, arch.fp_dirty));
    DEFINE(CORE_FP_ON, offsetof(struct core, arch.fp_on));
    DEFINE(CORE_APIC, offsetof(struct core, arch.apic));
    DEFINE(REGISTERS, OS2_R_COUNT);
    DEFINE(NUMBER_RECEIVE, OS2_SYS_receive);
    DEFINE(NUMBER_COUNT, OS2_SYS_COUNT);
    DEFINE(PROCESS_CR3, offsetof(struct process, space.arch.cr3));
    DEFINE(PROCESS_BARE_PLACE, offsetof(struct process, space.arch.bare_place));
    DEFINE(PROCESS_CONTEXT, offsetof(struct process, context));
    DEFINE(PROCESS_MXCSR, offsetof(struct process, context.mxcsr));
    DEFINE(PROCESS_FCW, offsetof(struct process, context.fcw));
    DEFINE(PROCESS_RBP, offsetof(struct process, context.rbp));
    DEFINE(PROCESS_R14, offsetof(struct process, context.r14));
    DEFINE(PROCESS_R15, offsetof(struct process, context.r15));
    DEFINE(STUB_EXCEPTION, X86_STUB_EXCEPTION);
    DEFINE(STUB_GROUP, X86_STUB_GROUP);
    DEFINE(FRAME_CS, offsetof(struct x86_frame, cs));
    DEFINE(FRAME_BYTES, sizeof(struct x86_frame));
    DEFINE(HANDLE_ENTRIES, OS2_HANDLES);
    DEFINE(FP_STATE_BYTES, sizeof(struct x86_fp_state));
    DEFINE(PROCESS_FS, offsetof(struct process, context.fs));
}
