/* SPDX-License-Identifier: MIT */
/*
 * The shell's terminal: what it prints, and the lines it reads.
 */
#ifndef SHELL_TERMINAL_H
#define SHELL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "os2/lineedit.h"

/* Prints; what is printed goes out when a line or the buffer is full, or by terminal_flush. */
void terminal_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void terminal_flush(void);

/* The same, but on the console even where output is redirected. */
void terminal_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is printed goes to this file, which is there; null: to the console again. False: said what went wrong. */
bool terminal_redirect(const char *path, bool append);

/* Prepares terminal_read_line(). `complete` is asked at a tab. */
void terminal_init(os2_complete_function *complete);

/* Asks for a line, behind this prompt. *ret_line is good until the next call. */
enum os2_line_event terminal_read_line(const char *prompt, const char **ret_line);

/* How wide the terminal is; 0: it has not been asked. */
unsigned terminal_columns(void);

/* The older lines: adds one; the one at *at, which moves on, or null behind the last one. */
void terminal_remember(const char *line);
const char *terminal_history(size_t *at);

#endif
