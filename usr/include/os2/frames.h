/* SPDX-License-Identifier: MIT */
/*
 * Counting the machine's frames, for programs that look at it as a whole.
 */
#ifndef OS2_FRAMES_H
#define OS2_FRAMES_H

#include <stdint.h>

#include "os2/abi.h"

struct os2_frames {
    uint64_t ram;                            /* pages the machine has */
    uint64_t pages[OS2_FRAME_STATES];        /* a block's pages count where its first frame stands; tails stay 0 */
    uint64_t free_blocks[OS2_ORDER_MAX + 1]; /* by order */
};

/* Free pages, on the heap's lists or in stock. */
static inline uint64_t os2_frames_free(const struct os2_frames *frames) {
    return frames->pages[OS2_FRAME_FREE] + frames->pages[OS2_FRAME_MAGAZINE];
}

/* Walks over all frames. `machine` needs OS2_RIGHT_OBSERVE. */
int os2_frames_count(unsigned machine, struct os2_frames *ret_frames);

#endif
