/* SPDX-License-Identifier: MIT */
/*
 * The commands of the shell itself, and `help` for these and for the programs.
 */
#include "shell/builtin.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/file.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "shell/job.h"
#include "shell/programs.h"
#include "shell/services.h"
#include "shell/session.h"
#include "shell/terminal.h"
#include "shell/test.h"

struct command {
    const char *name, *arguments, *summary;
    uint64_t (*run)(unsigned argc, const char *const *argv); /* returns the status; null: shell/run.c has it */
};

static uint64_t run_cd(unsigned argc, const char *const *argv);
static uint64_t run_false(unsigned argc, const char *const *argv);
static uint64_t run_help(unsigned argc, const char *const *argv);
static uint64_t run_history(unsigned argc, const char *const *argv);
static uint64_t run_jobs(unsigned argc, const char *const *argv);
static uint64_t run_kill(unsigned argc, const char *const *argv);
static uint64_t run_pwd(unsigned argc, const char *const *argv);
static uint64_t run_reboot(unsigned argc, const char *const *argv);
static uint64_t run_restart(unsigned argc, const char *const *argv);
static uint64_t run_run(unsigned argc, const char *const *argv);
static uint64_t run_services(unsigned argc, const char *const *argv);
static uint64_t run_set(unsigned argc, const char *const *argv);
static uint64_t run_shift(unsigned argc, const char *const *argv);
static uint64_t run_shutdown(unsigned argc, const char *const *argv);
static uint64_t run_status(unsigned argc, const char *const *argv);
static uint64_t run_sync(unsigned argc, const char *const *argv);
static uint64_t run_test(unsigned argc, const char *const *argv);
static uint64_t run_true(unsigned argc, const char *const *argv);
static uint64_t run_unset(unsigned argc, const char *const *argv);

