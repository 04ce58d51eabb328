/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder have of each other. Functions return 0 or more, or a status below 0, as fat.h says.
 *
 * The order of writes. A device that loses its power may have done any of the writes since the last flush, and not the
 * others; a sector is written whole or not at all. So there is a flush before every write that must not be seen without
 * those before it:
 *
 * - The mark that the volume is in use, before the first change. Whoever finds the mark looks through the volume
 *   (check.c).
 * - A file grows: the table, a flush, the entry. Without the entry the chain is longer than the file, or nobody's.
 * - It becomes shorter or goes: the entry, a flush, the table. Clusters are free only when nothing can mean them.
 * - A folder grows: the new cluster with zeros, a flush, the link to it.
 * - A new folder: its cluster, a flush, its entry.
 * - A file moves: the new entry, marked with CASE_MOVING; a flush; the old short entry goes; a flush; the long entries
 *   of the old name go, and the mark. Where check.c finds two entries, the marked one goes: the other one is whole.
 * - A file takes another's place: the same, but in the entry that is there, marked with CASE_REPLACING. Where check.c
 *   finds two entries, the marked one stays: its name is whole, and what it meant before is nobody's.
 * - All that is removed is flushed, so no name is there twice.
 */
#ifndef FAT_INSIDE_H
#define FAT_INSIDE_H

#include "fat/fat.h"
#include "fat/layout.h"
#include "os2/abi.h"

/* cache.c. Bytes that cache_get() gives are good until the second call of it that follows, or another function here. */
void cache_start(struct fat *fat, struct fat_cache_sector *cache, unsigned size);
void cache_forget(struct fat *fat); /* all, changes that are not written too */
int cache_get(struct fat *fat, uint64_t sector, uint8_t **ret_bytes);
int cache_change(struct fat *fat, uint64_t sector, uint8_t **ret_bytes); /* the caller changes the bytes at once */
/* The sector will be read, and as many behind it: several are read at once. There are two windows, 0 and 1. */
int cache_ahead(struct fat *fat, unsigned window, uint64_t sector, uint64_t count);
int cache_zero(struct fat *fat, uint64_t sector, uint64_t count);
int cache_write(struct fat *fat);
int cache_flush(struct fat *fat);

/* mount.c: the frame of all that changes something. */
int volume_begin(struct fat *fat);
int volume_end(struct fat *fat, int status);

/* table.c */
struct chain_run { /* clusters of a file that follow each other on the disk */
    uint32_t index, cluster, count;
};

bool cluster_good(const struct fat *fat, uint32_t cluster);
uint64_t cluster_sector(const struct fat *fat, uint32_t cluster);
int table_get(struct fat *fat, uint32_t cluster, uint32_t *ret_value);
int table_set(struct fat *fat, uint32_t cluster, uint32_t value);
int table_next(struct fat *fat, uint32_t cluster, uint32_t *ret_next); /* 1; 0: it was the last; E_DAMAGED */
int table_free_chain(struct fat *fat, uint32_t first);
int table_mark(struct fat *fat, bool clean);
int table_is_clean(struct fat *fat);
int table_same(struct fat *fat, uint32_t at, uint32_t copy); /* is that sector of a copy like the first one's? */
int table_count(struct fat *fat);
/* `count` free clusters from `near` on: 1 and the first if they are in one piece; 0: there are as many, scattered. */
int table_find(struct fat *fat, uint32_t near, uint32_t count, uint32_t *ret_first);
/* Makes a chain of scattered free clusters, which belongs to nothing yet. */
int table_gather(struct fat *fat, uint32_t near, uint32_t count, uint32_t *ret_first);
/* One cluster of zeros, with its end in the table. */
int table_take(struct fat *fat, uint32_t near, uint32_t *ret_cluster);

/* name.c. Names are UTF-16 while they are looked at. */
int name_read(const char *name, size_t length, uint16_t units[LONG_NAME], unsigned *ret_count);
bool name_write(const uint16_t *units, unsigned count, char ret_name[OS2_FILES_NAME]); /* false: not one for programs */
bool name_same(const uint16_t *a, unsigned a_count, const uint16_t *b, unsigned b_count);
uint16_t name_upper(uint16_t unit);

