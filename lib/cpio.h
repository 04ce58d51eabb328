/* SPDX-License-Identifier: MIT */
/*
 * The boot archive: a reader of newc cpio, the format `cpio -o -H newc` writes.
 *
 * An archive is a row of entries, each a header of 110 ASCII characters, a name with its zero, and the content; header
 * and name together, and the content, are padded to a multiple of 4 from the start of the archive. The last entry is
 * named TRAILER!!!. Numbers are 8 hexadecimal digits. Rejected: tar (names split in two, octal, 512-byte padding), and
 * a format of our own (no tool on a host could look into it).
 *
 * The reader reads bytes only, and no content of an archive can make it leave the bytes it was given.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpio_file {
    const char *name; /* ends inside the archive; without a leading "./" or "/" */
    const uint8_t *bytes;
    size_t size;
};

/* Steps through the regular files of the archive of `size` bytes. *at is 0 for the first call and is moved on by each.
 * False, with *ret untouched, at the trailer, at the end, or where the archive is malformed. */
bool cpio_next(const void *archive, size_t size, size_t *at, struct cpio_file *ret);

/* The regular file of that name; of several the last one, as an unpacker would leave it. False, with *ret untouched, if
 * there is none. */
bool cpio_find(const void *archive, size_t size, const char *name, struct cpio_file *ret);

#endif
