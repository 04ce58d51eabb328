/* SPDX-License-Identifier: MIT */
/*
 * Formatted text for the kernel's log. What it understands is in the header.
 */
#include "core/format.h"

#include <stdbool.h>
#include <stdint.h>

#define DIGITS_MAX 20 /* of 2^64 - 1 in decimal */
#define WIDTH_MAX 100

struct sink {
    char *to;
    size_t size;
    size_t length; /* of the whole text so far, also what did not fit */
};

static void put(struct sink *sink, char c) {
    if (sink->length + 1 < sink->size)
        sink->to[sink->length] = c;
    sink->length++;
}

static void put_number(struct sink *sink, bool negative, uint64_t value, unsigned base, unsigned width, bool zeros) {
    char digits[DIGITS_MAX];
    unsigned count = 0;

    do
        digits[count++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    width = width > count + negative ? width - count - negative : 0;
    for (; width && !zeros; width--)
        put(sink, ' ');
    if (negative)
        put(sink, '-');
    for (; width; width--)
        put(sink, '0');
    while (count)
        put(sink, digits[--count]);
}

/* The arguments, behind a pointer: a va_list as a parameter would stay where it was in the caller. */
struct arguments {
    va_list list;
};

/* Formats one conversion; `text` is behind its %. Returns where the text goes on, or NULL if it is none. */
static const char *put_conversion(struct sink *sink, const char *text, struct arguments *arguments) {
    bool zeros = *text == '0', wide;
    unsigned width = 0, base = 10;

    for (; *text >= '0' && *text <= '9'; text++)
        width = width < WIDTH_MAX ? width * 10 + (unsigned)(*text - '0') : WIDTH_MAX;
    wide = *text == 'l';
    text += wide;
    switch (*text++) {
    case 'd': {
        int64_t number = wide ? va_arg(arguments->list, long) : va_arg(arguments->list, int);
        put_number(sink, number < 0, number < 0 ? -(uint64_t)number : (uint64_t)number, base, width, zeros);
        return text;
    }
    case 'x':
        base = 16;
        /* fall through */
    case 'u':
        put_number(sink, false, wide ? va_arg(arguments->list, unsigned long) : va_arg(arguments->list, unsigned), base,
                   width, zeros);
        return text;
    case 's':
        for (const char *s = va_arg(arguments->list, const char *); *s; s++)
            put(sink, *s);
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
