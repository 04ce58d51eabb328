/* SPDX-License-Identifier: MIT */
/*
 * Formatted text. One pass; each conversion becomes a piece of text with padding on one side of it. What is understood
 * is in the header.
 */
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
    format_sink *put;
    void *context;
    size_t total;
};

struct field {
    bool left, zero, wide;
    size_t width, precision; /* precision SIZE_MAX: none */
};

static void put(struct output *out, const char *text, size_t length) {
    if (length)
        out->put(out->context, text, length);
    out->total += length;
}

static void pad(struct output *out, char byte, size_t count) {
    while (count--)
        put(out, &byte, 1);
}

/* `sign` ("" or "-" or "0x") stays in front of zero padding. */
static void put_field(struct output *out, const struct field *field, const char *sign, const char *text,
                      size_t length) {
    size_t sign_length = 0, used;

    while (sign[sign_length])
        sign_length++;
    used = sign_length + length;
    if (!field->left && !field->zero && field->width > used)
        pad(out, ' ', field->width - used);
    put(out, sign, sign_length);
    if (!field->left && field->zero && field->width > used)
        pad(out, '0', field->width - used);
    put(out, text, length);
    if (field->left && field->width > used)
        pad(out, ' ', field->width - used);
}

static void put_number(struct output *out, const struct field *field, const char *sign, uint64_t value, unsigned base) {
    char digits[20]; /* 2^64 - 1 has 20 decimal digits */
    size_t at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put_field(out, field, sign, digits + at, sizeof(digits) - at);
}

static size_t read_count(const char **at, va_list *arguments) {
    size_t count = 0;
    if (**at == '*') {
        int given = va_arg(*arguments, int);
        (*at)++;
        return given > 0 ? (size_t)given : 0;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++)
        count = count * 10 + (size_t)(**at - '0');
    return count;
}

size_t format_out(format_sink *sink, void *context, const char *text, va_list given) {
    struct output out = {.put = sink, .context = context};
    const char *at = text;
    va_list arguments;

    va_copy(arguments, given);
    while (*at) {
        struct field field = {.precision = SIZE_MAX};
        const char *start = at;

        while (*at && *at != '%')
            at++;
        put(&out, start, (size_t)(at - start));
        if (!*at)
            break;
        start = at++;
        for (; *at == '-' || *at == '0'; at++) {
            field.left |= *at == '-';
            field.zero |= *at == '0';
        }
        field.width = read_count(&at, &arguments);
        if (*at == '.') {
            at++;
            field.precision = read_count(&at, &arguments);
        }
        for (; *at == 'l' || *at == 'z'; at++)
            field.wide = true;

        switch (*at) {
        case 's': {
            const char *s = va_arg(arguments, const char *);
            size_t length = 0;
            if (!s)
                s = "(null)";
            while (length < field.precision && s[length])
                length++;
            field.zero = false;
            put_field(&out, &field, "", s, length);
            break;
        }
        case 'c': {
            char byte = (char)va_arg(arguments, int);
            put_field(&out, &field, "", &byte, 1);
            break;
        }
        case 'd': {
            int64_t value = field.wide ? va_arg(arguments, long) : va_arg(arguments, int);
            put_number(&out, &field, value < 0 ? "-" : "", value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t value = field.wide ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
            put_number(&out, &field, "", value, *at == 'u' ? 10 : 16);
            break;
        }
        case 'p':
            put_number(&out, &field, "0x", (uintptr_t)va_arg(arguments, void *), 16);
            break;
        case '%':
            put(&out, "%", 1);
            break;
        default:
            if (!*at) /* the text ends within the conversion */
                at--;
            put(&out, start, (size_t)(at + 1 - start));
            break;
        }
        at++;
    }
    va_end(arguments);
    return out.total;
}

struct target {
    char *to;
    size_t size, used;
};

static void put_to_target(void *context, const char *text, size_t length) {
    struct target *target = context;
    for (size_t i = 0; i < length && target->used + 1 < target->size; i++)
        target->to[target->used++] = text[i];
}

size_t format_list(char *to, size_t size, const char *text, va_list list) {
    struct target target = {.to = to, .size = size};
    size_t total = format_out(put_to_target, &target, text, list);

    if (size > 0)
        to[target.used] = '\0';
    return total;
}

size_t format(char *to, size_t size, const char *text, ...) {
    va_list list;
    size_t length;

    va_start(list, text);
    length = format_list(to, size, text, list);
    va_end(list);
    return length;
}
