/* SPDX-License-Identifier: MIT */
/*
 * Running texts of the shell's language.
 */
#ifndef SHELL_RUN_H
#define SHELL_RUN_H

#include <stdbool.h>

/* Runs a text, step by step; the last status is the session's. True: `exit` was one of its commands. */
bool run_text(const char *text);

/* Does the text end within a step? */
bool run_wants_more(const char *text);

/* Runs the file argv[0] as a script. It begins with the working folder and the variables that there are, and what it
 * changes of these ends with it. */
void run_script(unsigned argc, const char *const *argv);

#endif
