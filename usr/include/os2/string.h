/* SPDX-License-Identifier: MIT */
/* Bytes and strings: the few functions of the C library that lib/string.h has, and three of our own. */
#ifndef OS2_STRING_H
#define OS2_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/string.h"

/* Copies `from` with its zero into `to`, cut to fit `size` (at least 1). True if it fitted whole. */
bool os2_string_copy(char *to, size_t size, const char *from);

/* Reads a number, decimal or 0x-hexadecimal, that is the whole text. False (and no change) if it is none or over 64
 * bits. */
bool os2_string_number(const char *text, uint64_t *ret_number);

/* The same with K, M or G (2^10, 2^20, 2^30) allowed at the end. */
bool os2_string_size(const char *text, uint64_t *ret_size);

#endif
