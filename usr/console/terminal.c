/* SPDX-License-Identifier: MIT */
/*
 * The rings between the UART and the clients (console/terminal.h).
 *
 * When the input ring is full the receive interrupt is turned off and bytes stay in the UART, so that the other end is
 * held back where there is flow control; taking input turns it on again.
 */
#include "console/terminal.h"

#include "os2/string.h"

#define CTRL_C 3
#define CTRL_D 4

void terminal_start(struct terminal *t, struct uart *uart, terminal_interrupt_function *interrupt) {
    t->uart = uart;
    t->interrupt = interrupt;
    uart->driver->start(uart);
    terminal_pump(t);
}

static void terminal_receive(struct terminal *t) {
    while (t->input_used < INPUT_SIZE) {
        int byte = t->uart->driver->get(t->uart);
        if (byte < 0)
            return;
        t->moved++;
        if (byte == CTRL_C && t->interrupt())
            continue;
        t->input[(t->input_at + t->input_used++) % INPUT_SIZE] = (char)byte;
    }
}

static void terminal_transmit(struct terminal *t) {
    while (t->output_used) {
        unsigned room = t->uart->driver->room(t->uart);
        if (!room)
            return;
        for (; room && t->output_used; room--) {
            t->uart->driver->put(t->uart, (uint8_t)t->output[t->output_at]);
            t->output_at = (t->output_at + 1) % OUTPUT_SIZE;
            t->output_used--;
            t->moved++;
        }
    }
}

void terminal_pump(struct terminal *t) {
    bool receives, transmits;

    terminal_receive(t);
    terminal_transmit(t);
    receives = t->input_used < INPUT_SIZE;
    transmits = t->output_used > 0;
    if (receives != t->receives || transmits != t->transmits)
        t->uart->driver->enable(t->uart, receives, transmits);
    t->receives = receives;
    t->transmits = transmits;
}

static void terminal_put(struct terminal *t, char byte) {
    t->output[(t->output_at + t->output_used++) % OUTPUT_SIZE] = byte;
    t->written++;
    if (t->line_used < LINE_SIZE)
        t->line[t->line_used] = byte;
    t->line_used = byte == '\n' ? 0 : t->line_used + 1;
}

size_t terminal_write(struct terminal *t, const char *text, size_t length) {
    size_t done = 0;

    for (; done < length; done++) {
        if (OUTPUT_SIZE - t->output_used < 2)
            break;
        if (text[done] == '\n')
            terminal_put(t, '\r');
        terminal_put(t, text[done]);
    }
    return done;
}

bool terminal_line_start(const struct terminal *t) {
    return t->line_used == 0;
}

bool terminal_fresh_line(struct terminal *t) {
    return terminal_line_start(t) || terminal_write(t, "\n", 1) == 1;
}

void terminal_interject(struct terminal *t, const char *text, size_t length) {
    size_t used = t->line_used <= LINE_SIZE ? t->line_used : 0;
    char line[LINE_SIZE];

    memcpy(line, t->line, used);
    terminal_fresh_line(t);
    terminal_write(t, text, length);
    terminal_fresh_line(t);
    terminal_write(t, line, used);
}

size_t terminal_peek(const struct terminal *t, char *bytes, size_t size, bool line) {
    size_t count = 0;

    while (count < size && count < t->input_used) {
        char byte = t->input[(t->input_at + count) % INPUT_SIZE];
        bytes[count++] = byte;
        if (line && (byte == '\r' || byte == '\n' || byte == CTRL_D))
            break;
    }
    return count;
}

void terminal_take(struct terminal *t, size_t count) {
    t->input_at = (t->input_at + count) % INPUT_SIZE;
    t->input_used -= count;
}

uint64_t terminal_sent(const struct terminal *t) {
    return t->written - t->output_used;
}

bool terminal_idle(struct terminal *t) {
    return t->output_used == 0 && t->uart->driver->idle(t->uart);
}
