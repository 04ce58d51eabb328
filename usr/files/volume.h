/* SPDX-License-Identifier: MIT */
/*
 * What the file service's files share: volumes, which are mounted file systems, and nodes, which are files and folders.
 *
 *     files       takes requests
 *     request     paths and what is asked of what they name
 *     open        who has what open
 *     volumes     the mount table: which volume a path leads to
 *     root        the folder "/" itself, which has the others
 *     archive     the volume "/boot", the boot archive
 *     mount       finds the volumes on disks
 *     fat_volume  their files
 *     cache       pages of files on disks that were read more than once
 *     disk        the drivers' clients, which outlive their drivers
 *
 * Each includes only what is below it.
 */
#ifndef FILES_VOLUME_H
#define FILES_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fat/fat.h"
#include "lib/cpio.h"
#include "os2/files.h"

struct volume;

/* A file or folder. There is one for each that is open, however often, and one on the stack of each request by path. */
struct node {
    struct volume *volume; /* null: the place is free */
    unsigned users;
    uint64_t size, time;
    uint32_t kind; /* OS2_FILE_... */
    union {
        uint64_t archive; /* place in the list of its files; ARCHIVE_ROOT */
        struct fat_node fat;
    };
};

/* An entry of a folder, as list() gives it. */
struct entry {
    uint64_t size, time;
    uint32_t kind;
    char name[OS2_FILES_NAME];
};

/* A block with bytes of a file. */
struct piece {
    void *block; /* null: none */
    unsigned order;
    uint64_t bytes; /* that it has */
};

/*
 * What a kind of file system does. `path` is below the volume's own, without a '/' at either end; "" is its root. All
 * return a status. Those that change something may be null: then it is read-only.
 */
struct volume_type {
    int (*find)(struct volume *volume, const char *path, struct node *ret_node);
    bool (*same)(const struct node *a, const struct node *b);
    uint64_t (*number)(
        const struct node *node); /* which of the volume's; below 2^48. Two that are the same have one. */
    /* The next entry: 1, or 0 at the end. *position is 0 at first. */
    int (*list)(struct volume *volume, struct node *folder, uint64_t *position, struct entry *ret_entry);
    /* At most `bytes` (above 0, inside the file) from `offset` on into piece->block, or, where that is null, a fresh
     * one of at most piece->order. After a failure there is the block that came, or none. */
    int (*read)(struct volume *volume, struct node *node, uint64_t offset, uint64_t bytes, struct piece *piece);
    int (*space)(struct volume *volume, uint64_t *ret_total, uint64_t *ret_free);
    /* piece->block is null afterwards where a driver took it away. */
    int (*write)(struct volume *volume, struct node *node, uint64_t offset, struct piece *piece);
    int (*resize)(struct volume *volume, struct node *node, uint64_t size);
    int (*create)(struct volume *volume, const char *path, bool folder, struct node *ret_node);
    int (*remove)(struct volume *volume, struct node *node);
    /* `node` is the one that is open, where it is. `replaced`: what has that name, or null. */
    int (*rename)(struct volume *volume, struct node *node, const char *path, const struct node *replaced);
    int (*sync)(struct volume *volume);
    bool (*changed)(const struct volume *volume); /* since the last sync() */
};

struct volume {
    char path[64]; /* where it is mounted: "/boot" */
    const char *kind;
    char device[64];
    bool read_only;
    const struct volume_type *type; /* null: the place is free */
    struct disk *disk;              /* of a FAT */
    struct fat fat;
    struct fat_cache_sector *sectors;
};

/* What the service has done, for OS2_FILES_COUNTS. */
struct counts {
    uint64_t copied, hits, reads;
};
extern struct counts counts;

#define VOLUMES 8u

/* The volume at a place of the mount table, without the root; null past the last one. */
struct volume *volumes_mounted(unsigned index);

/* The same; disks are looked for when this is asked first. */
struct volume *volumes_at(unsigned index);

/* Which volume an absolute path leads to; *ret_path: what is left of the path for it. Never null: the root has all. */
struct volume *volumes_find(const char *path, const char **ret_path);

/* A number, above 0, that no other file has now: it says whether two paths lead to one file. */
uint64_t volumes_file_number(const struct node *node);

/* Is a volume mounted there? */
bool volumes_has(const char *path);

/* Mounts a volume. Null: there is no place. */
struct volume *volumes_add(const char *path, const char *kind, const char *device, const struct volume_type *type);

extern const struct volume_type root_type, archive_type, fat_type;

/* Reads the list of the archive's files. */
void archive_start(const void *archive, size_t size);

/* Mounts what is on the disks that the device manager knows. Says with `again` that it is worth another look later. */
void fat_volumes_mount(bool *ret_again);

/* Everything on all disks is safe from a power cut. The first failure, or OS2_OK. */
int volumes_sync(void);

/* Has anything been written since? */
bool volumes_changed(void);

#endif
