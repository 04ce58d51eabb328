/* SPDX-License-Identifier: MIT */
/*
 * A disk, as the file service sees it: a driver that may end and be started again at any moment.
 *
 * A block that was given to a driver is lost when that ends. Reading, and writing from memory that stays here, is done
 * again with the new driver; a writer whose block is lost is told so.
 */
#ifndef FILES_DISK_H
#define FILES_DISK_H

#include "files/volume.h"
#include "os2/disk.h"

#define DISKS 4u
#define DISK_TRIES 16u /* of one request whose drivers end */

struct disk {
    char name[16];   /* "disk0"; empty: the place is free */
    unsigned handle; /* 0: its driver is to be found */
    bool absent;     /* it has been waited for in vain */
    struct os2_disk_info info;
};

/* Finds the disk's driver. OS2_FILE_E_DEVICE: there is none, for long. */
int disk_open(struct disk *disk, const char *name);

/* Forgets the disk; its place is free. */
void disk_close(struct disk *disk);

/* Moves sectors between the disk and `at` bytes behind the start of a block of 2^order pages. OS2_E_DIED: a driver has
 * ended, the block may be lost, and *block is null then; how much was done is not known. It can be tried again. */
int disk_read(struct disk *disk, uint64_t sector, uint64_t count, void **block, unsigned order, uint64_t at);

int disk_write(struct disk *disk, uint64_t sector, uint64_t count, void **block, unsigned order, uint64_t at);

int disk_flush(struct disk *disk);

/* The disk for the FAT's own sectors: copied through a block that is kept for it. */
struct fat_device disk_device(struct disk *disk);

#endif
