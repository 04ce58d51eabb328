/* SPDX-License-Identifier: MIT */
/*
 * Files, for programs.
 *
 *     struct os2_file file;
 *     status = os2_file_open(&file, "notes.txt", OS2_OPEN_READ);
 *     while ((count = os2_file_read(&file, buffer, sizeof(buffer))) > 0)
 *         ...
 *     os2_file_close(&file);
 *
 * A path that does not begin with '/' is taken from the working folder, which a program inherits from who started it.
 * Every function returns 0 or more, or a status below 0: an enum os2_status or an enum os2_file_status;
 * os2_status_text() has the words for both.
 *
 * When the file service, or a driver below it, ends in the middle, the library finds the new one, opens the file again
 * and makes the request again where that is safe: all of reading, and writing at a place that is known. OS2_E_DIED
 * remains for what may have been done or not: os2_file_rename, os2_file_remove, os2_file_mkdir, and the whole blocks of
 * os2_file_write_block, which are lost.
 */
#ifndef OS2_FILE_H
#define OS2_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os2/files.h"
#include "os2/stream.h"

struct os2_file {
    unsigned handle; /* 0: not open */
    unsigned flags;  /* OS2_OPEN_... that a second opening has too */
    uint64_t offset; /* of the next read or write; set it to go elsewhere */
    uint64_t size;   /* as it was told last */
    unsigned kind;   /* OS2_FILE_... */
    char path[OS2_FILES_PATH];
};

/* What is known of a file. */
struct os2_file_facts {
    uint64_t size;
    uint64_t time;   /* of the last change, seconds since 1970; 0: not known */
    uint64_t number; /* no other file has it now: two paths with one number are two names of one file */
    unsigned kind;   /* OS2_FILE_... */
};

int os2_file_open(struct os2_file *file, const char *path, unsigned flags);
void os2_file_close(struct os2_file *file);

/* Up to `size` bytes, from file->offset on, which moves: how many; 0 at the end. */
int64_t os2_file_read(struct os2_file *file, void *buffer, size_t size);

/* The same in a block that moves here, at most 2^order pages: 1 and the block, which the caller frees; 0 at the end. */
int os2_file_read_block(struct os2_file *file, unsigned order, struct os2_stream_block *ret_block);

/* The same into the block that `block` has, which comes back and can be used again; where it has none, or that is lost
 * with a service, a fresh one of block->order. Saves clearing a fresh block each time. */
int os2_file_read_into(struct os2_file *file, struct os2_stream_block *block);

/* Writes all of it at file->offset, which moves. What was written before a failure is told by the offset. */
int os2_file_write(struct os2_file *file, const void *bytes, size_t size);

/* The same from a block, without a copy. It is gone in any case. */
int os2_file_write_block(struct os2_file *file, struct os2_stream_block *block);

int os2_file_truncate(struct os2_file *file, uint64_t size);
int os2_file_sync(struct os2_file *file); /* what was written is safe from a power cut */
int os2_file_facts(struct os2_file *file, struct os2_file_facts *ret_facts);

/* The whole file in one block, which the caller frees; OS2_FILE_E_TOO_LARGE over 2^OS2_ORDER_MAX pages. */
int os2_file_load(const char *path, void **ret_block, uint64_t *ret_size);

int os2_file_stat(const char *path, struct os2_file_facts *ret_facts);
int os2_file_remove(const char *path);
int os2_file_rename(const char *from, const char *to);
int os2_file_mkdir(const char *path);
int os2_file_space(const char *path, uint64_t *ret_total, uint64_t *ret_free);
int os2_file_sync_all(void);

/* What the file service has done so far: bytes copied to answer reads, pages found in its cache, pages read from disks,
 * pages in the cache now. */
int os2_file_counts(uint64_t ret_counts[4]);

/* A folder being read. */
struct os2_folder {
    struct os2_file file;
    uint64_t position; /* of the next block */
    char *block;       /* null: none */
    unsigned left;     /* entries of it that are not read yet */
    const char *next;
};

int os2_folder_open(struct os2_folder *folder, const char *path);

/* The next entry, in no order, without "." and "..": 1, 0 at the end, or a status. It is good until the next call. */
int os2_folder_next(struct os2_folder *folder, const struct os2_files_entry **ret_entry);
void os2_folder_close(struct os2_folder *folder);

/* A mounted file system; OS2_E_INVALID past the last one. */
struct os2_mount {
    char path[64], kind[16], device[64];
    bool read_only;
};
int os2_file_mount(unsigned index, struct os2_mount *ret_mount);

/* The working folder, an absolute path; OS2_FOLDER_FIRST where nobody said otherwise. */
#define OS2_FOLDER_FIRST "/boot"
const char *os2_folder_working(void);
int os2_folder_change(const char *path);

/* Puts the names of `path` behind the *used bytes that are there, each behind a '/', without "." and empty ones; ".."
 * takes the last one away. No zero is put behind. False: there is no room. */
bool os2_path_add(char to[OS2_FILES_PATH], size_t *used, const char *path);

/* The absolute path of `path`, without "." and "..". OS2_FILE_E_NAME: it is longer than OS2_FILES_PATH. */
int os2_path_absolute(const char *path, char ret_path[OS2_FILES_PATH]);

#endif
