/* SPDX-License-Identifier: MIT */
/*
 * SiFive's SPI controller, as the FU540-C000's manual describes it (chapter 19), and the FU740 has it too.
 *
 * Its clock is not in the device tree: the node names an output of the chip's clock controller, whose rate only that
 * controller's registers say. It is 500 MHz at the most on the FU540, and about 130 MHz on the FU740. With a divider
 * for 500 MHz the FU740's bus is a quarter as fast as was asked, which every card takes: 100 kHz is allowed where
 * 400 kHz is.
 *
 * Chip select has three modes: AUTO selects the device around each frame, HOLD from the first one until the mode is
 * changed, OFF leaves the line alone. OFF after AUTO is the only way to have clock without the device.
 */
#include "drivers/spi.h"

#include "arch_user.h"
#include "os2/call.h"
#include "os2/time.h"

enum {
    SCKDIV = 0x00,
    SCKMODE = 0x04,
    CSID = 0x10,
    CSMODE = 0x18,
    DELAY0 = 0x28,
    DELAY1 = 0x2c,
    FMT = 0x40,
    TXDATA = 0x48,
    RXDATA = 0x4c,
    FCTRL = 0x60,
    IE = 0x70
};
enum { CSMODE_AUTO = 0, CSMODE_HOLD = 2, CSMODE_OFF = 3 };
#define DIVIDER_MOST 0xfffu
#define FMT_8_BITS 0x80000u /* one line each way, most significant bit first, what comes is kept */
#define DELAY0_ONE 0x10001u /* one clock between select and the first, and after the last */
#define DELAY1_ONE 1u       /* one clock unselected, none between frames */
#define RXDATA_EMPTY 0x80000000u
#define DEPTH 8u
#define CLOCK_MOST_HZ 500000000u
#define STOPPED_MS 100u /* eight bytes at 10 kHz take 7 ms */
#define LOOKS 256u      /* at an empty queue, until the clock is looked at */

static uint32_t get(const struct spi *spi, unsigned reg) {
    return arch_device_read(spi->base + reg, 4);
}

static void put(const struct spi *spi, unsigned reg, uint32_t value) {
    arch_device_write(spi->base + reg, 4, value);
}

void spi_open(struct spi *spi, uint64_t base, uint32_t clock_hz, unsigned line) {
    *spi = (struct spi){.base = base, .clock_hz = clock_hz ? clock_hz : CLOCK_MOST_HZ, .line = line};
    put(spi, IE, 0);
    put(spi, FCTRL, 0); /* registers, not the flash that some controllers map */
    put(spi, SCKMODE, 0);
    put(spi, CSID, line);
    put(spi, CSMODE, CSMODE_AUTO);
    put(spi, DELAY0, DELAY0_ONE);
    put(spi, DELAY1, DELAY1_ONE);
    put(spi, FMT, FMT_8_BITS);
    for (unsigned i = 0; i < DEPTH; i++) /* what the driver before this one left */
        get(spi, RXDATA);
}

/* The bus runs at clock / (2 * (divider + 1)). */
void spi_speed(struct spi *spi, uint32_t hz) {
    uint64_t twice = hz ? 2 * (uint64_t)hz : 1, divider = (spi->clock_hz + twice - 1) / twice;

    divider = divider ? divider - 1 : 0;
    put(spi, SCKDIV, (uint32_t)(divider < DIVIDER_MOST ? divider : DIVIDER_MOST));
}

void spi_select(struct spi *spi, bool on) {
    put(spi, CSMODE, on ? CSMODE_HOLD : CSMODE_AUTO);
}

/* Waits for the next byte. */
static bool take(const struct spi *spi, uint8_t *ret_byte) {
    uint64_t limit = 0;

    for (;;) {
        for (unsigned i = 0; i < LOOKS; i++) {
            uint32_t value = get(spi, RXDATA);
            if (value & RXDATA_EMPTY)
                continue;
            *ret_byte = (uint8_t)value;
            return true;
        }
        if (!limit)
            limit = os2_deadline_ms(STOPPED_MS);
        else if (os2_clock(NULL) >= limit)
            return false;
    }
}

/* Never more are under way than one queue holds, so that both have room. */
bool spi_move(struct spi *spi, const uint8_t *out, uint8_t *in, size_t count) {
    size_t sent = 0, come = 0;
    uint8_t byte;

    while (come < count) {
        for (; sent < count && sent - come < DEPTH; sent++)
            put(spi, TXDATA, out ? out[sent] : 0xff);
        if (!take(spi, &byte))
            return false;
        if (in)
            in[come] = byte;
        come++;
    }
    return true;
}

bool spi_clocks(struct spi *spi, size_t count) {
    bool good;

    put(spi, CSMODE, CSMODE_OFF);
    good = spi_move(spi, NULL, NULL, count);
    put(spi, CSMODE, CSMODE_AUTO);
    return good;
}
