/* SPDX-License-Identifier: MIT */
/*
 * The start page of this process, for the library's own files. Null in a process that got none.
 */
#ifndef LIB_START_PAGE_H
#define LIB_START_PAGE_H

#include "os2/start.h"

extern const struct os2_start_page *os2_start_page;

#endif
