/* SPDX-License-Identifier: MIT */
/*
 * Bytes and strings: the few functions of the C library that a freestanding compiler may call by itself, with their
 * standard names and meaning, and three of our own.
 */
#ifndef OS2_STRING_H
#define OS2_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

/* Copies `from` with its zero into `to`, cut to fit `size` (at least 1). True if it fitted whole. */
bool os2_string_copy(char *to, size_t size, const char *from);

/* Reads a number, decimal or 0x-hexadecimal, that is the whole text. False (and no change) if it is none or over 64
 * bits. */
bool os2_string_number(const char *text, uint64_t *ret_number);

/* The same with K, M or G (2^10, 2^20, 2^30) allowed at the end. */
bool os2_string_size(const char *text, uint64_t *ret_size);

#endif
