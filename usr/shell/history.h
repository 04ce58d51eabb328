/* SPDX-License-Identifier: MIT */
/*
 * The lines typed before, kept on the disk in /disk/.history where there is one. Nothing is said of a failure: the
 * shell works without.
 */
#ifndef SHELL_HISTORY_H
#define SHELL_HISTORY_H

/* Reads them, and cuts the file if it has grown large. */
void history_load(void);

/* Puts a line behind the others. */
void history_add(const char *line);

#endif
