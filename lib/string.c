/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings.
 *
 * All go by words of eight bytes. A target is filled up to its first aligned word byte by byte, then by aligned words.
 * Where the source then lies across words, a port that reads misaligned words well (arch_copy.h) does so; else, since
 * on some boards such an access traps to firmware, each word is put together from two aligned ones of the source. An
 * aligned word that holds one byte of an object may be read whole: no page ends in it. So strlen looks at eight bytes
 * at a time, and comparing two strings does where both are aligned alike. The kernel clears pages by mm/clear.c, not
 * here.
 *
 * Little-endian, as all ports are: the first byte of a word is its lowest.
 */
#include "lib/string.h"

#include <stdbool.h>
#include <stdint.h>

#include "arch_copy.h"

/* Without this gcc sees the loop of memset, and replaces it by a call of memset. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef uint64_t __attribute__((may_alias)) word;
typedef uint64_t __attribute__((may_alias, aligned(ARCH_MISALIGNED ? 1 : 8))) loose_word;

#define WORD sizeof(word)
#define WORDS_MIN 16u /* bytes from which words are worth it */
#define BITS(bytes) (8 * (unsigned)(bytes))
#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* The host's sanitizer would complain of bytes of a word that are behind the object. */
#ifdef __SANITIZE_ADDRESS__
#define READS_WORDS __attribute__((no_sanitize_address))
#else
#define READS_WORDS
#endif

static inline word *words_at(void *at) {
    return at;
}

static inline const word *words_of(const void *at) {
    return at;
}

static inline bool aligned(const void *at) {
    return (uintptr_t)at % WORD == 0;
}

/* Not 0 where a byte of the word is 0; the lowest bit that is set is in the first of them. */
static inline word zero_bytes(word w) {
    return (w - ONES) & ~w & HIGHS;
}

/* From the first word to the last: right also where `to` lies below words of `from` that it overlaps. */
static inline void copy_words_upward(word *to, const loose_word *from, size_t words) {
    size_t done = arch_copy_long(to, from, words);

    for (to += done, from += done, words -= done; words >= 4; words -= 4, to += 4, from += 4) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
        to[3] = from[3];
    }
    for (; words > 0; words--)
        *to++ = *from++;
}

/* The same from a source that is misaligned by `skew` bytes. */
static READS_WORDS inline void copy_skewed_upward(word *to, const unsigned char *from, size_t words, size_t skew) {
    const word *source = words_of(from - skew);
    word low = *source++ >> BITS(skew);

#pragma GCC unroll 4
    for (; words > 0; words--) {
        word next = *source++;
        *to++ = low | next << BITS(WORD - skew);
        low = next >> BITS(skew);
    }
}

static inline void copy_upward(unsigned char *to, const unsigned char *from, size_t size) {
    if (size >= WORDS_MIN) {
        size_t words, skew;
        for (; !aligned(to); size--)
            *to++ = *from++;
        words = size / WORD;
        skew = (uintptr_t)from % WORD;
        if (ARCH_MISALIGNED || skew == 0)
            copy_words_upward(words_at(to), (const loose_word *)from, words);
        else
            copy_skewed_upward(words_at(to), from, words, skew);
        to += words * WORD;
        from += words * WORD;
        size %= WORD;
    }
    for (; size > 0; size--)
        *to++ = *from++;
}

/* From the last byte to the first, for a target above a source that it overlaps. Both are the ends. */
static READS_WORDS inline void copy_downward(unsigned char *to, const unsigned char *from, size_t size) {
    if (size >= WORDS_MIN) {
        size_t skew;
        for (; !aligned(to); size--)
            *--to = *--from;
        skew = (uintptr_t)from % WORD;
        if (ARCH_MISALIGNED || skew == 0) {
            for (; size >= WORD; size -= WORD) {
                to -= WORD;
                from -= WORD;
                *words_at(to) = *(const loose_word *)from;
            }
        } else {
            word high = *words_of(from - skew);
            for (; size >= WORD; size -= WORD) {
                word before;
                to -= WORD;
                from -= WORD;
                before = *words_of(from - skew);
                *words_at(to) = before >> BITS(skew) | high << BITS(WORD - skew);
                high = before;
            }
        }
    }
    for (; size > 0; size--)
        *--to = *--from;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    copy_upward(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= size) /* also when t lies below f: bytes read are not yet written */
        copy_upward(t, f, size);
    else
        copy_downward(t + size, f + size, size);
    return to;
}

void *memset(void *to, int byte, size_t size) {
    unsigned char *t = to;

    if (size >= WORDS_MIN) {
        word w = (unsigned char)byte * ONES;
        size_t done;
        for (; !aligned(t); size--)
            *t++ = (unsigned char)byte;
        done = arch_fill_long(t, w, size / WORD) * WORD;
        t += done;
        size -= done;
        for (; size >= 4 * WORD; size -= 4 * WORD, t += 4 * WORD)
            words_at(t)[0] = words_at(t)[1] = words_at(t)[2] = words_at(t)[3] = w;
        for (; size >= WORD; size -= WORD, t += WORD)
            *words_at(t) = w;
    }
    for (; size > 0; size--)
        *t++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *x = a;
    const unsigned char *y = b;

    if (ARCH_MISALIGNED || ((uintptr_t)x - (uintptr_t)y) % WORD == 0) {
        for (; !ARCH_MISALIGNED && size > 0 && !aligned(x) && *x == *y; size--, x++, y++)
            continue;
        if (ARCH_MISALIGNED || aligned(x))
            for (; size >= WORD && *(const loose_word *)x == *(const loose_word *)y; size -= WORD, x += WORD, y += WORD)
                continue;
    }
    for (; size > 0; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

READS_WORDS size_t strlen(const char *s) {
    const char *at = s;

    for (; !aligned(at); at++)
        if (*at == '\0')
            return (size_t)(at - s);
    while (!zero_bytes(*words_of(at)))
        at += WORD;
    while (*at != '\0')
        at++;
    return (size_t)(at - s);
}

READS_WORDS size_t strnlen(const char *s, size_t max) {
    size_t length = 0;

    for (; length < max && !aligned(s + length); length++)
        if (s[length] == '\0')
            return length;
    while (length < max && !zero_bytes(*words_of(s + length)))
        length += WORD;
    while (length < max && s[length] != '\0')
        length++;
    return length < max ? length : max;
}

/* How many bytes from the start are alike and not 0, as far as whole words tell; `max` and more: all that count. */
static READS_WORDS inline size_t same_words(const char *a, const char *b, size_t max) {
    size_t at = 0;

    if (((uintptr_t)a - (uintptr_t)b) % WORD != 0)
        return 0;
    for (; at < max && !aligned(a + at); at++)
        if (a[at] != b[at] || a[at] == '\0')
            return at;
    while (at < max && *words_of(a + at) == *words_of(b + at) && !zero_bytes(*words_of(a + at)))
        at += WORD;
    return at;
}

int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t max) {
    for (size_t at = same_words(a, b, max); at < max; at++)
        if (a[at] != b[at] || a[at] == '\0')
            return (unsigned char)a[at] - (unsigned char)b[at];
    return 0;
}
