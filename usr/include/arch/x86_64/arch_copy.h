/* SPDX-License-Identifier: MIT */
/*
 * How this processor copies; usr/include/arch/riscv64/arch_copy.h says what the functions are for. This is x86_64's.
 *
 * A repeated string instruction moves a cache line or more in a step once it runs, and takes some 30 cycles to begin:
 * worth it from a few hundred bytes on. By words and not by bytes, which processors before 2012 move one by one; and
 * with the source a few bytes ahead of the target, where all processors go byte by byte, a loop is better.
 */
#ifndef ARCH_COPY_H
#define ARCH_COPY_H

#include <stddef.h>
#include <stdint.h>

#define ARCH_MISALIGNED 1
#define ARCH_LONG_WORDS 64u
#define ARCH_NEAR 64u /* bytes */

static inline size_t arch_copy_long(void *to, const void *from, size_t words) {
    size_t left = words;
    if (words < ARCH_LONG_WORDS || (uintptr_t)from - (uintptr_t)to < ARCH_NEAR)
        return 0;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(left)::"memory");
    return words;
}

static inline size_t arch_fill_long(void *to, uint64_t word, size_t words) {
    size_t left = words;
    if (words < ARCH_LONG_WORDS)
        return 0;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(left) : "a"(word) : "memory");
    return words;
}

#endif
