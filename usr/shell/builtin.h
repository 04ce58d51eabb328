/* SPDX-License-Identifier: MIT */
/*
 * The commands of the shell itself, and what `help` says of all.
 */
#ifndef SHELL_BUILTIN_H
#define SHELL_BUILTIN_H

#include <stdbool.h>
#include <stdint.h>

/* Runs a command of the shell itself. *status: of the command before, and then of this one. False: it is none. */
bool builtin_run(unsigned argc, const char *const *argv, uint64_t *status);
bool builtin_is(const char *name);

/* Prints what `help NAME` says. False: nothing is known of it. */
bool builtin_help(const char *name);

#endif
