/* SPDX-License-Identifier: MIT */
/*
 * An index that a program gave, kept within its table also where a processor runs ahead of the branch that checked it.
 *
 * A mispredicted `if (index >= count) return` lets the processor read past the table and leave a trace of what it found
 * in the caches (Spectre, variant 1). The mask is computed, not chosen, so there is nothing to predict. Every index
 * that a program chooses goes through this, or is masked by a power of two, where what it finds leads to another read.
 */
#ifndef MM_CLAMP_H
#define MM_CLAMP_H

#include <stdint.h>

/* `index` if it is below `count`, else 0. Both below 2^63 (a larger index gives 0). */
static inline uint64_t clamp_index(uint64_t index, uint64_t count) {
    __asm__("" : "+r"(index)); /* else a compiler that knows of the branch before leaves the mask out */
    uint64_t out_of_range = (index | (count - 1 - index)) >> 63;
    return index & (out_of_range - 1);
}

#endif
