/* SPDX-License-Identifier: MIT */
/* The bytes that a reader is given, where ASan sees a read beyond them, and no word lies aligned. */
#ifndef TESTS_FUZZ_BLOCK_H
#define TESTS_FUZZ_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A heap block whose last `size` bytes are these, from an odd address on. */
static uint8_t *block_of(const uint8_t *bytes, size_t size) {
    uint8_t *block = malloc(size + 1);

    if (block == NULL)
        abort();
    if (size)
        memcpy(block + 1, bytes, size);
    return block;
}

#endif
