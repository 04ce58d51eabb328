/* SPDX-License-Identifier: MIT */
/*
 * How this processor copies (lib/string.c); each port has this file. ARCH_MISALIGNED: does an access of 8 bytes at any
 * address cost about what an aligned one does? arch_copy_long and arch_fill_long do what the processor has for long
 * runs, from the first word to the last, and return how many words that were; 0: nothing is better than a loop. This is
 * RISC-V's: it has many registers, so sixteen words are loaded and then stored, which costs the loop's own instructions
 * less often, and an in-order processor waits for no load. On some boards firmware makes misaligned accesses.
 */
#ifndef ARCH_COPY_H
#define ARCH_COPY_H

#include <stddef.h>
#include <stdint.h>

#define ARCH_MISALIGNED 0

#define ARCH_COPY_WORDS 16u
typedef uint64_t __attribute__((may_alias)) arch_word;

static inline size_t arch_copy_long(void *to, const void *from, size_t words) {
    size_t done = 0;

    for (; words - done >= ARCH_COPY_WORDS; done += ARCH_COPY_WORDS) {
        const arch_word *source = (const arch_word *)from + done;
        arch_word *target = (arch_word *)to + done, word[ARCH_COPY_WORDS];
#pragma GCC unroll 16
        for (unsigned i = 0; i < ARCH_COPY_WORDS; i++)
            word[i] = source[i];
        __asm__ volatile("" ::: "memory"); /* or gcc may put each store behind its load */
#pragma GCC unroll 16
        for (unsigned i = 0; i < ARCH_COPY_WORDS; i++)
            target[i] = word[i];
    }
    return done;
}

static inline size_t arch_fill_long(void *to, uint64_t word, size_t words) {
    size_t done = 0;

    for (; words - done >= ARCH_COPY_WORDS; done += ARCH_COPY_WORDS) {
        arch_word *target = (arch_word *)to + done;
#pragma GCC unroll 16
        for (unsigned i = 0; i < ARCH_COPY_WORDS; i++)
            target[i] = word;
    }
    return done;
}

#endif
