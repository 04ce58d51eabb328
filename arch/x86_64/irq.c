/* SPDX-License-Identifier: MIT */
/*
 * Sources of interrupts: the I/O APICs (82093AA).
 *
 * Interrupt number n is input n of the I/O APICs, counted over all of them (GSI), and arrives as a vector of its own,
 * at the core that let it in last: where its driver runs. The end of an interrupt is told to the local APIC (ipi.c) at
 * once, by the core that took it.
 *
 * Between an interrupt and its driver's acknowledgement the source is masked. A level-triggered input is masked at the
 * I/O APIC. An edge that comes while its input is masked there is lost for good, so an edge-triggered one stays open,
 * and is closed here: the next edge is remembered (and now the input is masked, so that there is at most one), and the
 * acknowledgement sends it again, as an IPI to this core.
 *
 *     OPEN --edge: passed on--> CLOSED --edge: input masked--> PENDING
 *       ^-------acknowledge-------'----------acknowledge: sent again-'
 *
 * Numbers past the inputs are message-signalled interrupts (SDM 3A, 11.11): a device's write to the local APICs' window
 * is the vector itself. They are edges with no input to mask, so one that comes while its source is closed, or PENDING,
 * costs its core an entry and no more. Their address names a core, and stays as it was told.
 */
#include "arch/x86_64/x86.h"

#define APIC_MOST 0xfe /* 0xff names all */

#define IOAPIC_SELECT 0
#define IOAPIC_DATA 0x10
#define IOAPIC_VERSION 1
#define IOAPIC_ENTRY 0x10 /* + 2 * input; the next one is the high word */
#define ENTRY_LOW (1u << 13)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)

enum irq_state { IRQ_OPEN, IRQ_CLOSED, IRQ_PENDING };

static uint8_t irq_mode[X86_IRQS];
/* Guarded by the lock of those who call arch_irq_unmask() and so on, like the I/O APICs' registers. */
static uint8_t irq_state[X86_IRQS]; /* of those on an edge */
static uint32_t irq_apic[X86_IRQS]; /* where it goes */
static unsigned irq_count;

static void *ioapic_register(const struct x86_ioapic *io, unsigned offset) {
    return arch_phys_to_virt(io->base + offset);
}

static void ioapic_write(const struct x86_ioapic *io, unsigned number, uint32_t value) {
    memory_write32(ioapic_register(io, IOAPIC_SELECT), number);
    memory_write32(ioapic_register(io, IOAPIC_DATA), value);
}

/* Set an input: `flags` are ENTRY_MASKED or 0. An entry names a processor by 8 bits: one with a longer number has its
 * interrupts at the boot core. */
static void set_input(unsigned irq, uint32_t flags) {
    for (unsigned i = 0; i < x86_facts.ioapic_count; i++) {
        const struct x86_ioapic *io = &x86_facts.ioapic[i];
        if (irq < io->gsi || irq >= io->gsi + io->inputs)
            continue;
        uint32_t mode =
            (irq_mode[irq] & X86_IRQ_LEVEL ? ENTRY_LEVEL : 0) | (irq_mode[irq] & X86_IRQ_LOW ? ENTRY_LOW : 0);
        uint32_t apic = irq_apic[irq] <= APIC_MOST ? irq_apic[irq] : x86_facts.boot_apic;
        ioapic_write(io, IOAPIC_ENTRY + 2 * (irq - io->gsi) + 1, apic << 24);
        ioapic_write(io, IOAPIC_ENTRY + 2 * (irq - io->gsi), flags | mode | (X86_VECTOR_IRQ + irq));
    }
}

/* The two 8259s: moved away from the exceptions' vectors, and masked. */
static void pic_off(void) {
    static const struct {
        uint16_t port;
        uint8_t value;
    } writes[] = {
        {0x20, 0x11},
        {0xa0, 0x11}, /* initialise, with four words */
        {0x21, X86_VECTOR_PIC},
        {0xa1, X86_VECTOR_PIC + 8}, /* vectors */
        {0x21, 4},
        {0xa1, 2}, /* how they are chained */
        {0x21, 1},
        {0xa1, 1}, /* 8086 mode */
        {0x21, 0xff},
        {0xa1, 0xff}, /* all masked */
    };
    for (unsigned i = 0; i < sizeof writes / sizeof writes[0]; i++)
        port_write8(writes[i].port, writes[i].value);
}

