/* SPDX-License-Identifier: MIT */
/*
 * The 16550 and its relatives, in memory (with any spacing of registers) or at I/O ports.
 *
 * The transmit interrupt tells when the holding register (with a FIFO: all of it) is empty, so then `depth` bytes fit.
 *
 * Each cause of an interrupt is ended in a way of its own, and until then a line with a level stays up:
 *
 *     line status (overrun, break)   read the line status register
 *     data, receive timeout          read the data register
 *     transmitter empty              read the cause, or send
 *     modem status                   read the modem status register
 *     busy (DesignWare only)         read the UART status register. Raised by a write to the line control register
 *                                    while a byte is on the line; firmware may have left one
 *
 * Causes come up that were never enabled, left by firmware. DesignWare's can show a receive timeout with an empty FIFO,
 * so that nobody would read: then a read for nothing ends it (Linux's 8250_dw.c does so too). Should a byte come
 * between the look and that read, it is lost; an interrupt that goes on for ever would lose them all.
 */
#include "drivers/uart.h"

#include "arch_user.h"

enum { NS_DATA = 0, NS_IER = 1, NS_IIR = 2, NS_FCR = 2, NS_MCR = 4, NS_LSR = 5, NS_MSR = 6, DW_USR = 31 };
enum { NS_IER_RECEIVE = 1, NS_IER_TRANSMIT = 2 };
enum { NS_FCR_ENABLE = 1, NS_IIR_FIFO = 0xc0 };
enum {
    NS_IIR_CAUSE = 0xf,
    NS_IIR_MODEM = 0,
    NS_IIR_TRANSMIT = 2,
    NS_IIR_DATA = 4,
    NS_IIR_LINE = 6,
    NS_IIR_BUSY = 7,
    NS_IIR_TIMEOUT = 0xc
};
#define NS_CAUSES 8u /* looked at for each interrupt, more than there are: what is left asks again */
enum { NS_MCR_DTR = 1, NS_MCR_RTS = 2, NS_MCR_OUT2 = 8 }; /* OUT2 lets the interrupt out on a PC */
enum { NS_LSR_DATA = 1, NS_LSR_EMPTY = 0x20, NS_LSR_IDLE = 0x40 };

static uint8_t ns_read(struct uart *uart, unsigned reg) {
    uint64_t at = uart->base + ((uint64_t)reg << uart->shift);
    return uart->width ? (uint8_t)arch_device_read(at, uart->width) : arch_io_read((uint16_t)at);
}

static void ns_write(struct uart *uart, unsigned reg, uint8_t value) {
    uint64_t at = uart->base + ((uint64_t)reg << uart->shift);
    if (uart->width)
        arch_device_write(at, uart->width, value);
    else
        arch_io_write((uint16_t)at, value);
}

static void ns_start(struct uart *uart) {
    ns_write(uart, NS_IER, 0);
    ns_write(uart, NS_FCR, NS_FCR_ENABLE);
    ns_write(uart, NS_MCR, NS_MCR_DTR | NS_MCR_RTS | NS_MCR_OUT2);
    uart->depth = (ns_read(uart, NS_IIR) & NS_IIR_FIFO) == NS_IIR_FIFO ? 16 : 1;
}

static void ns_enable(struct uart *uart, bool receive, bool transmit) {
    ns_write(uart, NS_IER, (receive ? NS_IER_RECEIVE : 0) | (transmit ? NS_IER_TRANSMIT : 0));
}

static void ns_interrupt(struct uart *uart) {
    for (unsigned i = 0; i < NS_CAUSES; i++) {
        switch (ns_read(uart, NS_IIR) & NS_IIR_CAUSE) {
        case NS_IIR_MODEM:
            ns_read(uart, NS_MSR);
            break;
        case NS_IIR_LINE:
            ns_read(uart, NS_LSR);
            break;
        case NS_IIR_TRANSMIT:
            break;
        case NS_IIR_DATA:
        case NS_IIR_TIMEOUT:
            if (ns_read(uart, NS_LSR) & NS_LSR_DATA)
                return; /* get() will read it */
            ns_read(uart, NS_DATA);
            break;
        case NS_IIR_BUSY:
            if (!uart->dw_apb)
                return;
            ns_read(uart, DW_USR);
            break;
        default:
            return;
        }
    }
}

static int ns_get(struct uart *uart) {
    return ns_read(uart, NS_LSR) & NS_LSR_DATA ? ns_read(uart, NS_DATA) : -1;
}

static unsigned ns_room(struct uart *uart) {
    return ns_read(uart, NS_LSR) & NS_LSR_EMPTY ? uart->depth : 0;
}

static void ns_put(struct uart *uart, uint8_t byte) {
    ns_write(uart, NS_DATA, byte);
}

static bool ns_idle(struct uart *uart) {
    return ns_read(uart, NS_LSR) & NS_LSR_IDLE;
}

const struct uart_driver uart_ns16550 = {
    .start = ns_start,
    .enable = ns_enable,
    .interrupt = ns_interrupt,
    .get = ns_get,
    .room = ns_room,
    .put = ns_put,
    .idle = ns_idle,
};
