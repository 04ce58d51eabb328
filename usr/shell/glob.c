/* SPDX-License-Identifier: MIT */
/*
 * Patterns of file names (shell/glob.h).
 *
 * A pattern is taken one component after the other: a set of paths, first the empty one, becomes the set of those that
 * are one component longer. So no folder is read while another is, and depth costs no stack.
 */
#include "shell/glob.h"

#include "os2/string.h"
#include "os2/text.h"

struct set {
    char text[GLOB_TEXT];
    size_t used;
    int count; /* -1: there was no room */
};

/* What a component of the pattern makes of one path. */
struct step {
    const char *base, *component;
    bool slash; /* more comes behind */
    struct set *to;
};

static struct set sets[2];

bool glob_is_pattern(const char *text) {
    for (; *text; text++) {
        if (*text == '*' || *text == '?' || *text == '[')
            return true;
        if (*text == '\\' && text[1])
            text++;
    }
    return false;
}

void glob_plain(char *text) {
    char *to = text;

    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        *to++ = *text;
    }
    *to = 0;
}

/* Is the byte one of the set at *pattern, "[...]"? *pattern moves behind it; unchanged if it is none. */
static bool match_set(const char **pattern, char byte) {
    const char *at = *pattern + 1;
    bool inverted = *at == '!' || *at == '^', found = false;
    unsigned char c = (unsigned char)byte;

    at += inverted;
    for (const char *first = at; *at && (*at != ']' || at == first);) {
        unsigned char low, high;
        if (*at == '\\' && at[1])
            at++;
        low = high = (unsigned char)*at++;
        if (*at == '-' && at[1] && at[1] != ']') {
            at += at[1] == '\\' && at[2] ? 2 : 1;
            high = (unsigned char)*at++;
        }
        found |= c >= low && c <= high;
    }
    if (!*at)
        return false;
    *pattern = at + 1;
    return found != inverted;
}

/* Does one piece of the pattern, not a *, match the start of the name? Both move behind it. */
static bool match_one(const char **pattern, const char **name) {
    const char *before = *pattern, *at = *name;
    bool matched;

    if (!*at)
        return false;
    if (*before == '?') {
        (*pattern)++;
        for ((*name)++; os2_text_continues(**name);)
            (*name)++;
        return true;
    }
    if (*before == '[') {
        matched = match_set(pattern, *at);
        if (*pattern != before) {
            (*name)++;
            return matched;
        }
    }
    *pattern += *before == '\\' && before[1] ? 2 : 1;
    (*name)++;
    return (*pattern)[-1] == *at;
}

bool glob_match(const char *pattern, const char *name) {
    const char *star = NULL, *retry = NULL;

    if (*name == '.' && *pattern != '.' && !(*pattern == '\\' && pattern[1] == '.'))
        return false;
    while (*name || *pattern) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
            continue;
        }
        if (*pattern && match_one(&pattern, &name))
            continue;
        if (!star || !*retry)
            return false;
        pattern = star;
        name = ++retry;
    }
    return true;
}

static void set_add(struct set *set, const char *base, const char *name, bool slash) {
    size_t base_length = strlen(base), length = strlen(name), size = base_length + length + slash + 1;
    char *to = set->text + set->used;

    if (set->count < 0 || size > sizeof(set->text) - set->used || size > GLOB_PATH) {
        set->count = -1;
        return;
    }
    memcpy(to, base, base_length);
    memcpy(to + base_length, name, length);
    to[base_length + length] = '/';
    to[size - 1] = 0;
    set->used += size;
    set->count++;
}

static void step_take(void *taker, const char *name) {
    const struct step *step = taker;
    if (glob_match(step->component, name))
        set_add(step->to, step->base, name, step->slash);
}

/* Cuts the next component off: up to a '/', which ret_slash tells of. Slashes that come first are its own. */
static size_t component_cut(const char *pattern, char ret_component[GLOB_PATH], bool *ret_slash) {
    size_t size = 0, used;

    while (pattern[size] && pattern[size] != '/')
        size += pattern[size] == '\\' && pattern[size + 1] ? 2 : 1;
    used = size < GLOB_PATH ? size : GLOB_PATH - 1;
    memcpy(ret_component, pattern, used);
    ret_component[used] = 0;
    *ret_slash = pattern[size] == '/';
    return size + *ret_slash;
}

/* Leaves only those paths that are there. */
static void set_filter(struct set *set, const struct glob_folders *folders) {
    char *path = set->text, *to = path;
    int count = 0;

    for (int i = 0; i < set->count; i++) {
        size_t size = strlen(path) + 1;
        if (folders->exists(folders->context, path)) {
            memmove(to, path, size);
            to += size;
            count++;
        }
        path += size;
    }
    set->count = set->count < 0 ? -1 : count;
    set->used = (size_t)(to - set->text);
}

/* Makes the paths of one set a component longer. */
static void set_step(const struct set *from, char *component, bool slash, const struct glob_folders *folders,
                     struct set *to) {
    const char *base = from->text;
    bool pattern = glob_is_pattern(component);

    to->count = from->count < 0 ? -1 : 0;
    to->used = 0;
    if (!pattern)
        glob_plain(component);
    for (int i = 0; i < from->count; i++, base += strlen(base) + 1) {
        struct step step = {.base = base, .component = component, .slash = slash, .to = to};
        if (pattern)
            folders->list(folders->context, base, step_take, &step);
        else
            set_add(to, base, component, slash);
    }
}

/* Sorts the paths of a set into `ret_paths`: each time the least of those that are greater than the last. */
static void set_sort(const struct set *set, char *ret_paths) {
    const char *last = NULL;

    for (int done = 0; done < set->count;) {
        const char *least = NULL, *path = set->text;
        int same = 0;
        for (int i = 0; i < set->count; i++, path += strlen(path) + 1) {
            int order = least ? strcmp(path, least) : -1;
            if (last && strcmp(path, last) <= 0)
                continue;
            same = order < 0 ? 1 : same + (order == 0);
            least = order < 0 ? path : least;
        }
        for (; same > 0; same--, done++) {
            size_t size = strlen(least) + 1;
            memcpy(ret_paths, least, size);
            ret_paths += size;
        }
        last = least;
    }
}

int glob_expand(const char *pattern, const struct glob_folders *folders, char ret_paths[GLOB_TEXT]) {
    struct set *from = &sets[0], *to = &sets[1];
    char component[GLOB_PATH];
    bool slash = false, known = true; /* known: the last component came from a list of what is there */

    from->count = 1;
    from->used = 1;
    from->text[0] = 0;
    while (*pattern) {
        struct set *swap = from;
        pattern += component_cut(pattern, component, &slash);
        known = glob_is_pattern(component);
        set_step(from, component, slash, folders, to);
        from = to;
        to = swap;
    }
    if (!known || slash) /* with a slash only folders count */
        set_filter(from, folders);
    if (from->count > 0)
        set_sort(from, ret_paths);
    return from->count;
}
