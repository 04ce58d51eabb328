/* SPDX-License-Identifier: MIT */
/*
 * Reading files by their names, for programs; os2/files.h is the protocol below.
 */
#ifndef OS2_READ_H
#define OS2_READ_H

#include "os2/stream.h"

/* Takes a block of the file, which is now its own; below 0 ends the reading. */
typedef int os2_read_function(void *context, struct os2_stream_block *block);

/* Hands every block of the file to `take`. OS2_E_WOULD_WAIT: there is no such file. */
int os2_read_each(const char *path, os2_read_function *take, void *context);

/* What a filter does: hands every block of the files that the arguments name, or of the input if they name none, to
 * `take`, and says which file it could not read. Returns the program's exit status. */
int os2_read_arguments(int argc, char **argv, os2_read_function *take, void *context);

/* The file in one block, which the caller frees; of a file over 1 MiB the first 1 MiB. */
int os2_read_whole(const char *path, void **ret_block, uint64_t *ret_size);

#endif
