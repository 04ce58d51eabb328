/* SPDX-License-Identifier: MIT */
/*
 * edit: change a text on the whole screen.
 *
 *     arrows, Home, End, Page Up, Page Down, ^A, ^E    move; ^A and ^E as Home and End
 *     Enter, Backspace, Delete, Tab                    as they say; a tab goes to the next column of 8
 *     ^K                                               take the line out
 *     ^F                                               search: the next place that has what is typed then
 *     ^L                                               draw the screen afresh
 *     ^S                                               save
 *     ^Q                                               leave; if the text has changed, twice
 *
 * Saving writes another file, NAME.new, and gives it the name when it is whole: a power cut leaves the old text or the
 * new one. ^C is the shell's, and ends the program with what has not been saved.
 *
 * The screen is drawn from the text after each key, row by row, and only rows that have changed go out. All rows show
 * the same columns: when the cursor leaves these, the text moves sideways by half a screen.
 */
#include "lib/format.h"
#include "os2/call.h"
#include "os2/edittext.h"
#include "os2/file.h"
#include "os2/screen.h"
#include "os2/string.h"
#include "os2/text.h"
#include "os2/tool.h"

#define CTRL(letter) ((letter)-64)
#define ROWS 100u
#define ROW_BYTES 1024u
#define TAB 8u
#define QUERY 64u

static struct os2_edittext text;
static const char *path;
static size_t cursor, top; /* top: where the first row's line begins */
static size_t column;      /* where up and down want the cursor */
static size_t left;        /* columns that lie to the left of the screen */
static size_t line = 1, lines = 1;
static bool changed, leaving;
static const char *note = ""; /* said in the last row until the next key */
static char query[QUERY];
static unsigned rows, columns;
static char shown[ROWS][ROW_BYTES]; /* what each row has on the terminal */

/* ---- Characters and columns. ---- */

/* The character at `at`: its bytes, and the columns that it takes behind `place`. */
static size_t character(size_t at, size_t place, char bytes[5], size_t *ret_columns) {
    uint32_t code;
    size_t size;

    for (size = 0; size < 4; size++)
        bytes[size] = os2_edittext_at(&text, at + size);
    size = os2_text_decode(bytes, 4, &code);
    *ret_columns = os2_text_width(code);
    if (bytes[0] == '\t') {
        bytes[0] = ' ';
        *ret_columns = TAB - place % TAB;
    } else if (code == 0xfffd || (size == 1 && (unsigned char)bytes[0] < ' ')) {
        bytes[0] = '?';
        *ret_columns = 1;
    }
    bytes[size] = 0;
    return size;
}

/* The column of a place in its line. */
static size_t column_of(size_t at) {
    size_t from = os2_edittext_start(&text, at), place = 0, width;
    char bytes[5];

    while (from < at) {
        from += character(from, place, bytes, &width);
        place += width;
    }
    return place;
}

/* The place in the line that begins at `start` which is in this column, or the line's end. */
static size_t place_at(size_t start, size_t wanted) {
    size_t end = os2_edittext_end(&text, start), place = 0, width;
    char bytes[5];

    while (start < end) {
        size_t size = character(start, place, bytes, &width);
        if (place + width > wanted)
            break;
        place += width;
        start += size;
    }
    return start;
}

static size_t before(size_t at) {
    if (at)
        at--;
    while (at && os2_text_continues(os2_edittext_at(&text, at)))
        at--;
    return at;
}

static size_t after(size_t at) {
    size_t width;
    char bytes[5];
    return at < os2_edittext_size(&text) ? at + character(at, 0, bytes, &width) : at;
}

/* ---- The screen. ---- */

/* Shows a row, if it does not stand there already. */
static void row_show(unsigned row, const char *content, bool inverse) {
    char marked[ROW_BYTES];

    format(marked, sizeof(marked), "%c%s", inverse ? 'i' : 'n', content);
    if (strcmp(shown[row], marked) == 0)
        return;
    os2_string_copy(shown[row], ROW_BYTES, marked);
    os2_screen_go(row, 0);
    if (inverse)
        os2_screen_inverse(true);
    os2_printf("%s", content);
    if (inverse)
        os2_screen_inverse(false);
    os2_screen_clear_row();
}

