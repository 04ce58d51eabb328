/* SPDX-License-Identifier: MIT */
/*
 * The console's UART drivers on registers that the test plays: spacing and width of every access, no change of speed.
 *
 * The registers are words at their offsets; what a 16550 shows at an offset that is read and written with different
 * meaning is set by the test. Every access is checked as it is made, so a driver that touches anything else fails.
 *
 * For interrupts the registers are those of a 16550 whose causes are there until each is ended as its manual asks; its
 * line is a level. The console's loop and the library's os2/interrupt.h run on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch_user.h"
#include "console/terminal.h"
#include "drivers/uart.h"
#include "os2/call.h"
#include "os2/interrupt.h"
#include "os2/time.h"

#define BASE 0x10000000u
enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, USR = 31 }; /* of a 16550, as register numbers */
enum { TXDATA, RXDATA, TXCTRL, RXCTRL, IE, IP, DIV };      /* of SiFive's */
enum { LSR_DATA = 1, LSR_EMPTY = 0x20, LSR_IDLE = 0x40 };

static struct uart uart;
static uint32_t to_read[32], written[32];
static unsigned reads[32], writes[32];

/* Causes that are there, by their numbers in the IIR, as bits. */
enum { CAUSE_MODEM = 0, CAUSE_TRANSMIT = 2, CAUSE_DATA = 4, CAUSE_LINE = 6, CAUSE_BUSY = 7, CAUSE_TIMEOUT = 12 };
#define CAUSE_STRANGE 10 /* no 16550 has it: nothing ends it */
static bool plays;       /* the registers are played, not words */
static unsigned causes;
static uint8_t fifo[16];
static unsigned fifo_used;

static bool play_line(void) {
    unsigned masked = (written[IER] & 1 ? 0 : 1u << CAUSE_DATA) | (written[IER] & 2 ? 0 : 1u << CAUSE_TRANSMIT);
    return ((causes | (fifo_used ? 1u << CAUSE_DATA : 0)) & ~masked) != 0;
}

static uint32_t play_cause(void) {
    static const unsigned order[] = {CAUSE_LINE,  CAUSE_DATA, CAUSE_TIMEOUT, CAUSE_TRANSMIT,
                                     CAUSE_MODEM, CAUSE_BUSY, CAUSE_STRANGE};
    unsigned now = causes | (fifo_used ? 1u << CAUSE_DATA : 0);

    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (!(now & 1u << order[i]))
            continue;
        if (order[i] == CAUSE_TRANSMIT)
            causes &= ~(1u << CAUSE_TRANSMIT);
        return 0xc0 | order[i];
    }
    return 0xc1;
}

/* What a read shows, and ends. */
static uint32_t play_read(unsigned reg) {
    uint8_t byte = fifo[0];

    switch (reg) {
    case DATA:
        causes &= ~(1u << CAUSE_TIMEOUT);
        if (fifo_used)
            memmove(fifo, fifo + 1, --fifo_used);
        return byte;
    case IIR_FCR:
        return play_cause();
    case LSR:
        causes &= ~(1u << CAUSE_LINE);
        return LSR_EMPTY | LSR_IDLE | (fifo_used ? LSR_DATA : 0);
    case MSR:
        causes &= ~(1u << CAUSE_MODEM);
        return 0;
    case USR:
        causes &= ~(1u << CAUSE_BUSY);
        return 0;
    default:
        return to_read[reg];
    }
}

static unsigned reg_at(uint64_t at, unsigned width) {
    assert_int_equal(width, uart.width);
    assert_int_equal((at - BASE) & ((1u << uart.shift) - 1), 0);
    assert_true(at >= BASE && (at - BASE) >> uart.shift < 32);
    return (unsigned)((at - BASE) >> uart.shift);
}

