/* SPDX-License-Identifier: MIT */
/*
 * Devices: registers, interrupts and ports go to whoever holds the machine handle with OS2_RIGHT_DEVICES.
 *
 * The interrupt controller is in the kernel; drivers are processes. When a source fires, the port masks it and
 * completes it at once, and the bits that its driver bound are set in the driver; irq_ack() lets the next one in. So a
 * driver that is slow, or dead, holds up no other interrupt.
 *
 * Nothing here is charged to anybody: only who holds the right makes a device block or an interrupt's handle, and
 * whoever gets one from him has no way to make another.
 *
 * A source comes to one core, the one that let it in: that is where its driver ran when it made the call. So no other
 * core is interrupted for a driver; and one that is woken when its core is busy goes to an idle one like any process
 * (core/steal.c), acknowledges there, and its interrupts follow it.
 *
 * A message-signalled one comes to the core that claimed it, wherever its driver is: its address names a core, and only
 * who has the device could give it another.
 *
 * A source that has fired IRQ_OFTEN times within a window of a millisecond is held: the next acknowledge lets it in
 * only when the window is over, by the timer of the core that made it. Without that a device that never lets go of its
 * line keeps a driver that does what it should, but does not know the cause, running for ever, and others get every
 * second turn at the most. A binding that is made anew does not end a hold.
 *
 * The lock is held over what is written to the controller too: of two holders who bind a source, one after the other
 * decides whether it is masked.
 *
 * A device may be a bus master, and go on writing into memory when its driver has ended. So what a process owned that
 * ever had a device's registers or ports is given to nobody else before its supervisor has closed its control handle:
 * ipc/end.c.
 */
#include "sys/device.h"

#include "ipc/notify.h"
#include "sys/dispatch.h"

static bool inside(const struct boot_range *range, uint64_t base, uint64_t size) {
    return base >= range->base && size <= range->size && base - range->base <= range->size - size;
}

static int claim_memory(struct process *process, uint64_t base, uint64_t order) {
    const struct boot_info *boot = machine.boot;
    if (order > OS2_ORDER_MAX || base & ((OS2_PAGE_SIZE << order) - 1))
        return OS2_E_INVALID;
    uint64_t size = OS2_PAGE_SIZE << order, va;
    if (base + size < base || !arch_device_allowed(base, size))
        return OS2_E_RIGHTS;
    if (boot_meets(boot->ram, boot->ram_count, base, base + size) ||
        (boot_meets(boot->reserved, boot->reserved_count, base, base + size) && !inside(&boot->pci, base, size)))
        return OS2_E_RIGHTS;
    enum os2_status status = block_claim_device(&process->space, base, (unsigned)order, &va);
    if (status != OS2_OK)
        return status;
    process->reg[OS2_R_LABEL] = va;
    return 1;
}

/* A message-signalled interrupt is a source like others, of which nobody but who claimed it knows how it is made. */
static int claim_message(struct process *process, uint64_t index) {
    unsigned irq;
    uint64_t address;
    uint32_t data;
    if (index >= IRQ_MAX || !arch_irq_message((unsigned)index, &irq, &address, &data) || irq >= IRQ_MAX)
        return OS2_E_INVALID;
    if (!handle_room(process->handles))
        return OS2_E_FULL;
    process->reg[OS2_R_LABEL] = handle_put(process->handles, handle_target(OS2_HANDLE_IRQ, OS2_RIGHT_GIVE, 0, 0), irq);
    process->reg[OS2_R_W0] = address;
    process->reg[OS2_R_W1] = data;
    return 3;
}

int sys_device_claim(struct core *core, struct process *process) {
    enum os2_status status = syscall_machine(process, OS2_RIGHT_DEVICES);
    if (status != OS2_OK)
        return status;
    uint64_t first = process->reg[OS2_R_W0], count = process->reg[OS2_R_W1], target;
    switch (process->reg[OS2_R_LABEL]) {
    case OS2_DEVICE_MEMORY:
        return claim_memory(process, first, count);
    case OS2_DEVICE_IRQ:
        if (first == 0 || first >= machine.boot->irq_count || first >= IRQ_MAX)
            return OS2_E_INVALID;
        target = handle_target(OS2_HANDLE_IRQ, OS2_RIGHT_GIVE, 0, 0);
        break;
    case OS2_DEVICE_PORTS:
        if (!arch_ports_valid(first, count))
            return OS2_E_INVALID;
        target = handle_target(OS2_HANDLE_PORTS, OS2_RIGHT_GIVE, 0, 0);
        first |= count << 32;
        break;
    case OS2_DEVICE_MSI:
        return claim_message(process, first);
    default:
        return OS2_E_INVALID;
    }
    if (!handle_room(process->handles))
        return OS2_E_FULL;
    process->reg[OS2_R_LABEL] = handle_put(process->handles, target, first); /* the badge says which */
    return 1;
}