/* What of a line is to be seen on the screen. */
static void row_of_line(size_t start, char *row) {
    size_t end = os2_edittext_end(&text, start), place = 0, used = 0, width;
    char bytes[5];

    while (start < end && place < left + columns && used + 16 < ROW_BYTES) {
        size_t size = character(start, place, bytes, &width);
        bool tab = os2_edittext_at(&text, start) == '\t';
        start += size;
        for (size_t i = 0; tab && i < width; i++) /* a tab may be seen in part */
            if (place + i >= left && place + i < left + columns)
                row[used++] = ' ';
        if (!tab && place >= left && place + width <= left + columns) {
            memcpy(row + used, bytes, size);
            used += size;
        } else if (!tab && place < left && place + width > left) {
            row[used++] = '<'; /* half of a wide one */
        }
        place += width;
    }
    row[used] = 0;
}

/* Moves the screen over the text so that the cursor is on it. */
static void screen_follow(size_t cursor_column) {
    size_t start = os2_edittext_start(&text, cursor), at = start;
    bool below = false;

    if (start < top)
        top = start;
    for (unsigned row = 1; row < rows - 1 && at > top; row++)
        at = os2_edittext_start(&text, at - 1);
    below = at > top;
    if (below)
        top = at;
    if (cursor_column < left || cursor_column >= left + columns)
        left = cursor_column < columns ? 0 : cursor_column - columns / 2;
}

static void screen_show(void) {
    size_t cursor_column = column_of(cursor), at, cursor_row = 0;
    char row[ROW_BYTES];

    screen_follow(cursor_column);
    at = top;
    for (unsigned i = 0; i + 1 < rows; i++) {
        bool there = at <= os2_edittext_size(&text) && (i == 0 || at > top);
        size_t end = os2_edittext_end(&text, at);

        row[0] = 0;
        if (there)
            row_of_line(at, row);
        if (there && cursor >= at && cursor <= end)
            cursor_row = i;
        row_show(i, there ? row : "~", false);
        at = end < os2_edittext_size(&text) ? end + 1 : SIZE_MAX / 2;
    }
    format(row, columns, " %s%s  line %lu of %lu, column %lu   %s", path, changed ? " *" : "", (unsigned long)line,
           (unsigned long)lines, (unsigned long)cursor_column + 1, *note ? note : "^S save  ^Q leave  ^F search");
    row_show(rows - 1, row, true);
    os2_screen_go((unsigned)cursor_row, (unsigned)(cursor_column - left));
    os2_out_flush();
}

/* ---- Changes. ---- */

static size_t count_lines(size_t from, size_t to) {
    size_t count = 0;
    for (; from < to; from++)
        count += os2_edittext_at(&text, from) == '\n';
    return count;
}

/* Puts the cursor there, and counts its line anew. */
static void go(size_t to) {
    if (to > cursor)
        line += count_lines(cursor, to);
    else
        line -= count_lines(to, cursor);
    cursor = to;
}

static void insert(const char *bytes, size_t size) {
    if (!os2_edittext_insert(&text, cursor, bytes, size)) {
        note = "there is no memory for more";
        return;
    }
    changed = true;
    lines += bytes[0] == '\n';
    go(cursor + size);
}

static void erase(size_t from, size_t to) {
    go(from);
    lines -= count_lines(from, to);
    changed |= from < to;
    os2_edittext_erase(&text, from, to);
    if (top > from)
        top = os2_edittext_start(&text, from);
}

static void move_lines(int by) {
    size_t at = os2_edittext_start(&text, cursor);

    for (; by < 0 && at > 0; by++)
        at = os2_edittext_start(&text, at - 1);
    for (; by > 0; by--) {
        size_t end = os2_edittext_end(&text, at);
        if (end == os2_edittext_size(&text))
            break;
        at = end + 1;
    }
    go(place_at(at, column));
}

/* ---- Files. ---- */

static int write_pieces(struct os2_file *file) {
    const char *piece[2];
    size_t size[2];
    int status;

    os2_edittext_pieces(&text, piece, size);
    status = os2_file_write(file, piece[0], size[0]);
    if (status >= 0)
        status = os2_file_write(file, piece[1], size[1]);
    return status < 0 ? status : os2_file_sync(file);
}

static void save(void) {
    static char other[OS2_FILES_PATH];
    static struct os2_file file;
    int status = OS2_FILE_E_NAME;

    if (format(other, sizeof(other), "%s.new", path) < sizeof(other))
        status = os2_file_open(&file, other, OS2_OPEN_WRITE | OS2_OPEN_CREATE | OS2_OPEN_TRUNCATE);
    if (status >= 0) {
        status = write_pieces(&file);
        os2_file_close(&file);
        if (status >= 0)
            status = os2_file_rename(other, path);
        if (status < 0)
            os2_file_remove(other);
    }
    changed &= status < 0;
    note = status < 0 ? os2_status_text(status) : "saved";
}

