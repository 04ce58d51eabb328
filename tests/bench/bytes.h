/* SPDX-License-Identifier: MIT */
/* Instructions that a plugin knows by their first bytes, which it is given in hexadecimal. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BYTES_MAX 16

struct bytes {
    uint8_t byte[BYTES_MAX];
    size_t size;
};

static inline bool bytes_begin(const uint8_t *code, const struct bytes *with) {
    return memcmp(code, with->byte, with->size) == 0;
}

static inline void bytes_read(struct bytes *bytes, const char *hex) {
    for (; bytes->size < BYTES_MAX && sscanf(hex, "%2hhx", &bytes->byte[bytes->size]) == 1; hex += 2)
        bytes->size++;
}

#endif
