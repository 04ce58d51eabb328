/* SPDX-License-Identifier: MIT */
/* What the files of this port share: model-specific registers, facts found at boot. */
#ifndef ARCH_X86_64_X86_H
#define ARCH_X86_64_X86_H

#include "arch/arch.h"
#include "arch/x86_64/instructions.h"

/* Model-specific registers (SDM 4). */
#define MSR_APIC_BASE 0x1b
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_SYSENTER_CS 0x174
#define MSR_DEBUGCTL 0x1d9
#define MSR_PAT 0x277
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800 /* + register / 16 */
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

/* Control registers. */
#define CR0_MP (UINT64_C(1) << 1)
#define CR0_EM (UINT64_C(1) << 2)
#define CR0_TS (UINT64_C(1) << 3)
#define CR0_NE (UINT64_C(1) << 5)
#define CR0_WP (UINT64_C(1) << 16)
#define CR0_AM (UINT64_C(1) << 18)
#define CR0_NW (UINT64_C(1) << 29)
#define CR0_CD (UINT64_C(1) << 30)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_MCE (UINT64_C(1) << 6)
#define CR4_PGE (UINT64_C(1) << 7)
#define CR4_OSFXSR (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define CR4_UMIP (UINT64_C(1) << 11)
#define CR4_PCIDE (UINT64_C(1) << 17)
#define CR4_SMEP (UINT64_C(1) << 20)
#define CR4_SMAP (UINT64_C(1) << 21)
#define DR7_NONE 0x400u              /* no breakpoint; a bit that is always 1 */
#define CR3_KEEP (UINT64_C(1) << 63) /* with PCIDs: flush nothing */
#define EFER_SCE_LME_LMA_NXE UINT64_C(0xd01)
#define PAT_INITIAL UINT64_C(0x0007040600070406) /* as the processor starts: entry 0 cached, entry 3 not */

/* Vectors, the more urgent the higher. Interrupt number n, which is the number of an I/O APIC's input (GSI), has
 * X86_VECTOR_IRQ + n; it is masked once it has come, so that it keeps no IPI out, which may come time and again. */
#define X86_VECTOR_IPI 0x20
#define X86_VECTOR_IRQ 0x30
#define X86_IRQS 0xb0
#define X86_VECTOR_PIC 0xe0   /* 16 of them: nothing comes from there, but spurious ones may */
#define X86_VECTOR_TIMER 0xf0 /* alone in its class of 16 that may be held back: arch_interrupts_hold() */
#define X86_VECTOR_SPURIOUS 0xff

/* An I/O APIC: its inputs are interrupts gsi .. gsi + inputs - 1. */
#define X86_IOAPICS 8
struct x86_ioapic {
    uint64_t base;
    uint32_t gsi, inputs;
};

/* A register that ACPI describes: in memory or an I/O port; address 0: there is none. */
struct x86_acpi_register {
    uint64_t address;
    bool memory;
    uint8_t bytes;
};

/* Found at boot, then constant. */
struct x86_facts {
    bool pcid, x2apic, tsc_deadline; /* the processor has them */
    bool counters;                   /* the processor has MSR_PERF_GLOBAL_CTRL */
    bool short_ways;                 /* the entry path completes calls; off by the boot argument os2.noshort */
    bool debug_exit;                 /* boot argument os2.debug_exit: QEMU's isa-debug-exit device is there */
    uint64_t cr4;                    /* as every core sets it */
    unsigned address_bits;           /* of a physical address */
    uint32_t boot_apic;              /* the boot core's */
    uint64_t lapic;                  /* physical address of the local APIC's registers */
    uint64_t hpet;                   /* the same of the HPET's, below 4 GiB; 0: there is none */
    struct x86_ioapic ioapic[X86_IOAPICS];
    unsigned ioapic_count;
    uint8_t isa_gsi[16];  /* which input an ISA interrupt goes to */
    uint8_t isa_mode[16]; /* X86_IRQ_LEVEL, X86_IRQ_LOW */
    uint64_t lapic_hz;    /* of the local APIC's timer */
    /* Power. */
    struct x86_acpi_register pm_timer, pm1a, pm1b, sleep, reset;
    uint8_t sleep_a, sleep_b, reset_value; /* SLP_TYP values of \_S5 */
    bool sleep_known;
    uint16_t smi_command; /* 0: ACPI mode is on already */
    uint8_t acpi_enable;
};
extern struct x86_facts x86_facts;
extern uint64_t x86_kernel_cr3;

/* facts.c: read the tables from the RSDP at `rsdp` (0: look for one) into x86_facts and info's processors. */
void acpi_read(uint64_t rsdp, struct boot_info *info);

