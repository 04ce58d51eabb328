/* SPDX-License-Identifier: MIT */
/*
 * Formatted output, pure: text goes to a function the caller gives.
 *
 * %s %c %d %u %x %p %%, with l for 64 bits, a width (or * for one from the arguments), - for left and 0 for zero
 * padding, and .N (or .*) for the longest part of a string. What is none of these is copied as it stands.
 */
#ifndef OS2_FORMAT_H
#define OS2_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

typedef void os2_put_function(void *context, const char *text, size_t length);

/* Returns how many bytes it put. */
size_t os2_format(os2_put_function *put, void *context, const char *format, va_list arguments);

/* Writes at most size - 1 bytes and a zero (size at least 1); returns how many it would have liked to write. */
size_t os2_format_buffer_list(char *buffer, size_t size, const char *format, va_list arguments);
size_t os2_format_buffer(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
