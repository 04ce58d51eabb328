/* SPDX-License-Identifier: MIT */
/*
 * What commands see of the shell: variables, the script's arguments, the last status.
 */
#ifndef SHELL_SESSION_H
#define SHELL_SESSION_H

#include <stdint.h>

#include "shell/expand.h"
#include "shell/variables.h"

struct session {
    struct variables variables;
    uint64_t status; /* $?: of the last command */
    unsigned argc;   /* of the script that runs, or of the shell itself: $0 and what is behind it */
    const char **argv;
};
extern struct session session;

/* Where words take their values from: the session, and the folders of the file service. */
struct expand_values session_values(void);

/* The names in a folder, for patterns and completion; `take` gets those of folders with a '/' behind if `slashes`. */
void session_list(const char *folder, bool slashes, glob_take_function *take, void *taker);

#endif
