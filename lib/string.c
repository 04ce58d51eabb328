/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings.
 *
 * Copying and filling go by eight bytes where both addresses allow it, which blocks and most buffers do: a misaligned
 * access traps to firmware on some boards. The kernel clears pages by mm/clear.c, not here.
 */
#include "lib/string.h"

#include <stdint.h>

/* Without this gcc sees the loop of memset, and replaces it by a call of memset. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef uint64_t __attribute__((may_alias)) word;

#define WORD sizeof(word)

/* From the first byte to the last: right also where `to` lies below bytes of `from` that it overlaps. */
static inline void copy_upward(unsigned char *to, const unsigned char *from, size_t size) {
    if ((((uintptr_t)to | (uintptr_t)from) % WORD) == 0) {
        for (; size >= 4 * WORD; size -= 4 * WORD, to += 4 * WORD, from += 4 * WORD) {
            ((word *)(void *)to)[0] = ((const word *)(const void *)from)[0];
            ((word *)(void *)to)[1] = ((const word *)(const void *)from)[1];
            ((word *)(void *)to)[2] = ((const word *)(const void *)from)[2];
            ((word *)(void *)to)[3] = ((const word *)(const void *)from)[3];
        }
        for (; size >= WORD; size -= WORD, to += WORD, from += WORD)
            *(word *)(void *)to = *(const word *)(const void *)from;
    }
    for (; size > 0; size--)
        *to++ = *from++;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    copy_upward(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= size) { /* also when t lies below f: bytes read are not yet written */
        copy_upward(t, f, size);
    } else {
        while (size-- > 0)
            t[size] = f[size];
    }
    return to;
}

void *memset(void *to, int byte, size_t size) {
    unsigned char *t = to;

    for (; size > 0 && (uintptr_t)t % WORD != 0; size--)
        *t++ = (unsigned char)byte;
    for (word w = (unsigned char)byte * UINT64_C(0x0101010101010101); size >= WORD; size -= WORD, t += WORD)
        *(word *)(void *)t = w;
    for (; size > 0; size--)
        *t++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; size > 0; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s) {
    size_t length = 0;

    while (s[length] != '\0')
        length++;
    return length;
}

size_t strnlen(const char *s, size_t max) {
    size_t length = 0;

    while (length < max && s[length] != '\0')
        length++;
    return length;
}

int strcmp(const char *a, const char *b) {
    for (; *a != '\0' && *a == *b; a++, b++)
        ;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max) {
    for (; max > 0; max--, a++, b++)
        if (*a != *b || *a == '\0')
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}
