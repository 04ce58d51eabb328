/* SPDX-License-Identifier: MIT */
/*
 * Traps other than system calls: interrupts and faults in user mode, and the idle loop's interrupts.
 *
 * The kernel runs with interrupts off, so an interrupt is taken in user mode, or found pending by the idle loop.
 *
 * Floating point: see fp.S.
 */
#include "arch/riscv64/riscv.h"

/* Causes of exceptions (privileged specification, table 4.2). */
enum {
    CAUSE_FETCH_MISALIGNED,
    CAUSE_FETCH_ACCESS,
    CAUSE_ILLEGAL,
    CAUSE_BREAKPOINT,
    CAUSE_LOAD_MISALIGNED,
    CAUSE_LOAD_ACCESS,
    CAUSE_STORE_MISALIGNED,
    CAUSE_STORE_ACCESS,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15
};

/* An address of Sv39 from its low 39 bits. */
#define SIGN_EXTENDED(address) ((uint64_t)((int64_t)((uint64_t)(address) << 25) >> 25))
_Static_assert(SIGN_EXTENDED(0x4000001000) == 0xffffffc000001000 && SIGN_EXTENDED(0xff3000001000) == 0x3000001000,
               "bit 38 is the sign");

static unsigned fault_of(uint64_t cause) {
    switch (cause) {
    case CAUSE_LOAD_PAGE:
    case CAUSE_LOAD_ACCESS:
        return OS2_FAULT_READ;
    case CAUSE_STORE_PAGE:
    case CAUSE_STORE_ACCESS:
        return OS2_FAULT_WRITE;
    case CAUSE_FETCH_PAGE:
    case CAUSE_FETCH_ACCESS:
        return OS2_FAULT_EXEC;
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED:
        return OS2_FAULT_ALIGN;
    case CAUSE_ILLEGAL:
        return OS2_FAULT_INSTRUCTION;
    case CAUSE_BREAKPOINT:
        return OS2_FAULT_BREAKPOINT;
    default:
        return OS2_FAULT_OTHER;
    }
}

/* What is not taken stays pending: it traps again, or is found at the next look. Only the timer is left so, which is
 * not held: then it comes alone. What can be held comes in as soon as it is let in, however long this takes. */
static void take_interrupts(struct core *core, bool user) {
    uint64_t pending = csr_read(sip) & csr_read(sie);
    if (!pending)
        return;
    interrupt_enter(core);
    if (pending & 1u << RISCV_IRQ_SOFT) {
        csr_clear(sip, UINT64_C(1) << RISCV_IRQ_SOFT);
        arch_fence(); /* what the sender stored before is seen after */
        ipi_arrived(core);
    }
    if (pending & 1u << RISCV_IRQ_EXTERNAL)
        irq_arrived(core);
    if (pending == 1u << RISCV_IRQ_TIMER || (pending & 1u << RISCV_IRQ_TIMER && !interrupt_enough(core))) {
        csr_clear(sie, UINT64_C(1) << RISCV_IRQ_TIMER); /* until the timer is set again */
        timer_arrived(core, user);
    }
    interrupt_leave(core, user);
}

void arch_idle_look(struct core *core) {
    take_interrupts(core, false);
}

void arch_idle(struct core *core) {
    __asm__ volatile("wfi" ::: "memory");
    take_interrupts(core, false);
}

static uint64_t fp_state(void) {
    return csr_read(sstatus) & RISCV_SSTATUS_FS;
}

/* From Dirty to Clean: note from now on whether the registers change. */
static void fp_clean(void) {
    csr_clear(sstatus, RISCV_SSTATUS_FS);
    csr_set(sstatus, RISCV_SSTATUS_FS_CLEAN);
}

/* Put a process's floating-point state into the registers. */
static void fp_load(struct arch_core *here, const struct arch_context *context) {
    csr_set(sstatus, RISCV_SSTATUS_FS);
    riscv_fp_load(context);
    fp_clean();
    here->place |= RISCV_PLACE_FP_ON;
}

static void fp_off(struct arch_core *here) {
    csr_clear(sstatus, RISCV_SSTATUS_FS);
    here->place &= ~UINT64_C(RISCV_PLACE_FP_ON);
}

/* Whether the state is loaded at the next switch to the process, or not before it uses it. */
static void fp_set_live(struct arch_space *space, bool live) {
    space->fp_live = live;
    if (space->place)
        space->place = (space->place & ~UINT64_C(RISCV_PLACE_FP_LIVE)) | (live ? RISCV_PLACE_FP_LIVE : 0);
}

void riscv_trap(struct core *core, uint64_t cause, uint64_t pc, uint64_t value) {
    struct arch_context *context = core_context(core);
    context->pc = pc;
    if (cause & RISCV_CAUSE_INTERRUPT) {
        take_interrupts(core, true);
        return;
    }
    if (cause == CAUSE_ILLEGAL && fp_state() == 0) {
        /* Perhaps a use of floating point. If it is not, it traps once more. */
        fp_set_live(core_space(core), true);
        fp_load(riscv_core(core), context);
        return;
    }
    /* Erratum CIP-453: bits above 38 of an instruction address in stval may not be its sign. */
    if (cause == CAUSE_FETCH_PAGE || cause == CAUSE_FETCH_ACCESS)
        value = SIGN_EXTENDED(value);
    /* A translation may have been cached while its entry was invalid: one fence settles it. */
    if (fault_spurious(core, fault_of(cause), value)) {
        __asm__ volatile("sfence.vma" ::: "memory");
        return;
    }
    fault_arrived(core, fault_of(cause), pc, value);
}

void riscv_kernel_trap(uint64_t cause, uint64_t pc, uint64_t value, uint64_t sp, uint64_t ra) {
    if ((cause == CAUSE_LOAD_PAGE || cause == CAUSE_STORE_PAGE) && riscv_below_stack(value))
        panic("a kernel stack is full: pc %lx sp %lx ra %lx", pc, sp, ra);
    panic("trap in the kernel: cause %lx pc %lx value %lx sp %lx ra %lx", cause, pc, value, sp, ra);
}

/* ---- Contexts. ---- */

void arch_context_init(struct arch_context *context, uint64_t pc, uint64_t sp, uint64_t gp, uint64_t tp) {
    context->pc = pc;
    context->sp = sp;
    context->gp = gp;
    context->tp = tp;
}

void arch_context_park(struct arch_context *context, struct arch_space *space) {
    uint64_t state = fp_state();
    if (state == 0)
        return;
    bool changed = state == RISCV_SSTATUS_FS;
    if (changed) {
        riscv_fp_save(context);
        fp_clean();
    }
    fp_set_live(space, changed);
}

void arch_enter(struct core *core, struct arch_context *context, struct arch_space *space) {
    struct arch_core *here = riscv_core(core);
    if (space->fp_live)
        fp_load(here, context);
    else if (here->place & RISCV_PLACE_FP_ON)
        fp_off(here);
    riscv_enter(core);
}
