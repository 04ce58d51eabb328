/* SPDX-License-Identifier: MIT */
/*
 * grep: the lines in which a pattern is found. Of POSIX's basic regular expressions it knows
 *
 *     .  any character    [a-z] [^a-z]  one of these, none of these    x*  any number of x
 *     ^  the line's start    $  its end    \x  x as it stands
 *
 * and not \( \) \{ \}, nor names of classes; -F takes the pattern as it stands. -i: capital or small; -v: the other
 * lines; -n: their numbers; -c: only how many. Status 0: there were some, 1: none, 2: something was wrong.
 *
 * A match is tried at each place of the line; a piece with * takes as much as it can, and gives back. Bytes are
 * characters here, except that . takes all of one.
 */
#include "os2/call.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/text.h"
#include "os2/tool.h"

#define IGNORE 1u
#define INVERT 2u
#define NUMBERS 4u
#define COUNT 8u
#define FIXED 16u
#define PIECES 256u
#define STARS 64u /* each takes some of the stack */

/* A piece of the pattern: a set of bytes, or any character. */
struct piece {
    bool any, many;
    uint8_t set[32];
};

struct counts {
    const char *name; /* null: it is not printed */
    uint64_t line, found;
};

static unsigned flags;
static struct piece pieces[PIECES];
static unsigned piece_count, star_count;
static bool at_start, at_end;

static void set_add(struct piece *p, unsigned char c) {
    p->set[c / 8] |= (uint8_t)(1u << c % 8);
    if (flags & IGNORE && ((c | 32) >= 'a' && (c | 32) <= 'z'))
        p->set[(c ^ 32) / 8] |= (uint8_t)(1u << (c ^ 32) % 8);
}

/* [...] from its [ on; returns what is behind it, or null: there is no ]. */
static const char *read_set(const char *at, struct piece *p) {
    bool inverted = *++at == '^';

    at += inverted;
    for (const char *first = at; *at != ']' || at == first; at++) {
        unsigned char low = (unsigned char)*at, high = low;
        if (!*at)
            return NULL;
        if (at[1] == '-' && at[2] && at[2] != ']') {
            at += 2;
            high = (unsigned char)*at;
        }
        for (unsigned c = low; c <= high; c++)
            set_add(p, (unsigned char)c);
    }
    for (unsigned i = 0; i < sizeof(p->set) && inverted; i++)
        p->set[i] = (uint8_t)~p->set[i];
    return at + 1;
}

/* Null, or what is wrong with the pattern. */
static const char *pattern_read(const char *at) {
    at_start = !(flags & FIXED) && *at == '^';
    at += at_start;
    for (const char *first = at; *at;) {
        struct piece *p = &pieces[piece_count];
        bool plain = flags & FIXED;

        if (piece_count++ == PIECES)
            return "the pattern is too long";
        if (!plain && *at == '$' && !at[1]) {
            at_end = true;
            piece_count--;
            return NULL;
        }
        if (!plain && *at == '[') {
            at = read_set(at, p);
            if (!at)
                return "no ] behind [";
        } else if (!plain && *at == '.') {
            p->any = true;
            at++;
        } else {
            if (!plain && *at == '\\') {
                if (!at[1] || at[1] == '(' || at[1] == ')' || at[1] == '{' || at[1] == '}' ||
                    (at[1] >= '1' && at[1] <= '9'))
                    return "\\( \\) \\{ \\} \\1 are not known here";
                at++;
            }
            set_add(p, (unsigned char)*at++);
        }
        p->many = !plain && *at == '*' && at > first;
        at += p->many;
        star_count += p->many;
        if (star_count > STARS)
            return "too many *";
    }
    return NULL;
}

/* How many bytes the piece takes at this place; 0: it does not match. */
static size_t piece_takes(const struct piece *p, const char *at, const char *end) {
    unsigned char c;
    uint32_t code;

    if (at == end)
        return 0;
    if (p->any)
        return os2_text_decode(at, (size_t)(end - at), &code);
    c = (unsigned char)*at;
    return p->set[c / 8] >> c % 8 & 1;
}

/* Does the rest of the pattern match here? Its depth is that of the pattern's stars. */
static bool match_here(unsigned piece, const char *at, const char *end) {
    for (; piece < piece_count; piece++) {
        const struct piece *p = &pieces[piece];
        const char *least = at;
        size_t size;

        if (!p->many) {
            size = piece_takes(p, at, end);
            if (!size)
                return false;
            at += size;
            continue;
        }
        while ((size = piece_takes(p, at, end)))
            at += size;
        while (!match_here(piece + 1, at, end)) {
            if (at == least)
                return false;
            do
                at--;
            while (p->any && at > least && os2_text_continues(*at)); /* back by a whole character */
        }
        return true;
    }
    return !at_end || at == end;
}

static bool line_matches(const char *line, size_t size) {
    const char *at = line, *end = line + size;

    do
        if (match_here(0, at, end))
            return true;
    while (!at_start && at++ < end);
    return false;
}

static int grep_line(void *context, const char *line, size_t size) {
    struct counts *counts = context;

    counts->line++;
    if (line_matches(line, size) == ((flags & INVERT) != 0))
        return OS2_OK;
    counts->found++;
    if (flags & COUNT)
        return OS2_OK;
    if (counts->name)
        os2_printf("%s:", counts->name);
    if (flags & NUMBERS)
        os2_printf("%lu:", counts->line);
    os2_out_write(line, size);
    return os2_out_write("\n", 1);
}

/* 0: found, 1: not found, 2: something was wrong. */
static int grep(const char *path, bool named) {
    struct counts counts = {.name = named ? path : NULL};
    int status = os2_tool_lines(path, grep_line, &counts);

    if (flags & COUNT)
        os2_printf("%s%s%lu\n", named ? path : "", named ? ":" : "", counts.found);
    if (status < 0 && os2_out_flush() >= 0)
        os2_tool_failed(path ? path : "input", status);
    return status < 0 ? 2 : counts.found == 0;
}

int main(int argc, char **argv) {
    int first = os2_tool_options(argc, argv, "ivncF", &flags, NULL), result = 1, wrong = 0;
    const char *reason;

    if (first < 0 || first == argc)
        return os2_tool_usage("[-ivncF] PATTERN [FILE...]");
    reason = pattern_read(argv[first]);
    if (reason) {
        os2_error("%s: %s", argv[first], reason);
        return 2;
    }
    if (first + 1 == argc)
        return grep(NULL, false);
    for (int i = first + 1; i < argc; i++) {
        int one = grep(argv[i], argc - first > 2);
        wrong |= one & 2;
        result &= one;
    }
    return wrong ? wrong : result;
}
