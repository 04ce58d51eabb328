/* SPDX-License-Identifier: MIT */
/*
 * The line editor (usr/lib/lineedit.c) against a terminal that the test plays: after every key the terminal must show
 * just the prompt and the line, and have its cursor where the editor's is. And the widths of characters
 * (usr/lib/text.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os2/lineedit.h"
#include "os2/text.h"

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"
#define CTRL(letter) ((letter)-64)

/* ---- The terminal. ---- */

enum { ROWS = 400, COLUMNS_MAX = 100, CELL = 24 };

static struct {
    size_t width, row, column;
    bool full; /* the last column has been printed to, and the next character goes to the next row */
    unsigned bells, asked;
    char cell[ROWS][COLUMNS_MAX][CELL]; /* a character and what combines with it; "": the right half of a wide one */
    char sequence[16];
    size_t sequence_used;
    char rest[4]; /* of a character */
    size_t rest_used;
} terminal;

static void terminal_clear(size_t row, size_t column, size_t end_row) {
    for (; row < end_row; row++, column = 0)
        for (; column < COLUMNS_MAX; column++)
            strcpy(terminal.cell[row][column], " ");
}

static void terminal_reset(size_t width) {
    memset(&terminal, 0, sizeof(terminal));
    terminal.width = width;
    terminal_clear(0, 0, ROWS);
}

static void terminal_next_row(void) {
    terminal.row++;
    terminal.full = false;
    assert_true(terminal.row < ROWS);
}

static void terminal_character(const char *text, size_t size) {
    uint32_t code;
    unsigned width;
    char *cell;

    assert_int_equal(os2_text_decode(text, size, &code), size);
    width = os2_text_width(code);
    if (width == 0) {
        size_t column = terminal.full ? terminal.width - 1 : terminal.column ? terminal.column - 1 : 0;
        while (column && !*terminal.cell[terminal.row][column])
            column--;
        cell = terminal.cell[terminal.row][column];
        if (strlen(cell) + size < CELL)
            strncat(cell, text, size);
        return;
    }
    if (terminal.full || terminal.column + width > terminal.width) {
        terminal_next_row();
        terminal.column = 0;
    }
    snprintf(terminal.cell[terminal.row][terminal.column], CELL, "%.*s", (int)size, text);
    if (width == 2)
        terminal.cell[terminal.row][terminal.column + 1][0] = 0;
    terminal.column += width;
    terminal.full = terminal.column == terminal.width;
    if (terminal.full)
        terminal.column--;
}

static void terminal_sequence(void) {
    char letter = terminal.sequence[terminal.sequence_used - 1];
    size_t number = strtoul(terminal.sequence + 2, NULL, 10), count = number ? number : 1;

    terminal.sequence_used = 0;
    if (letter == 'n') {
        terminal.asked++;
        return;
    }
    if (letter == 'K' || letter == 'J') {
        bool all = number == 2;
        terminal_clear(all ? 0 : terminal.row, all ? 0 : terminal.column, letter == 'K' ? terminal.row + 1 : ROWS);
        return;
    }
    terminal.full = false;
    if (letter == 'A') {
        assert_true(count <= terminal.row);
        terminal.row -= count;
    } else if (letter == 'B') {
        terminal.row += count;
        assert_true(terminal.row < ROWS);
    } else if (letter == 'C') {
        terminal.column = terminal.column + count < terminal.width ? terminal.column + count : terminal.width - 1;
    } else if (letter == 'D') {
        assert_true(count <= terminal.column);
        terminal.column -= count;
    } else {
        assert_int_equal(letter, 'H');
        terminal.row = terminal.column = 0;
    }
}

static void terminal_byte(char c) {
    if (terminal.sequence_used || c == 27) {
        assert_true(terminal.sequence_used < sizeof(terminal.sequence) - 1);
        terminal.sequence[terminal.sequence_used++] = c;
        terminal.sequence[terminal.sequence_used] = 0;
        if (terminal.sequence_used > 2 && (c < '0' || c > '9'))
            terminal_sequence();
        return;
    }
    switch (c) {
    case '\b':
        assert_true(terminal.column > 0);
        terminal.column--;
        terminal.full = false;
        break;
    case '\r':
        terminal.column = 0;
        terminal.full = false;
        break;
    case '\n':
        terminal_next_row();
        terminal.column = 0;
        break;
    case '\a':
        terminal.bells++;
        break;
    default:
        assert_true((unsigned char)c >= ' ');
        terminal.rest[terminal.rest_used++] = c;
        if (terminal.rest_used == os2_text_size(terminal.rest[0])) {
            terminal_character(terminal.rest, terminal.rest_used);
            terminal.rest_used = 0;
        }
        break;
    }
}

