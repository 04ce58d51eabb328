/* SPDX-License-Identifier: MIT */
/*
 * The shell's terminal: what it prints, and the lines it reads.
 */
#ifndef SHELL_TERMINAL_H
#define SHELL_TERMINAL_H

#include <stddef.h>

/* Prints; what is printed goes out when a line or the buffer is full, or by terminal_flush. */
void terminal_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void terminal_flush(void);

/* Prepares terminal_read_line(). */
void terminal_init(void);

/* Asks for a line. Null: the input is at its end. The line is good until the next call. */
const char *terminal_read_line(void);

#endif
