/* SPDX-License-Identifier: MIT */
/*
 * The line editor's history (usr/lib/lineedit.c): the caller's buffer of zero-ended lines; the oldest go when it is
 * full. While older lines are shown the typed one waits in `typed`.
 *
 * A search (^R) shows the newest line that has the text typed since, and goes on to older ones. Any key that is none of
 * its own ends it and does to the found line what it always does; ^G brings the typed line back.
 */
#include "os2/string.h"
#include "os2/text.h"
#include "usr/lib/lineedit_parts.h"

#define CTRL(letter) ((letter)-64)

/* Where the line before `at` begins; `at` is not 0. */
static size_t history_before(const struct os2_lineedit *e, size_t at) {
    at--; /* its zero */
    while (at > 0 && e->history[at - 1])
        at--;
    return at;
}

/* The typed line gives way to an older one. */
static void history_keep(struct os2_lineedit *e) {
    if (e->browse != e->history_used)
        return;
    e->line[e->length] = 0;
    memcpy(e->typed, e->line, e->length + 1);
}

static const char *history_line(const struct os2_lineedit *e) {
    return e->browse == e->history_used ? e->typed : e->history + e->browse;
}

void history_older(struct os2_lineedit *e) {
    if (e->browse == 0)
        return;
    history_keep(e);
    e->browse = history_before(e, e->browse);
    line_replace(e, history_line(e));
}

void history_newer(struct os2_lineedit *e) {
    if (e->browse == e->history_used)
        return;
    e->browse += strlen(e->history + e->browse) + 1;
    line_replace(e, history_line(e));
}

bool os2_lineedit_remember(struct os2_lineedit *e, const char *line) {
    size_t size = strlen(line) + 1;

    if (size == 1 || size > e->history_size)
        return false;
    if (e->history_used && strcmp(e->history + history_before(e, e->history_used), line) == 0)
        return false;
    while (e->history_size - e->history_used < size) {
        size_t oldest = strlen(e->history) + 1;
        e->history_used -= oldest;
        memmove(e->history, e->history + oldest, e->history_used);
    }
    memcpy(e->history + e->history_used, line, size);
    e->history_used += size;
    return true;
}

/* ---- Search. ---- */

static bool has(const char *line, const char *text, size_t length) {
    for (; *line; line++)
        if (strncmp(line, text, length) == 0)
            return true;
    return false;
}

/* Shows the newest line before `at` that has the text. */
static void search_before(struct os2_lineedit *e, size_t at) {
    e->found = e->query_length == 0;
    while (at > 0 && e->query_length && !e->found) {
        at = history_before(e, at);
        e->found = has(e->history + at, e->query, e->query_length);
    }
    if (e->found && e->query_length)
        e->browse = at;
    if (!e->found)
        draw_put(e, "\a");
    format(e->search_prompt, sizeof(e->search_prompt), "%s: %.*s: ", e->found ? "search" : "not found",
           (int)e->query_length, e->query);
    if (e->found) {
        os2_string_copy(e->line, sizeof(e->line), history_line(e));
        e->length = e->cursor = strlen(e->line);
    }
    draw_all(e);
}

void search_begin(struct os2_lineedit *e) {
    history_keep(e);
    e->searching = true;
    e->query_length = 0;
    search_before(e, e->browse);
}

void search_text(struct os2_lineedit *e, const char *text, size_t size) {
    size_t from = e->browse;

    if (e->query_length + size > sizeof(e->query)) {
        draw_put(e, "\a");
        return;
    }
    memcpy(e->query + e->query_length, text, size);
    e->query_length += size;
    if (from != e->history_used)
        from += strlen(e->history + from) + 1; /* the line that is shown may have it too */
    search_before(e, from);
}

static void search_shorten(struct os2_lineedit *e) {
    while (e->query_length && os2_text_continues(e->query[--e->query_length])) {
    }
    if (!e->query_length)
        e->browse = e->history_used;
    search_before(e, e->history_used);
}

bool search_key(struct os2_lineedit *e, char byte) {
    switch (byte) {
    case CTRL('R'):
        search_before(e, e->browse);
        return true;
    case CTRL('H'):
    case 127:
        search_shorten(e);
        return true;
    case CTRL('G'):
        e->browse = e->history_used;
        os2_string_copy(e->line, sizeof(e->line), e->typed);
        e->length = e->cursor = strlen(e->line);
        break;
    default:
        if ((unsigned char)byte >= ' ')
            return false; /* text, which comes back as a whole character */
        break;
    }
    e->searching = false;
    draw_all(e);
    return byte == CTRL('G');
}
