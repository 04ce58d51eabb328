/* SPDX-License-Identifier: MIT */
/* The file service's disks (files/disk.h). */
#include "files/disk.h"

#include "os2/call.h"
#include "os2/names.h"
#include "os2/string.h"
#include "os2/time.h"

#define DISK_WAIT_MS 15000u /* for a driver that is started again; the device manager waits 10 s at the most */
#define DISK_PAUSE_MS 10u
#define BOUNCE_ORDER 4u /* 64 KiB of sectors at a time */

static void *bounce;

static void disk_lost(struct disk *disk) {
    if (disk->handle)
        os2_handle_close(disk->handle);
    disk->handle = 0;
}

/* Asks the name service, once. */
static int disk_lookup(struct disk *disk) {
    int status = os2_names_find(disk->name, false, &disk->handle);

    if (status >= 0)
        status = os2_disk_info(disk->handle, &disk->info);
    if (status < 0)
        disk_lost(disk);
    return status;
}

/* Finds the driver if it is not known. One that was waited for in vain is only looked for from then on: the service
 * has other disks, and the programs. */
static int disk_find(struct disk *disk) {
    uint64_t end = os2_now_ns() + DISK_WAIT_MS * UINT64_C(1000000);

    while (!disk->handle && disk_lookup(disk) < 0) {
        disk->absent |= os2_now_ns() >= end;
        if (disk->absent)
            return OS2_FILE_E_DEVICE;
        os2_sleep_ms(DISK_PAUSE_MS);
    }
    disk->absent = false;
    return OS2_OK;
}

int disk_open(struct disk *disk, const char *name) {
    os2_string_copy(disk->name, sizeof(disk->name), name);
    return disk_find(disk);
}

void disk_close(struct disk *disk) {
    disk_lost(disk);
    disk->name[0] = 0;
}

/* Has the driver ended? Then a new one is to be found. What the device says of itself is one error for all above. */
static int disk_status(struct disk *disk, int status) {
    if (status == OS2_E_DIED)
        disk_lost(disk);
    else if (status < 0 && status != OS2_E_QUOTA && status != OS2_E_MEMORY)
        status = OS2_FILE_E_DEVICE;
    return status;
}

/* What a driver is asked: os2_disk_read() or os2_disk_write(). */
typedef int transfer_function(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order,
                              uint64_t at);

/* In parts that the driver takes. */
static int disk_transfer(transfer_function *transfer, struct disk *disk, uint64_t sector, uint64_t count, void **block,
                         unsigned order, uint64_t at) {
    int status = disk_find(disk);

    while (status >= 0 && count) {
        uint64_t part = disk->info.most && count > disk->info.most ? disk->info.most : count;
        status = disk_status(disk, transfer(disk->handle, sector, (unsigned)part, block, order, at));
        sector += part;
        count -= part;
        at += part * OS2_DISK_SECTOR;
    }
    return status;
}

int disk_read(struct disk *disk, uint64_t sector, uint64_t count, void **block, unsigned order, uint64_t at) {
    return disk_transfer(os2_disk_read, disk, sector, count, block, order, at);
}

int disk_write(struct disk *disk, uint64_t sector, uint64_t count, void **block, unsigned order, uint64_t at) {
    return disk_transfer(os2_disk_write, disk, sector, count, block, order, at);
}

int disk_flush(struct disk *disk) {
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < DISK_TRIES; tries++) {
        status = disk_find(disk);
        if (status >= 0)
            status = disk_status(disk, os2_disk_flush(disk->handle));
    }
    return status;
}

/* ---- For the FAT's own sectors. ---- */

/* Moves at most what the bounce block holds; a write whose driver ends is made again from `bytes`. */
static int bounce_move(struct disk *disk, bool write, uint64_t sector, unsigned count, void *bytes) {
    const uint64_t size = (uint64_t)count * FAT_SECTOR;
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < DISK_TRIES; tries++) {
        status = bounce ? OS2_OK : os2_block_alloc(BOUNCE_ORDER, &bounce);
        if (status < 0)
            return status;
        if (write) {
            memcpy(bounce, bytes, size);
            status = disk_write(disk, sector, count, &bounce, BOUNCE_ORDER, 0);
        } else {
            status = disk_read(disk, sector, count, &bounce, BOUNCE_ORDER, 0);
            if (status >= 0)
                memcpy(bytes, bounce, size);
        }
    }
    return status == OS2_E_DIED ? OS2_FILE_E_DEVICE : status;
}

static int bounce_all(void *context, bool write, uint64_t sector, unsigned count, uint8_t *bytes) {
    const unsigned most = (unsigned)((OS2_PAGE_SIZE << BOUNCE_ORDER) / FAT_SECTOR);
    int status = OS2_OK;

    while (count && status >= 0) {
        unsigned part = count < most ? count : most;
        status = bounce_move(context, write, sector, part, bytes);
        sector += part;
        bytes += (size_t)part * FAT_SECTOR;
        count -= part;
    }
    return status;
}

static int device_read(void *context, uint64_t sector, unsigned count, void *bytes) {
    return bounce_all(context, false, sector, count, bytes);
}

static int device_write(void *context, uint64_t sector, unsigned count, const void *bytes) {
    return bounce_all(context, true, sector, count, (uint8_t *)(uintptr_t)bytes);
}

static int device_flush(void *context) {
    return disk_flush(context);
}

struct fat_device disk_device(struct disk *disk) {
    return (struct fat_device){
        .context = disk,
        .sectors = disk->info.sectors,
        .read_only = (disk->info.flags & OS2_DISK_READ_ONLY) != 0,
        .read = device_read,
        .write = device_write,
        .flush = device_flush,
    };
}
