/* SPDX-License-Identifier: MIT */
/*
 * upper: turn files, or the input, into capitals.
 *
 * The bytes are changed where they lie, eight at a time, and the same block goes on: in a pipeline nothing is copied.
 */
#include "os2/read.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A small letter differs from its capital by 0x20. One is where the low seven bits and 0x80 - 'a' reach 0x80, but not
 * with 0x80 - 'z' - 1, and the high bit is not set before. */
static uint64_t upper_word(uint64_t w) {
    uint64_t low = w & EACH(0x7fu), from_a = low + EACH(0x80u - 'a'), behind_z = low + EACH(0x80u - 'z' - 1);
    return w ^ (from_a & ~(behind_z | w) & EACH(0x80u)) >> 2;
}

static int upper_block(void *context, struct os2_stream_block *block) {
    uint64_t *words = __builtin_assume_aligned(block->bytes, sizeof *words);

    (void)context;
    for (uint64_t i = 0; i < (block->used + 7) / 8; i++) /* a block has room for whole words */
        words[i] = upper_word(words[i]);
    return os2_out_block(block);
}

int main(int argc, char **argv) {
    return os2_read_arguments(argc, argv, upper_block, NULL);
}
