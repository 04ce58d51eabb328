/* SPDX-License-Identifier: MIT */
/*
 * The interrupt of a driver, and what becomes of it when it cannot be relied on.
 *
 *     os2_interrupt_open(&interrupt, "the UART", machine, handle, BIT, POLL_MS);
 *     for (;;) {
 *         receive, until os2_interrupt_deadline(&interrupt) at the latest; then move what the device has
 *         if (bits & BIT)
 *             os2_interrupt_served(&interrupt, something was moved since the last one);
 *     }
 *
 * A device with a level keeps asking until its cause is ended. If the driver does not know how to end it, the interrupt
 * comes again as soon as it is acknowledged, and the driver takes a core for nothing. So an interrupt that comes
 * OS2_INTERRUPT_IDLE times in a row without work, all within OS2_INTERRUPT_WINDOW_MS, is not acknowledged any more: the
 * kernel keeps it masked. The driver polls from then on, as it does where its device has no interrupt at all. Either is
 * said in one line of the log. There is no way back: a driver that is started again tries anew.
 *
 * The window is there because single interrupts without work are normal: the work was done a moment ago, when the
 * driver was awake for another reason.
 */
#ifndef OS2_INTERRUPT_H
#define OS2_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#define OS2_INTERRUPT_IDLE 64u
#define OS2_INTERRUPT_WINDOW_MS 1000u

struct os2_interrupt {
    const char *device; /* for the log: "the UART" */
    unsigned machine;   /* handle with OS2_RIGHT_LOG, for the log; 0: nothing is said */
    unsigned handle;    /* 0: the driver polls */
    unsigned poll_ms;
    unsigned idle;       /* interrupts in a row that brought no work */
    uint64_t idle_until; /* when the window of the first of them ends, in ticks */
};

/* Binds the interrupt to `bits`. With handle 0, or one that cannot be bound, the driver polls each `poll_ms`. */
void os2_interrupt_open(struct os2_interrupt *interrupt, const char *device, unsigned machine, unsigned handle,
                        uint64_t bits, unsigned poll_ms);

/* After each interrupt, when the device has been served: lets the next one in, or gives the interrupt up. */
void os2_interrupt_served(struct os2_interrupt *interrupt, bool worked);

/* How long the driver may wait for its interrupt: OS2_FOREVER, or until the next poll. */
uint64_t os2_interrupt_deadline(const struct os2_interrupt *interrupt);

#endif
