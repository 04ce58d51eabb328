/* SPDX-License-Identifier: MIT */
/*
 * Reading files by their names, for programs that take what is in them as a whole (os2/file.h).
 */
#ifndef OS2_READ_H
#define OS2_READ_H

#include "os2/stream.h"

/* Takes a block of the file, which is now its own; below 0 ends the reading. */
typedef int os2_read_function(void *context, struct os2_stream_block *block);

/* Hands every block of the file to `take`. Statuses are those of os2/file.h. */
int os2_read_each(const char *path, os2_read_function *take, void *context);

/* What a filter does: hands every block of the files that the arguments name, or of the input if they name none, to
 * `take`, and says which file it could not read. Returns the program's exit status. */
int os2_read_arguments(int argc, char **argv, os2_read_function *take, void *context);

#endif
