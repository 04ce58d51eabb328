/* SPDX-License-Identifier: MIT */
/*
 * How this processor copies (lib/string.c); each port has this file. ARCH_MISALIGNED: does an access of 8 bytes at any
 * address cost about what an aligned one does? arch_copy_long and arch_fill_long do what the processor has for long
 * runs, from the first word to the last, and return how many words that were; 0: nothing is better than a loop. This is
 * RISC-V's, which has nothing, and on some boards firmware makes misaligned accesses.
 */
#ifndef ARCH_COPY_H
#define ARCH_COPY_H

#include <stddef.h>
#include <stdint.h>

#define ARCH_MISALIGNED 0

static inline size_t arch_copy_long(void *to, const void *from, size_t words) {
    (void)to;
    (void)from;
    (void)words;
    return 0;
}

static inline size_t arch_fill_long(void *to, uint64_t word, size_t words) {
    (void)to;
    (void)word;
    (void)words;
    return 0;
}

#endif
