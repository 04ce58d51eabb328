/* SPDX-License-Identifier: MIT */
/* Strings: what the C library does not have (os2/string.h). */
#include "os2/string.h"

bool os2_string_copy(char *to, size_t size, const char *from) {
    size_t i = 0;
    for (; i + 1 < size && from[i]; i++)
        to[i] = from[i];
    to[i] = 0;
    return from[i] == 0;
}

/* Reads digits from *text on and leaves *text behind them. */
static bool string_digits(const char **text, uint64_t *ret_number) {
    const char *at = *text, *first;
    uint64_t number = 0;
    unsigned base = 10;

    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        base = 16;
        at += 2;
    }
    for (first = at;; at++) {
        unsigned digit;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned)(*at - '0');
        else if (base == 16 && ((*at | 32) >= 'a' && (*at | 32) <= 'f'))
            digit = (unsigned)((*at | 32) - 'a') + 10;
        else
            break;
        if (number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    if (at == first)
        return false;
    *text = at;
    *ret_number = number;
    return true;
}

bool os2_string_number(const char *text, uint64_t *ret_number) {
    uint64_t number;
    if (!string_digits(&text, &number) || *text)
        return false;
    *ret_number = number;
    return true;
}

bool os2_string_size(const char *text, uint64_t *ret_size) {
    uint64_t number;
    unsigned shift = 0;

    if (!string_digits(&text, &number))
        return false;
    if (*text == 'K' || *text == 'k')
        shift = 10;
    else if (*text == 'M' || *text == 'm')
        shift = 20;
    else if (*text == 'G' || *text == 'g')
        shift = 30;
    if (shift)
        text++;
    if (*text || number > UINT64_MAX >> shift)
        return false;
    *ret_size = number << shift;
    return true;
}
