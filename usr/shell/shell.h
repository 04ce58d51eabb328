/* SPDX-License-Identifier: MIT */
/*
 * What the shell's files share.
 */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shell/parse.h"

/* ---- shell.c: the terminal, and the services the shell needs. ---- */

extern uint64_t shell_status; /* of the last pipeline: $? */

/* Prints; what is printed goes out when a line or the buffer is full, or by shell_flush. */
void shell_put(const char *text, size_t length);
void shell_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void shell_flush(void);

/* Handles to the services, looked up when needed and again after their process has ended; 0: there is none. */
unsigned shell_console(void);
unsigned shell_names(void);

/* A program's file in a block of its own. OS2_E_WOULD_WAIT: there is no such file. */
int shell_load(const char *name, void **ret_block, uint64_t *ret_size);

/* Runs a line. False: its text is wrong, which has been said. */
bool shell_run_line(const char *line);

/* ---- job.c: pipelines of processes. ---- */

void job_init(void);

/* Starts the pipeline, and waits for it unless it goes to the background. Sets shell_status. */
void job_run(const struct parse_pipeline *pipeline);

/* Takes notice of children that have ended; never waits. Says so for jobs in the background. */
void job_poll(void);
void job_list(void);

/* Ends the job %N, or the child in process slot N. False: there is none. */
bool job_kill(unsigned number, bool is_job);

/* ---- builtin.c: commands of the shell itself, and what `help` says of all. ---- */

/* Runs a command of the shell itself. False: it is none. */
bool builtin_run(unsigned argc, const char *const *argv);
bool builtin_is(const char *name);

/* Prints what `help NAME` says. False: nothing is known of it. */
bool builtin_help(const char *name);

#endif
