/* SPDX-License-Identifier: MIT */
/*
 * The boot arguments that init understands. They are init's alone: the nonce would be worth nothing if a program could
 * read it.
 */
#include "init/init.h"

#include "os2/string.h"

/* The value of `key` (with its '=') in the word, or null. */
static const char *arguments_value(const char *word, size_t length, const char *key, size_t *ret_length) {
    size_t key_length = strlen(key);
    if (length < key_length || strncmp(word, key, key_length) != 0)
        return NULL;
    *ret_length = length - key_length;
    return word + key_length;
}

static bool arguments_copy(char *to, size_t size, const char *from, size_t length) {
    if (length >= size)
        return false;
    memcpy(to, from, length);
    to[length] = 0;
    return true;
}

static int arguments_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

static bool arguments_hex(char *to, size_t size, const char *from, size_t length) {
    if (length % 2 || length / 2 >= size)
        return false;
    for (size_t i = 0; i < length / 2; i++) {
        int high = arguments_digit(from[2 * i]), low = arguments_digit(from[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (char)(high << 4 | low);
    }
    to[length / 2] = 0;
    return true;
}

void init_arguments(const char *text, size_t size, struct init_arguments *ret) {
    size_t at = 0;

    memset(ret, 0, sizeof(*ret));
    while (at < size && text[at]) {
        size_t length = 0, value_length;
        const char *word = text + at, *value;

        while (at + length < size && word[length] && word[length] != ' ')
            length++;
        at += length + (at + length < size && word[length] == ' ');
        if ((value = arguments_value(word, length, "os2.run=", &value_length))) {
            ret->once = true;
            ret->bad |= !arguments_hex(ret->run, sizeof(ret->run), value, value_length);
        } else if ((value = arguments_value(word, length, "os2.start=", &value_length))) {
            ret->once = true;
            ret->bad |= !arguments_copy(ret->start, sizeof(ret->start), value, value_length) || !value_length;
        } else if ((value = arguments_value(word, length, "os2.nonce=", &value_length))) {
            ret->bad |= !arguments_copy(ret->nonce, sizeof(ret->nonce), value, value_length);
        }
    }
}
