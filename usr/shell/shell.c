/* SPDX-License-Identifier: MIT */
/*
 * The shell: reads lines, runs them.
 *
 *     shell            read lines from the console until ^D or exit
 *     shell -c TEXT    run one line; its status is the shell's
 *
 * Its files in layers, each of which includes only those before it (tests/lint/layers.py):
 *
 *     parse       the language; pure
 *     manifest    the language of what is said of programs; pure
 *     services    finding the services, those too that were started again
 *     terminal    what is printed, and the lines that are read
 *     programs    what the manifests in the archive say
 *     job         pipelines as processes
 *     builtin     the shell's own commands
 *     shell       this
 */
#include "os2/string.h"
#include "os2/supervisor.h"
#include "shell/builtin.h"
#include "shell/job.h"
#include "shell/parse.h"
#include "shell/terminal.h"

static uint64_t last_status; /* of the last pipeline: $? */

/* One pipeline: a command of the shell itself, or programs. */
static void run_pipeline(struct parse_pipeline *pipeline) {
    for (unsigned i = 0; i < pipeline->stages; i++) {
        const char **argv = pipeline->stage[i].argv;
        unsigned argc = pipeline->stage[i].argc;

        if (argc == 2 && strcmp(argv[1], "--help") == 0 && builtin_help(argv[0])) {
            last_status = 0;
            return;
        }
        if (argc > 1 && strcmp(argv[0], "run") == 0) {
            pipeline->stage[i].argv++;
            pipeline->stage[i].argc--;
        } else if (builtin_is(argv[0]) && (pipeline->stages > 1 || pipeline->background)) {
            terminal_print("%s: the shell's own commands run alone and in the foreground\n", argv[0]);
            last_status = STATUS_USAGE;
            return;
        } else if (builtin_run(argc, (const char *const *)argv, &last_status)) {
            return;
        }
    }
    last_status = job_run(pipeline);
}

static void run_line(const char *line) {
    static struct parse_pipeline pipeline;
    const char *reason = NULL;
    size_t at = 0;

    for (;;) {
        switch (parse_next(line, &at, last_status, &pipeline, &reason)) {
        case PARSE_END:
            return;
        case PARSE_ERROR:
            terminal_print("%s\n", reason);
            last_status = STATUS_USAGE;
            return;
        case PARSE_PIPELINE:
            run_pipeline(&pipeline);
            break;
        }
    }
}

int main(int argc, char **argv) {
    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    job_init();
    if (argc == 3 && strcmp(argv[1], "-c") == 0) {
        run_line(argv[2]);
        terminal_flush();
        return (int)last_status;
    }
    terminal_init();
    terminal_print("OS2. `help` lists the commands.\n");
    for (;;) {
        const char *line;

        job_poll();
        line = terminal_read_line();
        if (!line)
            break;
        run_line(line);
    }
    terminal_print("\n");
    terminal_flush();
    return (int)last_status;
}
