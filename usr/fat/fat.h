/* SPDX-License-Identifier: MIT */
/*
 * FAT16 and FAT32 file systems, read and written. It knows nothing of OS2: a program that can read and write sectors
 * can use it, and the host's tests do.
 *
 * The files' own bytes never pass through here: fat_map() says in which sectors they are, and whoever uses this reads
 * and writes them there, straight from a device into the block that a reader gets. Only sectors of the table and of
 * folders are read and written here, through a small cache of sectors: what a function has changed is on the device
 * when it returns.
 *
 * All functions return 0 or more, or an enum os2_file_status or os2_status below 0. After a failure the file system
 * is as it was, or has clusters that belong to nothing. After a failure of the device in the middle of a change it is
 * read only until it is mounted again, which makes right what was half done: so the device's functions should give up
 * only for good.
 */
#ifndef FAT_FAT_H
#define FAT_FAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os2/files.h"

#define FAT_SECTOR 512u

/* Where sectors come from. `sector` counts from the start of the disk. */
struct fat_device {
    void *context;
    uint64_t sectors;
    bool read_only;
    int (*read)(void *context, uint64_t sector, unsigned count, void *bytes);
    int (*write)(void *context, uint64_t sector, unsigned count, const void *bytes);
    int (*flush)(void *context); /* what was written before is safe from a power cut */
};

/* Partitions: of a master boot record, of a GUID partition table, or the whole disk where it begins with a FAT. */
struct fat_partition {
    uint64_t first, sectors;
    unsigned number; /* from 1 on; 0: the whole disk */
};

/* The partition at `index` that may hold a FAT; OS2_FILE_E_NONE behind the last one. */
int fat_partition_find(const struct fat_device *device, unsigned index, struct fat_partition *ret_partition);

/* A file or folder. Whoever has one open keeps exactly one of these for it, which all functions keep true. */
struct fat_node {
    uint64_t entry_sector; /* where its short entry is: with entry_index its identity. 0: the root folder */
    unsigned entry_index;
    uint32_t first; /* first cluster; 0: none (the root of FAT16 too) */
    uint32_t size;  /* of a file, in bytes; 0 of folders */
    uint32_t kind;  /* OS2_FILE_... */
    uint64_t time;  /* of the last change, seconds since 1970 */
    /*
     * Private: the run of clusters that was looked up last, so that reading on is not looking from the start again; the
     * reservation (linked: a chain in the table, else one run), and the file's last cluster before it; where the
     * entry is in its folder, and how many entries of its long name are before it.
     */
    uint32_t at_index, at_cluster, at_count;
    uint32_t reserved_first, reserved_count, last;
    bool reserved_linked;
    uint32_t folder, slot, parts;
};

struct fat_cache_sector {
    uint64_t sector; /* UINT64_MAX: none */
    uint64_t used;   /* of two the smaller was used longer ago */
    uint8_t *bytes;  /* FAT_SECTOR */
    bool dirty;
};

struct fat {
    struct fat_device device;
    uint64_t now; /* seconds since 1970, set by the user before calls that change something; 0: not known */
    bool read_only;
    unsigned bits; /* 16 or 32 */
    char label[12];
    /* private, below */
    struct fat_cache_sector *cache;
    unsigned cache_size, cache_last, window;
    uint64_t cache_clock;
    uint64_t table, data, root; /* first sectors: of the first table, of cluster 2, of FAT16's root folder */
    uint32_t table_sectors, tables, clusters, cluster_sectors, root_entries, root_cluster;
    uint32_t free, hint; /* free clusters (UINT32_MAX: not counted yet); where to look for one first */
    uint64_t info;       /* FAT32: the FSInfo sector; 0: none */
    bool counted;        /* `free` was counted, and not believed */
    bool dirty;          /* the volume is marked so on the disk */
    bool reserving;      /* a file has a reservation; in memory only: which clusters */
    uint32_t reserved_first, reserved_count;
    uint32_t seek_folder, seek_index, seek_cluster; /* the folder's cluster that was looked up last; 0: none */
};

