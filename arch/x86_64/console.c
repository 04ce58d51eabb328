/* SPDX-License-Identifier: MIT */
/*
 * The console of boot and panic: a 16550 at I/O port 0x3f8, where a PC has its first serial port.
 *
 * Its clock is the same in every PC, so the speed is set here: 115 200 baud, 8 bits, no parity. Firmware may not have.
 * A port where nothing answers reads as all ones, and nothing is written to it. The console's driver is in a process
 * (usr/drivers); the two meet only in a panic.
 */
#include "arch/x86_64/x86.h"

#define UART 0x3f8
#define UART_LINE_STATUS (UART + 5)
#define UART_EMPTY 0x20
#define SPINS_MAX 1000000 /* far longer than a character takes */

static bool present;

void console_init(void) {
    if (port_read8(UART_LINE_STATUS) == 0xff)
        return;
    present = true;
    port_write8(UART + 1, 0);    /* no interrupts */
    port_write8(UART + 3, 0x80); /* divisor: 1.8432 MHz / 16 / 1 */
    port_write8(UART, 1);
    port_write8(UART + 1, 0);
    port_write8(UART + 3, 3); /* 8 bits */
    port_write8(UART + 2, 1); /* FIFO */
    port_write8(UART + 4, 3); /* ready, no interrupts out */
}

static void put(uint8_t byte) {
    for (unsigned i = 0; i < SPINS_MAX && !(port_read8(UART_LINE_STATUS) & UART_EMPTY); i++)
        arch_relax();
    port_write8(UART, byte);
}

void arch_console_write(const char *text, size_t length) {
    for (size_t i = 0; present && i < length; i++) {
        if (text[i] == '\n')
            put('\r');
        put((uint8_t)text[i]);
    }
}

/* Firmware serves no console here beside a kernel: the BIOS's went with real mode, UEFI's with its boot services. The
 * port above is a UART that the console's driver knows, and that a process may claim. */
bool arch_console_put(uint8_t byte) {
    (void)byte;
    return false;
}

int arch_console_get(void) {
    return -2;
}