static const struct command commands[] = {
    {"help", "[COMMAND]", "what there is, or how to use one command", run_help},
    {"cd", "[FOLDER]", "change the working folder, without FOLDER to the first one", run_cd},
    {"pwd", "", "print the working folder", run_pwd},
    {"set", "", "list the variables; NAME=value sets one", run_set},
    {"unset", "NAME...", "forget variables", run_unset},
    {"shift", "[N]", "drop the first N of a script's arguments, or one", run_shift},
    {"test", "EXPRESSION", "compare strings (= !=) and numbers (-eq -lt ...), look for files (-e -f -d -s)", run_test},
    {"[", "EXPRESSION ]", "the same", run_test},
    {"source", "FILE [ARGUMENT...]", "run a script's commands as if they were typed here", NULL},
    {".", "FILE [ARGUMENT...]", "the same", NULL},
    {"break", "", "end the loop", NULL},
    {"continue", "", "go on with the loop's next round", NULL},
    {"exit", "[STATUS]", "end the script, or the shell", NULL},
    {"history", "", "list the lines typed before", run_history},
    {"sync", "", "wait until all that was written is safe on the disks", run_sync},
    {"jobs", "", "list what runs in the background", run_jobs},
    {"kill", "ID | %JOB", "end a process or a job; services and drivers are started again", run_kill},
    {"services", "", "list the services: state, restarts, memory, how they ended, rights", run_services},
    {"restart", "NAME", "start a service again, even one that was given up", run_restart},
    {"run", "NAME [ARGUMENT...]", "run a program, even one with the name of a command", run_run},
    {"shutdown", "[CODE]", "power the machine off", run_shutdown},
    {"reboot", "", "start the machine again", run_reboot},
    {"status", "", "print the status of the last command", run_status},
    {"true", "", "succeed", run_true},
    {"false", "", "fail with status 1", run_false},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *command_find(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void help_line(const char *name, const char *arguments, const char *summary) {
    unsigned used = (unsigned)(strlen(name) + strlen(arguments)) + 1;
    terminal_print("  %s %s%*s  %s\n", name, arguments, used < 24 ? (int)(24 - used) : 0, "", summary);
}

bool builtin_help(const char *name) {
    const struct command *command = command_find(name);
    const struct manifest_program *program = command ? NULL : programs_find(name);
    const char *arguments = command ? command->arguments : program ? program->arguments : "";

    if (!command && !program)
        return false;
    terminal_print("%s%s%s: %s\n", name, *arguments ? " " : "", arguments,
                   command ? command->summary : program->summary);
    return true;
}

bool builtin_is(const char *name) {
    return command_find(name);
}

const char *builtin_at(unsigned place) {
    return place < COMMANDS ? commands[place].name : NULL;
}

bool builtin_run(unsigned argc, const char *const *argv, uint64_t *ret_status) {
    const struct command *command = command_find(argv[0]);

    if (!command || !command->run)
        return false;
    *ret_status = command->run(argc, argv);
    return true;
}

static uint64_t run_help(unsigned argc, const char *const *argv) {
    const struct manifest_program *program;

    if (argc > 1) {
        if (builtin_help(argv[1]))
            return 0;
        terminal_error("help: nothing is known of %s; `help` lists all\n", argv[1]);
        return 1;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        help_line(commands[i].name, commands[i].arguments, commands[i].summary);
    for (unsigned place = 0; (program = programs_at(place)); place++)
        if (!command_find(program->name))
            help_line(program->name, program->arguments, program->summary);
    terminal_print("a | b: pipeline   a; b   a && b   a || b   a &: background   < > >> FILE   ^C: kill   Tab ^R\n"
                   "NAME=value   $NAME $? $1   * ? [a-z]   if while until for: a subset of the POSIX shell\n");
    return 0;
}

/* An optional number as the first argument. False: it is none, which has been said. */
static bool argument_number(unsigned argc, const char *const *argv, uint64_t otherwise, uint64_t *ret) {
    *ret = otherwise;
    if (argc < 2 || (argc == 2 && os2_string_number(argv[1], ret)))
        return true;
    terminal_error("%s: one number, please\n", argv[0]);
    return false;
}

static enum test_kind test_look(const char *path, uint64_t *ret_size) {
    struct os2_file_facts facts;

    if (os2_file_stat(path, &facts) < 0)
        return TEST_NOTHING;
    *ret_size = facts.size;
    return facts.kind & OS2_FILE_FOLDER ? TEST_FOLDER : TEST_FILE;
}

/* Says what went wrong, and returns the status for it; good is 0. */
static uint64_t report(const char *command, const char *name, int status) {
    if (status < 0)
        terminal_error("%s: %s%s%s\n", command, name, *name ? ": " : "", os2_status_text(status));
    return status < 0;
}

static uint64_t run_cd(unsigned argc, const char *const *argv) {
    const char *folder = argc > 1 ? argv[1] : OS2_FOLDER_FIRST;
    return report(argv[0], folder, os2_folder_change(folder));
}

static uint64_t run_pwd(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    terminal_print("%s\n", os2_folder_working());
    return 0;
}

static uint64_t run_set(unsigned argc, const char *const *argv) {
    const char *entry;

    if (argc > 1) {
        terminal_error("%s: takes no arguments; NAME=value sets a variable\n", argv[0]);
        return STATUS_USAGE;
    }
    for (size_t at = 0; (entry = variables_next(&session.variables, &at));)
        terminal_print("%s\n", entry);
    return 0;
}

static uint64_t run_unset(unsigned argc, const char *const *argv) {
    for (unsigned i = 1; i < argc; i++)
        variables_set(&session.variables, argv[i], strlen(argv[i]), NULL);
    return 0;
}

static uint64_t run_test(unsigned argc, const char *const *argv) {
    const char *reason = NULL;
    unsigned status = test_run(argc, argv, test_look, &reason);

    if (reason)
        terminal_error("%s: %s\n", argv[0], reason);
    return status;
}

static uint64_t run_history(unsigned argc, const char *const *argv) {
    const char *line;
    unsigned number = 0;

    (void)argc;
    (void)argv;
    for (size_t at = 0; (line = terminal_history(&at));)
        terminal_print("%5u  %s\n", ++number, line);
    return 0;
}

static uint64_t run_sync(unsigned argc, const char *const *argv) {
    (void)argc;
    return report(argv[0], "", os2_file_sync_all());
}

static uint64_t run_shift(unsigned argc, const char *const *argv) {
    uint64_t count;

    if (!argument_number(argc, argv, 1, &count))
        return STATUS_USAGE;
    if (!session.argc || count >= session.argc) {
        terminal_error("%s: there are not so many arguments\n", argv[0]);
        return 1;
    }
    session.argv[count] = session.argv[0];
    session.argv += count;
    session.argc -= (unsigned)count;
    return 0;
}

static uint64_t run_jobs(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    job_poll();
    job_list();
    return 0;
}

static uint64_t run_kill(unsigned argc, const char *const *argv) {
    bool is_job = argc == 2 && argv[1][0] == '%';
    uint64_t number;
    int status;

    if (argc != 2 || !os2_string_number(argv[1] + is_job, &number)) {
        terminal_error("kill: give one ID (`ps` shows them) or %%JOB (`jobs`)\n");
        return STATUS_USAGE;
    }
    job_poll();
    if (job_kill((unsigned)number, is_job))
        return 0;
    if (is_job) {
        terminal_error("kill: no job %%%lu\n", number);
        return 1;
    }
    status = os2_supervisor_kill(os2_start_handle("init"), number);
    if (status < 0)
        status = services_restart_driver(number);
    if (status >= 0)
        return 0;
    terminal_error("kill: %lu is neither a child of this shell nor a service nor a driver\n", number);
    return 1;
}

/* Pages that it has, in KiB. */
static void service_memory(const struct os2_service_facts *s, char text[16]) {
    struct os2_process_facts facts;

    if (os2_process_facts(os2_start_handle("machine"), s->slot, &facts) >= 0)
        format(text, 16, "%luK", ((uint64_t)facts.pages + facts.tables + facts.objects) * OS2_PAGE_SIZE / 1024);
}

static void service_print(const struct os2_service_facts *s) {
    static const char *const states[] = {"runs", "ready", "waits", "given up"}, *const grants[] = {OS2_SERVICE_GRANTS};
    char slot[12] = "-", ended[48] = "-", memory[16] = "-";

    if (s->state <= OS2_SERVICE_READY) {
        format(slot, sizeof(slot), "%u", s->slot);
        service_memory(s, memory);
    }
    if (s->ended == OS2_END_EXIT)
        format(ended, sizeof(ended), "exit %lu", s->value);
    else if (s->ended == OS2_END_FAULT)
        format(ended, sizeof(ended), "fault: %s", os2_fault_text((enum os2_fault)s->value));
    else if (s->ended != OS2_END_NONE)
        format(ended, sizeof(ended), "%s", s->ended == OS2_END_WATCHDOG ? "watchdog" : "killed");
    terminal_print("%4s %-8s %-8s %8u %7lu.%lu s %7s  %-14s", slot, s->name, states[s->state & 3], s->restarts,
                   s->since_ms / 1000, s->since_ms / 100 % 10, memory, ended);
    for (unsigned i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
        if (s->grants & 1u << i)
            terminal_print(" %s", grants[i]);
    terminal_print("\n");
}

static uint64_t run_services(unsigned argc, const char *const *argv) {
    struct os2_service_facts facts;
    int status;

    (void)argc;
    terminal_print("%4s %-8s %-8s %8s %11s %7s  %-14s %s\n", "ID", "NAME", "STATE", "RESTARTS", "SINCE", "MEMORY",
                   "LAST END", "GRANTS");
    for (unsigned i = 0; (status = os2_supervisor_list(os2_start_handle("init"), i, &facts)) >= 0; i++)
        service_print(&facts);
    return report(argv[0], "", status == OS2_E_INVALID ? OS2_OK : status);
}

static uint64_t run_restart(unsigned argc, const char *const *argv) {
    if (argc != 2) {
        terminal_error("%s: which service? `services` lists them\n", argv[0]);
        return STATUS_USAGE;
    }
    terminal_flush();
    return report(argv[0], argv[1], os2_supervisor_start(os2_start_handle("init"), argv[1]));
}

static uint64_t run_run(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    terminal_error("run: what?\n"); /* with a name, the shell has taken the word off already */
    return STATUS_USAGE;
}

static uint64_t run_shutdown(unsigned argc, const char *const *argv) {
    uint64_t code;
    int status;

    if (!argument_number(argc, argv, 0, &code))
        return STATUS_USAGE;
    terminal_flush();
    status = os2_supervisor_shutdown(os2_start_handle("init"), code);
    terminal_error("shutdown: %s\n", os2_status_text(status));
    return 1;
}

static uint64_t run_reboot(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    terminal_flush();
    terminal_error("reboot: %s\n", os2_status_text(os2_supervisor_restart(os2_start_handle("init"))));
    return 1;
}

static uint64_t run_status(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    terminal_print("%lu\n", session.status);
    return session.status;
}

static uint64_t run_true(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    return 0;
}

static uint64_t run_false(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    return 1;
}
