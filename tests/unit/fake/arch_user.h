/* SPDX-License-Identifier: MIT */
/* A program's machine, as a test plays it: device registers are the test's functions. */
#ifndef FAKE_ARCH_USER_H
#define FAKE_ARCH_USER_H

#include <stdint.h>

uint32_t arch_device_read(uint64_t at, unsigned width);
void arch_device_write(uint64_t at, unsigned width, uint32_t value);
uint8_t arch_io_read(uint16_t port);
void arch_io_write(uint16_t port, uint8_t value);

#endif
