/* SPDX-License-Identifier: MIT */
/*
 * A line editor (os2/lineedit.h).
 *
 * A state machine that is fed one byte at a time, so that bytes behind an Enter stay with the caller for the next line:
 * pasting many lines loses nothing.
 *
 * Keys: Enter, Backspace/^H, Delete, arrows, Home/End, ^A ^E ^B ^F ^P ^N, ^U ^K ^W (erase to the start, to the end, the
 * word before), ^L, ^R (search for an older line), Tab (completion), ^C, ^D. A byte below 32 that is none of these is
 * ignored; where there is no completion a tab counts as a space. A character over OS2_LINE_MAX rings the bell, and so
 * does one at the line's start that combines with nothing.
 *
 * Text is UTF-8: keys act on whole characters, together with what combines with them. One that is typed enters the line
 * when its last byte has come, and bytes that begin or continue none are ignored.
 *
 * Whoever sets the editor up says how wide the terminal is, or has it asked: it is sent as far right as it goes, and
 * then asked where its cursor is. It answers with keys (ESC [ row ; column R), which are taken when they come; without
 * an answer it has OS2_LINE_COLUMNS. The prompt is taken to begin in the first column. So, in a program that has begun
 * the line with a text of its own, a line over several rows may be shown in the wrong place, and in a terminal whose
 * width has changed; ^L asks again and shows all afresh. What is in the line is right in any case.
 *
 * Parts: lineedit_draw.c shows the line, lineedit_history.c has the older ones, lineedit_complete.c the names.
 */
#include "os2/string.h"
#include "os2/text.h"
#include "usr/lib/lineedit_parts.h"

#define CTRL(letter) ((letter)-64)
#define COLUMNS_LEAST 8u
#define COLUMNS_MOST 999u /* as far right as the question goes */

/* Does what begins at this byte of the line belong to the character before it? */
static bool line_combines(const struct os2_lineedit *e, size_t at) {
    uint32_t code;

    if (at == 0 || at >= e->length)
        return false;
    os2_text_decode(e->line + at, e->length - at, &code);
    return os2_text_continues(e->line[at]) || os2_text_width(code) == 0;
}

/* Where the character begins that the byte at `at` belongs to. */
static size_t line_base(const struct os2_lineedit *e, size_t at) {
    while (at > 0 && line_combines(e, at))
        at--;
    return at;
}

/* Where the character before the cursor begins; where the one at it ends. At the end of the line: the cursor. */
static size_t line_before(const struct os2_lineedit *e) {
    return e->cursor ? line_base(e, e->cursor - 1) : 0;
}
static size_t line_after(const struct os2_lineedit *e) {
    size_t at = e->cursor;
    while (at < e->length && line_combines(e, ++at)) {
    }
    return at;
}

void line_erase(struct os2_lineedit *e, size_t from, size_t to) {
    size_t base = line_base(e, from);

    if (from == to)
        return;
    draw_cursor(e, base);
    memmove(e->line + from, e->line + to, e->length - to);
    e->length -= to - from;
    draw_from(e, base);
    draw_cursor(e, from);
}

void line_insert(struct os2_lineedit *e, const char *text, size_t size) {
    size_t from = e->cursor, base;
    uint32_t code;

    os2_text_decode(text, size, &code);
    if (e->length + size > OS2_LINE_MAX || (from == 0 && os2_text_width(code) == 0)) {
        draw_put(e, "\a");
        return;
    }
    memmove(e->line + from + size, e->line + from, e->length - from);
    memcpy(e->line + from, text, size);
    e->length += size;
    base = line_base(e, from);
    if (base != from) /* a character that combines with the one before: that is shown again */
        draw_cursor(e, base);
    draw_from(e, base);
    draw_cursor(e, from + size);
}

void line_replace(struct os2_lineedit *e, const char *text) {
    draw_cursor(e, 0);
    os2_string_copy(e->line, sizeof(e->line), text);
    e->length = strlen(e->line);
    draw_from(e, 0);
    draw_cursor(e, e->length);
}

/* A byte of text. */
static void line_text(struct os2_lineedit *e, char byte) {
    if (!os2_text_continues(byte)) {
        e->character_used = 0;
        e->character_size = os2_text_size(byte);
    }
    if (os2_text_continues(byte) ? e->character_used == 0 : e->character_size == 0)
        return;
    e->character[e->character_used++] = byte;
    if (e->character_used < e->character_size)
        return;
    e->character_used = 0;
    if (e->searching)
        search_text(e, e->character, e->character_size);
    else
        line_insert(e, e->character, e->character_size);
}

static void line_word_erase(struct os2_lineedit *e) {
    size_t from = e->cursor;
    while (from > 0 && e->line[from - 1] == ' ')
        from--;
    while (from > 0 && e->line[from - 1] != ' ')
        from--;
    line_erase(e, from, e->cursor);
}

void os2_lineedit_init(struct os2_lineedit *e, format_sink *put, void *context, char *history, size_t history_size) {
    memset(e, 0, sizeof(*e));
    e->put = put;
    e->put_context = context;
    e->history = history;
    e->history_size = history ? history_size : 0;
    e->prompt = "";
    e->width = OS2_LINE_COLUMNS;
}

