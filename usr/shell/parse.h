/* SPDX-License-Identifier: MIT */
/*
 * The shell's language, a subset of the POSIX shell's. Pure: a text in, trees of commands out, one after the other.
 *
 *     text       steps, each with a ; & or line end behind it
 *     step       pipeline { && pipeline | || pipeline }
 *     pipeline   [!] command { | command }
 *     command    words, and < FILE, > FILE, >> FILE among them; or NAME=value ...; or one of
 *                if STEPS; then STEPS; [elif STEPS; then STEPS;]... [else STEPS;] fi
 *                while STEPS; do STEPS; done
 *                until STEPS; do STEPS; done
 *                for NAME [in WORD...]; do STEPS; done
 *     word       'as it stands', "with $NAME in it", a\ b, $NAME ${NAME} $? $# $0 $1 .. $9 $@ $*, patterns * ? [a-z]
 *     comment    # at the start of a word, up to the line's end
 *
 * What of POSIX is left out is refused, not taken for something else: `...` and $(...), ( ), case, functions, here
 * documents, redirection of anything but input and output. A tree holds words as they were typed; shell/expand.h makes
 * of them what a command gets, at the moment when it runs.
 */
#ifndef SHELL_PARSE_H
#define SHELL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARSE_NODES 256u
#define PARSE_WORDS 768u
#define PARSE_STAGES 8u
#define PARSE_DEPTH 12u /* of commands within commands */

enum parse_kind {
    PARSE_COMMAND = 1, /* words; input, output */
    PARSE_PIPELINE,    /* first: the commands */
    PARSE_NOT,         /* first: a pipeline */
    PARSE_AND,         /* first, then second if that was good */
    PARSE_OR,          /* first, then second if that was not */
    PARSE_IF,          /* first: the condition's steps; second: then; third: else, or what elif begins */
    PARSE_WHILE,       /* first: the condition's steps; second: the body's */
    PARSE_UNTIL,
    PARSE_FOR /* word 0: the name; the others: the values, unless `own`; second: the body's steps */
};

/* A piece of the text, with its quotes. */
struct parse_word {
    size_t at, size;
};

/* Nodes and words are named by their places; 0 is none. */
struct parse_node {
    enum parse_kind kind;
    bool background;                 /* a step with & behind it */
    bool append;                     /* output: >> */
    bool own;                        /* FOR without `in`: the script's own arguments */
    unsigned next;                   /* the next step, or the next command of a pipeline */
    unsigned first, second, third;   /* the nodes below */
    unsigned word, words;            /* the first of its words, and how many */
    struct parse_word input, output; /* the files; size 0: none */
};

struct parse_tree {
    const char *text;
    unsigned root, nodes, words;
    struct parse_node node[PARSE_NODES];
    struct parse_word word[PARSE_WORDS];
};

enum parse_result {
    PARSE_STEP,
    PARSE_END,  /* there is no more */
    PARSE_MORE, /* the text ends within a step; the reason says what is missing */
    PARSE_ERROR
};

/*
 * Reads the next step of `text` from *at on and moves *at behind it. PARSE_MORE and PARSE_ERROR: *ret_reason says why;
 * the rest of the text means nothing then.
 */
enum parse_result parse_next(const char *text, size_t *at, struct parse_tree *ret_tree, const char **ret_reason);

/* How many bytes of a word are a variable's name, from its start on. */
size_t parse_name(const char *text, size_t size);

/* Is the word NAME=value? Then *ret_name is the length of NAME. */
bool parse_assigns(const struct parse_tree *tree, unsigned word, size_t *ret_name);

/* Is there a blank, a line end, an operator or the end? All of them end a word that is not quoted. */
bool parse_word_end(char c);

/* Is it one of the words after which another command begins: then, do, ! and so on? */
bool parse_introduces(const char *word, size_t size);

#endif
