/* SPDX-License-Identifier: MIT */
/*
 * Formatted output (os2/format.h). One pass over the format; each conversion becomes a piece of text with padding on
 * one side of it.
 */
#include "os2/format.h"

#include <stdbool.h>
#include <stdint.h>

struct format_output {
    os2_put_function *put;
    void *context;
    size_t total;
};

struct format_field {
    bool left, zero, wide;
    size_t width, precision; /* precision SIZE_MAX: none */
};

static void format_put(struct format_output *out, const char *text, size_t length) {
    if (length)
        out->put(out->context, text, length);
    out->total += length;
}

static void format_pad(struct format_output *out, char byte, size_t count) {
    while (count--)
        format_put(out, &byte, 1);
}

/* `sign` ("" or "-" or "0x") stays in front of zero padding. */
static void format_field(struct format_output *out, const struct format_field *field, const char *sign,
                         const char *text, size_t length) {
    size_t sign_length = 0, used;

    while (sign[sign_length])
        sign_length++;
    used = sign_length + length;
    if (!field->left && !field->zero && field->width > used)
        format_pad(out, ' ', field->width - used);
    format_put(out, sign, sign_length);
    if (!field->left && field->zero && field->width > used)
        format_pad(out, '0', field->width - used);
    format_put(out, text, length);
    if (field->left && field->width > used)
        format_pad(out, ' ', field->width - used);
}

static void format_number(struct format_output *out, const struct format_field *field, const char *sign, uint64_t value,
                          unsigned base) {
    char digits[20]; /* 2^64 - 1 has 20 decimal digits */
    size_t at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    format_field(out, field, sign, digits + at, sizeof(digits) - at);
}

static size_t format_count(const char **format, va_list *arguments) {
    size_t count = 0;
    if (**format == '*') {
        int given = va_arg(*arguments, int);
        (*format)++;
        return given > 0 ? (size_t)given : 0;
    }
    for (; **format >= '0' && **format <= '9'; (*format)++)
        count = count * 10 + (size_t)(**format - '0');
    return count;
}

size_t os2_format(os2_put_function *put, void *context, const char *format, va_list given) {
    struct format_output out = {.put = put, .context = context};
    va_list arguments;

    va_copy(arguments, given);
    while (*format) {
        struct format_field field = {.precision = SIZE_MAX};
        const char *start = format;

        while (*format && *format != '%')
            format++;
        format_put(&out, start, (size_t)(format - start));
        if (!*format)
            break;
        start = format++;
        for (; *format == '-' || *format == '0'; format++) {
            field.left |= *format == '-';
            field.zero |= *format == '0';
        }
        field.width = format_count(&format, &arguments);
        if (*format == '.') {
            format++;
            field.precision = format_count(&format, &arguments);
        }
        for (; *format == 'l' || *format == 'z'; format++)
            field.wide = true;

        switch (*format) {
        case 's': {
            const char *text = va_arg(arguments, const char *);
            size_t length = 0;
            if (!text)
                text = "(null)";
            while (length < field.precision && text[length])
                length++;
            field.zero = false;
            format_field(&out, &field, "", text, length);
            break;
        }
        case 'c': {
            char byte = (char)va_arg(arguments, int);
            format_field(&out, &field, "", &byte, 1);
            break;
        }
        case 'd': {
            int64_t value = field.wide ? va_arg(arguments, long) : va_arg(arguments, int);
            format_number(&out, &field, value < 0 ? "-" : "", value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t value = field.wide ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
            format_number(&out, &field, "", value, *format == 'u' ? 10 : 16);
            break;
        }
        case 'p':
            format_number(&out, &field, "0x", (uintptr_t)va_arg(arguments, void *), 16);
            break;
        case '%':
            format_put(&out, "%", 1);
            break;
        default:
            if (*format)
                format_put(&out, start, (size_t)(format + 1 - start));
            else
                format--;
            break;
        }
        format++;
    }
    va_end(arguments);
    return out.total;
}

struct format_target {
    char *buffer;
    size_t size, used;
};

static void format_to_buffer(void *context, const char *text, size_t length) {
    struct format_target *target = context;
    for (size_t i = 0; i < length && target->used + 1 < target->size; i++)
        target->buffer[target->used++] = text[i];
}

size_t os2_format_buffer_list(char *buffer, size_t size, const char *format, va_list arguments) {
    struct format_target target = {.buffer = buffer, .size = size};
    size_t total = os2_format(format_to_buffer, &target, format, arguments);

    buffer[target.used] = 0;
    return total;
}

size_t os2_format_buffer(char *buffer, size_t size, const char *format, ...) {
    va_list arguments;
    size_t total;

    va_start(arguments, format);
    total = os2_format_buffer_list(buffer, size, format, arguments);
    va_end(arguments);
    return total;
}
