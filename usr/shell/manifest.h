/* SPDX-License-Identifier: MIT */
/*
 * The language of manifests: what the shell must know of a program stands beside the program, in a text file of the
 * boot archive whose name ends with ".programs". Pure: a text in, programs out, one after the other.
 *
 *     manifest   lines; empty ones and those that begin with # say nothing
 *     line       NAME; ARGUMENTS; SUMMARY, and ; RIGHTS where the program has any
 *
 * NAME is the program's file in the archive. ARGUMENTS and SUMMARY are for `help`. The only one of RIGHTS is `observe`:
 * the program may look at processes and at the machine.
 */
#ifndef SHELL_MANIFEST_H
#define SHELL_MANIFEST_H

#include <stddef.h>

#define MANIFEST_SUFFIX ".programs"

struct manifest_program {
    const char *name, *arguments, *summary;
    unsigned rights; /* to the machine, OS2_RIGHT_... */
};

struct manifest {
    char *text; /* is changed: the strings of the programs stay in it */
    size_t size, at;
    unsigned line; /* of the result, from 1 on */
};

enum manifest_result { MANIFEST_PROGRAM, MANIFEST_END, MANIFEST_ERROR };

/* Reads the next program. MANIFEST_ERROR: *ret_reason says what is wrong with a line; the next call goes on behind. */
enum manifest_result manifest_next(struct manifest *manifest, struct manifest_program *ret_program,
                                   const char **ret_reason);

#endif
