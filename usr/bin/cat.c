/* SPDX-License-Identifier: MIT */
/* cat: print files one after the other, or the input. */
#include "os2/read.h"

static int cat_block(void *context, struct os2_stream_block *block) {
    (void)context;
    return os2_out_block(block);
}

int main(int argc, char **argv) {
    return os2_read_arguments(argc, argv, cat_block, NULL);
}
