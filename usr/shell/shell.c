/* SPDX-License-Identifier: MIT */
/*
 * The shell: reads lines, runs them.
 *
 *     shell            read lines from the console until ^D or exit
 *     shell -c TEXT    run one line; its status is the shell's
 *
 * Keys are asked for one line at a time and edited here; what is typed while a program runs stays in the console, for
 * the program if it reads and for the shell if not. When the console or another service has ended, its handle is looked
 * up again; the name service answers when it is back.
 */
#include "shell/shell.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/files.h"
#include "os2/lineedit.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define STATUS_SYNTAX 2u
#define SERVICE_TRIES 100u
#define SERVICE_PAUSE_MS 20u
#define CALL_TRIES 3u /* of a request whose server ends while it waits */
#define PROMPT "os2> "

uint64_t shell_status;

static unsigned console_handle, names_handle, files_handle;
static char output[512];
static size_t output_used;
static bool output_fresh; /* what is in `output` begins on a fresh line */

static struct os2_lineedit edit;
static char history[8192];

/* ---- Services. ---- */

static void handle_forget(unsigned *handle) {
    if (*handle)
        os2_handle_close(*handle);
    *handle = 0;
}

/* Forgets a handle whose process has ended; withdrawing a watch that was never asked for tells. */
static void handle_check(unsigned *handle) {
    if (*handle && os2_watch(*handle, 0) == OS2_E_DIED)
        handle_forget(handle);
}

unsigned shell_names(void) {
    /* One that has just been killed is handed out until its supervisor knows. */
    handle_check(&names_handle);
    for (unsigned tries = 0; !names_handle && tries < SERVICE_TRIES; tries++) {
        if (tries)
            os2_sleep_ms(SERVICE_PAUSE_MS);
        if (os2_supervisor_names(os2_start_handle("init"), &names_handle) >= 0)
            handle_check(&names_handle);
    }
    return names_handle;
}

/*
 * Looks a service up, with a new handle to the name service if that has ended. A service that has just ended can be
 * known for a moment longer than it lives.
 */
static unsigned service_find(const char *name, unsigned *handle) {
    handle_check(handle);
    for (unsigned tries = 0; !*handle && tries < SERVICE_TRIES; tries++) {
        if (tries)
            os2_sleep_ms(SERVICE_PAUSE_MS);
        if (shell_names() && os2_names_lookup(names_handle, name, true, handle) >= 0)
            handle_check(handle);
    }
    return *handle;
}

unsigned shell_console(void) {
    return service_find("console", &console_handle);
}

int shell_load(const char *name, void **ret_block, uint64_t *ret_size) {
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < CALL_TRIES; tries++) {
        if (!service_find("files", &files_handle))
            return OS2_E_DIED;
        status = os2_files_load(files_handle, name, ret_block, ret_size);
    }
    return status;
}

/* ---- The terminal. ---- */

/* Writes the first bytes of what is there; the rest stays. */
static void output_write(size_t length) {
    unsigned flags = output_fresh ? OS2_CONSOLE_FRESH : 0;
    int status = length ? OS2_E_DIED : OS2_OK;

    for (unsigned tries = 0; status < 0 && tries < CALL_TRIES; tries++)
        status = os2_console_write(shell_console(), output, length, flags, OS2_FOREVER);
    output_used -= length;
    memmove(output, output + length, output_used);
    output_fresh = false;
}

void shell_flush(void) {
    output_write(output_used);
}

void shell_put(const char *text, size_t length) {
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

static void shell_put_piece(void *context, const char *text, size_t length) {
    (void)context;
    shell_put(text, length);
}

void shell_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    format_out(shell_put_piece, NULL, format, arguments);
    va_end(arguments);
}

/* ---- Lines. ---- */

/* One pipeline: a command of the shell itself, or programs. */
static void run_pipeline(struct parse_pipeline *pipeline) {
    for (unsigned i = 0; i < pipeline->stages; i++) {
        const char **argv = pipeline->stage[i].argv;
        unsigned argc = pipeline->stage[i].argc;

        if (argc == 2 && strcmp(argv[1], "--help") == 0 && builtin_help(argv[0])) {
            shell_status = 0;
            return;
        }
        if (argc > 1 && strcmp(argv[0], "run") == 0) {
            pipeline->stage[i].argv++;
            pipeline->stage[i].argc--;
        } else if (builtin_is(argv[0]) && (pipeline->stages > 1 || pipeline->background)) {
            shell_print("%s: the shell's own commands run alone and in the foreground\n", argv[0]);
            shell_status = STATUS_SYNTAX;
            return;
        } else if (builtin_run(argc, (const char *const *)argv)) {
            return;
        }
    }
    job_run(pipeline);
}

bool shell_run_line(const char *line) {
    static struct parse_pipeline pipeline;
    const char *reason = NULL;
    size_t at = 0;

    for (;;) {
        switch (parse_next(line, &at, shell_status, &pipeline, &reason)) {
        case PARSE_END:
            return true;
        case PARSE_ERROR:
            shell_print("%s\n", reason);
            shell_status = STATUS_SYNTAX;
            return false;
        case PARSE_PIPELINE:
            run_pipeline(&pipeline);
            break;
        }
    }
}

/* Reads keys until a line is done. */
static enum os2_line_event read_line(void) {
    char keys[OS2_CONSOLE_TEXT];

    shell_flush();
    output_fresh = true; /* a program may have left its line unfinished */
    os2_lineedit_begin(&edit, PROMPT);
    for (;;) {
        enum os2_line_event event = OS2_LINE_MORE;
        int count;

        shell_flush();
        count = os2_console_read(shell_console(), OS2_CONSOLE_LINE, keys);
        if (count < 0) {
            output_fresh = true;
            shell_print(PROMPT "%.*s", (int)edit.length, edit.line);
        }
        for (int i = 0; i < count && event == OS2_LINE_MORE; i++)
            event = os2_lineedit_key(&edit, keys[i]);
        if (event != OS2_LINE_MORE) {
            shell_flush();
            return event;
        }
    }
}

int main(int argc, char **argv) {
    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    job_init();
    if (argc == 3 && strcmp(argv[1], "-c") == 0) {
        shell_run_line(argv[2]);
        shell_flush();
        return (int)shell_status;
    }
    os2_lineedit_init(&edit, shell_put_piece, NULL, history, sizeof(history));
    shell_print("OS2. `help` lists the commands.\n");
    for (;;) {
        enum os2_line_event event;

        job_poll();
        event = read_line();
        if (event == OS2_LINE_END)
            break;
        if (event == OS2_LINE_DONE)
            shell_run_line(edit.line);
    }
    shell_print("\n");
    shell_flush();
    return (int)shell_status;
}
