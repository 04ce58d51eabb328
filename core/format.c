/* SPDX-License-Identifier: MIT */
/*
 * Formatted text for the kernel's log. What it understands is in the header.
 */
#include "core/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "core/string.h"

#define DIGITS_MAX 20  /* of 2^64 - 1 in decimal */
#define FIELD_MAX 1000 /* width or precision: more than any line, and far from overflow */

struct sink {
    char *to;
    size_t size;
    size_t length; /* of the whole text so far, also what did not fit */
};

struct spec {
    bool left;
    bool zero;
    bool precise; /* precision was given */
    unsigned width;
    unsigned precision;
};

static void put(struct sink *sink, char c) {
    if (sink->length + 1 < sink->size)
        sink->to[sink->length] = c;
    sink->length++;
}

static void put_repeated(struct sink *sink, char c, size_t count) {
    while (count-- > 0)
        put(sink, c);
}

static void put_bytes(struct sink *sink, const char *s, size_t length) {
    for (size_t i = 0; i < length; i++)
        put(sink, s[i]);
}

/* prefix (a sign or 0x), then zeros, then the body, in a field of spec.width. */
static void put_field(struct sink *sink, const struct spec *spec, const char *prefix, size_t zeros, const char *body,
                      size_t length) {
    size_t whole = strlen(prefix) + zeros + length;
    size_t pad = spec->width > whole ? spec->width - whole : 0;

    if (!spec->left)
        put_repeated(sink, ' ', pad);
    put_bytes(sink, prefix, strlen(prefix));
    put_repeated(sink, '0', zeros);
    put_bytes(sink, body, length);
    if (spec->left)
        put_repeated(sink, ' ', pad);
}

static void put_number(struct sink *sink, const struct spec *spec, const char *prefix, uint64_t value, unsigned base) {
    char digits[DIGITS_MAX];
    size_t first = DIGITS_MAX, length, zeros = 0;

    for (; value != 0; value /= base)
        digits[--first] = "0123456789abcdef"[value % base];
    if (first == DIGITS_MAX && !(spec->precise && spec->precision == 0))
        digits[--first] = '0';
    length = DIGITS_MAX - first;
    if (spec->precise)
        zeros = spec->precision > length ? spec->precision - length : 0;
    else if (spec->zero && !spec->left && spec->width > strlen(prefix) + length)
        zeros = spec->width - strlen(prefix) - length;
    put_field(sink, spec, prefix, zeros, digits + first, length);
}

/* Reads a decimal number at *text, and steps over it. */
static unsigned read_field(const char **text) {
    unsigned number = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++)
        if (number < FIELD_MAX)
            number = number * 10 + (unsigned)(**text - '0');
    return number < FIELD_MAX ? number : FIELD_MAX;
}

/* The arguments, behind a pointer: a va_list as a parameter would stay where it was in the caller. */
struct arguments {
    va_list list;
};

static int64_t next_signed(struct arguments *arguments, unsigned longs) {
    return longs > 0 ? va_arg(arguments->list, long) : va_arg(arguments->list, int);
}

static uint64_t next_unsigned(struct arguments *arguments, unsigned longs) {
    return longs > 0 ? va_arg(arguments->list, unsigned long) : va_arg(arguments->list, unsigned);
}

_Static_assert(sizeof(long) == sizeof(long long) && sizeof(long) == sizeof(size_t), "l, ll and z are one size");

/* Width or precision: a number, or `*` for an argument. Returns it through ret; true if it was negative. */
static bool next_field(const char **text, struct arguments *arguments, unsigned *ret) {
    int value;

    if (**text != '*') {
        *ret = read_field(text);
        return false;
    }
    (*text)++;
    value = va_arg(arguments->list, int);
    if (value < -FIELD_MAX || value > FIELD_MAX)
        value = value < 0 ? -FIELD_MAX : FIELD_MAX;
    *ret = (unsigned)(value < 0 ? -value : value);
    return value < 0;
}

/* Formats one conversion; `text` is behind its %. Returns where the text goes on, or NULL if it is none. */
static const char *put_conversion(struct sink *sink, const char *text, struct arguments *arguments) {
    struct spec spec = {0};
    unsigned longs = 0;
    int64_t number;
    const char *s;
    char c;

    for (;; text++) {
        if (*text == '-')
            spec.left = true;
        else if (*text == '0')
            spec.zero = true;
        else
            break;
    }
    if (next_field(&text, arguments, &spec.width))
        spec.left = true;
    if (*text == '.') {
        text++;
        spec.precise = !next_field(&text, arguments, &spec.precision);
    }
    while (*text == 'l' || *text == 'z') {
        longs++;
        text++;
    }

    switch (*text++) {
    case 'd':
        number = next_signed(arguments, longs);
        put_number(sink, &spec, number < 0 ? "-" : "", number < 0 ? -(uint64_t)number : (uint64_t)number, 10);
        return text;
    case 'u':
        put_number(sink, &spec, "", next_unsigned(arguments, longs), 10);
        return text;
    case 'x':
        put_number(sink, &spec, "", next_unsigned(arguments, longs), 16);
        return text;
    case 'p':
        put_number(sink, &spec, "0x", (uintptr_t)va_arg(arguments->list, void *), 16);
        return text;
    case 's':
        s = va_arg(arguments->list, const char *);
        if (s == NULL)
            s = "(null)";
        put_field(sink, &spec, "", 0, s, spec.precise ? strnlen(s, spec.precision) : strlen(s));
        return text;
    case 'c':
        c = (char)va_arg(arguments->list, int);
        put_field(sink, &spec, "", 0, &c, 1);
        return text;
    case '%':
        put(sink, '%');
        return text;
    default:
        return NULL;
    }
}

size_t format_list(char *to, size_t size, const char *text, va_list list) {
    struct sink sink = {to, size, 0};
    struct arguments arguments;

    va_copy(arguments.list, list);
    while (*text != '\0') {
        const char *next = *text == '%' ? put_conversion(&sink, text + 1, &arguments) : NULL;

        if (next == NULL)
            put(&sink, *text++);
        else
            text = next;
    }
    va_end(arguments.list);
    if (size > 0)
        to[sink.length < size ? sink.length : size - 1] = '\0';
    return sink.length;
}

size_t format(char *to, size_t size, const char *text, ...) {
    va_list list;
    size_t length;

    va_start(list, text);
    length = format_list(to, size, text, list);
    va_end(list);
    return length;
}
