/* SPDX-License-Identifier: MIT */
/*
 * From words as they were typed to what a command gets, at the moment when it runs. Pure but for the folders and the
 * variables, which the caller has.
 *
 * A word with $NAME outside of quotes is split at blanks, tabs and line ends of the value. A word with one of * ? [
 * outside of quotes becomes the paths that match it (shell/glob.h), and stays as it is if there are none. An empty word
 * is one only if it has quotes. The value of NAME=value and the file of < or > are neither split nor matched.
 */
#ifndef SHELL_EXPAND_H
#define SHELL_EXPAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shell/glob.h"
#include "shell/parse.h"

#define EXPAND_WORDS 512u
#define EXPAND_TEXT 16384u

/* Where values come from. */
struct expand_values {
    void *context;
    const char *(*variable)(void *context, const char *name, size_t length); /* null: not set */
    uint64_t status;                                                         /* $? */
    unsigned argc;                                                           /* $0 and those behind it */
    const char *const *argv;
    const struct glob_folders *folders;
};

/* Words, with a null behind the last of a command. */
struct expand_list {
    unsigned count;
    size_t used;
    const char *words[EXPAND_WORDS];
    char text[EXPAND_TEXT];
};

struct expand_stage {
    unsigned argc;
    const char **argv;          /* ends with a null */
    const char *input, *output; /* files; null: none */
    bool append;
};

struct expand_pipeline {
    unsigned stages;
    bool background;
    struct expand_stage stage[PARSE_STAGES];
    struct expand_list list;
};

/* All return null, or what is wrong. */
const char *expand_pipeline(const struct parse_tree *tree, unsigned place, const struct expand_values *values,
                            struct expand_pipeline *ret_pipeline);

/* Adds what these words become to the list. */
const char *expand_words(const struct parse_tree *tree, unsigned first, unsigned count,
                         const struct expand_values *values, struct expand_list *list);

/* Adds one word, neither split nor matched. */
const char *expand_value(const char *text, size_t size, const struct expand_values *values, struct expand_list *list);

#endif
