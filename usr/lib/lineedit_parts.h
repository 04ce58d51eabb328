/* SPDX-License-Identifier: MIT */
/*
 * What the files of the line editor have of each other (usr/lib/lineedit.c).
 */
#ifndef LIB_LINEEDIT_PARTS_H
#define LIB_LINEEDIT_PARTS_H

#include "os2/lineedit.h"

/* lineedit.c: changing the line. */
void line_erase(struct os2_lineedit *e, size_t from, size_t to); /* the cursor ends at `from` */
void line_insert(struct os2_lineedit *e, const char *text, size_t size);
void line_replace(struct os2_lineedit *e, const char *text); /* the cursor ends behind it */

/* lineedit_draw.c: showing it. */
void draw_put(struct os2_lineedit *e, const char *text);
void draw_from(struct os2_lineedit *e, size_t from); /* the line from there on, where the terminal's cursor is */
void draw_all(struct os2_lineedit *e);               /* prompt and line, where they stood before */
void draw_cursor(struct os2_lineedit *e, size_t at); /* puts it there, in the line and on the terminal */
void draw_width(struct os2_lineedit *e, size_t width);

/* lineedit_history.c: older lines. */
void history_older(struct os2_lineedit *e);
void history_newer(struct os2_lineedit *e);
void search_begin(struct os2_lineedit *e);
void search_text(struct os2_lineedit *e, const char *text, size_t size);
/* A key while searching. False: the search is over, and the key is an ordinary one. */
bool search_key(struct os2_lineedit *e, char byte);

/* lineedit_complete.c */
void complete_word(struct os2_lineedit *e);

#endif
