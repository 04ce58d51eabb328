/* SPDX-License-Identifier: MIT */
/*
 * Bytes and strings (os2/string.h). Copies go word by word where both ends are aligned, which blocks and most buffers
 * are. Built without loop-to-call transformation, or memcpy would become a call of itself.
 */
#include "os2/string.h"

typedef uint64_t __attribute__((may_alias)) word;

#define WORD_ALIGNED(value) (((uintptr_t)(value)&7) == 0)

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *d = to;
    const unsigned char *s = from;

    if (WORD_ALIGNED(d) && WORD_ALIGNED(s)) {
        for (; size >= 32; size -= 32, d += 32, s += 32) {
            ((word *)d)[0] = ((const word *)s)[0];
            ((word *)d)[1] = ((const word *)s)[1];
            ((word *)d)[2] = ((const word *)s)[2];
            ((word *)d)[3] = ((const word *)s)[3];
        }
        for (; size >= 8; size -= 8, d += 8, s += 8)
            *(word *)d = *(const word *)s;
    }
    while (size--)
        *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    unsigned char *d = to;
    const unsigned char *s = from;

    if ((uintptr_t)d - (uintptr_t)s >= size)
        return memcpy(to, from, size);
    while (size--)
        d[size] = s[size];
    return to;
}

void *memset(void *to, int byte, size_t size) {
    unsigned char *d = to;
    uint64_t pattern = UINT64_C(0x0101010101010101) * (unsigned char)byte;

    for (; size && !WORD_ALIGNED(d); size--)
        *d++ = (unsigned char)byte;
    for (; size >= 8; size -= 8, d += 8)
        *(word *)d = pattern;
    while (size--)
        *d++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *p = a, *q = b;

    for (; size; size--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

int strncmp(const char *a, const char *b, size_t size) {
    for (; size; size--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a - (unsigned char)*b;
        if (!*a)
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}
