/* SPDX-License-Identifier: MIT */
/* The interrupt of a driver, or polls in its place: see os2/interrupt.h. */
#include "os2/interrupt.h"

#include <stddef.h>

#include "os2/call.h"
#include "os2/log.h"
#include "os2/time.h"

static void interrupt_give_up(struct os2_interrupt *interrupt, const char *why) {
    interrupt->handle = 0;
    os2_log(interrupt->machine, "%s %s: it is polled, every %u ms\n", interrupt->device, why, interrupt->poll_ms);
}

void os2_interrupt_open(struct os2_interrupt *interrupt, const char *device, unsigned machine, unsigned handle,
                        uint64_t bits, unsigned poll_ms) {
    *interrupt = (struct os2_interrupt){.device = device, .machine = machine, .handle = handle, .poll_ms = poll_ms};
    if (!handle)
        interrupt_give_up(interrupt, "has no interrupt");
    else if (os2_irq_bind(handle, bits) < 0)
        interrupt_give_up(interrupt, "has an interrupt that cannot be bound");
}

void os2_interrupt_served(struct os2_interrupt *interrupt, bool worked) {
    if (!interrupt->handle)
        return;
    if (worked) {
        interrupt->idle = 0;
    } else {
        if (!interrupt->idle || os2_clock(NULL) >= interrupt->idle_until) {
            interrupt->idle = 0;
            interrupt->idle_until = os2_deadline_ms(OS2_INTERRUPT_WINDOW_MS);
        }
        if (++interrupt->idle >= OS2_INTERRUPT_IDLE) {
            interrupt_give_up(interrupt, "interrupts without end and without work");
            return;
        }
    }
    os2_irq_ack(interrupt->handle);
}

uint64_t os2_interrupt_deadline(const struct os2_interrupt *interrupt) {
    return interrupt->handle ? OS2_FOREVER : os2_deadline_ms(interrupt->poll_ms);
}