/* short.c */
unsigned short_read(const uint8_t *entry, uint16_t units[SHORT_BYTES + 1]);
uint8_t short_sum(const uint8_t name[SHORT_BYTES]);
/* The short name that says all of the name, with its bits of ENTRY_CASE; false: it needs a long one. */
bool short_exact(const uint16_t *units, unsigned count, uint8_t ret_name[SHORT_BYTES], uint8_t *ret_case);
/* What an alias is made from: characters of the name, and in the second form a number made from all of it. */
enum { ALIAS_FORMS = 2, ALIAS_TAILS = 9 };
void short_basis(const uint16_t *units, unsigned count, unsigned round, uint8_t ret_basis[ALIAS_FORMS][SHORT_BYTES]);
unsigned short_tail_at(const uint8_t basis[SHORT_BYTES]);
void short_tail(uint8_t name[SHORT_BYTES], unsigned tail); /* name becomes NAME~tail; tail: 1 to ALIAS_TAILS */

/* folder.c */
enum slot_kind { SLOT_NONE, SLOT_END, SLOT_FREE, SLOT_LONG, SLOT_LABEL, SLOT_ENTRY };

/* Looking through a folder. slot, kind, entry and what follows is of the step that was made last. */
struct scan {
    uint32_t folder; /* its first cluster; 0: FAT16's root */
    uint32_t next;   /* the slot of the next step */
    uint32_t slot;
    uint8_t entry[ENTRY_BYTES];
    uint32_t parts;   /* entries of its long name, right before it */
    uint32_t orphans; /* slots of long names that belong to nothing, right before `slot` - `parts` */
    unsigned count;   /* units of the name: the long one, or the short one */
    uint16_t name[LONG_PARTS * LONG_UNITS];
    /* Private: long entries that were seen last. */
    uint32_t row, start; /* where they begin; where the last long name of them begins */
    unsigned wanted;     /* the order that comes next; UINT_MAX: the name is broken */
    uint8_t sum;
    bool ended;
};

void scan_start(struct scan *scan, uint32_t folder, uint32_t slot);
int scan_step(struct fat *fat, struct scan *scan);  /* enum slot_kind; SLOT_NONE behind the last one */
int scan_entry(struct fat *fat, struct scan *scan); /* on to the next file or folder: 1; 0: no more */
bool scan_named(const struct scan *scan, const uint16_t *units, unsigned count); /* long or short, is this its name? */
void node_read(const struct fat *fat, const struct scan *scan, uint64_t sector, struct fat_node *ret_node);
int folder_sector(struct fat *fat, uint32_t folder, uint32_t slot,
                  uint64_t *ret_sector); /* SLOT_NONE: behind its end */
int folder_change(struct fat *fat, uint32_t folder, uint32_t slot, uint8_t **ret_entry);
int folder_good(const struct fat *fat, const struct fat_node *folder);
int folder_grow(struct fat *fat, uint32_t folder);
uint32_t folder_parent(const struct fat *fat, uint32_t folder); /* what ".." says where this is the parent */

/* entry.c */
uint64_t entry_time(const uint8_t *entry);
uint32_t entry_first(const struct fat *fat, const uint8_t *entry);
void entry_put_first(uint8_t *entry, uint32_t first);
void entry_stamp(const struct fat *fat, uint8_t *entry, bool created);
int entry_update(struct fat *fat, struct fat_node *node, uint32_t first, uint32_t size);
/* The entry goes, and is gone for good; then what is in other sectors of its long name. */
int entry_delete(struct fat *fat, uint32_t folder, uint32_t slot, uint32_t parts);

/* plan.c */
/* Where a new entry goes, and how it is called there. */
struct plan {
    const uint16_t *units; /* its name */
    unsigned count;
    uint8_t name[SHORT_BYTES];
    uint8_t cases;
    bool exact;      /* it needs no long name */
    uint32_t needed; /* slots */
    uint32_t slot;   /* the first of them */
    uint32_t there;  /* how many of them the folder has yet */
    bool at_end;     /* they reach into those that were never used */
    bool self;       /* the short name is that of the file that moves */
    bool same;       /* it has the name already, letter by letter */
    /* which aliases there are, a bit for each tail */
    uint8_t basis[ALIAS_FORMS][SHORT_BYTES];
    uint16_t taken[ALIAS_FORMS];
};

/* Plans an entry of that name; `moving` is the file that gets it, NULL: a new one. OS2_FILE_E_EXISTS. */
int plan_make(struct fat *fat, struct plan *plan, uint32_t folder, const uint16_t *units, unsigned count,
              const struct fat_node *moving);
/* Writes what is planned: the long name, and the entry whose bytes behind the name are those of `model`. */
int plan_write(struct fat *fat, const struct plan *plan, uint32_t folder, const uint8_t *model,
               struct fat_node *ret_node);

/* file.c */
uint32_t file_clusters(const struct fat *fat, uint64_t bytes);

/* check.c */
int check_volume(struct fat *fat);

#endif
