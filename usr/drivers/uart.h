/* SPDX-License-Identifier: MIT */
/*
 * What the console needs of a UART. Nothing here sets the speed: firmware did, and knows its clock.
 */
#ifndef DRIVERS_UART_H
#define DRIVERS_UART_H

#include <stdbool.h>
#include <stdint.h>

struct uart;

struct uart_driver {
    void (*start)(struct uart *uart);                               /* once; interrupts stay off */
    void (*enable)(struct uart *uart, bool receive, bool transmit); /* which interrupts are on */
    void (*interrupt)(struct uart *uart);                           /* first thing after an interrupt: ends its cause */
    int (*get)(struct uart *uart);                                  /* a byte received, or -1 */
    unsigned (*room)(struct uart *uart);                            /* how many bytes it takes now */
    void (*put)(struct uart *uart, uint8_t byte);                   /* only as many as room() said */
    bool (*idle)(struct uart *uart);                                /* everything has been sent */
};

struct uart {
    const struct uart_driver *driver;
    uint64_t base;  /* address of the registers, or number of the first port */
    unsigned shift; /* registers are 1 << shift bytes apart */
    unsigned width; /* 1 or 4 bytes an access; 0: I/O ports */
    unsigned depth; /* of the transmit FIFO */
    bool dw_apb;    /* DesignWare's variant of the 16550 */
    /* The firmware's console: */
    unsigned machine;  /* handle */
    uint64_t next;     /* when more may be put, in ticks */
    uint64_t sent_all; /* when what was put will have been sent */
};

extern const struct uart_driver uart_ns16550;
extern const struct uart_driver uart_sifive;
extern const struct uart_driver uart_firmware;

#endif
