/* SPDX-License-Identifier: MIT */
/* The shell's variables (shell/variables.h). */
#include "shell/variables.h"

#include "os2/string.h"

const char *variables_next(const struct variables *v, size_t *at) {
    const char *entry = v->text + *at;

    if (*at == v->used)
        return NULL;
    *at += strlen(entry) + 1;
    return entry;
}

/* The entry of that name, or null. */
static const char *variables_find(const struct variables *v, const char *name, size_t length) {
    const char *entry;

    for (size_t at = 0; (entry = variables_next(v, &at));)
        if (strncmp(entry, name, length) == 0 && entry[length] == '=')
            return entry;
    return NULL;
}

const char *variables_get(const struct variables *v, const char *name, size_t length) {
    const char *entry = variables_find(v, name, length);
    return entry ? entry + length + 1 : NULL;
}

bool variables_set(struct variables *v, const char *name, size_t length, const char *value) {
    const char *entry = variables_find(v, name, length);
    size_t old = entry ? strlen(entry) + 1 : 0, at = entry ? (size_t)(entry - v->text) : v->used;
    size_t size = value ? length + strlen(value) + 2 : 0;
    char *to;

    if (size > VARIABLES_TEXT - (v->used - old))
        return false;
    memmove(v->text + at, v->text + at + old, v->used - at - old);
    v->used -= old;
    if (!value)
        return true;
    to = v->text + v->used;
    memcpy(to, name, length);
    to[length] = '=';
    memcpy(to + length + 1, value, size - length - 1);
    v->used += size;
    return true;
}
