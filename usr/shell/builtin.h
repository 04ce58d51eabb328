/* SPDX-License-Identifier: MIT */
/*
 * The commands of the shell itself, and what `help` says of all.
 */
#ifndef SHELL_BUILTIN_H
#define SHELL_BUILTIN_H

#include <stdbool.h>
#include <stdint.h>

/* Runs a command of the shell itself and returns its status. False: it is none, or one of shell/run.c. */
bool builtin_run(unsigned argc, const char *const *argv, uint64_t *ret_status);
bool builtin_is(const char *name);

/* The name of the command at `place`, or null behind the last one. */
const char *builtin_at(unsigned place);

/* Prints what `help NAME` says. False: nothing is known of it. */
bool builtin_help(const char *name);

#endif