static void put(void *context, const char *text, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++)
        terminal_byte(text[i]);
}

/* ---- The editor, and what it should look like. ---- */

static struct os2_lineedit edit;
static char history[256];
static struct os2_completions completions;
static size_t top; /* the row of the prompt */

static void begin(const char *prompt, size_t width) {
    terminal_reset(width);
    os2_lineedit_init(&edit, put, NULL, history, sizeof(history));
    edit.width = width;
    os2_lineedit_begin(&edit, prompt);
    top = 0;
}

/* Puts the text into cells of its own; tells the place of its byte `at`. */
static size_t lay_out(const char *text, size_t size, size_t at, char cell[ROWS][COLUMNS_MAX][CELL], size_t *place) {
    size_t found = *place;
    uint32_t code;

    for (size_t i = 0; i < size;) {
        size_t length = os2_text_decode(text + i, size - i, &code);
        unsigned width = os2_text_width(code);
        size_t w = terminal.width;
        if (i == at)
            found = *place;
        if (width == 0) {
            size_t base = *place ? *place - 1 : 0;
            while (base && !*cell[base / w][base % w])
                base--;
            if (strlen(cell[base / w][base % w]) + length < CELL)
                strncat(cell[base / w][base % w], text + i, length);
        } else {
            *place += width == 2 && *place % w == w - 1;
            snprintf(cell[*place / w][*place % w], CELL, "%.*s", (int)length, text + i);
            if (width == 2)
                cell[*place / w][*place % w + 1][0] = 0;
            *place += width;
        }
        i += length;
    }
    return at == size ? *place : found;
}

static void check(void) {
    static char cell[ROWS][COLUMNS_MAX][CELL];
    const char *prompt = edit.searching ? edit.search_prompt : edit.prompt;
    size_t place = 0, cursor;

    for (size_t row = 0; row < ROWS; row++)
        for (size_t column = 0; column < COLUMNS_MAX; column++)
            strcpy(cell[row][column], " ");
    lay_out(prompt, strlen(prompt), 0, cell, &place);
    cursor = lay_out(edit.line, edit.length, edit.cursor, cell, &place);
    assert_int_equal(terminal.row, top + cursor / terminal.width);
    assert_int_equal(terminal.column, cursor % terminal.width);
    assert_false(terminal.full);
    for (size_t row = 0; row + top < ROWS; row++)
        for (size_t column = 0; column < terminal.width; column++)
            assert_string_equal(terminal.cell[top + row][column], cell[row][column]);
}

/* Types keys; returns what the last one was for. */
static enum os2_line_event type(const char *keys) {
    enum os2_line_event event = OS2_LINE_MORE;

    for (; *keys; keys++)
        event = os2_lineedit_key(&edit, *keys);
    return event;
}

static void expect(const char *keys, const char *line) {
    type(keys);
    edit.line[edit.length] = 0;
    assert_string_equal(edit.line, line);
    check();
}

/* Types a line and Enter, and begins the next one. */
static void enter(const char *keys) {
    type(keys);
    assert_int_equal(os2_lineedit_key(&edit, '\r'), OS2_LINE_DONE);
    terminal_reset(terminal.width);
    os2_lineedit_begin(&edit, edit.prompt);
}

static void keys(void **state) {
    (void)state;
    begin("$ ", 20);
    expect("abc" LEFT LEFT "x", "axbc");
    expect("\x7f" RIGHT "y", "abyc");
    expect("\x01"
           "0\x05"
           "9",
           "0abyc9");
    expect("\x1b[H\x1b[3~\x1b[F!", "abyc9!");
    expect("\x15", "");
    expect("one two  three\x17", "one two  ");
    expect("\x17\x02\x02\x0b", "on");
    expect("\x04\x01\x04", "n");
    expect("\x0c", "n");
    expect("\xc3\xbc\xe2\x82\xac" LEFT LEFT "\x04", "\xe2\x82\xacn");
    expect("\x80\xff\xc3k", "k\xe2\x82\xacn");
    assert_int_equal(type("\x03"), OS2_LINE_CANCEL);
    terminal_reset(20);
    os2_lineedit_begin(&edit, "$ ");
    assert_int_equal(type("\x04"), OS2_LINE_END);
    expect("a\tb", "a b");
    assert_int_equal(type("\r"), OS2_LINE_DONE);
    assert_int_equal(type("\n"), OS2_LINE_MORE);
}

