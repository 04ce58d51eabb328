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

#define OS2_LINE_MAX 4096   /* bytes of a line, without its zero */
#define OS2_LINE_COLUMNS 80 /* of a terminal that has not said how wide it is */
#define OS2_LINE_QUERY 64   /* bytes of what is searched for */
#define OS2_LINE_NAMES 8192 /* bytes of names that a completion offers */

enum os2_line_event {
    OS2_LINE_MORE,   /* the line goes on */
    OS2_LINE_DONE,   /* Enter: the line is in `line` */
    OS2_LINE_CANCEL, /* ^C: the line is thrown away */
    OS2_LINE_END     /* ^D on an empty line */
};

/* What the word at the cursor may become. */
struct os2_completions {
    size_t from; /* where in the line the piece begins that the names take the place of */
    unsigned count;
    size_t used;
    bool cut;                   /* there are more than there is room for */
    char names[OS2_LINE_NAMES]; /* each with its zero; one that ends with a '/' is not finished with that */
};

/* Fills in `from` and the names, by os2_completion_add(). */
typedef void os2_complete_function(void *context, const char *line, size_t cursor, struct os2_completions *ret);

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

    /* The terminal: places are counted in columns from the prompt's start on, over the ends of rows. */
    size_t width;      /* columns of a row */
    size_t place, end; /* where its cursor is; where the line that it shows ends */
    bool asked;        /* it may say how wide it is */

    bool searching, found;
    char query[OS2_LINE_QUERY];
    size_t query_length;
    char search_prompt[OS2_LINE_QUERY + 32];

    os2_complete_function *complete; /* null: a tab is a blank */
    void *complete_context;
    struct os2_completions *completions;
    bool tabbed; /* the key before was a tab that could do nothing */

    char line[OS2_LINE_MAX + 1];
    char typed[OS2_LINE_MAX + 1]; /* the line being typed, while history is shown */
};

/* Sets the editor up. `history` holds `history_size` bytes, or is null. */
void os2_lineedit_init(struct os2_lineedit *e, format_sink *put, void *context, char *history, size_t history_size);

/* From now on a tab completes the word before the cursor. */
void os2_lineedit_completion(struct os2_lineedit *e, os2_complete_function *complete, void *context,
                             struct os2_completions *completions);
void os2_completion_add(struct os2_completions *c, const char *name);

/* Asks the terminal how wide it is, at the start of a row. The answer comes as keys; nobody waits for it. */
void os2_lineedit_ask(struct os2_lineedit *e);

/* Adds a line to the history, unless it is empty, too long for the buffer, or the same as the last. False: it is. */
bool os2_lineedit_remember(struct os2_lineedit *e, const char *line);

/* Starts a line: shows the prompt. */
void os2_lineedit_begin(struct os2_lineedit *e, const char *prompt);

/* Shows prompt and line afresh, on a row of their own that the caller has begun. */
void os2_lineedit_show(struct os2_lineedit *e);

/* Takes one byte. After anything but OS2_LINE_MORE, os2_lineedit_begin comes next. */
enum os2_line_event os2_lineedit_key(struct os2_lineedit *e, char byte);

#endif
