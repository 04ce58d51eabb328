/* SPDX-License-Identifier: MIT */
/*
 * What of the machine a program may claim: registers in memory, and I/O ports, but for the kernel's own.
 *
 * I/O ports are opened bit by bit in the task state segment of the core where the process runs that holds them. While
 * it does not run, the map's offset lies past the segment's limit and all ports are closed; the bits stay, and are only
 * changed when a process with other ports comes. IOPL is always 0.
 */
#include "arch/x86_64/x86.h"
#include "lib/string.h"

bool arch_device_allowed(uint64_t base, uint64_t size) {
    const struct x86_facts *f = &x86_facts;
    uint64_t end = base + size;
    uint64_t limit = f->address_bits < 46 ? UINT64_C(1) << f->address_bits : ARCH_USER_END - OS2_EXCHANGE_BASE;
    if (end > limit)
        return false;
    /* The local APICs' page, and the window where a write is an interrupt (SDM 3A, 11.11.1). */
    if (base < 0xfef00000 && end > 0xfee00000)
        return false;
    if (base < f->lapic + OS2_PAGE_SIZE && end > f->lapic)
        return false;
    for (unsigned i = 0; i < f->ioapic_count; i++)
        if (base < f->ioapic[i].base + OS2_PAGE_SIZE && end > f->ioapic[i].base)
            return false;
    const struct x86_acpi_register *own[] = {&f->sleep, &f->reset};
    for (unsigned i = 0; i < 2; i++)
        if (own[i]->memory && base <= own[i]->address && own[i]->address < end)
            return false;
    return true;
}

/* ---- I/O ports. ---- */

/* Ports that are the kernel's: interrupt controllers, timer, what restarts or powers off the machine. */
static const struct x86_ports own_ports[] = {
    {0x20, 0x21}, {0x40, 0x43}, {0x61, 0x61}, {0xa0, 0xa1}, {0xf4, 0xf4}, {0x4d0, 0x4d1}, {0xcf9, 0xcf9},
};

static bool overlaps(uint64_t first, uint64_t end, uint64_t other, uint64_t other_end) {
    return first < other_end && other < end;
}

static bool overlaps_register(uint64_t first, uint64_t end, const struct x86_acpi_register *r) {
    return r->address && !r->memory && overlaps(first, end, r->address, r->address + 4);
}

bool arch_ports_valid(uint64_t first, uint64_t count) {
    if (count == 0 || first > UINT16_MAX || count > UINT16_MAX + 1 - first)
        return false;
    uint64_t end = first + count;
    for (unsigned i = 0; i < sizeof own_ports / sizeof own_ports[0]; i++)
        if (overlaps(first, end, own_ports[i].first, own_ports[i].last + 1u))
            return false;
    const struct x86_facts *f = &x86_facts;
    if (f->smi_command && overlaps(first, end, f->smi_command, f->smi_command + 1u))
        return false;
    return !overlaps_register(first, end, &f->pm1a) && !overlaps_register(first, end, &f->pm1b) &&
           !overlaps_register(first, end, &f->sleep) && !overlaps_register(first, end, &f->reset);
}

static void set_ports(struct x86_tss *tss, const struct x86_ports *ports, bool open) {
    for (uint32_t port = ports->first; port <= ports->last; port++) {
        uint8_t bit = (uint8_t)(1u << port % 8);
        tss->io_map[port / 8] = (uint8_t)(open ? tss->io_map[port / 8] & ~bit : tss->io_map[port / 8] | bit);
    }
}

void x86_load_ports(struct arch_core *core, const struct arch_context *context) {
    if (!context->port_ranges) {
        core->tss.io_base = sizeof core->tss;
        return;
    }
    core->tss.io_base = offsetof(struct x86_tss, io_map);
    if (core->port_ranges == context->port_ranges && memcmp(core->ports, context->ports, sizeof core->ports) == 0)
        return;
    for (unsigned i = 0; i < core->port_ranges; i++)
        set_ports(&core->tss, &core->ports[i], false);
    for (unsigned i = 0; i < context->port_ranges; i++)
        set_ports(&core->tss, &context->ports[i], true);
    core->port_ranges = context->port_ranges;
    memcpy(core->ports, context->ports, sizeof core->ports);
}

bool arch_ports_grant(struct core *core, struct arch_context *context, uint64_t first, uint64_t count) {
    struct x86_ports ports = {(uint16_t)first, (uint16_t)(first + count - 1)};
    bool known = false;
    for (unsigned i = 0; i < context->port_ranges; i++)
        known |= memcmp(&context->ports[i], &ports, sizeof ports) == 0;
    if (!known && context->port_ranges == X86_PORT_RANGES)
        return false;
    if (!known)
        context->ports[context->port_ranges++] = ports;
    x86_load_ports(x86_core(core), context);
    x86_space_entered(x86_core(core), context, core_space(core));
    return true;
}
