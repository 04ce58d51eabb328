/* SPDX-License-Identifier: MIT */
/*
 * The console's UART drivers on registers that the test plays: spacing and width of every access, no change of speed.
 *
 * The registers are words at their offsets; what a 16550 shows at an offset that is read and written with different
 * meaning is set by the test. Every access is checked as it is made, so a driver that touches anything else fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch_user.h"
#include "console/uart.h"

#define BASE 0x10000000u
enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, USR = 31 }; /* of a 16550, as register numbers */
enum { TXDATA, RXDATA, TXCTRL, RXCTRL, IE, IP, DIV }; /* of SiFive's */
enum { LSR_DATA = 1, LSR_EMPTY = 0x20, LSR_IDLE = 0x40 };

static struct uart uart;
static uint32_t to_read[32], written[32];
static unsigned reads[32], writes[32];

static unsigned reg_at(uint64_t at, unsigned width) {
    assert_int_equal(width, uart.width);
    assert_int_equal((at - BASE) & ((1u << uart.shift) - 1), 0);
    assert_true(at >= BASE && (at - BASE) >> uart.shift < 32);
    return (unsigned)((at - BASE) >> uart.shift);
}

uint32_t arch_device_read(uint64_t at, unsigned width) {
    unsigned reg = reg_at(at, width);
    reads[reg]++;
    return to_read[reg];
}

void arch_device_write(uint64_t at, unsigned width, uint32_t value) {
    unsigned reg = reg_at(at, width);
    writes[reg]++;
    written[reg] = value;
}

uint8_t arch_io_read(uint16_t port) {
    fail_msg("a port is read: %x", port);
    return 0;
}

void arch_io_write(uint16_t port, uint8_t value) {
    fail_msg("a port is written: %x %x", port, value);
}

static void begin(const struct uart_driver *driver, unsigned shift, unsigned width, bool dw_apb) {
    memset(to_read, 0, sizeof to_read);
    memset(written, 0, sizeof written);
    memset(reads, 0, sizeof reads);
    memset(writes, 0, sizeof writes);
    uart = (struct uart){.driver = driver, .base = BASE, .shift = shift, .width = width, .dw_apb = dw_apb};
}

/* Everything a driver does, once; then no register that sets the speed or the format was written. */
static void all_of_16550(unsigned shift, unsigned width, bool dw_apb) {
    begin(&uart_ns16550, shift, width, dw_apb);
    to_read[IIR_FCR] = 0xc1; /* FIFOs are on, nothing pending */
    uart.driver->start(&uart);
    assert_int_equal(uart.depth, 16);
    assert_int_equal(written[IER], 0);
    uart.driver->enable(&uart, true, true);
    assert_int_equal(written[IER], 3);

    assert_int_equal(uart.driver->get(&uart), -1);
    to_read[LSR] = LSR_DATA;
    to_read[DATA] = 'x';
    assert_int_equal(uart.driver->get(&uart), 'x');
    assert_int_equal(uart.driver->room(&uart), 0);
    assert_false(uart.driver->idle(&uart));
    to_read[LSR] = LSR_EMPTY | LSR_IDLE;
    assert_int_equal(uart.driver->room(&uart), 16);
    assert_true(uart.driver->idle(&uart));
    uart.driver->put(&uart, 'y');
    assert_int_equal(written[DATA], 'y');
    assert_int_equal(writes[DATA], 1);

    to_read[IIR_FCR] = 0xc7; /* DesignWare's "busy" */
    uart.driver->interrupt(&uart);
    assert_int_equal(reads[USR], dw_apb ? 1 : 0);
    assert_int_equal(writes[LCR], 0); /* so the divisor cannot have been reached either */
    for (unsigned reg = LSR; reg < 32; reg++)
        assert_int_equal(writes[reg], 0);
}

static void test_16550(void **state) {
    (void)state;
    all_of_16550(0, 1, false); /* virt */
    all_of_16550(2, 4, false); /* icicle */
    all_of_16550(2, 4, true);  /* VisionFive 2 */
    all_of_16550(2, 1, false);
}

static void test_16550_without_fifo(void **state) {
    (void)state;
    begin(&uart_ns16550, 0, 1, false);
    to_read[IIR_FCR] = 1;
    uart.driver->start(&uart);
    assert_int_equal(uart.depth, 1);
}

static void test_sifive(void **state) {
    (void)state;
    begin(&uart_sifive, 2, 4, false);
    to_read[TXCTRL] = 2 | 5 << 16; /* two stop bits, a watermark of firmware's */
    to_read[RXCTRL] = 3 << 16;
    uart.driver->start(&uart);
    assert_int_equal(written[TXCTRL], 1 | 2 | 1 << 16);
    assert_int_equal(written[RXCTRL], 1);
    assert_int_equal(written[IE], 0);
    uart.driver->enable(&uart, true, false);
    assert_int_equal(written[IE], 2);

    to_read[RXDATA] = 1u << 31;
    assert_int_equal(uart.driver->get(&uart), -1);
    to_read[RXDATA] = 0xc3;
    assert_int_equal(uart.driver->get(&uart), 0xc3);
    assert_int_equal(uart.driver->room(&uart), 1);
    uart.driver->put(&uart, 'z');
    assert_int_equal(written[TXDATA], 'z');
    to_read[TXDATA] = 1u << 31;
    assert_int_equal(uart.driver->room(&uart), 0);
    assert_false(uart.driver->idle(&uart));
    to_read[IP] = 1;
    assert_true(uart.driver->idle(&uart));
    for (unsigned reg = IP; reg < 32; reg++)
        assert_int_equal(writes[reg], 0); /* DIV among them: the speed */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_16550),
        cmocka_unit_test(test_16550_without_fifo),
        cmocka_unit_test(test_sifive),
    };

    return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