/* Opens the file; one that is not there is a new one. A status. */
static int load(void) {
    static const char nothing[1];
    uint64_t size = 0;
    void *block = NULL;
    int status = os2_file_load(path, &block, &size);
    bool there = status >= 0;

    if (!there && status != OS2_FILE_E_NONE)
        return status;
    if (!os2_edittext_init(&text, there ? block : nothing, size))
        return OS2_E_MEMORY;
    if (there)
        os2_block_free(block);
    lines += count_lines(0, os2_edittext_size(&text));
    note = there ? "" : "a new file";
    return OS2_OK;
}

/* ---- Keys. ---- */

/* Asks in the last row for what to search, and goes there. */
static void search(void) {
    size_t used = strlen(query), at;
    int key = 0;

    while (key != '\r' && key != '\n') {
        char row[QUERY + 32];
        format(row, sizeof(row), " search: %s", query);
        row_show(rows - 1, row, true);
        os2_out_flush();
        key = os2_screen_key(UINT64_MAX);
        if (key < 0 || key == 27 || key == CTRL('Q'))
            return;
        if (key == 127 || key == CTRL('H'))
            while (used && os2_text_continues(query[--used])) {
            }
        else if (key >= ' ' && key < 256 && used + 1 < QUERY)
            query[used++] = (char)key;
        query[used] = 0;
    }
    if (os2_edittext_find(&text, after(cursor), query, used, &at))
        go(at);
    else
        note = "not found";
}

/* A character whose first byte is `key`: takes the others too. */
static void type(int key) {
    char bytes[4] = {(char)key};
    size_t size = os2_text_size((char)key), used = 1;

    while (used < size && (key = os2_screen_key(100)) > 0 && key < 256)
        bytes[used++] = (char)key;
    if (size && used == size)
        insert(bytes, size);
}

/* A key that moves up or down, and so keeps the column that it wants. False: it is none. */
static bool vertical(int key) {
    int page = (int)rows - 2;

    if (key == OS2_KEY_UP || key == OS2_KEY_DOWN)
        move_lines(key == OS2_KEY_UP ? -1 : 1);
    else if (key == OS2_KEY_PAGE_UP || key == OS2_KEY_PAGE_DOWN)
        move_lines(key == OS2_KEY_PAGE_UP ? -page : page);
    else
        return false;
    return true;
}

static void horizontal(int key) {
    size_t end = os2_edittext_end(&text, cursor);

    switch (key) {
    case OS2_KEY_LEFT:
        go(before(cursor));
        break;
    case OS2_KEY_RIGHT:
        go(after(cursor));
        break;
    case OS2_KEY_HOME:
    case CTRL('A'):
        go(os2_edittext_start(&text, cursor));
        break;
    case OS2_KEY_END:
    case CTRL('E'):
        go(end);
        break;
    case OS2_KEY_DELETE:
    case CTRL('D'):
        erase(cursor, after(cursor));
        break;
    case 127:
    case CTRL('H'):
        erase(before(cursor), cursor);
        break;
    case CTRL('K'):
        erase(os2_edittext_start(&text, cursor), end < os2_edittext_size(&text) ? end + 1 : end);
        break;
    case '\r':
    case '\n':
        insert("\n", 1);
        break;
    case '\t':
        insert("\t", 1);
        break;
    case CTRL('F'):
        search();
        break;
    case CTRL('S'):
        save();
        break;
    case CTRL('L'):
        memset(shown, 0, sizeof(shown));
        break;
    default:
        if (key >= ' ' && key < 256)
            type(key);
        break;
    }
    column = column_of(cursor);
}

int main(int argc, char **argv) {
    int key = 0, status;

    if (argc != 2)
        return os2_tool_usage("FILE");
    path = argv[1];
    status = load();
    if (status >= 0)
        status = os2_screen_begin(&rows, &columns);
    if (status < 0)
        return os2_tool_failed(path, status);
    rows = rows < ROWS ? rows : ROWS;
    columns = columns < ROW_BYTES / 5 ? columns : ROW_BYTES / 5;
    while (key >= 0) {
        screen_show();
        key = os2_screen_key(UINT64_MAX);
        note = "";
        if (key == CTRL('Q')) {
            if (!changed || leaving)
                break;
            note = "not saved: ^S saves, ^Q again leaves";
        } else if (key > 0 && !vertical(key)) {
            horizontal(key);
        }
        leaving = key == CTRL('Q');
    }
    os2_screen_end(rows);
    return key < 0;
}
