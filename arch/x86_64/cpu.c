/* SPDX-License-Identifier: MIT */
/*
 * A core's own tables and registers: segments, the gates of traps, control registers.
 *
 * Segments: the kernel's code and data, a program's data and 64-bit code, in the order that syscall and sysret want,
 * and the task state segment. A program has no 32-bit code segment, so there is no compatibility mode.
 */
#include "arch/x86_64/x86.h"
#include "lib/string.h"

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_SYSRET 0x18 /* data is the entry behind it, code the second */
#define SELECTOR_TSS 0x30
#define GATE_INTERRUPT 0x8e
#define GATE_BREAKPOINT 0xee /* a program may use int3 */
#define EXCEPTIONS 32

/* Stacks of exceptions: what can come amid another one has its own. */
enum { STACK_EXCEPTION, STACK_NMI, STACK_DOUBLE_FAULT, STACK_MACHINE_CHECK };
_Static_assert(STACK_MACHINE_CHECK + 1 == X86_TRAP_STACKS, "each has one");

/* All flags are cleared at a system call, but for the one that is always 1. */
#define FLAGS_CLEARED UINT64_C(0x3f7fd5)

static struct gate gates[256];

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    const void *base;
};

/* Where entry.S takes this vector. */
static const uint8_t *stub(unsigned vector) {
    if (vector < EXCEPTIONS)
        return x86_stub_exceptions + X86_STUB_EXCEPTION * vector;
    unsigned n = vector - EXCEPTIONS;
    return x86_stub_interrupts + n / X86_STUB_GROUP * X86_STUB_GROUP_BYTES + n % X86_STUB_GROUP * 4;
}

static void set_gate(unsigned vector, uint8_t type) {
    uint64_t at = (uint64_t)(uintptr_t)stub(vector);
    gates[vector] = (struct gate){(uint16_t)at, SELECTOR_CODE, 0, type, (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
}

void cpu_gates_init(void) {
    for (unsigned v = 0; v < 256; v++)
        set_gate(v, v == 3 ? GATE_BREAKPOINT : GATE_INTERRUPT);
    const struct table_pointer idt = {sizeof gates - 1, gates};
    __asm__ volatile("lidt %0" ::"m"(idt));
}

void cpu_find_features(void) {
    struct x86_facts *f = &x86_facts;
    uint32_t basic = cpuid(0, 0).a, extended = cpuid(0x80000000, 0).a;
    struct x86_cpuid one = cpuid(1, 0), seven = {0};
    if (basic >= 7)
        seven = cpuid(7, 0);
    f->boot_apic = one.b >> 24;
    if (basic >= 11 && cpuid(11, 0).b)
        f->boot_apic = cpuid(11, 0).d;
    f->counters = basic >= 10 && (cpuid(10, 0).a & 0xff) >= 2;
    f->pcid = one.c >> 17 & 1;
    f->x2apic = one.c >> 21 & 1;
    f->tsc_deadline = one.c >> 24 & 1;
    f->cr4 = CR4_PAE | CR4_PGE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    f->cr4 |= seven.b >> 7 & 1 ? CR4_SMEP : 0;
    f->cr4 |= seven.b >> 20 & 1 ? CR4_SMAP : 0;
    f->cr4 |= seven.c >> 2 & 1 ? CR4_UMIP : 0;
    f->address_bits = extended >= 0x80000008 ? cpuid(0x80000008, 0).a & 0xff : 36;
    x86_fp_initial.fcw = X86_FCW;
    x86_fp_initial.mxcsr = X86_MXCSR;
    x86_leaf_top = extended >= 0x80000001 && cpuid(0x80000001, 0).d >> 26 & 1 ? 2 : 1;
}

static void load_segments(struct arch_core *core) {
    uint64_t tss = (uint64_t)(uintptr_t)&core->tss, limit = sizeof core->tss - 1;
    core->gdt[SELECTOR_CODE / 8] = UINT64_C(0x00af9b000000ffff);
    core->gdt[SELECTOR_DATA / 8] = UINT64_C(0x00cf93000000ffff);
    core->gdt[SELECTOR_SYSRET / 8 + 1] = UINT64_C(0x00cff3000000ffff);
    core->gdt[SELECTOR_SYSRET / 8 + 2] = UINT64_C(0x00affb000000ffff);
    core->gdt[SELECTOR_TSS / 8] =
        (limit & 0xffff) | (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (tss >> 24 & 0xff) << 56;
    core->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
    core->tss.rsp[0] = core->stack_top;
    for (unsigned i = 0; i < X86_TRAP_STACKS; i++) {
        core->trap_stack[i].core = core->self;
        core->tss.ist[i] = (uint64_t)(uintptr_t)&core->trap_stack[i].core;
    }
    core->tss.io_base = sizeof core->tss;
    memset(core->tss.io_map, 0xff, sizeof core->tss.io_map);

    const struct table_pointer gdt = {sizeof core->gdt - 1, core->gdt}, idt = {sizeof gates - 1, gates};
    __asm__ volatile("lgdt %0" ::"m"(gdt));
    __asm__ volatile("mov %0, %%ss; mov %1, %%ds; mov %1, %%es; mov %1, %%fs; mov %1, %%gs" ::"r"(SELECTOR_DATA),
                     "r"(0));
    __asm__ volatile("ltr %w0; lldt %w1" ::"r"(SELECTOR_TSS), "r"(0));
    for (unsigned v = 0; v < EXCEPTIONS; v++)
        gates[v].stack = 1 + (v == 2    ? STACK_NMI
                              : v == 8  ? STACK_DOUBLE_FAULT
                              : v == 18 ? STACK_MACHINE_CHECK
                                        : STACK_EXCEPTION);
    __asm__ volatile("lidt %0" ::"m"(idt));
}

/* What firmware or a loader may have left open. (Control registers and EFER are written as a whole: of the latter FFXSR
 * would keep x86_fp_clean() from the SSE registers, and TCE the fences from upper levels.) */
static void firmware_leaves(void) {
    msr_write(MSR_SYSENTER_CS, 0); /* sysenter faults, instead of going where its other registers say */
    msr_write(MSR_PAT, PAT_INITIAL);
    msr_write(MSR_DEBUGCTL, 0); /* no branches are stored to memory */
    if (x86_facts.counters)
        msr_write(MSR_PERF_GLOBAL_CTRL, 0);
}

void cpu_init(struct arch_core *core) {
    load_segments(core);
    msr_write(MSR_GS_BASE, (uint64_t)(uintptr_t)core->self);
    msr_write(MSR_KERNEL_GS_BASE, 0);
    msr_write(MSR_EFER, EFER_SCE_LME_LMA_NXE);
    firmware_leaves();
    cr_write(cr4, x86_facts.cr4 | (x86_facts.pcid ? CR4_PCIDE : 0));
    uint64_t cr0 = (cr_read(cr0) | CR0_MP | CR0_NE | CR0_WP) & ~(CR0_EM | CR0_TS | CR0_AM | CR0_CD | CR0_NW);
    cr_write(cr0, cr0);
    x86_fp_clean();
    cr_write(cr0, cr0 | CR0_TS);
    msr_write(MSR_STAR, (uint64_t)SELECTOR_SYSRET << 48 | (uint64_t)SELECTOR_CODE << 32);
    msr_write(MSR_LSTAR, (uint64_t)(uintptr_t)(x86_facts.short_ways ? x86_syscall : x86_syscall_long));
    msr_write(MSR_FMASK, FLAGS_CLEARED);
    cr_write(dr7, DR7_NONE); /* a loader's breakpoints: with one a program could have a trap put off into the kernel */
}
