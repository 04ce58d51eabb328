/* SPDX-License-Identifier: MIT */
/*
 * How the line editor shows a line (usr/lib/lineedit.c).
 *
 * A place on the terminal is counted in columns from the prompt's start on, as if the rows that the line takes were one
 * long row: place / width is the row, the rest the column. What a character does to the place is known without the
 * terminal's help: it takes 0, 1 or 2 columns, and one of 2 that finds only 1 left in a row goes to the next.
 *
 * A terminal that has filled its last column does not go to the next row before the next character. So that the
 * cursor's place is always certain, a text that ends with a full row gets a blank behind it, and a return.
 *
 * Text is printed from some place up to the end of the line, never a piece in the middle; the cursor moves without
 * printing anything.
 */
#include "os2/string.h"
#include "os2/text.h"
#include "usr/lib/lineedit_parts.h"

void draw_put(struct os2_lineedit *e, const char *text) {
    size_t length = strlen(text);
    if (length)
        e->put(e->put_context, text, length);
}

/* The place behind a character at `place`. */
static size_t place_after(const struct os2_lineedit *e, size_t place, uint32_t code) {
    unsigned columns = os2_text_width(code);
    bool wraps = columns == 2 && place % e->width == e->width - 1;
    return place + columns + wraps;
}

static size_t place_behind(const struct os2_lineedit *e, size_t place, const char *text, size_t size) {
    uint32_t code;

    for (size_t at = 0; at < size;) {
        at += os2_text_decode(text + at, size - at, &code);
        place = place_after(e, place, code);
    }
    return place;
}

static const char *prompt_of(const struct os2_lineedit *e) {
    return e->searching ? e->search_prompt : e->prompt;
}

/* The place of that byte of the line. */
static size_t place_of(const struct os2_lineedit *e, size_t at) {
    const char *prompt = prompt_of(e);

    if (at == e->length)
        return e->end;
    return place_behind(e, place_behind(e, 0, prompt, strlen(prompt)), e->line, at);
}

/* Prints characters from the terminal's cursor on, which moves. */
static void draw_text(struct os2_lineedit *e, const char *text, size_t size) {
    uint32_t code;

    for (size_t at = 0; at < size;) {
        size_t length = os2_text_decode(text + at, size - at, &code);
        if (os2_text_width(code) == 2 && e->place % e->width == e->width - 1)
            draw_put(e, " ");
        e->put(e->put_context, text + at, length);
        e->place = place_after(e, e->place, code);
        at += length;
    }
}

/* A sequence with a number: up, down, right, left. */
static void draw_move(struct os2_lineedit *e, size_t count, char letter) {
    char text[32];

    if (!count)
        return;
    if (letter == 'D' && count <= 4) {
        while (count--)
            draw_put(e, "\b");
        return;
    }
    format(text, sizeof(text), "\x1b[%lu%c", (unsigned long)count, letter);
    draw_put(e, text);
}

static void draw_go(struct os2_lineedit *e, size_t to) {
    size_t row = e->place / e->width, column = e->place % e->width, to_row = to / e->width, to_column = to % e->width;

    if (row != to_row) {
        draw_move(e, row > to_row ? row - to_row : to_row - row, row > to_row ? 'A' : 'B');
        draw_put(e, "\r");
        column = 0;
    }
    if (column > to_column)
        draw_move(e, column - to_column, 'D');
    else
        draw_move(e, to_column - column, 'C');
    e->place = to;
}

/* What was printed, if anything, is the end of the line: takes away what stood behind it. */
static void draw_end(struct os2_lineedit *e, bool printed) {
    size_t before = e->end;

    if (printed && e->place && e->place % e->width == 0)
        draw_put(e, " \r");
    if (before > e->place)
        draw_put(e, before / e->width == e->place / e->width ? "\x1b[K" : "\x1b[J"); /* to the end of the row; of all */
    e->end = e->place;
}

void draw_from(struct os2_lineedit *e, size_t from) {
    draw_text(e, e->line + from, e->length - from);
    draw_end(e, e->length > from);
}

void draw_cursor(struct os2_lineedit *e, size_t at) {
    e->cursor = at;
    draw_go(e, place_of(e, at));
}

void os2_lineedit_show(struct os2_lineedit *e) {
    const char *prompt = prompt_of(e);

    e->place = e->end = 0;
    draw_text(e, prompt, strlen(prompt));
    draw_text(e, e->line, e->length);
    draw_end(e, true);
    draw_cursor(e, e->cursor);
}

void draw_all(struct os2_lineedit *e) {
    size_t end = e->end;

    draw_go(e, 0);
    draw_put(e, end >= e->width ? "\x1b[J" : "\x1b[K");
    os2_lineedit_show(e);
}

void draw_width(struct os2_lineedit *e, size_t width) {
    bool rows = e->end >= e->width || e->end >= width;

    if (rows)
        draw_go(e, 0);
    e->width = width;
    if (rows) {
        draw_put(e, "\x1b[J");
        os2_lineedit_show(e);
    }
}
