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
 * A device may be a bus master, and go on writing into memory when its driver has ended. So what a process owned that
 * ever had a device's registers or ports is given to nobody else before its supervisor has closed its control handle:
 * ipc/end.c.
 */
#include "core/ipc.h"
#include "core/syscall.h"

static int claim_memory(struct process *process, uint64_t base, uint64_t order) {
    const struct boot_info *boot = machine.boot;
    if (order > OS2_ORDER_MAX || base & ((OS2_PAGE_SIZE << order) - 1))
        return OS2_E_INVALID;
    uint64_t size = OS2_PAGE_SIZE << order, va;
    if (base + size < base || !arch_device_allowed(base, size))
        return OS2_E_RIGHTS;
    if (boot_meets(boot->ram, boot->ram_count, base, base + size) ||
        boot_meets(boot->reserved, boot->reserved_count, base, base + size))
        return OS2_E_RIGHTS;
    enum os2_status status = block_claim_device(&process->space, base, (unsigned)order, &va);
    if (status != OS2_OK)
        return status;
    process->reg[OS2_R_LABEL] = va;
    return 1;
}

int sys_device_claim(struct core *core, struct process *process) {
    (void)core;
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
    default:
        return OS2_E_INVALID;
    }
    if (!handle_room(process->handles))
        return OS2_E_FULL;
    process->reg[OS2_R_LABEL] = handle_put(process->handles, target, first); /* the badge says which */
    return 1;
}

struct light light_irq_bind(uint64_t control, uint64_t bits, uint64_t w0, uint64_t w1) {
    (void)w0;
    (void)w1;
    struct process *process = light_process();
    const struct handle *h = light_handle(process, control, OS2_HANDLE_IRQ);
    if (!h)
        return light_status(OS2_E_HANDLE);
    unsigned number = (unsigned)h->badge;
    lock_acquire(&machine.irq_lock);
    machine.irq[number] = (struct irq){slot_generation(process->slot), bits, process->slot->index};
    lock_release(&machine.irq_lock);
    if (bits)
        arch_irq_unmask(number);
    else
        arch_irq_mask(number);
    return light_status(OS2_OK);
}

struct light light_irq_ack(uint64_t control, uint64_t label, uint64_t w0, uint64_t w1) {
    (void)label;
    (void)w0;
    (void)w1;
    struct process *process = light_process();
    const struct handle *h = light_handle(process, control, OS2_HANDLE_IRQ);
    if (!h)
        return light_status(OS2_E_HANDLE);
    const struct irq *irq = &machine.irq[h->badge];
    if (irq->slot != process->slot->index || irq->life != slot_generation(process->slot) || !irq->bits)
        return light_status(OS2_E_RIGHTS);
    arch_irq_unmask((unsigned)h->badge);
    return light_status(OS2_OK);
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

void irq_arrived(struct core *core, unsigned number) {
    core->interrupts++;
    if (number >= IRQ_MAX)
        return;
    lock_acquire(&machine.irq_lock);
    struct irq irq = machine.irq[number];
    lock_release(&machine.irq_lock);
    if (irq.bits)
        notify_slot(core, &machine.slot[irq.slot], irq.life, irq.bits, true);
}
