/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a boot archive.
 *
 * The archive begins at an odd address and ends with its heap block. Every byte of each name and content is read, each
 * step must come further, and each file is found by its name.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cpio.h"
#include "tests/fuzz/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_whole(const struct cpio_file *file) {
    static volatile unsigned sum;

    sum += (unsigned)strlen(file->name);
    for (size_t i = 0; i < file->size; i++)
        sum += file->bytes[i];
}

static void read_archive(const uint8_t *archive, size_t size) {
    struct cpio_file file, found;

    for (size_t at = 0, before = 0; cpio_next(archive, size, &at, &file); before = at) {
        if (at <= before || at > size)
            abort();
        read_whole(&file);
        if (!cpio_find(archive, size, file.name, &found) || strcmp(found.name, file.name) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *block = block_of(data, size);

    read_archive(block + 1, size);
    free(block);
    return 0;
}
