/* SPDX-License-Identifier: MIT */
/*
 * The shell's variables. Pure: "NAME=value" strings one behind the other, in the order in which they were set.
 */
#ifndef SHELL_VARIABLES_H
#define SHELL_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#define VARIABLES_TEXT 8192u

struct variables {
    size_t used;
    char text[VARIABLES_TEXT];
};

/* The value, good until one is set; null: it is not set. */
const char *variables_get(const struct variables *v, const char *name, size_t length);

/* Sets it, or takes it out where the value is null. False: there is no room; then it is as it was. */
bool variables_set(struct variables *v, const char *name, size_t length, const char *value);

/* The string at *at, and moves it on; null behind the last one. Begin with 0. */
const char *variables_next(const struct variables *v, size_t *at);

#endif
