/* SPDX-License-Identifier: MIT */
/*
 * Short names: 8 and 3 characters. Every file has one. It is the file's only name where it says all of it, with the
 * case of its two parts in two bits as Windows has them; else it is an alias of a long name, NAME~1.EXT.
 *
 * Bytes above ASCII are code page 437's. Short names that are made here have ASCII only.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define ASCII_END 0x80u

/* Bytes 0x80 to 0xff of code page 437. */
static const uint16_t page437[] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
    0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
    0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
    0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
    0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
    0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
    0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};
_Static_assert(sizeof(page437) == 2 * (256 - ASCII_END), "one for each byte above ASCII");

/* Bytes that no name should have are shown as '_'. */
static uint16_t unit_of(uint8_t byte, bool lower) {
    if (byte >= ASCII_END)
        return page437[byte - ASCII_END];
    if (byte < ' ' || byte == '/')
        return '_';
    return lower && byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

static unsigned part_read(const uint8_t *from, unsigned size, bool lower, uint16_t *units) {
    while (size > 0 && from[size - 1] == ' ')
        size--;
    for (unsigned i = 0; i < size; i++)
        units[i] = unit_of(from[i], lower);
    return size;
}

unsigned short_read(const uint8_t *entry, uint16_t units[SHORT_BYTES + 1]) {
    uint8_t name[SHORT_BYTES];
    unsigned base, extension;

    memcpy(name, entry, SHORT_BYTES);
    if (name[0] == NAME_E5)
        name[0] = NAME_REMOVED;
    base = part_read(name, SHORT_BASE, entry[ENTRY_CASE] & CASE_BASE_LOWER, units);
    if (base == 0)
        units[base++] = '_';
    extension = part_read(name + SHORT_BASE, SHORT_BYTES - SHORT_BASE, entry[ENTRY_CASE] & CASE_EXTENSION_LOWER,
                          units + base + 1);
    if (extension == 0)
        return base;
    units[base] = '.';
    return base + 1 + extension;
}

uint8_t short_sum(const uint8_t name[SHORT_BYTES]) {
    uint8_t sum = 0;

    for (unsigned i = 0; i < SHORT_BYTES; i++)
        sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + name[i]);
    return sum;
}

/* May a short name have it as it is, but for its case? */
static bool plain(uint16_t unit) {
    static const char others[] = "!#$%&'()-@^_`{}~";

    for (unsigned i = 0; others[i] != '\0'; i++)
        if (unit == (uint8_t)others[i])
            return true;
    return (unit >= '0' && unit <= '9') || (unit >= 'A' && unit <= 'Z') || (unit >= 'a' && unit <= 'z');
}

/* One of the two parts, if it can be said whole; *ret_case gets `lower` if its letters are small. */
static bool part_exact(const uint16_t *units, unsigned count, unsigned most, uint8_t *to, uint8_t lower,
                       uint8_t *ret_case) {
    bool small = false, capital = false;

    if (count > most)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!plain(units[i]))
            return false;
        small |= units[i] >= 'a' && units[i] <= 'z';
        capital |= units[i] >= 'A' && units[i] <= 'Z';
        to[i] = (uint8_t)name_upper(units[i]);
    }
    if (small)
        *ret_case |= lower;
    return !small || !capital;
}

/* Where the last dot is that has something before it; `count`: nowhere. */
static unsigned last_dot(const uint16_t *units, unsigned count) {
    for (unsigned at = count; at > 1; at--)
        if (units[at - 1] == '.')
            return at - 1;
    return count;
}

bool short_exact(const uint16_t *units, unsigned count, uint8_t ret_name[SHORT_BYTES], uint8_t *ret_case) {
    unsigned dot = last_dot(units, count);
    unsigned behind = dot < count ? dot + 1 : count;

    memset(ret_name, ' ', SHORT_BYTES);
    *ret_case = 0;
    return part_exact(units, dot, SHORT_BASE, ret_name, CASE_BASE_LOWER, ret_case) &&
           part_exact(units + behind, count - behind, SHORT_BYTES - SHORT_BASE, ret_name + SHORT_BASE,
                      CASE_EXTENSION_LOWER, ret_case);
}

/* What can be kept of one of the parts. */
static unsigned part_basis(const uint16_t *units, unsigned count, unsigned most, uint8_t *to) {
    unsigned size = 0;

    for (unsigned i = 0; i < count && size < most; i++)
        if (units[i] != ' ' && units[i] != '.')
            to[size++] = plain(units[i]) ? (uint8_t)name_upper(units[i]) : '_';
    return size;
}

void short_basis(const uint16_t *units, unsigned count, unsigned round, uint8_t ret_basis[ALIAS_FORMS][SHORT_BYTES]) {
    static const char digits[] = "0123456789ABCDEF";
    uint8_t *hashed = ret_basis[1];
    unsigned dot = last_dot(units, count);
    uint32_t hash = round;

    memset(ret_basis[0], ' ', SHORT_BYTES);
    if (part_basis(units, dot, SHORT_BASE - 2, ret_basis[0]) == 0)
        ret_basis[0][0] = '_';
    if (dot < count)
        part_basis(units + dot + 1, count - dot - 1, SHORT_BYTES - SHORT_BASE, ret_basis[0] + SHORT_BASE);
    for (unsigned i = 0; i < count; i++)
        hash = (hash ^ units[i]) * UINT32_C(16777619);
    memcpy(hashed, ret_basis[0], SHORT_BYTES);
    for (unsigned i = 0, at = hashed[1] == ' ' ? 1 : 2; i < 4; i++)
        hashed[at + i] = (uint8_t)digits[(hash >> (8 + 4 * i)) & 15];
}

unsigned short_tail_at(const uint8_t basis[SHORT_BYTES]) {
    unsigned at = 0;

    while (at < SHORT_BASE - 2 && basis[at] != ' ')
        at++;
    return at;
}

void short_tail(uint8_t name[SHORT_BYTES], unsigned tail) {
    unsigned at = short_tail_at(name);

    name[at] = '~';
    name[at + 1] = (uint8_t)('0' + tail);
}