/* ---- Interrupts. ---- */

#define IRQ_OFTEN 64
#define IRQ_WINDOW_HZ 1000
#define IRQ_BATCH 4 /* sources that one entry takes, and that one timer lets in again */

/* Let a source in here, now or when it may. The lock is held. */
static void let_in(struct core *core, unsigned number) {
    struct irq *irq = &machine.irq[number];
    uint64_t now = arch_clock(), window = machine.clock_hz / IRQ_WINDOW_HZ;
    if (irq->held)
        return;
    if (now - irq->since >= window) {
        irq->since = now;
        irq->fired = 0;
    }
    if (irq->fired < IRQ_OFTEN) {
        arch_irq_unmask(number);
        return;
    }
    irq->held = true;
    irq->next = core->irqs_held;
    core->irqs_held = (uint16_t)number;
    if (irq->since + window < core->timers.irq) {
        core->timers.irq = irq->since + window;
        timer_program(core);
    }
}

void irq_again(struct core *core, uint64_t now) {
    core->timers.irq = TIMER_NEVER;
    lock_acquire(&machine.irq_lock);
    for (unsigned n = 0; core->irqs_held && n < IRQ_BATCH; n++) {
        struct irq *irq = &machine.irq[core->irqs_held];
        unsigned number = core->irqs_held;
        core->irqs_held = irq->next;
        irq->held = false;
        irq->fired = 0;
        irq->since = now;
        if (irq->bits)
            arch_irq_unmask(number);
    }
    if (core->irqs_held)
        core->timers.irq = now + 1;
    lock_release(&machine.irq_lock);
}

/* The source that CONTROL names, with the lock held; NULL: none, and it is not. */
static struct irq *lock_irq(const struct core *core, uint64_t control, unsigned *ret_number) {
    const struct handle *h = light_handle(core->current, control, OS2_HANDLE_IRQ);
    if (!h)
        return NULL;
    *ret_number = (unsigned)h->badge;
    lock_acquire(&machine.irq_lock);
    return &machine.irq[h->badge];
}

struct light light_irq_bind(uint64_t control, uint64_t bits, uint64_t w0, uint64_t w1) {
    struct core *core = arch_core();
    const struct slot *slot = core->current->slot;
    unsigned number;
    struct irq *irq = lock_irq(core, control, &number);
    if (!irq)
        return light_status(OS2_E_HANDLE);
    irq->life = slot_generation(slot);
    irq->bits = bits;
    irq->slot = slot->index;
    if (bits)
        let_in(core, number);
    else
        arch_irq_mask(number);
    lock_release(&machine.irq_lock);
    return light_status(OS2_OK);
}

struct light light_irq_ack(uint64_t control, uint64_t label, uint64_t w0, uint64_t w1) {
    struct core *core = arch_core();
    const struct slot *slot = core->current->slot;
    unsigned number;
    const struct irq *irq = lock_irq(core, control, &number);
    if (!irq)
        return light_status(OS2_E_HANDLE);
    bool mine = irq->slot == slot->index && irq->life == slot_generation(slot) && irq->bits;
    if (mine)
        let_in(core, number);
    lock_release(&machine.irq_lock);
    return light_status(mine ? OS2_OK : OS2_E_RIGHTS);
}

int sys_port_grant(struct core *core, struct process *process) {
    const struct handle *h = syscall_handle(process, OS2_HANDLE_PORTS);
    if (!h)
        return OS2_E_HANDLE;
    if (!arch_ports_grant(core, &process->context, h->badge & 0xffffffff, h->badge >> 32))
        return OS2_E_FULL;
    process->space.had_device = true; /* a bus master can be set up by its ports */
    return 0;
}

/* Take one source that is pending here, and count it. False: there is none. */
static bool take(struct core *core, struct irq *ret_irq) {
    lock_acquire(&machine.irq_lock);
    unsigned number = arch_irq_take(core);
    if (number && number < IRQ_MAX) {
        machine.irq[number].fired++;
        *ret_irq = machine.irq[number];
    }
    lock_release(&machine.irq_lock);
    return number != 0;
}

void irq_arrived(struct core *core) {
    core->interrupts++; /* also where another core has taken the source, and none is found */
    for (unsigned n = 0; n < IRQ_BATCH && (n == 0 || !breath_enough(core)); n++) {
        struct irq irq = {0};
        if (!take(core, &irq))
            return;
        if (irq.bits)
            notify_slot(core, &machine.slot[irq.slot], irq.life, irq.bits, true);
    }
}
