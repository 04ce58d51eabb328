/* SPDX-License-Identifier: MIT */
/*
 * Input and output of programs, whether it is the console, a neighbour in a pipeline or a file.
 *
 * The protocol between neighbours. Bytes travel in blocks that move; nobody copies them. A stage sends to its
 * downstream neighbour's inbox
 *
 *     STREAM_DATA  W0 = how many bytes of the block are used, a block
 *     STREAM_END   no more will come
 *
 * and receives only from its upstream neighbour. Each holds a handle to the other, so the kernel tells at once when the
 * neighbour has ended: OS2_E_DIED instead of a wait. A receiver accepts blocks up to the order it can afford; a sender
 * whose block is refused cuts it into smaller ones (the only copy, and only then).
 *
 * Output to the console is sent at the end of each line and at exit, output to a neighbour or a file when a block is
 * full and at exit. A program whose main returns 0 ends with status 1 if its output has not all arrived. Errors
 * (os2_error) go to the console always.
 */
#ifndef OS2_STREAM_H
#define OS2_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OS2_STREAM_DATA UINT64_C(0x5301)
#define OS2_STREAM_END UINT64_C(0x5302)
#define OS2_STREAM_ORDER 9u /* 2 MiB, one leaf of a page table: the largest block worth moving */

/* A block of bytes on its way; it belongs to whoever holds this. */
struct os2_stream_block {
    char *bytes; /* null: no block */
    uint64_t used;
    unsigned order;
};

/* The next bytes. 1 and a block, 0 at the end, or a status below 0. */
int os2_in_block(struct os2_stream_block *ret_block);

/* Up to `size` bytes copied to `buffer`: how many, 0 at the end, or a status below 0. */
int64_t os2_in_read(void *buffer, size_t size);

/* Gives the block on, after everything written before. It is gone in any case. */
int os2_out_block(struct os2_stream_block *block);

/* Copies bytes out. After a failure (the neighbour has ended) all further output fails with the same status. */
int os2_out_write(const void *bytes, size_t size);
int os2_out_flush(void);

/* Flushes and ends the output; main's return does it too. A status below 0: not all of it has arrived. */
int os2_out_end(void);

/* Whether the output is a neighbour or a file, for programs that have their bytes in blocks anyway. */
bool os2_out_is_pipe(void);

/* Text for the console whatever the output is; it is sent when `text` is null and now and then. */
void os2_out_echo(const char *text, size_t length);

int os2_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints on the console, behind the program's name and ": ", with a line end. */
void os2_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
