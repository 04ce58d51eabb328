/* SPDX-License-Identifier: MIT */
/*
 * Power off and restart.
 *
 * Off: QEMU's isa-debug-exit device, but only where the boot argument os2.debug_exit says that it is there, since the
 * port may be anything on another machine; it alone tells the exit code. Then ACPI's S5: the sleep control register of
 * a machine with reduced hardware, else the PM1 control registers, after ACPI mode is turned on. Restart: the reset
 * register of the FADT, the chipset's reset port, the keyboard controller, a triple fault.
 */
#include "arch/x86_64/x86.h"

#define DEBUG_EXIT_PORT 0xf4
#define RESET_PORT 0xcf9
#define KEYBOARD_PORT 0x64
#define PM1_SCI_ENABLE 1u
#define PM1_SLEEP_ENABLE (1u << 13)
#define PM1_SLEEP_SHIFT 10
#define PM1_SLEEP_MASK (7u << PM1_SLEEP_SHIFT)
#define SLEEP_ENABLE (1u << 5) /* sleep control register */
#define SLEEP_SHIFT 2
#define ACPI_MODE_WAITS 1000

static void register_write8(const struct x86_acpi_register *r, uint8_t value) {
    if (r->address && r->memory)
        *(volatile uint8_t *)arch_phys_to_virt(r->address) = value;
    else if (r->address)
        port_write8((uint16_t)r->address, value);
}

static void pm1_sleep(const struct x86_acpi_register *r, unsigned type) {
    if (!r->address || r->memory)
        return;
    uint16_t value = port_read16((uint16_t)r->address) & (uint16_t) ~(PM1_SLEEP_MASK | PM1_SLEEP_ENABLE);
    port_write16((uint16_t)r->address, (uint16_t)(value | type << PM1_SLEEP_SHIFT | PM1_SLEEP_ENABLE));
}

void arch_halt(void) {
    for (;;)
        __asm__ volatile("cli; hlt");
}

void arch_power_off(unsigned code) {
    const struct x86_facts *f = &x86_facts;
    if (f->debug_exit)
        port_write8(DEBUG_EXIT_PORT, (uint8_t)code);
    if (f->sleep_known) {
        register_write8(&f->sleep, (uint8_t)((unsigned)f->sleep_a << SLEEP_SHIFT | SLEEP_ENABLE));
        if (f->smi_command && f->pm1a.address && !(port_read16((uint16_t)f->pm1a.address) & PM1_SCI_ENABLE)) {
            port_write8(f->smi_command, f->acpi_enable);
            for (unsigned i = 0; i < ACPI_MODE_WAITS; i++) {
                if (port_read16((uint16_t)f->pm1a.address) & PM1_SCI_ENABLE)
                    break;
                clock_wait_us(100);
            }
        }
        pm1_sleep(&f->pm1a, f->sleep_a);
        pm1_sleep(&f->pm1b, f->sleep_b);
    }
    arch_halt();
}

void arch_restart(void) {
    register_write8(&x86_facts.reset, x86_facts.reset_value);
    clock_wait_us(10000);
    port_write8(RESET_PORT, 6);
    clock_wait_us(10000);
    port_write8(KEYBOARD_PORT, 0xfe);
    clock_wait_us(10000);
    static const struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } nothing;
    __asm__ volatile("lidt %0; int3" ::"m"(nothing));
    arch_halt();
}
