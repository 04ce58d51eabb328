/* SPDX-License-Identifier: MIT */
/* The options of a random test: --long, --seed N, --steps N. The seed is printed, so that a failure can be repeated. */
#ifndef TESTS_HOST_OPTIONS_H
#define TESTS_HOST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool option_long;
static uint64_t option_seed, option_steps;

static inline void options_read(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--long") == 0)
            option_long = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            option_seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--steps") == 0 && i + 1 < argc)
            option_steps = strtoull(argv[++i], NULL, 0);
    }
}

#endif