void ioapic_mode(unsigned irq, unsigned mode) {
    if (irq < X86_IRQS)
        irq_mode[irq] = (uint8_t)mode;
}

unsigned ioapic_irqs(void) {
    return irq_count;
}

void ioapic_init(void) {
    pic_off();
    for (unsigned i = 0; i < x86_facts.ioapic_count; i++) {
        struct x86_ioapic *io = &x86_facts.ioapic[i];
        memory_write32(ioapic_register(io, IOAPIC_SELECT), IOAPIC_VERSION);
        io->inputs = (memory_read32(ioapic_register(io, IOAPIC_DATA)) >> 16 & 0xff) + 1;
        for (unsigned input = 0; input < io->inputs; input++) {
            unsigned irq = io->gsi + input;
            if (irq < X86_IRQS) {
                irq_apic[irq] = x86_facts.boot_apic;
                set_input(irq, ENTRY_MASKED);
            } else {
                ioapic_write(io, IOAPIC_ENTRY + 2 * input, ENTRY_MASKED);
            }
        }
        unsigned end = io->gsi + io->inputs < X86_IRQS ? io->gsi + io->inputs : X86_IRQS;
        irq_count = end > irq_count ? end : irq_count;
    }
    for (unsigned irq = irq_count; irq < X86_IRQS; irq++)
        irq_mode[irq] = 0;
}

#define MESSAGE_WINDOW UINT64_C(0xfee00000)
#define MESSAGE_APIC_SHIFT 12

bool arch_irq_message(unsigned index, unsigned *ret_irq, uint64_t *ret_address, uint32_t *ret_data) {
    unsigned first = irq_count ? irq_count : 1;
    uint32_t apic = x86_core(arch_core())->apic;
    if (index >= X86_IRQS - first)
        return false;
    *ret_irq = first + index;
    *ret_address = MESSAGE_WINDOW | (uint64_t)(apic <= APIC_MOST ? apic : x86_facts.boot_apic) << MESSAGE_APIC_SHIFT;
    *ret_data = X86_VECTOR_IRQ + *ret_irq;
    return true;
}

unsigned arch_irq_take(struct core *core) {
    if (!x86_core(core)->vector)
        return 0;
    unsigned irq = x86_core(core)->vector - X86_VECTOR_IRQ;
    x86_core(core)->vector = 0;
    if (irq_mode[irq] & X86_IRQ_LEVEL) {
        set_input(irq, ENTRY_MASKED);
    } else if (irq_state[irq] == IRQ_OPEN) {
        irq_state[irq] = IRQ_CLOSED;
    } else {
        irq_state[irq] = IRQ_PENDING;
        set_input(irq, ENTRY_MASKED);
        irq = 0;
    }
    lapic_end(); /* not before a level is masked, or it comes once more */
    return irq;
}

void arch_irq_unmask(unsigned irq) {
    if (irq == 0 || irq >= X86_IRQS)
        return;
    bool again = irq_state[irq] == IRQ_PENDING;
    irq_state[irq] = IRQ_OPEN;
    irq_apic[irq] = x86_core(arch_core())->apic;
    set_input(irq, 0);
    if (again)
        lapic_send(irq_apic[irq], X86_VECTOR_IRQ + irq);
}

void arch_irq_mask(unsigned irq) {
    if (irq == 0 || irq >= X86_IRQS)
        return;
    if (irq_mode[irq] & X86_IRQ_LEVEL)
        set_input(irq, ENTRY_MASKED);
    else if (irq_state[irq] == IRQ_OPEN)
        irq_state[irq] = IRQ_CLOSED;
}
