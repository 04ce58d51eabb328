/* SPDX-License-Identifier: MIT */
/*
 * sort: the lines of files, or of the input, in order of their bytes. -n: in order of the numbers that they begin with;
 * -r: backward; -u: each only once. The lines are on the heap, in a list that is merged from its halves: so equal ones
 * stay as they came.
 */
#include "os2/call.h"
#include "os2/heap.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/tool.h"

#define REVERSE 1u
#define NUMBERS 2u
#define ONCE 4u

struct line {
    struct line *next;
    size_t size;
    char text[];
};

static unsigned flags;
static struct line *lines, **last = &lines;
static uint64_t count;

static int sort_line(void *context, const char *text, size_t size) {
    struct line *line = os2_heap_alloc(sizeof(*line) + size);

    (void)context;
    if (!line)
        return OS2_E_MEMORY;
    line->next = NULL;
    line->size = size;
    memcpy(line->text, text, size);
    *last = line;
    last = &line->next;
    count++;
    return OS2_OK;
}

static bool digit(const struct line *line, size_t at) {
    return at < line->size && line->text[at] >= '0' && line->text[at] <= '9';
}

/* Where the number of a line begins and how many digits it has without the zeros in front; none is 0. */
static size_t number(const struct line *line, size_t *ret_digits, bool *ret_negative) {
    size_t at = 0, end;

    while (at < line->size && (line->text[at] == ' ' || line->text[at] == '\t'))
        at++;
    *ret_negative = at < line->size && line->text[at] == '-';
    at += *ret_negative;
    while (digit(line, at) && line->text[at] == '0')
        at++;
    for (end = at; digit(line, end);)
        end++;
    *ret_digits = end - at;
    *ret_negative &= end > at;
    return at;
}

static int compare_numbers(const struct line *a, const struct line *b) {
    size_t a_digits, b_digits, a_at, b_at;
    bool a_negative, b_negative;
    int order;

    a_at = number(a, &a_digits, &a_negative);
    b_at = number(b, &b_digits, &b_negative);
    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    order = a_digits != b_digits ? (a_digits < b_digits ? -1 : 1) : memcmp(a->text + a_at, b->text + b_at, a_digits);
    return a_negative ? -order : order;
}

static int compare_bytes(const struct line *a, const struct line *b) {
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order : a->size < b->size ? -1 : a->size > b->size;
}

static int compare(const struct line *a, const struct line *b) {
    int order = flags & NUMBERS ? compare_numbers(a, b) : 0;

    if (!order && !(flags & NUMBERS && flags & ONCE)) /* with both, equal numbers are equal lines */
        order = compare_bytes(a, b);
    return flags & REVERSE ? -order : order;
}

static struct line *merge(struct line *a, struct line *b) {
    struct line *merged = NULL, **end = &merged;

    while (a && b) {
        struct line **least = compare(a, b) <= 0 ? &a : &b;
        *end = *least;
        end = &(*least)->next;
        *least = *end;
    }
    *end = a ? a : b;
    return merged;
}

/* Sorts the first lines of the list; *ret_rest: those behind them. */
static struct line *sort(struct line *list, uint64_t size, struct line **ret_rest) {
    struct line *first, *second;

    if (size == 0) {
        *ret_rest = list;
        return NULL;
    }
    if (size == 1) {
        *ret_rest = list->next;
        list->next = NULL;
        return list;
    }
    first = sort(list, size / 2, &second);
    second = sort(second, size - size / 2, ret_rest);
    return merge(first, second);
}

static void print(void) {
    for (const struct line *line = lines, *before = NULL; line; before = line, line = line->next) {
        if (before && flags & ONCE && compare(before, line) == 0)
            continue;
        os2_out_write(line->text, line->size);
        if (os2_out_write("\n", 1) < 0)
            return;
    }
}

int main(int argc, char **argv) {
    int first = os2_tool_options(argc, argv, "rnu", &flags, NULL), failed = 0;
    struct line *rest;

    if (first < 0)
        return os2_tool_usage("[-rnu] [FILE...]");
    for (int i = first; i < argc || (i == first && first == argc); i++) {
        const char *path = i < argc ? argv[i] : NULL;
        int status = os2_tool_lines(path, sort_line, NULL);
        if (status < 0)
            failed = os2_tool_failed(path ? path : "input", status);
    }
    lines = sort(lines, count, &rest);
    print();
    return failed;
}
