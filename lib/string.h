/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings, for kernel and programs: the C library's names and meanings.
 *
 * gcc may call the four mem functions by itself, so they must exist under these names. In a host test the C library's
 * own serve instead, and this header only declares them.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);

#endif