uint32_t arch_device_read(uint64_t at, unsigned width) {
    unsigned reg = reg_at(at, width);
    reads[reg]++;
    return plays ? play_read(reg) : to_read[reg];
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
    plays = false;
    causes = fifo_used = 0;
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
    assert_int_equal(reads[USR] > 0, dw_apb);
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

/* ---- Interrupts. ---- */

#define IRQ_HANDLE 5u
#define POLL_MS 3u
static uint64_t now; /* ms */
static unsigned acknowledged, bound, lines;
static char said[1000];

int os2_irq_bind(unsigned irq, uint64_t bits) {
    assert_int_equal(irq, IRQ_HANDLE);
    assert_int_equal(bits, 1);
    bound++;
    return OS2_OK;
}

int os2_irq_ack(unsigned irq) {
    assert_int_equal(irq, IRQ_HANDLE);
    acknowledged++;
    return OS2_OK;
}

uint64_t os2_clock(uint64_t *ret_rate) {
    if (ret_rate)
        *ret_rate = 1000;
    return now;
}

int os2_log_write(unsigned machine, const char *text, unsigned length) {
    (void)machine;
    size_t used = strlen(said);
    assert_true(used + length < sizeof said);
    memcpy(said + used, text, length);
    said[used + length] = 0;
    for (unsigned i = 0; i < length; i++)
        lines += text[i] == '\n';
    return OS2_OK;
}

void arch_syscall(uint64_t *slots) {
    fail_msg("a driver sleeps: call %u", (unsigned)slots[0] & OS2_NUMBER_MASK);
}

#define MACHINE_HANDLE 7u
static unsigned firmware_puts;
static int firmware_has; /* a byte, or a status */

int os2_firmware_put(unsigned machine, uint8_t byte) {
    (void)byte;
    assert_int_equal(machine, MACHINE_HANDLE);
    firmware_puts++;
    return OS2_OK;
}

int os2_firmware_get(unsigned machine) {
    int got = firmware_has;
    assert_int_equal(machine, MACHINE_HANDLE);
    firmware_has = OS2_E_WOULD_WAIT;
    return got;
}

static bool no_interrupt(void) {
    return false;
}

static struct terminal terminal;
static struct os2_interrupt interrupt;

static void begin_console(bool dw_apb) {
    begin(&uart_ns16550, 2, 4, dw_apb);
    plays = true;
    acknowledged = bound = lines = 0;
    said[0] = 0;
    now = 1000;
    memset(&terminal, 0, sizeof terminal);
    terminal_start(&terminal, &uart, no_interrupt);
    os2_interrupt_open(&interrupt, "test: the UART", 2, IRQ_HANDLE, 1, POLL_MS);
    assert_int_equal(bound, 1);
}

/* As the console does while the line is up and the interrupt is let in; how many interrupts it took. */
static unsigned serve(unsigned most) {
    unsigned count = 0;

    while (play_line() && interrupt.handle && count < most) {
        uint64_t moved = terminal.moved;
        unsigned before = acknowledged;

        count++;
        uart.driver->interrupt(&uart);
        terminal_pump(&terminal);
        os2_interrupt_served(&interrupt, terminal.moved != moved);
        assert_int_equal(acknowledged, before + (interrupt.handle != 0));
    }
    return count;
}

/* Every cause, alone and with each other, is ended in at most two interrupts, and no byte is lost. */
static void test_causes(void **state) {
    static const unsigned all[] = {CAUSE_LINE, CAUSE_TIMEOUT, CAUSE_TRANSMIT, CAUSE_MODEM, CAUSE_BUSY};
    char got[sizeof fifo];
    bool expected;

    (void)state;
    for (unsigned set = 1; set < 32; set++) {
        for (unsigned bytes = 0; bytes < 4; bytes++) {
            begin_console(true);
            for (unsigned i = 0; i < 5; i++)
                causes |= set & 1u << i ? 1u << all[i] : 0;
            memcpy(fifo, "keys", bytes);
            fifo_used = bytes;
            expected = play_line(); /* an empty transmitter alone is not asked for */
            assert_in_range(serve(100), expected, 2);
            assert_false(play_line());
            assert_int_equal(causes & ~(1u << CAUSE_TRANSMIT), 0);
            assert_int_equal(terminal_peek(&terminal, got, sizeof got, false), bytes);
            assert_memory_equal(got, "keys", bytes);
            assert_int_equal(lines, 0);
            assert_int_equal(os2_interrupt_deadline(&interrupt), OS2_FOREVER);
        }
    }
}

/* A UART that is not DesignWare's has no status register to read: its address may be another device's. */
static void test_no_busy(void **state) {
    (void)state;
    begin_console(false);
    causes = 1u << CAUSE_BUSY;
    assert_int_equal(serve(1000), OS2_INTERRUPT_IDLE);
    assert_int_equal(reads[USR], 0);
}

/* A line that nothing brings down: one line in the log, and polls, by which all goes on. */
static void test_storm(void **state) {
    char got[4];

    (void)state;
    begin_console(true);
    causes = 1u << CAUSE_STRANGE;
    assert_int_equal(serve(1000000), OS2_INTERRUPT_IDLE);
    assert_int_equal(acknowledged, OS2_INTERRUPT_IDLE - 1);
    assert_int_equal(lines, 1);
    assert_string_equal(said, "test: the UART interrupts without end and without work: it is polled, every 3 ms\n");
    assert_int_equal(os2_interrupt_deadline(&interrupt), now + POLL_MS);
    os2_interrupt_served(&interrupt, true); /* one that was on its way */
    assert_int_equal(acknowledged, OS2_INTERRUPT_IDLE - 1);

    fifo[0] = 'k';
    fifo_used = 1;
    assert_int_equal(terminal_write(&terminal, "abc", 3), 3);
    terminal_pump(&terminal);
    assert_int_equal(terminal_peek(&terminal, got, sizeof got, false), 1);
    assert_int_equal(writes[DATA], 3);
    assert_int_equal(lines, 1);
}

/* Interrupts without work that come now and then, or between others, are no storm. */
static void test_no_storm(void **state) {
    (void)state;
    begin_console(true);
    for (unsigned i = 0; i < 1000; i++) {
        os2_interrupt_served(&interrupt, false);
        now += OS2_INTERRUPT_WINDOW_MS / (OS2_INTERRUPT_IDLE - 1) + 1;
    }
    for (unsigned i = 0; i < 1000; i++)
        os2_interrupt_served(&interrupt, i % OS2_INTERRUPT_IDLE == 0);
    assert_int_equal(acknowledged, 2000);
    assert_int_equal(lines, 0);
    assert_int_equal(os2_interrupt_deadline(&interrupt), OS2_FOREVER);
}

static void test_no_interrupt(void **state) {
    (void)state;
    begin_console(true);
    os2_interrupt_open(&interrupt, "test: the UART", 2, 0, 1, POLL_MS);
    assert_int_equal(bound, 1);
    assert_string_equal(said, "test: the UART has no interrupt: it is polled, every 3 ms\n");
    assert_int_equal(os2_interrupt_deadline(&interrupt), now + POLL_MS);
}

/* The firmware's console takes as much at a time as the smallest FIFO can receive meanwhile, then nothing for a while,
 * so that its input is looked at; and what it took is not taken for sent at once. */
static void test_firmware(void **state) {
    char got[4];
    (void)state;
    now = 1000;
    firmware_puts = 0;
    firmware_has = OS2_E_WOULD_WAIT;
    uart = (struct uart){.driver = &uart_firmware, .machine = MACHINE_HANDLE, .width = 1};
    memset(&terminal, 0, sizeof terminal);
    terminal_start(&terminal, &uart, no_interrupt);
    assert_true(terminal_idle(&terminal));
    assert_int_equal(terminal_write(&terminal, "0123456789abcdefghij", 20), 20);
    for (unsigned wanted = 8; wanted < 20; wanted += 8, now++) {
        firmware_has = 'k';
        for (unsigned i = 0; i < 5; i++)
            terminal_pump(&terminal);
        assert_int_equal(firmware_puts, wanted);
        assert_int_equal(terminal_peek(&terminal, got, sizeof got, false), wanted / 8);
        assert_int_equal(got[0], 'k');
    }
    terminal_pump(&terminal);
    assert_int_equal(firmware_puts, 20);
    assert_int_equal(terminal_sent(&terminal), 20);
    assert_false(terminal_idle(&terminal));
    now += 2;
    assert_true(terminal_idle(&terminal));
    firmware_has = OS2_E_CALL; /* no byte: nothing comes of it */
    terminal_pump(&terminal);
    assert_int_equal(terminal_peek(&terminal, got, sizeof got, false), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_16550),    cmocka_unit_test(test_16550_without_fifo),
        cmocka_unit_test(test_sifive),   cmocka_unit_test(test_causes),
        cmocka_unit_test(test_no_busy),  cmocka_unit_test(test_storm),
        cmocka_unit_test(test_no_storm), cmocka_unit_test(test_no_interrupt),
        cmocka_unit_test(test_firmware),
    };

    return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
