/* SPDX-License-Identifier: MIT */
/*
 * SiFive's UART (FU540, FU740). Its interrupts are levels of the FIFOs: transmit when fewer bytes wait than the
 * watermark (set to 1: when none waits), receive when more than 0 are there.
 */
#include "drivers/uart.h"

#include "arch_user.h"

enum { SF_TXDATA = 0, SF_RXDATA = 4, SF_TXCTRL = 8, SF_RXCTRL = 12, SF_IE = 16, SF_IP = 20 };
#define SF_FLAG (1u << 31) /* txdata: full; rxdata: empty */
#define SF_ENABLE 1u
#define SF_WATERMARK_SHIFT 16
#define SF_WATERMARK_MASK (7u << SF_WATERMARK_SHIFT)
#define SF_TRANSMIT 1u
#define SF_RECEIVE 2u

static uint32_t sf_read(struct uart *uart, unsigned offset) {
    return arch_device_read(uart->base + offset, 4);
}

static void sf_write(struct uart *uart, unsigned offset, uint32_t value) {
    arch_device_write(uart->base + offset, 4, value);
}

static void sf_start(struct uart *uart) {
    uint32_t transmit = sf_read(uart, SF_TXCTRL) & ~SF_WATERMARK_MASK;
    uint32_t receive = sf_read(uart, SF_RXCTRL) & ~SF_WATERMARK_MASK;

    sf_write(uart, SF_IE, 0);
    sf_write(uart, SF_TXCTRL, transmit | SF_ENABLE | 1u << SF_WATERMARK_SHIFT);
    sf_write(uart, SF_RXCTRL, receive | SF_ENABLE);
    uart->depth = 1;
}

static void sf_enable(struct uart *uart, bool receive, bool transmit) {
    sf_write(uart, SF_IE, (receive ? SF_RECEIVE : 0) | (transmit ? SF_TRANSMIT : 0));
}

static void sf_interrupt(struct uart *uart) {
    (void)uart; /* the levels fall by themselves */
}

static int sf_get(struct uart *uart) {
    uint32_t data = sf_read(uart, SF_RXDATA);
    return data & SF_FLAG ? -1 : (int)(data & 0xff);
}

static unsigned sf_room(struct uart *uart) {
    return sf_read(uart, SF_TXDATA) & SF_FLAG ? 0 : 1;
}

static void sf_put(struct uart *uart, uint8_t byte) {
    sf_write(uart, SF_TXDATA, byte);
}

static bool sf_idle(struct uart *uart) {
    return sf_read(uart, SF_IP) & SF_TRANSMIT;
}

const struct uart_driver uart_sifive = {
    .start = sf_start,
    .enable = sf_enable,
    .interrupt = sf_interrupt,
    .get = sf_get,
    .room = sf_room,
    .put = sf_put,
    .idle = sf_idle,
};
