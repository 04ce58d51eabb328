/* SPDX-License-Identifier: MIT */
/*
 * The shell: reads lines, runs them.
 *
 *     shell            read lines from the console until ^D or exit
 *     shell -c TEXT    run a text; the last status is the shell's
 *
 * Its files in layers, each of which includes only those before it (tests/lint/layers.py):
 *
 *     parse       the language; pure
 *     variables   NAME=value; pure
 *     glob        patterns of file names; pure
 *     expand      from words as typed to what a command gets; pure
 *     test        the command `test`; pure
 *     complete    what a tab completes; pure
 *     manifest    the language of what is said of programs; pure
 *     services    finding the services, those too that were started again
 *     terminal    what is printed, and the lines that are read
 *     history     the lines typed before, on the disk
 *     programs    what the manifests in the archive say, and which file a command is
 *     job         pipelines as processes
 *     session     what commands see of the shell
 *     builtin     the shell's own commands
 *     run         the interpreter
 *     shell       this
 */
#include "lib/format.h"
#include "os2/call.h"
#include "os2/file.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "shell/builtin.h"
#include "shell/complete.h"
#include "shell/history.h"
#include "shell/job.h"
#include "shell/programs.h"
#include "shell/run.h"
#include "shell/services.h"
#include "shell/session.h"
#include "shell/terminal.h"

#define AUTORUN "/disk/autorun"
#define TEXT_MAX 16384u /* of a command over several lines */

static char text[TEXT_MAX + 1];

/* ---- What a tab completes. ---- */

static void each_command(complete_take_function *take, void *taker) {
    const struct manifest_program *program;
    const char *name;

    for (unsigned i = 0; (name = builtin_at(i)); i++)
        take(taker, name);
    for (unsigned i = 0; (program = programs_at(i)); i++)
        if (!builtin_is(program->name))
            take(taker, program->name);
    session_list(PROGRAMS_OWN, false, take, taker);
}

static void each_variable(complete_take_function *take, void *taker) {
    const char *entry;

    for (size_t at = 0; (entry = variables_next(&session.variables, &at));) {
        char name[OS2_FILES_NAME];
        format(name, sizeof(name), "%.*s", (int)parse_name(entry, strlen(entry)), entry);
        take(taker, name);
    }
}

static void each_file(const char *folder, complete_take_function *take, void *taker) {
    session_list(folder, true, take, taker);
}

static void complete(void *context, const char *line, size_t cursor, struct os2_completions *ret) {
    static const struct complete_names names = {each_command, each_variable, each_file};

    (void)context;
    complete_line(&names, line, cursor, ret);
}

/* ---- Lines. ---- */

/* Adds a line to the text. False: there is no room. */
static bool text_add(const char *line) {
    size_t used = strlen(text), length = strlen(line);

    if (used + length + 2 > sizeof(text))
        return false;
    format(text + used, sizeof(text) - used, "%s%s", used ? "\n" : "", line);
    return true;
}

/* Reads a command, over as many lines as it takes. False: the input is at its end. */
static bool read_command(void) {
    static char prompt[OS2_FILES_PATH + 8];
    bool first = strcmp(os2_folder_working(), OS2_FOLDER_FIRST) == 0;
    enum os2_line_event event;
    const char *line;

    format(prompt, sizeof(prompt), "%s%sos2> ", first ? "" : os2_folder_working(), first ? "" : " ");
    text[0] = 0;
    while ((event = terminal_read_line(*text ? "> " : prompt, &line)) == OS2_LINE_DONE) {
        history_add(line);
        if (!text_add(line)) {
            terminal_print("the command is too long\n");
            text[0] = 0;
            return true;
        }
        if (!run_wants_more(text))
            return true;
    }
    if (event == OS2_LINE_CANCEL)
        text[0] = 0;
    return event == OS2_LINE_CANCEL || *text;
}

/* Runs a text with ^C for whatever it starts. True: `exit` ended it. */
static bool run_attended(const char *commands) {
    bool ended;

    job_attend(true);
    ended = run_text(commands);
    terminal_flush();
    job_attend(false);
    return ended;
}

static void run_autorun(void) {
    static const char *const argv[] = {AUTORUN, NULL};
    struct os2_file_facts facts;

    if (os2_file_stat(AUTORUN, &facts) < 0)
        return;
    job_attend(true);
    run_script(1, argv);
    terminal_flush();
    job_attend(false);
}

static void run_interactive(void) {
    bool ended = false;

    terminal_init(complete);
    terminal_print("OS2. `help` lists the commands.\n");
    history_load();
    run_autorun();
    while (!ended) {
        job_poll();
        if (!read_command())
            break;
        ended = *text && run_attended(text);
    }
    if (!ended)
        terminal_print("\n");
}

int main(int argc, char **argv) {
    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    job_init();
    services_disks();
    if (argc == 3 && strcmp(argv[1], "-c") == 0)
        run_attended(argv[2]);
    else
        run_interactive();
    terminal_flush();
    return (int)session.status;
}
