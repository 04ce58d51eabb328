/* SPDX-License-Identifier: MIT */
/*
 * The two rings between the UART and the console's clients, and what happens to bytes on their way.
 */
#ifndef CONSOLE_TERMINAL_H
#define CONSOLE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/uart.h"

#define INPUT_SIZE 65536u  /* a paste of 4 KiB fits many times */
#define OUTPUT_SIZE 16384u /* 1.4 s at 115200 baud */
#define LINE_SIZE 512u

/* What may be done with a typed ^C before it becomes input: true: it is used up. */
typedef bool terminal_interrupt_function(void);

struct terminal {
    struct uart *uart;
    terminal_interrupt_function *interrupt;
    size_t input_at, input_used;
    size_t output_at, output_used;
    size_t line_used;         /* bytes of output since the last line end, kept in `line` as far as they fit */
    bool receives, transmits; /* interrupts that are on */
    uint64_t moved;           /* bytes that the UART has given or taken */
    uint64_t written;         /* bytes that were ever put into the output ring */
    char input[INPUT_SIZE];
    char output[OUTPUT_SIZE];
    char line[LINE_SIZE];
};

void terminal_start(struct terminal *t, struct uart *uart, terminal_interrupt_function *interrupt);

/* Moves bytes between the rings and the UART as far as both can, and sets its interrupts to what is still to come. */
void terminal_pump(struct terminal *t);

/* Takes up to `length` bytes of text, line ends as \r\n; returns how many it took. */
size_t terminal_write(struct terminal *t, const char *text, size_t length);

/* Whether the next byte of output begins a line. */
bool terminal_line_start(const struct terminal *t);

/* Ends the line if one has begun. False: no room now. */
bool terminal_fresh_line(struct terminal *t);

/* Writes whole lines between what is there of the current line and that same text again: a prompt stays a prompt. */
void terminal_interject(struct terminal *t, const char *text, size_t length);

/* Copies the next bytes of input without taking them, at most `size`; with `line`, none behind a line end or ^D. */
size_t terminal_peek(const struct terminal *t, char *bytes, size_t size, bool line);
void terminal_take(struct terminal *t, size_t count);

/* How many of the bytes that were ever written the UART has taken. */
uint64_t terminal_sent(const struct terminal *t);

/* All output has left the machine. */
bool terminal_idle(struct terminal *t);

#endif
