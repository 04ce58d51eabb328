/* SPDX-License-Identifier: MIT */
/*
 * A controller of the serial bus SPI with one device on it, as the device's driver uses it: bytes go out and as many
 * come in at the same time. spi_sifive.c is the one controller that there is.
 *
 * Bytes are moved by this process, eight at a time, for that is the depth of the controller's queues. At 20 MHz eight
 * bytes take 3 us. That is less than an interrupt and two switches take, so the controller's watermark interrupts are
 * not used: the driver reads the queue until the bytes are there. Long waits are the device's, for a card that writes,
 * say. Its driver sleeps in them (sd_card.c).
 */
#ifndef DRIVERS_SPI_H
#define DRIVERS_SPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spi {
    uint64_t base;     /* of the registers, as this process sees them */
    uint32_t clock_hz; /* what goes into the divider */
    unsigned line;     /* the device's chip select */
};

/* Sets the controller up: mode 0, eight bits, the most significant first; the device is not selected. `clock_hz` 0: it
 * is not known, and the fastest that the boards have is assumed, so that the bus is never faster than it was asked. */
void spi_open(struct spi *spi, uint64_t base, uint32_t clock_hz, unsigned line);

/* The bus is this fast at the most. */
void spi_speed(struct spi *spi, uint32_t hz);

void spi_select(struct spi *spi, bool on);

/* Moves `count` bytes. Without `out` all that goes out is 0xff; without `in` what comes is dropped. False: the
 * controller has stopped. */
bool spi_move(struct spi *spi, const uint8_t *out, uint8_t *in, size_t count);

/* `count` bytes of clock with the device not selected. */
bool spi_clocks(struct spi *spi, size_t count);

#endif
