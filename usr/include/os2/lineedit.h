/* SPDX-License-Identifier: MIT */
/*
 * A line editor. Pure: bytes typed go in one at a time, bytes for the terminal come out through a function; the caller
 * reads and waits. usr/lib/lineedit.c says how it works.
 */
#ifndef OS2_LINEEDIT_H
#define OS2_LINEEDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/format.h"

#define OS2_LINE_MAX 4096 /* bytes of a line, without its zero */

enum os2_line_event {
    OS2_LINE_MORE,   /* the line goes on */
    OS2_LINE_DONE,   /* Enter: the line is in `line` */
    OS2_LINE_CANCEL, /* ^C: the line is thrown away */
    OS2_LINE_END     /* ^D on an empty line */
};

struct os2_lineedit {
    format_sink *put;
    void *put_context;
    const char *prompt;
    char *history; /* may be null: lines ended by zeros, oldest first */
    size_t history_size, history_used;
    size_t browse; /* offset in history of the line shown; history_used: the line being typed */
    size_t length, cursor;
    unsigned escape; /* 0: none; 1: after ESC; 2: after ESC [ or ESC O */
    unsigned escape_number;
    char character[4]; /* the bytes so far of one typed; UTF-8 */
    size_t character_used, character_size;
    bool after_return; /* the byte before was \r: a \n now is the same key */
    char line[OS2_LINE_MAX + 1];
    char typed[OS2_LINE_MAX + 1]; /* the line being typed, while history is shown */
};

/* Sets the editor up. `history` holds `history_size` bytes, or is null. */
void os2_lineedit_init(struct os2_lineedit *e, format_sink *put, void *context, char *history, size_t history_size);

/* Starts a line: shows the prompt. */
void os2_lineedit_begin(struct os2_lineedit *e, const char *prompt);

/* Takes one byte. After anything but OS2_LINE_MORE, os2_lineedit_begin comes next. */
enum os2_line_event os2_lineedit_key(struct os2_lineedit *e, char byte);

#endif
