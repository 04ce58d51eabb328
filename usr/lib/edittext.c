/* SPDX-License-Identifier: MIT */
/* A text that is changed in the middle (os2/edittext.h). */
#include "os2/edittext.h"

#include "os2/heap.h"
#include "os2/string.h"

#define ROOM 4096u /* of a new gap, at least */

bool os2_edittext_init(struct os2_edittext *t, const char *text, size_t size) {
    *t = (struct os2_edittext){.room = size + ROOM, .gap = size, .gap_end = size + ROOM};
    t->bytes = os2_heap_alloc(t->room);
    if (t->bytes && size)
        memcpy(t->bytes, text, size);
    return t->bytes;
}

size_t os2_edittext_size(const struct os2_edittext *t) {
    return t->room - (t->gap_end - t->gap);
}

char os2_edittext_at(const struct os2_edittext *t, size_t at) {
    if (at >= t->gap)
        at += t->gap_end - t->gap;
    return at < t->room ? t->bytes[at] : 0;
}

static void gap_move(struct os2_edittext *t, size_t at) {
    if (at < t->gap) {
        size_t size = t->gap - at;
        memmove(t->bytes + t->gap_end - size, t->bytes + at, size);
        t->gap_end -= size;
    } else {
        size_t size = at - t->gap;
        memmove(t->bytes + t->gap, t->bytes + t->gap_end, size);
        t->gap_end += size;
    }
    t->gap = at;
}

/* Makes the gap at least so large. False: there is no memory. */
static bool gap_grow(struct os2_edittext *t, size_t size) {
    size_t behind = t->room - t->gap_end, room;
    char *more;

    if (t->gap_end - t->gap >= size)
        return true;
    room = t->room + t->room / 2 + size + ROOM;
    more = os2_heap_alloc(room);
    if (!more)
        return false;
    memcpy(more, t->bytes, t->gap);
    memcpy(more + room - behind, t->bytes + t->gap_end, behind);
    os2_heap_free(t->bytes);
    t->bytes = more;
    t->gap_end = room - behind;
    t->room = room;
    return true;
}

bool os2_edittext_insert(struct os2_edittext *t, size_t at, const char *text, size_t size) {
    if (!gap_grow(t, size))
        return false;
    gap_move(t, at);
    memcpy(t->bytes + t->gap, text, size);
    t->gap += size;
    return true;
}

void os2_edittext_erase(struct os2_edittext *t, size_t from, size_t to) {
    gap_move(t, from);
    t->gap_end += to - from;
}

size_t os2_edittext_start(const struct os2_edittext *t, size_t at) {
    while (at > 0 && os2_edittext_at(t, at - 1) != '\n')
        at--;
    return at;
}

size_t os2_edittext_end(const struct os2_edittext *t, size_t at) {
    size_t size = os2_edittext_size(t);
    while (at < size && os2_edittext_at(t, at) != '\n')
        at++;
    return at;
}

bool os2_edittext_find(const struct os2_edittext *t, size_t at, const char *wanted, size_t size, size_t *ret_at) {
    size_t all = os2_edittext_size(t);

    if (!size || size > all)
        return false;
    for (size_t tried = 0; tried < all; tried++, at++) {
        size_t same = 0;
        if (at >= all)
            at = 0;
        while (same < size && at + same < all && os2_edittext_at(t, at + same) == wanted[same])
            same++;
        if (same == size) {
            *ret_at = at;
            return true;
        }
    }
    return false;
}

void os2_edittext_pieces(const struct os2_edittext *t, const char *ret_piece[2], size_t ret_size[2]) {
    ret_piece[0] = t->bytes;
    ret_size[0] = t->gap;
    ret_piece[1] = t->bytes + t->gap_end;
    ret_size[1] = t->room - t->gap_end;
}
