/* SPDX-License-Identifier: MIT */
/*
 * The firmware's console in the place of a UART: for machines whose UART nobody here has a driver for, or that have
 * something else in its place. Slow, since each byte is a call to the firmware, and polled.
 *
 * The firmware waits until it can send, and tells neither how long that may take nor when all is sent. So few bytes are
 * put at a time, and then none for a while: the console looks at its input and its clients between, and no more comes
 * in meanwhile than the smallest FIFO holds (SiFive's has 8 bytes). At 115200 baud a UART takes 0.7 ms for these; it
 * has sent what a FIFO of 16 holds after 1.4 ms.
 */
#include <stddef.h>

#include "drivers/uart.h"
#include "os2/call.h"
#include "os2/time.h"

#define FW_BURST 8u
#define FW_BURST_MS 1u
#define FW_DRAIN_MS 2u

static void fw_start(struct uart *uart) {
    uart->next = uart->sent_all = 0;
    uart->depth = 0;
}

static void fw_enable(struct uart *uart, bool receive, bool transmit) {
    (void)uart; /* there are no interrupts */
    (void)receive;
    (void)transmit;
}

static void fw_interrupt(struct uart *uart) {
    (void)uart;
}

static int fw_get(struct uart *uart) {
    int byte = os2_firmware_get(uart->machine);
    return byte < 0 ? -1 : byte;
}

static unsigned fw_room(struct uart *uart) {
    if (os2_clock(NULL) >= uart->next) {
        uart->next = os2_deadline_ms(FW_BURST_MS);
        uart->depth = FW_BURST;
    }
    return uart->depth;
}

static void fw_put(struct uart *uart, uint8_t byte) {
    os2_firmware_put(uart->machine, byte);
    uart->sent_all = os2_deadline_ms(FW_DRAIN_MS);
    uart->depth--;
}

static bool fw_idle(struct uart *uart) {
    return os2_clock(NULL) >= uart->sent_all;
}

const struct uart_driver uart_firmware = {
    .start = fw_start,
    .enable = fw_enable,
    .interrupt = fw_interrupt,
    .get = fw_get,
    .room = fw_room,
    .put = fw_put,
    .idle = fw_idle,
};
