/* SPDX-License-Identifier: MIT */
/*
 * Formatted text for the kernel's log: the part of printf that it needs.
 *
 *     %[0][width][l](d|u|x)   numbers; the width is decimal, with 0 the field is filled with zeros
 *     %s, %%
 *
 * The meaning of each is printf's. Anything else is copied as it stands: a log line with a wrong conversion in it is
 * still worth reading, and gcc checks the callers.
 */
#ifndef CORE_FORMAT_H
#define CORE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size - 1 bytes and a zero to `to` (nothing if size is 0). Returns the length of the whole text, which
 * was cut if that is size or more. */
__attribute__((format(printf, 3, 0))) size_t format_list(char *to, size_t size, const char *text, va_list list);
__attribute__((format(printf, 3, 4))) size_t format(char *to, size_t size, const char *text, ...);

#endif
