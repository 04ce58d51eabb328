/* SPDX-License-Identifier: MIT */
/*
 * Printing and reading lines (shell/terminal.h).
 *
 * Keys are asked for one line at a time and edited here; what is typed while a program runs stays in the console, for
 * the program if it reads and for the shell if not.
 */
#include "shell/terminal.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/lineedit.h"
#include "os2/string.h"
#include "shell/services.h"

#define WRITE_TRIES 3u /* of a text whose console ends while it is written */
#define PROMPT "os2> "

static char output[512];
static size_t output_used;
static bool output_fresh; /* what is in `output` begins on a fresh line */

static struct os2_lineedit edit;
static char history[8192];

/* Writes the first bytes of what is there; the rest stays. */
static void output_write(size_t length) {
    unsigned flags = output_fresh ? OS2_CONSOLE_FRESH : 0;
    int status = length ? OS2_E_DIED : OS2_OK;

    for (unsigned tries = 0; status < 0 && tries < WRITE_TRIES; tries++)
        status = os2_console_write(services_console(), output, length, flags, OS2_FOREVER);
    output_used -= length;
    memmove(output, output + length, output_used);
    output_fresh = false;
}

void terminal_flush(void) {
    output_write(output_used);
}

static void output_put(void *context, const char *text, size_t length) {
    (void)context;
    for (size_t i = 0; i < length; i++) {
        output[output_used++] = text[i];
        if (output_used == sizeof(output)) {
            size_t end = output_used;
            while (end && output[end - 1] != '\n')
                end--;
            output_write(end ? end : output_used); /* whole lines, so that nothing comes between */
        }
    }
}

void terminal_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    format_out(output_put, NULL, format, arguments);
    va_end(arguments);
}

void terminal_init(void) {
    os2_lineedit_init(&edit, output_put, NULL, history, sizeof(history));
}

const char *terminal_read_line(void) {
    enum os2_line_event event = OS2_LINE_MORE;
    char keys[OS2_CONSOLE_TEXT];

    terminal_flush();
    output_fresh = true; /* a program may have left its line unfinished */
    os2_lineedit_begin(&edit, PROMPT);
    while (event == OS2_LINE_MORE) {
        int count;

        terminal_flush();
        count = os2_console_read(services_console(), OS2_CONSOLE_LINE, keys);
        if (count < 0) {
            output_fresh = true;
            terminal_print(PROMPT "%.*s", (int)edit.length, edit.line);
        }
        for (int i = 0; i < count && event == OS2_LINE_MORE; i++)
            event = os2_lineedit_key(&edit, keys[i]);
    }
    terminal_flush();
    return event == OS2_LINE_DONE ? edit.line : event == OS2_LINE_END ? NULL : "";
}
