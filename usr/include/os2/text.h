/* SPDX-License-Identifier: MIT */
/*
 * Characters: UTF-8, and how many columns of a terminal a character takes. Pure.
 */
#ifndef OS2_TEXT_H
#define OS2_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does this byte go on with a character that another has begun? */
static inline bool os2_text_continues(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* How many bytes a character has that begins with this one, 1 to 4; 0: none begins so. */
unsigned os2_text_size(char first);

/* Reads a character; returns how many bytes it has. A byte that begins none counts as one, U+FFFD. 0: size is 0. */
size_t os2_text_decode(const char *text, size_t size, uint32_t *ret_code);

/* How many columns the character takes: 0 (it combines with the one before, or is a control character), 1 or 2. */
unsigned os2_text_width(uint32_t code);

/* The same for all of a text. */
size_t os2_text_columns(const char *text, size_t size);

#endif
