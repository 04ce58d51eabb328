/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a disk.
 *
 * The input is the first sectors; what is behind them repeats all but the first two, and writes change it everywhere.
 * So a disk can be large enough for a FAT16, whose root is then in the rest of its table, and all of it is something.
 * Everything that can be done is done: no step may look beyond the disk or go on for ever, and whatever is there must
 * have an answer.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "usr/fat/fat.h"

#define SECTORS 17u /* that are in memory */
#define DISK_SECTORS 8192u
#define PLACES 24u
#define DEPTH 4
#define ENTRIES_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t disk[SECTORS][FAT_SECTOR];
static struct fat fat;
static int entries_left;

static void check_range(uint64_t sector, unsigned count) {
    if (count == 0 || sector >= DISK_SECTORS || count > DISK_SECTORS - sector)
        abort();
}

static uint8_t *sector_at(uint64_t sector) {
    return disk[sector < 2 ? sector : 2 + (sector - 2) % (SECTORS - 2)];
}

static int read_sectors(void *context, uint64_t sector, unsigned count, void *bytes) {
    check_range(sector, count);
    for (unsigned i = 0; i < count; i++)
        memcpy((uint8_t *)bytes + (size_t)i * FAT_SECTOR, sector_at(sector + i), FAT_SECTOR);
    return 0;
}

static int write_sectors(void *context, uint64_t sector, unsigned count, const void *bytes) {
    check_range(sector, count);
    for (unsigned i = 0; i < count; i++)
        memcpy(sector_at(sector + i), (const uint8_t *)bytes + (size_t)i * FAT_SECTOR, FAT_SECTOR);
    return 0;
}

static int flush(void *context) {
    return 0;
}

static void map_file(struct fat_node *node, uint64_t size) {
    uint64_t sector, bytes, at = 0;
    unsigned within;

    for (int i = 0; i < 50 && at < size && fat_map(&fat, node, at, size - at, &sector, &within, &bytes) >= 0; i++) {
        if (bytes == 0 || bytes > size - at || within >= FAT_SECTOR)
            abort();
        check_range(sector, (unsigned)((within + bytes + FAT_SECTOR - 1) / FAT_SECTOR));
        at += bytes;
    }
}

static void work_file(struct fat_node *node, const struct fat_node *folder, const char *name, int number) {
    struct fat_node found;

    map_file(node, node->size);
    if (number % 3 == 0 && fat_reserve(&fat, node, node->size + 1500ull) >= 0) {
        map_file(node, node->size + 1500ull);
        if (number % 2)
            fat_cancel(&fat, node);
        else
            fat_commit(&fat, node, node->size + 1500ull);
    }
    if (number % 4 == 1)
        fat_shorten(&fat, node, node->size / 2);
    if (number % 5 == 2)
        fat_rename(&fat, node, folder, "another name", 12, NULL);
    if (number % 5 == 3 && fat_find(&fat, folder, "a", 1, &found) >= 0)
        fat_rename(&fat, node, folder, name, strlen(name), &found);
    if (number % 7 == 4)
        fat_remove(&fat, node);
}

static void work_folder(const struct fat_node *folder, int depth) {
    char name[OS2_FILES_NAME];
    struct fat_node node, other;
    uint64_t position = 0;

    while (entries_left > 0 && fat_list(&fat, folder, &position, &node, name) == 1) {
        int number = entries_left--;

        if (strlen(name) == 0)
            abort();
        fat_find(&fat, folder, name, strlen(name), &other);
        if (node.kind & OS2_FILE_FOLDER && depth > 0)
            work_folder(&node, depth - 1);
        work_file(&node, folder, name, number);
    }
    fat_create(&fat, folder, "made", 4, depth % 2, &node);
    fat_create(&fat, folder, "A longer name of a file", 23, false, &node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct fat_cache_sector cache[PLACES];
    static uint8_t bytes[PLACES][FAT_SECTOR];
    struct fat_device device = {NULL, DISK_SECTORS, false, read_sectors, write_sectors, flush};
    struct fat_partition partition;

    memset(disk, 0, sizeof(disk));
    memcpy(disk, data, size < sizeof(disk) ? size : sizeof(disk));
    for (unsigned i = 0; i < PLACES; i++)
        cache[i].bytes = bytes[i];
    for (unsigned index = 0; index < 3 && fat_partition_find(&device, index, &partition) >= 0; index++) {
        struct fat_node root;
        uint64_t total, left;

        if (partition.first >= DISK_SECTORS || partition.sectors > DISK_SECTORS - partition.first)
            abort();
        if (fat_mount(&fat, &device, &partition, cache, PLACES) < 0)
            continue;
        entries_left = ENTRIES_MAX;
        fat_root(&fat, &root);
        work_folder(&root, DEPTH);
        fat_space(&fat, &total, &left);
        fat_sync(&fat);
    }
    return 0;
}
