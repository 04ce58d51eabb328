/* SPDX-License-Identifier: MIT */
/*
 * What small tools have in common: options, lines, and numbers as people read them.
 */
#ifndef OS2_TOOL_H
#define OS2_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the options before the first argument that is none: letters behind a '-', ended by "--". `letters` are those
 * that there are; one with a ':' behind takes a value, in the same word or the next one. *ret_flags: bit i for
 * letters[i]. *ret_value: of the last one that had a value; untouched without. Returns the index of the first argument
 * that is no option, or -1: it has said what is wrong.
 */
int os2_tool_options(int argc, char **argv, const char *letters, unsigned *ret_flags, const char **ret_value);

/* Says that something does not work with this file, and why; returns 1, as an exit status. */
int os2_tool_failed(const char *path, int status);

/* Says how the program is used; returns 2, as an exit status. */
int os2_tool_usage(const char *arguments);

/* Takes a line, without its end; it is good until the function returns. Below 0 ends the reading. */
typedef int os2_tool_line(void *context, const char *line, size_t size);

/* Hands each line of the file, or of the input where `path` is null, to `take`. A status; what `take` returned too. */
int os2_tool_lines(const char *path, os2_tool_line *take, void *context);

/* Hands each of the files from argv[first] on to `one`, under a heading with its name where there are several; or,
 * where there is none, null for the input. `one` returns an exit status, as this does. */
int os2_tool_each(int argc, char **argv, int first, int (*one)(const char *path));

/* A number of bytes in at most 6 columns: "999", "1.5K", "12M". Rounded up, so that nothing becomes 0. */
#define OS2_TOOL_SIZE 8
const char *os2_tool_size(uint64_t bytes, char text[OS2_TOOL_SIZE]);

/* Seconds since 1970 as "2026-11-30 20:26:51"; 0: a '-'. */
#define OS2_TOOL_DATE 24
const char *os2_tool_date(uint64_t seconds, char text[OS2_TOOL_DATE]);

/* A path's last part, and two parts of a path put together. False: too long. */
const char *os2_tool_name(const char *path);
bool os2_tool_join(char *to, size_t size, const char *folder, const char *name);

#endif
