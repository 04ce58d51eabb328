/* SPDX-License-Identifier: MIT */
/*
 * The file service's protocol. The service is registered as "files" and serves the boot archive, read-only. Every
 * request is a call.
 *
 *   OPEN  the path, up to 40 bytes, zero-padded, in the words. Out: LABEL = file number, W0 = size in bytes. A number
 *         stays good for ever; nothing is to be closed.
 *   LIST  W0 = file number. Out: LABEL = size, W0 .. W4 = the path's first 40 bytes. Past the last file the call fails
 *         with OS2_E_INVALID.
 *   READ  W0 = file number, W1 = offset, W2 = order (up to OS2_FILES_ORDER). The caller accepts a block of that order.
 *         Out: the block, LABEL = how many bytes of the file are in it, from its start.
 */
#ifndef OS2_FILES_H
#define OS2_FILES_H

#include <stddef.h>
#include <stdint.h>

enum os2_files_operation { OS2_FILES_OPEN = 1, OS2_FILES_LIST, OS2_FILES_READ };
#define OS2_FILES_PATH 40u
#define OS2_FILES_ORDER 8u /* 1 MiB in one block */

int os2_files_open(unsigned files, const char *path, uint64_t *ret_file, uint64_t *ret_size);
int os2_files_list(unsigned files, uint64_t file, char ret_path[OS2_FILES_PATH + 1], uint64_t *ret_size);

/* Reads from `offset` into a fresh block of 2^order pages; *ret_size: how many bytes came (0: the end). */
int os2_files_read(unsigned files, uint64_t file, uint64_t offset, unsigned order, void **ret_block,
                   uint64_t *ret_size);

/* The file in one block, which the caller frees; of one over 1 MiB the first 1 MiB. OS2_E_WOULD_WAIT: there is none. */
int os2_files_load(unsigned files, const char *path, void **ret_block, uint64_t *ret_size);

#endif