static void rows(void **state) {
    (void)state;
    begin("$ ", 10);
    expect("12345678", "12345678"); /* just a row */
    assert_int_equal(terminal.row, 1);
    expect("\x7f", "1234567");
    expect("89012345678901234\x01", "123456789012345678901234");
    expect("x", "x123456789012345678901234");
    expect("\x0b", "x");
    expect("1234567\xe4\xbd\xa0", "x1234567\xe4\xbd\xa0"); /* a wide one that has no room left */
    expect(LEFT "y", "x1234567y\xe4\xbd\xa0");
    expect("\x01\x04", "1234567y\xe4\xbd\xa0");
    expect("\x05"
           "e\xcc\x81" LEFT "z",
           "1234567y\xe4\xbd\xa0ze\xcc\x81"); /* one that combines goes with its letter */
    expect("\x05\x7f", "1234567y\xe4\xbd\xa0z");
}

static uint32_t seed = 1;
static unsigned below(unsigned limit) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static void random_keys(void **state) {
    static const char *const some[] = {
        "a",
        "b ",
        "\xe4\xbd\xa0",
        "\xf0\x9f\x98\x80",
        "\xcc\x81",
        "\xc3\xbc",
        LEFT,
        LEFT,
        RIGHT,
        "\x1b[3~",
        "\x7f",
        "\x01",
        "\x05",
        "\x17",
        UP,
        DOWN,
        "\x12",
        "\x12",
        "\x0c",
        "\x0b",
        "\x07",
        "long words and more of them ",
        "\t",
    };
    static const char *const prompts[] = {"", "$ ", "\xe4\xbd\xa0> ", "a prompt that is long> "};

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        begin(prompts[below(4)], 8 + below(20));
        edit.asked = true;
        for (unsigned i = 0; i < 4; i++) {
            char line[64];
            snprintf(line, sizeof(line), "line %u \xe4\xbd\xa0 of %u words", below(100), below(100));
            os2_lineedit_remember(&edit, line);
        }
        os2_lineedit_begin(&edit, edit.prompt);
        terminal_reset(edit.width);
        os2_lineedit_show(&edit);
        for (unsigned i = 0; i < 100 && edit.length < 200; i++) {
            const char *keys_typed = some[below(sizeof(some) / sizeof(some[0]))];
            type(keys_typed);
            check();
        }
    }
}

static void width_asked(void **state) {
    (void)state;
    begin("$ ", 80);
    os2_lineedit_ask(&edit);
    assert_int_equal(terminal.asked, 1);
    terminal_reset(12);
    edit.width = 80;
    os2_lineedit_begin(&edit, "$ ");
    expect("ab\x1b[1;12Rcdefghijklmnop\x01", "abcdefghijklmnop");
    assert_int_equal(edit.width, 12);
    expect("\x1b[1;3R", "abcdefghijklmnop"); /* not a width */
    assert_int_equal(edit.width, 12);
    edit.asked = false;
    expect("\x1b[1;40R", "abcdefghijklmnop"); /* not asked for */
    assert_int_equal(edit.width, 12);
}

static void history_lines(void **state) {
    (void)state;
    begin("$ ", 30);
    enter("first");
    enter("second");
    enter("second");
    enter("");
    enter("third");
    expect("typed" UP, "third");
    expect(UP, "second");
    expect(UP UP, "first");
    expect(DOWN "x", "secondx");
    expect(DOWN DOWN, "typed");
    for (unsigned i = 0; i < 100; i++)
        enter("more");
    for (unsigned i = 0; i < 20; i++) {
        char line[32];
        snprintf(line, sizeof(line), "a line of some length %u", i);
        enter(line);
    }
    assert_true(edit.history_used <= sizeof(history));
    for (unsigned i = 0; i < 30; i++)
        type(UP);
    assert_int_equal(edit.browse, 0);
    expect("", edit.history);
}

static void search(void **state) {
    (void)state;
    begin("$ ", 40);
    enter("echo one");
    enter("ls /disk");
    enter("echo two");
    enter("wc");
    expect("typed\x12", "typed");
    expect("ec", "echo two");
    expect("\x12", "echo one");
    expect("\x12", "echo one"); /* there is no other */
    assert_false(edit.found);
    assert_int_equal(terminal.bells, 1);
    expect("\x7f\x7f", "typed");
    expect("disk", "ls /disk");
    expect("X", "ls /disk");
    expect("\x07", "typed");
    assert_false(edit.searching);
    expect("\x12"
           "one" LEFT "x",
           "echo onxe"); /* a key that is not the search's own */
    assert_int_equal(type("\x12"
                          "on\x03"),
                     OS2_LINE_CANCEL);
    terminal_reset(40);
    os2_lineedit_begin(&edit, "$ ");
    type("\x12two");
    assert_int_equal(type("\r"), OS2_LINE_DONE);
    assert_string_equal(edit.line, "echo two");
}

