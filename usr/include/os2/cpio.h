/* SPDX-License-Identifier: MIT */
/*
 * Reading a newc cpio archive. Pure: the bytes may be anything; nothing outside them is read.
 */
#ifndef OS2_CPIO_H
#define OS2_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os2_cpio_file {
    const char *name; /* zero-terminated, inside the archive, without a leading "./" or "/" */
    const uint8_t *bytes;
    size_t size;
    uint32_t mode;
};

/*
 * Reads the entry at *offset (0 at first) and moves *offset behind it. False at the trailer, at the end, and at the
 * first thing that is not a whole entry.
 */
bool os2_cpio_next(const void *archive, size_t size, size_t *offset, struct os2_cpio_file *ret_file);

/* The regular file of that name; of several the last one, as an unpacker would leave it. */
bool os2_cpio_find(const void *archive, size_t size, const char *name, struct os2_cpio_file *ret_file);

/* Whether an entry is a regular file. */
bool os2_cpio_regular(const struct os2_cpio_file *file);

#endif
