/* SPDX-License-Identifier: MIT */
/*
 * A text that is changed in the middle. Pure but for the memory: a block of bytes with a gap in it, which moves to
 * where the text is changed. Offsets are those of the text without the gap.
 */
#ifndef OS2_EDITTEXT_H
#define OS2_EDITTEXT_H

#include <stdbool.h>
#include <stddef.h>

struct os2_edittext {
    char *bytes; /* from the heap */
    size_t room, gap, gap_end;
};

/* Takes a copy of the text. False: there is no memory. */
bool os2_edittext_init(struct os2_edittext *t, const char *text, size_t size);

size_t os2_edittext_size(const struct os2_edittext *t);
char os2_edittext_at(const struct os2_edittext *t, size_t at); /* 0 behind the end */

/* Puts bytes before the one at `at`. False: there is no memory, and nothing has changed. */
bool os2_edittext_insert(struct os2_edittext *t, size_t at, const char *text, size_t size);
void os2_edittext_erase(struct os2_edittext *t, size_t from, size_t to);

/* Where the line begins that `at` is in; where it ends, at its \n or the text's end. */
size_t os2_edittext_start(const struct os2_edittext *t, size_t at);
size_t os2_edittext_end(const struct os2_edittext *t, size_t at);

/* The next place from `at` on that has the bytes, after the end from the start on. False: there is none. */
bool os2_edittext_find(const struct os2_edittext *t, size_t at, const char *wanted, size_t size, size_t *ret_at);

/* The text as two pieces, one before the gap and one behind it. */
void os2_edittext_pieces(const struct os2_edittext *t, const char *ret_piece[2], size_t ret_size[2]);

#endif
