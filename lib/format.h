/* SPDX-License-Identifier: MIT */
/*
 * Formatted text, for the kernel's log and for programs: the part of printf that they need.
 *
 *     %[-][0][width][l](d|u|x)   numbers; - puts the padding behind, 0 pads with zeros
 *     %[-][width][.most]s        a string, or that much of it
 *     %[-][width](c|p), %%       %p is hexadecimal with 0x
 *
 * Each of the numbers may be a *, which takes it from the arguments.
 *
 * The meaning of each is printf's. Anything else is copied as it stands: a line with a wrong conversion in it is still
 * worth reading, and gcc checks the callers.
 */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Takes the next piece of a text. */
typedef void format_sink(void *context, const char *text, size_t length);

/* Gives the text to `put`, piece by piece. Returns its length. */
size_t format_out(format_sink *put, void *context, const char *text, va_list list);

/* Writes at most size - 1 bytes and a zero to `to` (nothing if size is 0). Returns the length of the whole text, which
 * was cut if that is size or more. */
__attribute__((format(printf, 3, 0))) size_t format_list(char *to, size_t size, const char *text, va_list list);
__attribute__((format(printf, 3, 4))) size_t format(char *to, size_t size, const char *text, ...);

#endif
