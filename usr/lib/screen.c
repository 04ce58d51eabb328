/* SPDX-License-Identifier: MIT */
/*
 * The whole terminal (os2/screen.h). Its size is learnt by sending the cursor as far down and right as it goes, and
 * asking where that is; a terminal that does not answer in a moment has the usual size. Bytes that come meanwhile and
 * are no answer are kept as keys.
 */
#include "os2/screen.h"

#include "os2/call.h"
#include "os2/console.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"

#define ESCAPE 27
#define POLL_MS 10u
#define SEQUENCE_MS 50u /* between the bytes of one key */
#define ANSWER_MS 300u
#define LEAST 8u
#define MOST 999u

static char bytes[128]; /* keys that have come */
static unsigned first, count;

/* Takes what the console has; waits for it where `wait` is set. A status. */
static int bytes_read(bool wait) {
    unsigned console = os2_start_handle("console.in");
    char more[OS2_CONSOLE_TEXT];
    int got;

    if (!console)
        return OS2_E_HANDLE;
    if (count + sizeof(more) > sizeof(bytes))
        return OS2_OK;
    got = os2_console_read(console, wait ? 0 : OS2_CONSOLE_POLL, more);
    for (int i = 0; i < got; i++)
        bytes[(first + count++) % sizeof(bytes)] = more[i];
    return got < 0 ? got : OS2_OK;
}

/* The next byte, waited for so long; 0: none came; or a status. */
static int byte_next(uint64_t ms) {
    uint64_t end = ms == UINT64_MAX ? UINT64_MAX : os2_now_ns() + ms * 1000000;
    int status = OS2_OK, byte;

    while (!count && status >= 0) {
        status = bytes_read(ms == UINT64_MAX);
        if (!count && (os2_now_ns() >= end || status < 0))
            return status;
        if (!count && ms != UINT64_MAX)
            os2_sleep_ms(POLL_MS);
    }
    if (status < 0)
        return status;
    byte = (unsigned char)bytes[first];
    first = (first + 1) % sizeof(bytes);
    count--;
    return byte;
}

/* The byte `at` places behind the first one that waits; waits a moment for it. 0: it does not come. */
static int byte_peek(unsigned at, uint64_t ms) {
    uint64_t end = os2_now_ns() + ms * 1000000;

    while (count <= at && os2_now_ns() < end) {
        if (bytes_read(false) < 0)
            return 0;
        if (count <= at)
            os2_sleep_ms(POLL_MS);
    }
    return count > at ? (unsigned char)bytes[(first + at) % sizeof(bytes)] : 0;
}

static int key_of(char letter, unsigned number) {
    static const char letters[] = "ABCDHF";

    for (unsigned i = 0; letters[i]; i++)
        if (letters[i] == letter)
            return OS2_KEY_UP + (int)i;
    if (letter != '~')
        return OS2_KEY_OTHER;
    switch (number) {
    case 1:
    case 7:
        return OS2_KEY_HOME;
    case 4:
    case 8:
        return OS2_KEY_END;
    case 3:
        return OS2_KEY_DELETE;
    case 5:
        return OS2_KEY_PAGE_UP;
    case 6:
        return OS2_KEY_PAGE_DOWN;
    default:
        return OS2_KEY_OTHER;
    }
}

int os2_screen_key(uint64_t ms) {
    int byte = byte_next(ms);
    unsigned number = 0;

    if (byte != ESCAPE)
        return byte;
    byte = byte_peek(0, SEQUENCE_MS);
    if (byte != '[' && byte != 'O')
        return ESCAPE;
    byte_next(0);
    while ((byte = byte_next(SEQUENCE_MS)) > 0) {
        if (byte >= '0' && byte <= '9')
            number = (number * 10 + (unsigned)(byte - '0')) % 1000;
        else if (byte == ';')
            number = 0;
        else
            return key_of((char)byte, number);
    }
    return byte < 0 ? byte : OS2_KEY_OTHER;
}

/* Takes an answer, ESC [ rows ; columns R, if it stands `at` places behind the first byte. */
static bool answer_take(unsigned at, unsigned *ret_rows, unsigned *ret_columns) {
    unsigned numbers[2] = {0, 0}, which = 0, end = at + 1;
    int byte;

    if (byte_peek(at, 0) != ESCAPE || byte_peek(end++, SEQUENCE_MS) != '[')
        return false;
    while ((byte = byte_peek(end++, SEQUENCE_MS)) != 'R') {
        if (byte == ';' && which == 0)
            which = 1;
        else if (byte >= '0' && byte <= '9')
            numbers[which] = (numbers[which] * 10 + (unsigned)(byte - '0')) % 10000;
        else
            return false;
    }
    for (unsigned i = end; i < count; i++) /* the keys behind it move up */
        bytes[(first + at + i - end) % sizeof(bytes)] = bytes[(first + i) % sizeof(bytes)];
    count -= end - at;
    if (numbers[0] >= LEAST && numbers[1] >= LEAST && numbers[0] <= MOST && numbers[1] <= MOST) {
        *ret_rows = numbers[0];
        *ret_columns = numbers[1];
    }
    return true;
}

int os2_screen_begin(unsigned *ret_rows, unsigned *ret_columns) {
    *ret_rows = OS2_SCREEN_ROWS;
    *ret_columns = OS2_SCREEN_COLUMNS;
    if (!os2_start_handle("console.in") || os2_out_is_pipe())
        return OS2_E_HANDLE;
    os2_printf("\x1b[999;999H\x1b[6n");
    os2_out_flush();
    for (unsigned at = 0; byte_peek(at, ANSWER_MS); at++)
        if (answer_take(at, ret_rows, ret_columns))
            break;
    os2_printf("\x1b[H\x1b[2J");
    return os2_out_flush();
}

void os2_screen_end(unsigned rows) {
    os2_screen_go(rows - 1, 0);
    os2_screen_clear_row();
    os2_out_flush();
}

void os2_screen_go(unsigned row, unsigned column) {
    os2_printf("\x1b[%u;%uH", row + 1, column + 1);
}

void os2_screen_clear_row(void) {
    os2_printf("\x1b[K");
}

void os2_screen_inverse(bool on) {
    os2_printf(on ? "\x1b[7m" : "\x1b[0m");
}
