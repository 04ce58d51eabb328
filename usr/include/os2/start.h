/* SPDX-License-Identifier: MIT */
/*
 * What a program knows at its start.
 *
 * A process begins with nothing but its segments, a stack and one read-only page, the start page: its arguments, the
 * working folder, and a table of the handles it was granted, by name. There is no environment.
 *
 * Names in use:
 *   names                     the name service
 *   supervisor                whoever started it; what may be asked there is between the two
 *   init                      init, for the services that it starts (os2/supervisor.h)
 *   console.in, console.out   the console, to read from and to write to (absent: input is at its end)
 *   pipe.in, pipe.out         the neighbours in a pipeline; these come before the console (os2/stream.h)
 *   machine, irq, ports       for services and observers
 */
#ifndef OS2_START_H
#define OS2_START_H

#include <stdint.h>

#define OS2_START_MAGIC UINT64_C(0x3230305f3252534f)
#define OS2_START_HANDLES 12
#define OS2_START_NAME 16

struct os2_start_handle {
    char name[OS2_START_NAME];
    uint64_t handle;
};

/* The page. argv and the strings follow in `room`; argv's pointers are addresses in the child. */
struct os2_start_page {
    uint64_t magic;
    uint64_t argc;
    uint64_t argv;          /* address in the child of argc pointers and a null */
    uint64_t folder;        /* address in the child of its working folder, an absolute path; 0: none was said */
    uint64_t input, output; /* addresses of paths: files that take the place of input and output; 0: none */
    uint64_t append;        /* output goes behind what the file has */
    uint64_t columns;       /* of the terminal; 0: not known */
    uint64_t handle_count;
    struct os2_start_handle handles[OS2_START_HANDLES];
    char room[];
};

#define OS2_START_COLUMNS 80u /* of a terminal that nobody knows the width of */
unsigned os2_start_columns(void);

/* The handle of that name, or 0. */
unsigned os2_start_handle(const char *name);

#endif