/* ---- Completion. ---- */

static const char *const *offered;

static void complete(void *context, const char *line, size_t cursor, struct os2_completions *ret) {
    size_t from = cursor;

    (void)context;
    assert_int_equal(strlen(line), edit.length);
    while (from && line[from - 1] != ' ')
        from--;
    ret->from = from;
    for (const char *const *name = offered; *name; name++)
        if (strncmp(*name, line + from, cursor - from) == 0)
            os2_completion_add(ret, *name);
}

static void completion(void **state) {
    static const char *const names[] = {"alpha",
                                        "alpine",
                                        "beta",
                                        "b\xc3\xbc"
                                        "1",
                                        "b\xc3\xbe"
                                        "2",
                                        "folder/",
                                        NULL};
    static char long_name[5000];
    static const char *const much[] = {long_name, long_name, NULL};

    (void)state;
    begin("$ ", 20);
    os2_lineedit_completion(&edit, complete, NULL, &completions);
    offered = names;
    expect("be\t", "beta ");
    expect("al\t", "beta alp");
    expect("i\t"
           "x",
           "beta alpine x");
    expect("\x15"
           "f\t",
           "folder/");
    expect("\x15"
           "x\t",
           "x");
    assert_int_equal(terminal.bells, 1);
    expect("\x15"
           "b"
           "\xc3\t",
           "b"); /* half a character is no text */
    assert_int_equal(terminal.bells, 2);
    expect("\x15"
           "al zzz\x01" RIGHT RIGHT "\t",
           "alp zzz");
    expect("\x05\x15"
           "alp\t",
           "alp");
    assert_int_equal(terminal.bells, 3);
    type("\t"); /* the list: two names in a row of 20 columns, and the prompt below */
    top = 2;
    assert_string_equal(terminal.cell[1][0], "a");
    assert_string_equal(terminal.cell[1][8], "a");
    assert_string_equal(terminal.cell[1][11], "i");
    memcpy(terminal.cell[1], terminal.cell[0], sizeof(terminal.cell[1]));
    expect("h\t", "alpha ");
    memset(long_name, 'l', sizeof(long_name) - 1);
    offered = much;
    expect("\x15\t", "");
    assert_true(completions.cut);
}

static void widths(void **state) {
    static const struct {
        uint32_t code;
        unsigned width;
    } some[] = {
        {'a', 1},     {0, 0},       {0x7f, 0},    {0xe9, 1},    {0x301, 0},    {0x36f, 0},  {0x370, 1},
        {0x200b, 0},  {0x200d, 0},  {0x20ac, 1},  {0x1100, 2},  {0x1160, 0},   {0x231a, 2}, {0x2603, 1},
        {0x3042, 2},  {0x4f60, 2},  {0xac00, 2},  {0xd7a3, 2},  {0xfe0f, 0},   {0xff21, 2}, {0xff71, 1},
        {0x1f600, 2}, {0x1f1e6, 1}, {0x20000, 2}, {0xe0100, 0}, {0x10ffff, 1},
    };
    static const struct {
        const char *text;
        size_t size;
        uint32_t code;
    } texts[] = {
        {"a", 1, 'a'},
        {"\xc3\xa9", 2, 0xe9},
        {"\xe2\x82\xac", 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\x80", 1, 0xfffd},
        {"\xc0\x80", 1, 0xfffd},
        {"\xe0\x80\x80", 1, 0xfffd},
        {"\xed\xa0\x80", 1, 0xfffd},
        {"\xf4\x90\x80\x80", 1, 0xfffd},
        {"\xc3", 1, 0xfffd},
        {"\xe2\x82", 1, 0xfffd},
        {"\xff", 1, 0xfffd},
        {"\xc3"
         "a",
         1, 0xfffd},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
        if (os2_text_width(some[i].code) != some[i].width)
            fail_msg("U+%04X: %u", some[i].code, os2_text_width(some[i].code));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint32_t code;
        assert_int_equal(os2_text_decode(texts[i].text, strlen(texts[i].text), &code), texts[i].size);
        assert_int_equal(code, texts[i].code);
    }
    assert_int_equal(os2_text_columns("a\xe4\xbd\xa0"
                                      "e\xcc\x81",
                                      7),
                     4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),        cmocka_unit_test(rows),          cmocka_unit_test(random_keys),
        cmocka_unit_test(width_asked), cmocka_unit_test(history_lines), cmocka_unit_test(search),
        cmocka_unit_test(completion),  cmocka_unit_test(widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
