/* SPDX-License-Identifier: MIT */
/*
 * Pages of files on disks that are read again and again.
 *
 * What is written goes to the disk at once, so a page here is never the only one with its content, and can be dropped
 * at any time: when somebody needs the memory, and when its file changes. A page comes here when it is read for the
 * second time within a while: a file that is read through once, however large, passes by and moves to its reader
 * without a copy. A page that is here is copied to each reader.
 *
 * Rejected: giving the page itself to its reader (the next one would wait for the disk), and keeping what is written (a
 * crash of this service would lose it).
 */
#ifndef FILES_CACHE_H
#define FILES_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define CACHE_PAGES 512u

/* Which page: of which file, by where its entry is on the disk, or by its first cluster. */
struct cache_key {
    const void *volume;
    uint64_t file, page;
};

/* The page, good until the next call; null: it is not here. *ret_again: it has been asked for before. */
const void *cache_find(const struct cache_key *key, bool *ret_again);

/* Takes the block of one page, which is the cache's from now on. */
void cache_put(const struct cache_key *key, void *page);

/* Drops the pages of a file from key->page to `last`. */
void cache_drop(const struct cache_key *key, uint64_t last);

/* Gives half of the pages back. False: there are none. */
bool cache_give_way(void);

unsigned cache_pages(void);

#endif
