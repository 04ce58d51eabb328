/* SPDX-License-Identifier: MIT */
/*
 * The start page of this process, for the library's own files (null in a process that got none), and what its
 * end has to do.
 */
#ifndef LIB_START_PAGE_H
#define LIB_START_PAGE_H

#include "os2/start.h"

extern const struct os2_start_page *os2_start_page;

/* Sends what has been written; null: nothing has. */
extern int (*os2_out_pending)(void);

#endif
