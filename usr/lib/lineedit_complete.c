/* SPDX-License-Identifier: MIT */
/*
 * Completion in the line editor (usr/lib/lineedit.c): what all names that are offered have in common takes the place of
 * what was typed of them. Where that is nothing more, a second tab lists the names.
 */
#include "os2/string.h"
#include "os2/text.h"
#include "usr/lib/lineedit_parts.h"

#define GAP 2u /* columns between two names */

void os2_lineedit_completion(struct os2_lineedit *e, os2_complete_function *complete, void *context,
                             struct os2_completions *completions) {
    e->complete = complete;
    e->complete_context = context;
    e->completions = completions;
}

void os2_completion_add(struct os2_completions *c, const char *name) {
    size_t size = strlen(name) + 1;

    if (size > sizeof(c->names) - c->used) {
        c->cut = true;
        return;
    }
    memcpy(c->names + c->used, name, size);
    c->used += size;
    c->count++;
}

/* How many bytes all names begin with, whole characters. */
static size_t complete_common(const struct os2_completions *c) {
    const char *name = c->names;
    size_t common = strlen(name);

    for (unsigned i = 1; i < c->count; i++) {
        size_t same = 0;
        name += strlen(name) + 1;
        while (same < common && name[same] == c->names[same])
            same++;
        common = same;
    }
    while (common && os2_text_continues(c->names[common]))
        common--;
    return common;
}

/* The name that comes after `last` in the order of their bytes; null: none does. */
static const char *complete_next(const struct os2_completions *c, const char *last) {
    const char *name = c->names, *least = NULL;

    for (unsigned i = 0; i < c->count; i++, name += strlen(name) + 1)
        if ((!last || strcmp(name, last) > 0) && (!least || strcmp(name, least) < 0))
            least = name;
    return least;
}

/* Lists the names in columns below the line, and shows the line again. */
static void complete_list(struct os2_lineedit *e, const struct os2_completions *c) {
    const char *name = c->names;
    size_t widest = 0, columns, cursor = e->cursor, place = 0;

    for (unsigned i = 0; i < c->count; i++, name += strlen(name) + 1) {
        size_t width = os2_text_columns(name, strlen(name));
        widest = width > widest ? width : widest;
    }
    columns = e->width / (widest + GAP) ? e->width / (widest + GAP) : 1;
    draw_cursor(e, e->length);
    for (name = NULL; (name = complete_next(c, name)); place++) {
        size_t width = os2_text_columns(name, strlen(name));
        draw_put(e, place % columns ? "" : "\n");
        draw_put(e, name);
        for (; (place + 1) % columns && width < widest + GAP; width++)
            draw_put(e, " ");
    }
    draw_put(e, c->cut ? "\nand more\n" : "\n");
    e->cursor = cursor;
    os2_lineedit_show(e);
}

void complete_word(struct os2_lineedit *e) {
    struct os2_completions *c = e->completions;
    size_t common, typed;
    bool done;

    c->count = 0;
    c->used = 0;
    c->cut = false;
    c->from = e->cursor;
    e->line[e->length] = 0;
    e->complete(e->complete_context, e->line, e->cursor, c);
    common = c->count ? complete_common(c) : 0;
    typed = e->cursor - c->from;
    done = c->count == 1 && !c->cut && common && c->names[common - 1] != '/';
    if (c->count && (common > typed || done)) {
        if (common < typed || memcmp(e->line + c->from, c->names, typed) != 0) {
            line_erase(e, c->from, e->cursor);
            typed = 0;
        }
        line_insert(e, c->names + typed, common - typed);
        if (done)
            line_insert(e, " ", 1);
        e->tabbed = false;
        return;
    }
    if (c->count > 1 && e->tabbed)
        complete_list(e, c);
    else
        draw_put(e, "\a");
    e->tabbed = !e->tabbed;
}
