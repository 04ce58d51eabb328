/* SPDX-License-Identifier: MIT */
/*
 * A line editor (os2/lineedit.h).
 *
 * A state machine that is fed one byte at a time, so that bytes behind an Enter stay with the caller for the next line:
 * pasting many lines loses nothing. The terminal's cursor is only moved with backspaces and by printing, so that no
 * size of the terminal has to be known; when a line is longer than the terminal is wide, moving about in it can show
 * the cursor in the wrong place (^L shows the line afresh), but what is in the line is always right.
 *
 * Keys: Enter, Backspace/^H, Delete, arrows, Home/End, ^A ^E ^B ^F ^P ^N, ^U ^K ^W (erase to the start, to the end, the
 * word before), ^L, ^C, ^D. A byte below 32 that is none of these is ignored; a tab counts as a space. A character over
 * OS2_LINE_MAX rings the bell.
 *
 * Text is UTF-8: keys act on whole characters, each of which is taken to be one column wide. One that is typed enters
 * the line when its last byte has come, and bytes that begin or continue none are ignored.
 *
 * History is the caller's buffer of zero-ended lines; the oldest go when it is full. While older lines are shown the
 * typed one waits in `typed`.
 */
#include "os2/lineedit.h"

#include "os2/string.h"

#define CTRL(letter) ((letter)-64)

static void line_put(struct os2_lineedit *e, const char *text, size_t length) {
    if (length)
        e->put(e->put_context, text, length);
}

static void line_puts(struct os2_lineedit *e, const char *text) {
    line_put(e, text, strlen(text));
}

/* Prints `text` count times. */
static void line_repeat(struct os2_lineedit *e, const char *text, size_t count) {
    while (count--)
        line_puts(e, text);
}

