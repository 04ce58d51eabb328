/* SPDX-License-Identifier: MIT */
/*
 * What a tab at the prompt may complete: the name of a command where one begins, of a variable behind a $, of a file
 * elsewhere and where there is a '/'. Pure but for the names, which the caller has.
 */
#ifndef SHELL_COMPLETE_H
#define SHELL_COMPLETE_H

#include "os2/lineedit.h"

typedef void complete_take_function(void *taker, const char *name);

/* Hand all names to `take`; those of folders end with a '/'. */
struct complete_names {
    void (*commands)(complete_take_function *take, void *taker);
    void (*variables)(complete_take_function *take, void *taker);
    void (*files)(const char *folder, complete_take_function *take, void *taker); /* "": the working folder */
};

void complete_line(const struct complete_names *names, const char *line, size_t cursor, struct os2_completions *ret);

#endif
