/* SPDX-License-Identifier: MIT */
/*
 * Long names: UTF-8 for programs, UTF-16 on the disk.
 *
 * A name of the disk that programs could not use is not shown to them: one with '/' or a control character, with half
 * of a surrogate pair, "." and "..", and what is longer than OS2_FILES_NAME in UTF-8. Such a file has its short name.
 *
 * Case is that of Latin, Greek and Cyrillic letters up to U+045F. What a PC thinks alike beyond these, two files here
 * may be called.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define HIGH_SURROGATE 0xd800u
#define LOW_SURROGATE 0xdc00u
#define SURROGATES_END 0xe000u
#define BEYOND UINT32_C(0x10000)
#define UNICODE_END UINT32_C(0x110000)

static bool forbidden(uint32_t c) {
    static const char list[] = "\"*/:<>?\\|";

    if (c < ' ')
        return true;
    for (unsigned i = 0; list[i] != '\0'; i++)
        if (c == (uint8_t)list[i])
            return true;
    return false;
}

/* One character of UTF-8, in the shortest way that it can be written: its bytes, 0 if it is none. */
static size_t character_read(const uint8_t *from, size_t length, uint32_t *ret_character) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = from[0] < 0x80 ? 1 : from[0] < 0xc0 ? 0 : from[0] < 0xe0 ? 2 : from[0] < 0xf0 ? 3 : 4;
    uint32_t c = bytes < 2 ? from[0] : from[0] & (0x7fu >> bytes);

    if (bytes == 0 || bytes > length || from[0] >= 0xf8)
        return 0;
    for (size_t i = 1; i < bytes; i++) {
        if ((from[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (from[i] & 0x3fu);
    }
    if (c < least[bytes] || c >= UNICODE_END || (c >= HIGH_SURROGATE && c < SURROGATES_END))
        return 0;
    *ret_character = c;
    return bytes;
}

static size_t character_write(uint32_t c, uint8_t to[4]) {
    size_t bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < BEYOND ? 3 : 4;

    if (bytes == 1) {
        to[0] = (uint8_t)c;
        return 1;
    }
    for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
        to[i] = (uint8_t)(0x80 | (c & 0x3f));
    to[0] = (uint8_t)(0xf00 >> bytes | c);
    return bytes;
}

int name_read(const char *name, size_t length, uint16_t units[LONG_NAME], unsigned *ret_count) {
    const uint8_t *from = (const uint8_t *)name;
    unsigned count = 0;

    if (length == 0 || length >= OS2_FILES_NAME || name[length - 1] == '.' || name[length - 1] == ' ')
        return OS2_FILE_E_NAME;
    while (length > 0) {
        uint32_t c;
        size_t bytes = character_read(from, length, &c);

        if (bytes == 0 || forbidden(c))
            return OS2_FILE_E_NAME;
        from += bytes;
        length -= bytes;
        if (c >= BEYOND)
            units[count++] = (uint16_t)(HIGH_SURROGATE + ((c - BEYOND) >> 10));
        units[count++] = (uint16_t)(c >= BEYOND ? LOW_SURROGATE + (c & 0x3ff) : c);
    }
    *ret_count = count;
    return 0;
}

/* One character of UTF-16: its units, 0 if it is half of one. */
static unsigned pair_read(const uint16_t *units, unsigned count, uint32_t *ret_character) {
    if (units[0] < HIGH_SURROGATE || units[0] >= SURROGATES_END) {
        *ret_character = units[0];
        return 1;
    }
    if (units[0] >= LOW_SURROGATE || count < 2 || units[1] < LOW_SURROGATE || units[1] >= SURROGATES_END)
        return 0;
    *ret_character = BEYOND + ((uint32_t)(units[0] - HIGH_SURROGATE) << 10) + (units[1] - LOW_SURROGATE);
    return 2;
}

bool name_write(const uint16_t *units, unsigned count, char ret_name[OS2_FILES_NAME]) {
    size_t length = 0;

    if (count == 0 || (units[0] == '.' && (count == 1 || (count == 2 && units[1] == '.'))))
        return false;
    while (count > 0) {
        uint8_t bytes[4];
        uint32_t c;
        unsigned used = pair_read(units, count, &c);
        size_t size;

        if (used == 0 || c < ' ' || c == '/')
            return false;
        size = character_write(c, bytes);
        if (size >= OS2_FILES_NAME - length)
            return false;
        memcpy(ret_name + length, bytes, size);
        length += size;
        units += used;
        count -= used;
    }
    ret_name[length] = '\0';
    return true;
}

uint16_t name_upper(uint16_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) ||
        (c >= 0x430 && c <= 0x44f))
        return (uint16_t)(c - 32);
    if (c == 0xff)
        return 0x178;
    if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
        return (uint16_t)(c & ~1u);
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
        return (uint16_t)(c - (c + 1) % 2);
    return c >= 0x450 && c <= 0x45f ? (uint16_t)(c - 80) : c;
}

bool name_same(const uint16_t *a, unsigned a_count, const uint16_t *b, unsigned b_count) {
    if (a_count != b_count)
        return false;
    for (unsigned i = 0; i < a_count; i++)
        if (name_upper(a[i]) != name_upper(b[i]))
            return false;
    return true;
}
