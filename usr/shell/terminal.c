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
#include "os2/file.h"
#include "os2/string.h"
#include "shell/services.h"

#define WRITE_TRIES 3u /* of a text whose console ends while it is written */

static char output[512];
static size_t output_used;
static bool output_fresh; /* what is in `output` begins on a fresh line */
static struct os2_file file;
static bool to_file;
static int file_status; /* of all that was written to it */

static struct os2_lineedit edit;
static char history[16384];
static struct os2_completions completions;

static void console_write(size_t length) {
    unsigned flags = output_fresh ? OS2_CONSOLE_FRESH : 0;
    int status = length ? OS2_E_DIED : OS2_OK;

    for (unsigned tries = 0; status < 0 && tries < WRITE_TRIES; tries++)
        status = os2_console_write(services_console(), output, length, flags, OS2_FOREVER);
    output_fresh = false;
}

/* Writes the first bytes of what is there; the rest stays. */
static void output_write(size_t length) {
    if (!to_file)
        console_write(length);
    else if (file_status >= 0)
        file_status = os2_file_write(&file, output, length);
    output_used -= length;
    memmove(output, output + length, output_used);
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

void terminal_error(const char *format, ...) {
    bool before = to_file;
    va_list arguments;

    if (before)
        terminal_flush();
    to_file = false;
    va_start(arguments, format);
    format_out(output_put, NULL, format, arguments);
    va_end(arguments);
    if (before)
        terminal_flush();
    to_file = before;
}

/* Ends the redirection. False: not all that was printed is in the file. */
static bool redirect_end(void) {
    terminal_flush();
    to_file = false;
    os2_file_close(&file);
    if (file_status < 0)
        terminal_error("%s: %s\n", file.path, os2_status_text(file_status));
    return file_status >= 0;
}

bool terminal_redirect(const char *path, bool append) {
    if (!path)
        return redirect_end();
    terminal_flush();
    file_status = os2_file_open(&file, path, OS2_OPEN_WRITE);
    if (file_status < 0) {
        terminal_error("%s: %s\n", path, os2_status_text(file_status));
        return false;
    }
    file.offset = append ? file.size : 0;
    to_file = true;
    return true;
}

void terminal_init(os2_complete_function *complete) {
    os2_lineedit_init(&edit, output_put, NULL, history, sizeof(history));
    os2_lineedit_completion(&edit, complete, NULL, &completions);
    os2_lineedit_ask(&edit);
}

enum os2_line_event terminal_read_line(const char *prompt, const char **ret_line) {
    enum os2_line_event event = OS2_LINE_MORE;
    char keys[OS2_CONSOLE_TEXT];

    terminal_flush();
    output_fresh = true; /* a program may have left its line unfinished */
    os2_lineedit_begin(&edit, prompt);
    while (event == OS2_LINE_MORE) {
        int count;

        terminal_flush();
        count = os2_console_read(services_console(), OS2_CONSOLE_LINE, keys);
        if (count < 0) {
            output_fresh = true;
            os2_lineedit_show(&edit);
        }
        for (int i = 0; i < count && event == OS2_LINE_MORE; i++)
            event = os2_lineedit_key(&edit, keys[i]);
    }
    terminal_flush();
    *ret_line = edit.line;
    return event;
}

unsigned terminal_columns(void) {
    return (unsigned)edit.width;
}

void terminal_remember(const char *line) {
    os2_lineedit_remember(&edit, line);
}

const char *terminal_history(size_t *at) {
    const char *line = history + *at;

    if (*at >= edit.history_used)
        return NULL;
    *at += strlen(line) + 1;
    return line;
}
