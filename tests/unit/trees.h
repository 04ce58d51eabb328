/* SPDX-License-Identifier: MIT */
/*
 * The compiled trees of tests/trees/, for the tests of the device-tree reader.
 */
#ifndef TESTS_UNIT_TREES_H
#define TESTS_UNIT_TREES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/fdt.h"

struct tree_file {
    const char *name; /* "virt" */
    uint8_t *bytes;   /* a heap block of exactly `size` bytes, so that ASan sees a read beyond it */
    size_t size;
    struct fdt tree;
};

/* Reads all *.dtb named in the environment's TREES, separated by ':'. */
void trees_load(void);

/* All of them, and the one of that name. Fails the test if there is none. */
extern struct tree_file *trees;
extern size_t trees_count;
struct tree_file *trees_named(const char *name);

#endif
