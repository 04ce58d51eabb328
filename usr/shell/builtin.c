/* SPDX-License-Identifier: MIT */
/*
 * The commands of the shell itself, and `help` for these and for the programs.
 */
#include "shell/builtin.h"

#include "os2/call.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "shell/job.h"
#include "shell/programs.h"
#include "shell/services.h"
#include "shell/terminal.h"

struct command {
    const char *name, *arguments, *summary;
    uint64_t (*run)(unsigned argc, const char *const *argv); /* returns the status */
};

static uint64_t run_help(unsigned argc, const char *const *argv);
static uint64_t run_exit(unsigned argc, const char *const *argv);
static uint64_t run_jobs(unsigned argc, const char *const *argv);
static uint64_t run_kill(unsigned argc, const char *const *argv);
static uint64_t run_run(unsigned argc, const char *const *argv);
static uint64_t run_shutdown(unsigned argc, const char *const *argv);
static uint64_t run_reboot(unsigned argc, const char *const *argv);
static uint64_t run_status(unsigned argc, const char *const *argv);
static uint64_t run_true(unsigned argc, const char *const *argv);
static uint64_t run_false(unsigned argc, const char *const *argv);

static const struct command commands[] = {
    {"help", "[COMMAND]", "what there is, or how to use one command", run_help},
    {"exit", "[STATUS]", "end the shell", run_exit},
    {"jobs", "", "list what runs in the background", run_jobs},
    {"kill", "ID | %JOB", "end a process or a job; services and drivers are started again", run_kill},
    {"run", "NAME [ARGUMENT...]", "run a program, even one with the name of a command", run_run},
    {"shutdown", "[CODE]", "power the machine off", run_shutdown},
    {"reboot", "", "start the machine again", run_reboot},
    {"status", "", "print the status of the last command", run_status},
    {"true", "", "succeed", run_true},
    {"false", "", "fail with status 1", run_false},
};
static uint64_t last_status; /* of the command before */

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

bool builtin_run(unsigned argc, const char *const *argv, uint64_t *status) {
    const struct command *command = command_find(argv[0]);

    if (!command)
        return false;
    last_status = *status;
    *status = command->run(argc, argv);
    return true;
}

static uint64_t run_help(unsigned argc, const char *const *argv) {
    const struct manifest_program *program;

    if (argc > 1) {
        if (builtin_help(argv[1]))
            return 0;
        terminal_print("help: nothing is known of %s; `help` lists all\n", argv[1]);
        return 1;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        help_line(commands[i].name, commands[i].arguments, commands[i].summary);
    for (unsigned place = 0; (program = programs_at(place)); place++)
        if (!command_find(program->name))
            help_line(program->name, program->arguments, program->summary);
    terminal_print("a | b: pipeline   a; b: one after the other   a &: background   ^C: kill   $?: status\n");
    return 0;
}

/* An optional number as the first argument. False: it is none, which has been said. */
static bool argument_number(unsigned argc, const char *const *argv, uint64_t otherwise, uint64_t *ret) {
    *ret = otherwise;
    if (argc < 2 || (argc == 2 && os2_string_number(argv[1], ret)))
        return true;
    terminal_print("%s: one number, please\n", argv[0]);
    return false;
}

static uint64_t run_exit(unsigned argc, const char *const *argv) {
    uint64_t status;

    if (!argument_number(argc, argv, last_status, &status))
        return STATUS_USAGE;
    terminal_flush();
    os2_exit(status);
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
        terminal_print("kill: give one ID (`ps` shows them) or %%JOB (`jobs`)\n");
        return STATUS_USAGE;
    }
    job_poll();
    if (job_kill((unsigned)number, is_job))
        return 0;
    if (is_job) {
        terminal_print("kill: no job %%%lu\n", number);
        return 1;
    }
    status = os2_supervisor_kill(os2_start_handle("init"), number);
    if (status < 0)
        status = services_restart_driver(number);
    if (status >= 0)
        return 0;
    terminal_print("kill: %lu is neither a child of this shell nor a service nor a driver\n", number);
    return 1;
}

static uint64_t run_run(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    terminal_print("run: what?\n"); /* with a name, the shell has taken the word off already */
    return STATUS_USAGE;
}

static uint64_t run_shutdown(unsigned argc, const char *const *argv) {
    uint64_t code;
    int status;

    if (!argument_number(argc, argv, 0, &code))
        return STATUS_USAGE;
    terminal_flush();
    status = os2_supervisor_shutdown(os2_start_handle("init"), code);
    terminal_print("shutdown: %s\n", os2_status_text(status));
    return 1;
}

static uint64_t run_reboot(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    terminal_flush();
    terminal_print("reboot: %s\n", os2_status_text(os2_supervisor_restart(os2_start_handle("init"))));
    return 1;
}

static uint64_t run_status(unsigned argc, const char *const *argv) {
    (void)argc;
    (void)argv;
    terminal_print("%lu\n", last_status);
    return last_status;
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
