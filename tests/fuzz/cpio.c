/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a boot archive, for the kernel's reader and for that of programs.
 *
 * The archive begins at an odd address and ends with its heap block. Every byte of each name and content is read, and
 * each step must come further. The kernel's reader is the more lenient one (it takes a second magic, and an archive
 * that was cut in padding): whatever file a program finds, the kernel finds too, in the same place and order.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpio.h"
#include "os2/cpio.h"
#include "tests/fuzz/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_whole(const char *name, const uint8_t *bytes, size_t size) {
    static volatile unsigned sum;

    sum += (unsigned)strlen(name);
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
}

static void read_both(const uint8_t *archive, size_t size) {
    struct cpio_file kernel;
    struct os2_cpio_file program, found;
    size_t kernel_at = 0, program_at = 0, before = 0;

    while (os2_cpio_next(archive, size, &program_at, &program)) {
        if (program_at <= before || program_at > size)
            abort();
        before = program_at;
        read_whole(program.name, program.bytes, program.size);
        if (!os2_cpio_regular(&program))
            continue;
        if (!cpio_next(archive, size, &kernel_at, &kernel))
            abort();
        if (kernel.bytes != program.bytes || kernel.size != program.size || kernel_at != program_at ||
            strcmp(kernel.name + (program.name - kernel.name), program.name) != 0)
            abort();
        if (!os2_cpio_find(archive, size, program.name, &found) || strcmp(found.name, program.name) != 0)
            abort();
    }
    for (before = kernel_at; cpio_next(archive, size, &kernel_at, &kernel); before = kernel_at) {
        if (kernel_at <= before || kernel_at > size)
            abort();
        read_whole(kernel.name, kernel.bytes, kernel.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *block = block_of(data, size);

    read_both(block + 1, size);
    free(block);
    return 0;
}
