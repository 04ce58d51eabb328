/* SPDX-License-Identifier: MIT */
/*
 * upper: turn files, or the input, into capitals.
 *
 * The bytes are changed where they lie and the same block goes on: in a pipeline nothing is copied.
 */
#include "os2/read.h"

static int upper_block(void *context, struct os2_stream_block *block) {
    (void)context;
    for (uint64_t i = 0; i < block->used; i++)
        if (block->bytes[i] >= 'a' && block->bytes[i] <= 'z')
            block->bytes[i] = (char)(block->bytes[i] - 'a' + 'A');
    return os2_out_block(block);
}

int main(int argc, char **argv) {
    return os2_read_arguments(argc, argv, upper_block, NULL);
}