/* ipi.c: the local APIC. */
void lapic_init(void);
uint32_t lapic_read(unsigned offset);
void lapic_write(unsigned offset, uint32_t value);
void lapic_end(void);
/* One interprocessor interrupt; `command` is the low word of the ICR. */
void lapic_send(uint32_t apic, uint32_t command);
/* This core can take an NMI from here on: arch_stop_others() sends it one. */
void apic_ready(struct arch_core *here);
/* Has arch_stop_others() been called? Then an NMI means that this core is to stop. */
bool apic_stopping(void);
/* irq.c: the I/O APICs. How an input is signalled; before ioapic_init(). */
#define X86_IRQ_LEVEL 1u
#define X86_IRQ_LOW 2u
void ioapic_mode(unsigned irq, unsigned mode);
void ioapic_init(void);
unsigned ioapic_irqs(void);

/* LAPIC registers. */
#define LAPIC_ID 0x20
#define LAPIC_TPR 0x80
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_ICR 0x300
#define LAPIC_ICR_HIGH 0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_COUNTER 0x340
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TIMER_START 0x380
#define LAPIC_TIMER_NOW 0x390
#define LAPIC_TIMER_DIVIDE 0x3e0
#define LAPIC_MASKED (1u << 16)
#define LAPIC_NMI 0x400u

/* clock.c: find out how fast the time-stamp counter and the local APIC's timer run; returns the former. */
uint64_t clock_calibrate(void);
void clock_core_init(void);
/* Wait, with the boot core's calibrated clock. */
void clock_wait_us(uint64_t us);

/* cpu.c: segments, traps' gates, control registers. */
void cpu_gates_init(void);
void cpu_find_features(void);
void cpu_init(struct arch_core *core);

/* device.c: open the I/O ports of the process with this context, and no others. */
void x86_load_ports(struct arch_core *core, const struct arch_context *context);

/* mmu.c: a device's registers that the kernel itself uses are mapped, uncached, in the direct map's place for them. */
void x86_map_device(uint64_t base, uint64_t size);
/* Map the stack of core `index`, which ends at `top` in the direct map, where nothing is mapped below it; returns where
 * it ends there. */
uint64_t x86_map_stack(unsigned index, uint64_t top);
/* Is this address just below the stack of a core? */
bool x86_below_stack(uint64_t va);
/* The process with this context and space is about to run here: what the entry path may know of that. */
void x86_space_entered(struct arch_core *here, const struct arch_context *context, struct arch_space *space);
/* Map RAM above 4 GiB in the boot map, for as long as that is in use. RAM for whose tables there is no room is taken
 * out of `info`. */
void x86_boot_map(struct boot_info *info);

/* loader.c: memory, archive and arguments as the loader tells them; returns the address of ACPI's RSDP, 0: not told. */
uint64_t loader_read(uint32_t magic, uint64_t information, struct boot_info *info);
/* The highest page below X86_LOW_END that is RAM and not reserved; 0: none. */
uint64_t loader_low_page(const struct boot_info *info);
#define X86_LOW_END UINT64_C(0xa0000)

/* boot.c: `size` bytes of RAM that nothing uses, page-aligned, in the boot map; panics when there are none. */
uint64_t x86_room(const struct boot_info *info, uint64_t size);

/* tree.c: the device tree, from firmware or built here, is put into RAM and named in `info`. */
void tree_make(struct boot_info *info);

/* console.c */
void console_init(void);

/* entry.S, fp.S, start.S */
#define X86_STUB_EXCEPTION 9 /* bytes for each exception */
#define X86_STUB_GROUP 28    /* interrupts that share a jump */
#define X86_STUB_GROUP_BYTES 120
extern const uint8_t x86_stub_exceptions[], x86_stub_interrupts[];
void x86_syscall(void);
void x86_syscall_long(void);
_Noreturn void x86_enter(struct core *core);
void x86_fp_clean(void);
/* As the processor starts: all exceptions masked, x87 precision of 64 bits. */
#define X86_FCW 0x37f
#define X86_MXCSR 0x1f80
extern struct __attribute__((aligned(16))) x86_fp_state { /* of fxrstor (SDM 1, 10.5.1) */
    uint16_t fcw;
    uint8_t others[22];
    uint32_t mxcsr;
    uint8_t rest[512 - 28];
} x86_fp_initial;

static inline struct arch_core *x86_core(struct core *core) {
    return (struct arch_core *)core;
}

/* What the entry code leaves on the stack. */
struct x86_frame {
    uint64_t rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11;
    uint64_t vector, error; /* vector 32: an interrupt, whose vector is in `error` */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Called from assembly. */
_Noreturn void x86_boot(uint32_t magic, uint64_t information);
void x86_trap(struct x86_frame *frame);
_Noreturn void x86_fatal(struct x86_frame *frame);

#endif
