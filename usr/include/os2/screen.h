/* SPDX-License-Identifier: MIT */
/*
 * The whole terminal, for programs that draw on it, and its keys one by one. What is drawn goes out by os2_out_flush().
 */
#ifndef OS2_SCREEN_H
#define OS2_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#define OS2_SCREEN_ROWS 24u /* of a terminal that does not say */
#define OS2_SCREEN_COLUMNS 80u

/* Keys that are no byte. */
enum os2_screen_key {
    OS2_KEY_NONE = 0, /* none came in the time */
    OS2_KEY_UP = 256,
    OS2_KEY_DOWN,
    OS2_KEY_RIGHT,
    OS2_KEY_LEFT,
    OS2_KEY_HOME,
    OS2_KEY_END,
    OS2_KEY_DELETE,
    OS2_KEY_PAGE_UP,
    OS2_KEY_PAGE_DOWN,
    OS2_KEY_OTHER
};

/* Asks the terminal how large it is, and clears it. A status: OS2_E_HANDLE where there is no console to read from. */
int os2_screen_begin(unsigned *ret_rows, unsigned *ret_columns);

/* Leaves the cursor on an empty row at the bottom. */
void os2_screen_end(unsigned rows);

/* The next key, at most so many milliseconds waited for (UINT64_MAX: no limit); or a status below 0. */
int os2_screen_key(uint64_t ms);

/* Puts the cursor there; 0, 0 is the corner. Clears the rest of the row it is in. */
void os2_screen_go(unsigned row, unsigned column);
void os2_screen_clear_row(void);

/* Begins and ends text with black and white the other way round. */
void os2_screen_inverse(bool on);

#endif