void os2_lineedit_ask(struct os2_lineedit *e) {
    e->asked = true;
    draw_put(e, "\x1b[999C\x1b[6n\r");
}

void os2_lineedit_begin(struct os2_lineedit *e, const char *prompt) {
    e->prompt = prompt;
    e->length = e->cursor = 0;
    e->escape = 0;
    e->character_used = 0;
    e->browse = e->history_used;
    e->searching = e->tabbed = false;
    e->line[0] = 0;
    os2_lineedit_show(e);
}

static enum os2_line_event line_finish(struct os2_lineedit *e) {
    draw_cursor(e, e->length);
    draw_put(e, "\n");
    e->line[e->length] = 0;
    os2_lineedit_remember(e, e->line);
    return OS2_LINE_DONE;
}

static void line_refresh(struct os2_lineedit *e) {
    draw_put(e, "\x1b[H\x1b[2J"); /* cursor home, clear */
    if (e->asked)
        os2_lineedit_ask(e);
    os2_lineedit_show(e);
}

/* The answer to the question for the width. */
static void line_width(struct os2_lineedit *e, unsigned columns) {
    if (e->asked && columns >= COLUMNS_LEAST && columns <= COLUMNS_MOST + 1 && columns != e->width)
        draw_width(e, columns);
}

/* A byte of an escape sequence: ESC [ or ESC O, digits, a letter or ~. */
static void line_escape(struct os2_lineedit *e, char byte) {
    if (e->escape == 1) {
        e->escape = byte == '[' || byte == 'O' ? 2 : 0;
        e->escape_number = 0;
        return;
    }
    if (byte >= '0' && byte <= '9') {
        e->escape_number = (e->escape_number * 10 + (unsigned)(byte - '0')) % 1000;
        return;
    }
    if (byte == ';') {
        e->escape_number = 0;
        return;
    }
    e->escape = 0;
    if (byte == 'A')
        history_older(e);
    else if (byte == 'B')
        history_newer(e);
    else if (byte == 'C')
        draw_cursor(e, line_after(e));
    else if (byte == 'D')
        draw_cursor(e, line_before(e));
    else if (byte == 'H' || (byte == '~' && (e->escape_number == 1 || e->escape_number == 7)))
        draw_cursor(e, 0);
    else if (byte == 'F' || (byte == '~' && (e->escape_number == 4 || e->escape_number == 8)))
        draw_cursor(e, e->length);
    else if (byte == 'R')
        line_width(e, e->escape_number);
    else if (byte == '~' && e->escape_number == 3)
        line_erase(e, e->cursor, line_after(e));
}

/* A key that changes the line or moves in it. */
static void line_control(struct os2_lineedit *e, char byte) {
    switch (byte) {
    case CTRL('H'):
    case 127:
        line_erase(e, line_before(e), e->cursor);
        break;
    case CTRL('A'):
        draw_cursor(e, 0);
        break;
    case CTRL('E'):
        draw_cursor(e, e->length);
        break;
    case CTRL('B'):
        draw_cursor(e, line_before(e));
        break;
    case CTRL('F'):
        draw_cursor(e, line_after(e));
        break;
    case CTRL('U'):
        line_erase(e, 0, e->cursor);
        break;
    case CTRL('K'):
        line_erase(e, e->cursor, e->length);
        break;
    case CTRL('W'):
        line_word_erase(e);
        break;
    case CTRL('L'):
        line_refresh(e);
        break;
    case CTRL('P'):
        history_older(e);
        break;
    case CTRL('N'):
        history_newer(e);
        break;
    case CTRL('R'):
        search_begin(e);
        break;
    default:
        if ((unsigned char)byte >= ' ')
            line_text(e, byte);
        break;
    }
}

/* ^C: what is typed is shown, and thrown away. */
static enum os2_line_event line_cancel(struct os2_lineedit *e) {
    draw_cursor(e, e->length);
    draw_put(e, "^C\n");
    e->length = e->cursor = 0;
    e->line[0] = 0;
    return OS2_LINE_CANCEL;
}

static enum os2_line_event line_plain_key(struct os2_lineedit *e, char byte) {
    bool tabbed = e->tabbed;

    e->tabbed = false;
    switch (byte) {
    case '\r':
    case '\n':
        return line_finish(e);
    case CTRL('C'):
        return line_cancel(e);
    case CTRL('D'):
        if (e->length == 0)
            return OS2_LINE_END;
        line_erase(e, e->cursor, line_after(e));
        break;
    case 27:
        e->escape = 1;
        break;
    case '\t':
        e->tabbed = tabbed;
        if (e->complete)
            complete_word(e);
        else
            line_text(e, ' ');
        break;
    default:
        line_control(e, byte);
        break;
    }
    return OS2_LINE_MORE;
}

enum os2_line_event os2_lineedit_key(struct os2_lineedit *e, char byte) {
    bool second_half = e->after_return && byte == '\n';

    e->after_return = byte == '\r';
    if (second_half)
        return OS2_LINE_MORE;
    if (e->escape && byte >= 32) {
        line_escape(e, byte);
        return OS2_LINE_MORE;
    }
    e->escape = 0;
    if (e->searching && search_key(e, byte))
        return OS2_LINE_MORE;
    return line_plain_key(e, byte);
}