/*
 * Mounts the partition. `cache` has `size` places with their bytes (8 at least). A file system that was not unmounted
 * is looked through, and chains that are longer or shorter than their files say are made right; so what a power cut
 * leaves is at most clusters that belong to nothing. OS2_FILE_E_UNKNOWN: no FAT; OS2_FILE_E_DAMAGED: one that makes
 * no sense. One that goes in circles, and one that was not unmounted on a device that cannot be written, is read only.
 *
 * Where the bytes of places lie one behind the other in memory, a quarter of that row is read at once. This needs 8 KiB
 * of stack; the other functions 2 KiB.
 */
int fat_mount(struct fat *fat, const struct fat_device *device, const struct fat_partition *partition,
              struct fat_cache_sector *cache, unsigned size);

/* Everything is safe from a power cut, and the volume is marked clean. It stays mounted. */
int fat_sync(struct fat *fat);

void fat_root(const struct fat *fat, struct fat_node *ret_node);

/* The entry of that name (UTF-8, `length` bytes, no case, long or short) in a folder. OS2_FILE_E_NONE. */
int fat_find(struct fat *fat, const struct fat_node *folder, const char *name, size_t length,
             struct fat_node *ret_node);

/* The next entry of a folder, without "." and ".." and the label: 1, 0 at the end. *position: 0 at first. */
int fat_list(struct fat *fat, const struct fat_node *folder, uint64_t *position, struct fat_node *ret_node,
             char ret_name[OS2_FILES_NAME]);

/* Makes an empty file, or a folder. The name is not there yet: OS2_FILE_E_EXISTS. */
int fat_create(struct fat *fat, const struct fat_node *folder, const char *name, size_t length, bool is_folder,
               struct fat_node *ret_node);

/* Removes a file that nobody has open, or an empty folder. OS2_FILE_E_READ_ONLY where it is marked so. */
int fat_remove(struct fat *fat, const struct fat_node *node);

/* Gives it another name, in another folder of the same file system. `node` is kept true. What has the name already is
 * the caller's to remove first, or, with `replace`, its entry is made to mean this file in one write, and what it
 * meant is freed. A folder does not move into itself: OS2_E_INVALID. Where `replace` is the file itself only its name's
 * case changes. */
int fat_rename(struct fat *fat, struct fat_node *node, const struct fat_node *folder, const char *name, size_t length,
               const struct fat_node *replace);

/*
 * Where the bytes of a file from `offset` on are: the sector that has the first of them, *ret_within bytes before it,
 * and *ret_bytes that follow in one piece on the disk, up to the end of what is allocated or reserved, at most `most`.
 * OS2_E_INVALID: nothing is allocated there, or `most` is 0.
 */
int fat_map(struct fat *fat, struct fat_node *node, uint64_t offset, uint64_t most, uint64_t *ret_sector,
            unsigned *ret_within, uint64_t *ret_bytes);

/*
 * Growing: fat_reserve() finds clusters for `size` bytes, in one piece where it can, and notes them in memory only. The
 * caller writes its bytes where fat_map() says, then fat_commit() makes them the file's: the table first, a flush where
 * the table changed, then the entry with its size. fat_cancel() forgets what was reserved. One file at a time:
 * OS2_E_BUSY; other functions may be called in between. Who reserves again, or makes the file shorter, forgets what was
 * reserved before. Where no piece is large enough, the reservation is a chain in the table at once, which is nothing's
 * if the power goes.
 */
int fat_reserve(struct fat *fat, struct fat_node *node, uint64_t size);
int fat_commit(struct fat *fat, struct fat_node *node, uint64_t size); /* a size below its own: only the time is set */
void fat_cancel(struct fat *fat, struct fat_node *node);

/* Makes it shorter: the entry first, a flush, then the table. */
int fat_shorten(struct fat *fat, struct fat_node *node, uint64_t size);

/* Bytes in all and free. */
int fat_space(struct fat *fat, uint64_t *ret_total, uint64_t *ret_free);

#endif
