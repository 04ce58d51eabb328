/* SPDX-License-Identifier: MIT */
/*
 * Formatted text. One pass; each conversion becomes a piece of text with padding on one side of it. What is understood
 * is in the header. Pieces are a few bytes each, so they are collected, and the sink sees a line or most of one.
 */
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

#define DIGITS_MAX 20 /* of 2^64 - 1 in decimal */
#define HELD_MAX 96u

struct output {
    format_sink *put;
    void *context;
    size_t total, held;
    char text[HELD_MAX]; /* not given to the sink yet: `held` of it */
};

struct field {
    bool left, zero, wide;
    size_t width, most; /* most SIZE_MAX: none */
};

static void flush(struct output *out) {
    if (out->held)
        out->put(out->context, out->text, out->held);
    out->held = 0;
}

/* Where `length` bytes may be written, HELD_MAX at the most. */
static char *room(struct output *out, size_t length) {
    if (length > HELD_MAX - out->held)
        flush(out);
    out->total += length;
    out->held += length;
    return out->text + out->held - length;
}

static void put(struct output *out, const char *text, size_t length) {
    for (; length > HELD_MAX; length -= HELD_MAX, text += HELD_MAX)
        memcpy(room(out, HELD_MAX), text, HELD_MAX);
    for (char *to = room(out, length), *end = to + length; to < end;)
        *to++ = *text++;
}

static void pad(struct output *out, char with, size_t count) {
    for (; count > 0; count--)
        *room(out, 1) = with;
}

/* `sign` ("" or "-" or "0x") stays in front of zero padding. */
static void put_field(struct output *out, const struct field *field, const char *sign, const char *text,
                      size_t length) {
    size_t sign_length = *sign ? strlen(sign) : 0, used = sign_length + length;
    size_t padding = field->width > used ? field->width - used : 0;

    if (padding && !field->left && !field->zero)
        pad(out, ' ', padding);
    if (sign_length)
        put(out, sign, sign_length);
    if (padding && !field->left && field->zero)
        pad(out, '0', padding);
    put(out, text, length);
    if (padding && field->left)
        pad(out, ' ', padding);
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

/* What stands between the % and the letter of a conversion. */
static struct field read_field(const char **at, va_list *arguments) {
    struct field field = {.most = SIZE_MAX};

    for (; **at == '-' || **at == '0'; (*at)++) {
        field.left |= **at == '-';
        field.zero |= **at == '0';
    }
    field.width = read_count(at, arguments);
    if (**at == '.') {
        (*at)++;
        field.most = read_count(at, arguments);
    }
    for (; **at == 'l' || **at == 'z'; (*at)++)
        field.wide = true;
    return field;
}

/* The digits of a number, DIGITS_MAX at the most, up to `end`. Returns where they begin. */
static const char *write_number(char *end, uint64_t number, unsigned base) {
    do
        *--end = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    return end;
}

/* One conversion, from its % on. Returns where the text goes on. */
static const char *put_conversion(struct output *out, const char *start, va_list *arguments) {
    const char *at = start + 1, *text = start, *sign = "";
    struct field field = read_field(&at, arguments);
    char digits[DIGITS_MAX];
    uint64_t number = 0;
    unsigned base = 0;
    size_t length = 1;

    switch (*at) {
    case 's':
        text = va_arg(*arguments, const char *);
        if (!text)
            text = "(null)";
        length = strnlen(text, field.most);
        field.zero = false;
        break;
    case 'c':
        digits[0] = (char)va_arg(*arguments, int);
        text = digits;
        break;
    case 'd':
        number = (uint64_t)(field.wide ? va_arg(*arguments, long) : va_arg(*arguments, int));
        if ((int64_t)number < 0) {
            number = -number;
            sign = "-";
        }
        base = 10;
        break;
    case 'u':
    case 'x':
        number = field.wide ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned);
        base = *at == 'u' ? 10 : 16;
        break;
    case 'p':
        number = (uintptr_t)va_arg(*arguments, void *);
        sign = "0x";
        base = 16;
        break;
    case '%':
        break;
    default:
        if (!*at) /* the text ends within the conversion */
            at--;
        length = (size_t)(at + 1 - start);
        field.width = 0;
        break;
    }
    if (base) {
        text = write_number(digits + DIGITS_MAX, number, base);
        length = (size_t)(digits + DIGITS_MAX - text);
    }
    put_field(out, &field, sign, text, length);
    return at + 1;
}

size_t format_out(format_sink *sink, void *context, const char *text, va_list given) {
    struct output out;
    va_list arguments;

    out.put = sink;
    out.context = context;
    out.total = out.held = 0;

    va_copy(arguments, given);
    while (*text) {
        const char *start = text;

        while (*text && *text != '%')
            text++;
        put(&out, start, (size_t)(text - start));
        if (*text)
            text = put_conversion(&out, text, &arguments);
    }
    va_end(arguments);
    flush(&out);
    return out.total;
}

struct target {
    char *to;
    size_t size, used;
};

static void put_to_target(void *context, const char *text, size_t length) {
    struct target *target = context;
    size_t room = target->used < target->size ? target->size - target->used - 1 : 0;
    length = length < room ? length : room;
    memcpy(target->to + target->used, text, length);
    target->used += length;
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