/* Does this byte go on with a character? */
static bool line_continues(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t line_columns(const struct os2_lineedit *e, size_t from, size_t to) {
    size_t columns = 0;
    for (; from < to; from++)
        columns += !line_continues(e->line[from]);
    return columns;
}

/* Where the character before the cursor begins; where the one at it ends. At the end of the line: the cursor. */
static size_t line_before(const struct os2_lineedit *e) {
    size_t at = e->cursor;
    while (at > 0 && line_continues(e->line[--at])) {
    }
    return at;
}
static size_t line_after(const struct os2_lineedit *e) {
    size_t at = e->cursor;
    while (at < e->length && line_continues(e->line[++at])) {
    }
    return at;
}

static void line_move(struct os2_lineedit *e, size_t to) {
    if (to < e->cursor)
        line_repeat(e, "\b", line_columns(e, to, e->cursor));
    else
        line_put(e, e->line + e->cursor, to - e->cursor);
    e->cursor = to;
}

/* Prints the line from the cursor on, blanks over `gone` columns of what stood behind it, and goes back to the cursor.
 */
static void line_tail(struct os2_lineedit *e, size_t gone) {
    line_put(e, e->line + e->cursor, e->length - e->cursor);
    line_repeat(e, " ", gone);
    line_repeat(e, "\b", line_columns(e, e->cursor, e->length) + gone);
}

/* Erases the bytes from `from` to `to`; the cursor ends at `from`. */
static void line_erase(struct os2_lineedit *e, size_t from, size_t to) {
    size_t gone = line_columns(e, from, to);

    if (from == to)
        return;
    line_move(e, from);
    memmove(e->line + from, e->line + to, e->length - to);
    e->length -= to - from;
    line_tail(e, gone);
}

static void line_insert(struct os2_lineedit *e, const char *text, size_t size) {
    if (e->length + size > OS2_LINE_MAX) {
        line_puts(e, "\a");
        return;
    }
    memmove(e->line + e->cursor + size, e->line + e->cursor, e->length - e->cursor);
    memcpy(e->line + e->cursor, text, size);
    e->length += size;
    line_put(e, text, size);
    e->cursor += size;
    if (e->cursor < e->length)
        line_tail(e, 0);
}

/* A byte of text. */
static void line_text(struct os2_lineedit *e, char byte) {
    unsigned char first = (unsigned char)byte;

    if (!line_continues(byte)) {
        e->character_used = 0;
        e->character_size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    } else if (e->character_used == 0) {
        return;
    }
    e->character[e->character_used++] = byte;
    if (e->character_used == e->character_size) {
        line_insert(e, e->character, e->character_size);
        e->character_used = 0;
    }
}

static void line_word_erase(struct os2_lineedit *e) {
    size_t from = e->cursor;
    while (from > 0 && e->line[from - 1] == ' ')
        from--;
    while (from > 0 && e->line[from - 1] != ' ')
        from--;
    line_erase(e, from, e->cursor);
}

static void line_replace(struct os2_lineedit *e, const char *text) {
    size_t old = line_columns(e, 0, e->length), now;

    line_move(e, 0);
    os2_string_copy(e->line, sizeof(e->line), text);
    e->length = strlen(e->line);
    line_put(e, e->line, e->length);
    e->cursor = e->length;
    now = line_columns(e, 0, e->length);
    if (old > now)
        line_tail(e, old - now);
}

static void line_older(struct os2_lineedit *e) {
    size_t at = e->browse;

    if (at == 0)
        return;
    if (at == e->history_used) {
        e->line[e->length] = 0;
        memcpy(e->typed, e->line, e->length + 1);
    }
    at--; /* the zero of the line before */
    while (at > 0 && e->history[at - 1])
        at--;
    e->browse = at;
    line_replace(e, e->history + at);
}

static void line_newer(struct os2_lineedit *e) {
    if (e->browse == e->history_used)
        return;
    e->browse += strlen(e->history + e->browse) + 1;
    line_replace(e, e->browse == e->history_used ? e->typed : e->history + e->browse);
}

/* Adds the finished line, unless it is empty, too long for the buffer, or the same as the last. */
static void line_remember(struct os2_lineedit *e) {
    size_t size = e->length + 1, last = e->history_used;

    if (e->length == 0 || size > e->history_size)
        return;
    if (last > 0) {
        last--;
        while (last > 0 && e->history[last - 1])
            last--;
        if (strcmp(e->history + last, e->line) == 0)
            return;
    }
    while (e->history_size - e->history_used < size) {
        size_t oldest = strlen(e->history) + 1;
        e->history_used -= oldest;
        memmove(e->history, e->history + oldest, e->history_used);
    }
    memcpy(e->history + e->history_used, e->line, size);
    e->history_used += size;
}

void os2_lineedit_init(struct os2_lineedit *e, format_sink *put, void *context, char *history, size_t history_size) {
    memset(e, 0, sizeof(*e));
    e->put = put;
    e->put_context = context;
    e->history = history;
    e->history_size = history ? history_size : 0;
    e->prompt = "";
}

void os2_lineedit_begin(struct os2_lineedit *e, const char *prompt) {
    e->prompt = prompt;
    e->length = e->cursor = 0;
    e->escape = 0;
    e->character_used = 0;
    e->browse = e->history_used;
    e->line[0] = 0;
    line_puts(e, prompt);
}

static enum os2_line_event line_finish(struct os2_lineedit *e) {
    line_move(e, e->length);
    line_puts(e, "\n");
    e->line[e->length] = 0;
    line_remember(e);
    return OS2_LINE_DONE;
}

static void line_refresh(struct os2_lineedit *e) {
    size_t cursor = e->cursor;

    line_puts(e, "\x1b[H\x1b[2J"); /* cursor home, clear */
    line_puts(e, e->prompt);
    e->cursor = 0;
    line_move(e, e->length);
    line_move(e, cursor);
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
        line_older(e);
    else if (byte == 'B')
        line_newer(e);
    else if (byte == 'C')
        line_move(e, line_after(e));
    else if (byte == 'D')
        line_move(e, line_before(e));
    else if (byte == 'H' || (byte == '~' && (e->escape_number == 1 || e->escape_number == 7)))
        line_move(e, 0);
    else if (byte == 'F' || (byte == '~' && (e->escape_number == 4 || e->escape_number == 8)))
        line_move(e, e->length);
    else if (byte == '~' && e->escape_number == 3)
        line_erase(e, e->cursor, line_after(e));
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

    switch (byte) {
    case '\r':
    case '\n':
        return line_finish(e);
    case CTRL('C'):
        line_move(e, e->length);
        line_puts(e, "^C\n");
        e->length = e->cursor = 0;
        e->line[0] = 0;
        return OS2_LINE_CANCEL;
    case CTRL('D'):
        if (e->length == 0)
            return OS2_LINE_END;
        line_erase(e, e->cursor, line_after(e));
        break;
    case CTRL('H'):
    case 127:
        line_erase(e, line_before(e), e->cursor);
        break;
    case CTRL('A'):
        line_move(e, 0);
        break;
    case CTRL('E'):
        line_move(e, e->length);
        break;
    case CTRL('B'):
        line_move(e, line_before(e));
        break;
    case CTRL('F'):
        line_move(e, line_after(e));
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
        line_older(e);
        break;
    case CTRL('N'):
        line_newer(e);
        break;
    case 27:
        e->escape = 1;
        break;
    case '\t':
        line_text(e, ' ');
        break;
    default:
        if ((unsigned char)byte >= 32)
            line_text(e, byte);
        break;
    }
    return OS2_LINE_MORE;
}
