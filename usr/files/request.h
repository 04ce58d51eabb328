/* SPDX-License-Identifier: MIT */
/*
 * What is asked of files and folders (os2/files.h), apart from how the questions come: by path, or of what is open.
 */
#ifndef FILES_REQUEST_H
#define FILES_REQUEST_H

#include "files/open.h"

/* What a path leads to. */
int request_find(const char *path, struct node *ret_node);

int request_open(struct client *client, const char *path, unsigned flags, struct node *ret_node, unsigned *ret_handle);
int request_remove(const char *path);
int request_rename(const char *from, const char *to);
int request_mkdir(const char *path);

/* Fills a page with entries of a folder; *ret_count: how many. */
int request_list(struct open *open, uint64_t *position, char *page, uint64_t *ret_count);

/* piece: as for volume_type.read(); nothing is put there behind the end of the file. */
int request_read(struct open *open, uint64_t offset, uint64_t bytes, struct piece *piece);
int request_write(struct open *open, uint64_t offset, struct piece *piece);
int request_truncate(struct open *open, uint64_t size);

#endif
