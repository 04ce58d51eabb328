/* SPDX-License-Identifier: MIT */
/*
 * The shell's language. Pure: a line in, pipelines out, one after the other.
 *
 *     line      pipeline { ; pipeline } , where & instead of ; runs the pipeline before it in the background
 *     pipeline  command { | command }
 *     command   words; 'as it stands', "with $? in it", a\ b
 *
 * $? is the status of the pipeline before.
 */
#ifndef SHELL_PARSE_H
#define SHELL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARSE_STAGES 8u
#define PARSE_WORDS 512u
#define PARSE_TEXT 8192u /* the words of one pipeline with their zeros; a line is at most 4 KiB */

struct parse_pipeline {
    unsigned stages;
    bool background;
    struct {
        unsigned argc;
        const char **argv; /* ends with a null */
    } stage[PARSE_STAGES];
    const char *words[PARSE_WORDS + PARSE_STAGES]; /* with a null behind each command's */
    char text[PARSE_TEXT];
};

enum parse_result { PARSE_PIPELINE, PARSE_END, PARSE_ERROR };

/*
 * Reads the next pipeline of `line` from *at on and moves *at behind it. PARSE_ERROR: *ret_reason says why; the rest of
 * the line means nothing then.
 */
enum parse_result parse_next(const char *line, size_t *at, uint64_t status, struct parse_pipeline *ret_pipeline,
                             const char **ret_reason);

#endif
