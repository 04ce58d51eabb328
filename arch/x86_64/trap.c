/* SPDX-License-Identifier: MIT */
/*
 * Traps other than system calls: interrupts and faults in user mode, the idle loop's interrupts; and contexts.
 *
 * The kernel runs with interrupts off, but for one instruction of the idle loop, so an interrupt comes from user mode
 * or from there. Any other trap in the kernel is a bug, and ends the machine: entry.S passes it to x86_fatal().
 *
 * Floating point is off (CR0.TS) for a process until its first use, which traps; from then on it is on whenever that
 * process runs. While it is off, the registers are always in their initial state, so there is nothing to be read
 * through a processor that checks TS too late. A switch saves only the two control words: see fp.S.
 */
#include "arch/x86_64/x86.h"

/* Exceptions (SDM 3A, table 6-1). */
enum {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_NMI = 2,
    TRAP_BREAKPOINT = 3,
    TRAP_OPCODE = 6,
    TRAP_NO_FP = 7,
    TRAP_PAGE = 14,
    TRAP_X87 = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_SSE = 19,
    TRAP_INTERRUPT = 32 /* of entry.S */
};
#define PAGE_WRITE 2u
#define PAGE_FETCH 16u

static unsigned fault_of(const struct x86_frame *frame) {
    switch (frame->vector) {
    case TRAP_PAGE:
        return frame->error & PAGE_FETCH   ? OS2_FAULT_EXEC
               : frame->error & PAGE_WRITE ? OS2_FAULT_WRITE
                                           : OS2_FAULT_READ;
    case TRAP_DIVIDE:
    case TRAP_X87:
    case TRAP_SSE:
        return OS2_FAULT_ARITHMETIC;
    case TRAP_DEBUG:
    case TRAP_BREAKPOINT:
        return OS2_FAULT_BREAKPOINT;
    case TRAP_OPCODE:
        return OS2_FAULT_INSTRUCTION;
    case TRAP_ALIGNMENT:
        return OS2_FAULT_ALIGN;
    default:
        return OS2_FAULT_OTHER;
    }
}

/* ---- Floating point. ---- */

static void fp_switch(struct arch_core *here, bool on) {
    if (here->fp_on == on)
        return;
    if (on)
        __asm__ volatile("clts");
    else
        cr_write(cr0, cr_read(cr0) | CR0_TS);
    here->fp_on = on;
}

/* The registers are the initial ones but for the control words, or floating point is off. */
static void fp_load(struct arch_core *here, const struct arch_context *context, bool live) {
    if (here->fp_dirty) {
        fp_switch(here, true);
        x86_fp_clean();
        here->fp_dirty = false;
    }
    fp_switch(here, live);
    if (live) {
        __asm__ volatile("ldmxcsr %0; fldcw %1" ::"m"(context->mxcsr), "m"(context->fcw));
        here->fp_owner = context;
        here->fp_dirty = true;
    }
}

void arch_context_park(struct arch_context *context, struct arch_space *space) {
    (void)space;
    struct arch_core *here = x86_core(arch_core());
    if (here->fp_owner == context)
        __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(context->mxcsr), "=m"(context->fcw));
}

/* ---- Traps. ---- */

static void take_interrupt(struct core *core, unsigned vector, bool user) {
    if (vector == X86_VECTOR_SPURIOUS || (vector >= X86_VECTOR_PIC && vector < X86_VECTOR_TIMER))
        return;
    interrupt_enter(core);
    if (vector >= X86_VECTOR_IRQ && vector < X86_VECTOR_IRQ + X86_IRQS) {
        x86_core(core)->vector = (uint8_t)vector;
        irq_arrived(core);
    } else {
        lapic_end();
        if (vector == X86_VECTOR_TIMER) {
            timer_arrived(core, user);
        } else if (vector == X86_VECTOR_IPI) {
            arch_fence(); /* what the sender stored before is seen after */
            ipi_arrived(core);
        }
    }
    interrupt_leave(core, user);
}

void x86_trap(struct x86_frame *frame) {
    bool user = frame->cs & 3;
    struct core *core = arch_core();
    if (!user) {
        take_interrupt(core, frame->error & 0xff, false);
        return;
    }
    struct arch_context *context = core_context(core);
    context->pc = frame->rip;
    if (frame->vector == TRAP_INTERRUPT) {
        take_interrupt(core, frame->error & 0xff, true);
        return;
    }
    if (frame->vector == TRAP_NO_FP && !core_space(core)->fp_live) {
        core_space(core)->fp_live = true;
        fp_load(x86_core(core), context, true);
        x86_space_entered(x86_core(core), context, core_space(core));
        return;
    }
    /* int3 is one byte long; the address is behind it. */
    uint64_t pc = frame->rip - (frame->vector == TRAP_BREAKPOINT);
    context->pc = pc;
    fault_arrived(core, fault_of(frame), pc, frame->vector == TRAP_PAGE ? cr_read(cr2) : 0);
}

void x86_fatal(struct x86_frame *frame) {
    if (frame->vector == TRAP_NMI && apic_stopping())
        arch_halt();
    if (frame->vector == TRAP_PAGE && x86_below_stack(cr_read(cr2)))
        panic("a kernel stack is full: pc %lx sp %lx", frame->rip, frame->rsp);
    panic("trap in the kernel, or one that nobody survives: vector %lu error %lx pc %lx cs %lx sp %lx cr2 %lx",
          frame->vector, frame->error, frame->rip, frame->cs, frame->rsp, cr_read(cr2));
}

void arch_idle_look(struct core *core) {
    (void)core;
    __asm__ volatile("sti; nop; cli" ::: "memory");
}

void arch_idle(struct core *core) {
    (void)core;
    /* Interrupts are let in only after the instruction that follows sti: none is missed before hlt. */
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* ---- Contexts. ---- */

void arch_context_init(struct arch_context *context, uint64_t pc, uint64_t sp, uint64_t gp, uint64_t tp) {
    (void)gp;
    context->pc = pc;
    context->sp = sp;
    context->fs = tp;
    context->mxcsr = X86_MXCSR;
    context->fcw = X86_FCW;
}

void arch_enter(struct core *core, struct arch_context *context, struct arch_space *space) {
    struct arch_core *here = x86_core(core);
    fp_load(here, context, space->fp_live);
    x86_load_ports(here, context);
    x86_space_entered(here, context, space);
    x86_enter(core);
}
