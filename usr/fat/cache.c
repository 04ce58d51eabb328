/* SPDX-License-Identifier: MIT */
/*
 * The cache of sectors of tables and folders.
 *
 * A sector that is changed is written at the end of the step that changes it, or earlier where its place is needed:
 * between two flushes the order of writes says nothing, so it need not be kept. A sector of the table is written to
 * every copy of the table.
 *
 * Places whose bytes lie one behind the other in memory take neighbouring sectors in one transfer: the first half of
 * such places is for that, as two windows of fat->window places.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define WINDOW_MAX 64u
#define NO_SECTOR UINT64_MAX

static bool neighbours(const struct fat_cache_sector *place) {
    return place[1].bytes == place[0].bytes + FAT_SECTOR;
}

void cache_start(struct fat *fat, struct fat_cache_sector *cache, unsigned size) {
    unsigned row = 1;

    fat->cache = cache;
    fat->cache_size = size;
    for (unsigned i = 0; i < size; i++)
        cache[i].dirty = false;
    cache_forget(fat);
    while (row < size && neighbours(&cache[row - 1]))
        row++;
    fat->window = row / 4 < WINDOW_MAX ? row / 4 : WINDOW_MAX;
}

void cache_forget(struct fat *fat) {
    for (unsigned i = 0; i < fat->cache_size; i++) {
        if (fat->cache[i].dirty)
            fat->free = INFO_UNKNOWN;
        fat->cache[i].sector = NO_SECTOR;
        fat->cache[i].used = 0;
        fat->cache[i].dirty = false;
    }
    fat->cache_last = 0;
}

/* Writes sectors, and those of a table to its copies too. */
static int write_through(struct fat *fat, uint64_t sector, unsigned count, const uint8_t *bytes) {
    const struct fat_device *device = &fat->device;
    bool table = sector >= fat->table && sector < fat->table + fat->table_sectors;
    int status = 0;

    for (uint32_t copy = 0; copy < (table ? fat->tables : 1) && status >= 0; copy++)
        status = device->write(device->context, sector + (uint64_t)copy * fat->table_sectors, count, bytes);
    return status < 0 ? status : 0;
}

/* How many places from this one on hold neighbouring changed sectors, side by side, all of the table or none. */
static unsigned changed_row(const struct fat *fat, unsigned first) {
    const struct fat_cache_sector *place = &fat->cache[first];
    uint64_t end = fat->table + fat->table_sectors;
    unsigned row = 1;

    while (first + row < fat->cache_size && place[row].dirty && place[row].sector == place->sector + row &&
           neighbours(&place[row - 1]) && place[row].sector != end && place[row].sector != fat->table)
        row++;
    return row;
}

int cache_write(struct fat *fat) {
    for (unsigned i = 0; i < fat->cache_size; i++) {
        unsigned row;
        int status;

        if (!fat->cache[i].dirty)
            continue;
        row = changed_row(fat, i);
        status = write_through(fat, fat->cache[i].sector, row, fat->cache[i].bytes);
        if (status < 0)
            return status;
        for (unsigned end = i + row; i < end; i++)
            fat->cache[i].dirty = false;
        i--;
    }
    return 0;
}

int cache_flush(struct fat *fat) {
    int status = cache_write(fat);

    if (status < 0)
        return status;
    status = fat->device.flush(fat->device.context);
    return status < 0 ? status : 0;
}

static unsigned place_of(const struct fat *fat, uint64_t sector) {
    unsigned at = fat->cache_last;

    if (fat->cache[at].sector == sector)
        return at;
    for (at = 0; at < fat->cache_size && fat->cache[at].sector != sector; at++)
        continue;
    return at;
}

static unsigned place_oldest(const struct fat *fat) {
    unsigned oldest = 0;

    for (unsigned i = 1; i < fat->cache_size; i++)
        if (fat->cache[i].used < fat->cache[oldest].used)
            oldest = i;
    return oldest;
}

/* Makes a place empty. */
static int place_empty(struct fat *fat, unsigned at) {
    struct fat_cache_sector *place = &fat->cache[at];
    int status = place->dirty ? write_through(fat, place->sector, 1, place->bytes) : 0;

    if (status < 0)
        return status;
    place->dirty = false;
    place->sector = NO_SECTOR;
    return 0;
}

static void place_use(struct fat *fat, unsigned at, uint64_t sector) {
    fat->cache[at].sector = sector;
    fat->cache[at].used = ++fat->cache_clock;
    fat->cache_last = at;
}

int cache_get(struct fat *fat, uint64_t sector, uint8_t **ret_bytes) {
    unsigned at = place_of(fat, sector);

    if (at == fat->cache_size) {
        int status;

        at = place_oldest(fat);
        status = place_empty(fat, at);
        if (status >= 0)
            status = fat->device.read(fat->device.context, sector, 1, fat->cache[at].bytes);
        if (status < 0)
            return status;
    }
    place_use(fat, at, sector);
    *ret_bytes = fat->cache[at].bytes;
    return 0;
}

int cache_change(struct fat *fat, uint64_t sector, uint8_t **ret_bytes) {
    int status = cache_get(fat, sector, ret_bytes);

    if (status >= 0)
        fat->cache[fat->cache_last].dirty = true;
    return status;
}

/* Makes the places of a window empty, and those that hold any of the `count` sectors. */
static int window_empty(struct fat *fat, unsigned window, uint64_t sector, unsigned count) {
    unsigned from = window * fat->window;
    int status = 0;

    for (unsigned i = 0; i < fat->cache_size && status >= 0; i++)
        if ((i >= from && i < from + count) ||
            (fat->cache[i].sector >= sector && fat->cache[i].sector < sector + count))
            status = place_empty(fat, i);
    return status;
}

int cache_ahead(struct fat *fat, unsigned window, uint64_t sector, uint64_t count) {
    unsigned from = window * fat->window;
    int status;

    if (count > fat->window)
        count = fat->window;
    if (count < 2 || place_of(fat, sector) < fat->cache_size)
        return 0;
    status = window_empty(fat, window, sector, (unsigned)count);
    if (status >= 0)
        status = fat->device.read(fat->device.context, sector, (unsigned)count, fat->cache[from].bytes);
    if (status < 0)
        return status;
    for (unsigned i = (unsigned)count; i-- > 0;)
        place_use(fat, from + i, sector + i);
    return 0;
}

int cache_zero(struct fat *fat, uint64_t sector, uint64_t count) {
    unsigned most = fat->window > 0 ? fat->window : 1;

    while (count > 0) {
        unsigned part = count < most ? (unsigned)count : most;
        int status = window_empty(fat, 0, sector, part);

        memset(fat->cache[0].bytes, 0, part * FAT_SECTOR);
        if (status >= 0)
            status = write_through(fat, sector, part, fat->cache[0].bytes);
        if (status < 0)
            return status;
        sector += part;
        count -= part;
    }
    return 0;
}
