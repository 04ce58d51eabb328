/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings for the freestanding kernel.
 *
 * Copying and filling go by eight bytes where both addresses allow it, because a misaligned access traps to firmware on
 * some boards. Pages are cleared by the port, not here; what is left are messages, names and boot data, where more
 * speed would buy nothing.
 */
#include "core/string.h"

#include <stdint.h>

/* Without this gcc sees the loop of memset, and replaces it by a call of memset. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#define WORD sizeof(uint64_t)

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;

    if ((((uintptr_t)t | (uintptr_t)f) % WORD) == 0) {
        for (; size >= WORD; size -= WORD, t += WORD, f += WORD)
            *(uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
    }
    for (; size > 0; size--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= size) { /* also when t lies below f: bytes read are not yet written */
        for (; size > 0; size--)
            *t++ = *f++;
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
    for (uint64_t word = (unsigned char)byte * UINT64_C(0x0101010101010101); size >= WORD; size -= WORD, t += WORD)
        *(uint64_t *)(void *)t = word;
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
