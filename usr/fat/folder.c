/* SPDX-License-Identifier: MIT */
/*
 * Folders: slots of 32 bytes, in a chain of clusters, or in FAT16's root in a row of sectors. A slot is free, or the
 * short entry of a file, or a part of the long name of the short entry that follows; the first slot that was never used
 * is the end.
 *
 * A scan goes from slot to slot and puts long names together. A row of long entries is a name if it counts down to 1
 * from its last start, right before a short entry whose sum all of them have. Others are orphans: the short entry was
 * removed, or not written.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define BROKEN 0xffu /* no part of a long name has that order */

/* The cluster of a folder that has that index: 1, 0 behind the last. */
static int folder_cluster(struct fat *fat, uint32_t folder, uint32_t index, uint32_t *ret_cluster) {
    uint32_t cluster = folder, at = 0;

    if (!cluster_good(fat, folder))
        return OS2_FILE_E_DAMAGED;
    if (fat->seek_folder == folder && fat->seek_index <= index) {
        at = fat->seek_index;
        cluster = fat->seek_cluster;
    }
    for (; at < index; at++) {
        int status = table_next(fat, cluster, &cluster);

        if (status <= 0)
            return status;
    }
    fat->seek_folder = folder;
    fat->seek_index = index;
    fat->seek_cluster = cluster;
    *ret_cluster = cluster;
    return 1;
}

/* Where a slot's sector is, and how many of the same cluster are from there on: 1, 0 behind the folder's end. */
static int sector_of(struct fat *fat, uint32_t folder, uint32_t slot, uint64_t *ret_sector, uint32_t *ret_rest) {
    uint32_t at = slot / ENTRIES, within = at % fat->cluster_sectors, cluster;
    int status;

    if (slot >= FOLDER_ENTRIES)
        return 0;
    if (folder == 0 && fat->bits == 16) {
        *ret_sector = fat->root + at;
        *ret_rest = (fat->root_entries + ENTRIES - 1) / ENTRIES - at;
        return slot < fat->root_entries;
    }
    status = folder_cluster(fat, folder, at / fat->cluster_sectors, &cluster);
    if (status == 1) {
        *ret_sector = cluster_sector(fat, cluster) + within;
        *ret_rest = fat->cluster_sectors - within;
    }
    return status;
}

int folder_sector(struct fat *fat, uint32_t folder, uint32_t slot, uint64_t *ret_sector) {
    uint32_t rest;

    return sector_of(fat, folder, slot, ret_sector, &rest);
}

static int folder_slot(struct fat *fat, uint32_t folder, uint32_t slot, uint8_t **ret_entry) {
    uint64_t sector;
    uint32_t rest;
    int status = sector_of(fat, folder, slot, &sector, &rest);

    if (status <= 0)
        return status;
    status = slot % ENTRIES == 0 ? cache_ahead(fat, 0, sector, rest) : 0;
    if (status >= 0)
        status = cache_get(fat, sector, ret_entry);
    if (status < 0)
        return status;
    *ret_entry += slot % ENTRIES * ENTRY_BYTES;
    return 1;
}

int folder_change(struct fat *fat, uint32_t folder, uint32_t slot, uint8_t **ret_entry) {
    uint64_t sector;
    int status = folder_sector(fat, folder, slot, &sector);

    if (status == SLOT_NONE)
        return OS2_FILE_E_DAMAGED;
    if (status > 0)
        status = cache_change(fat, sector, ret_entry);
    if (status >= 0)
        *ret_entry += slot % ENTRIES * ENTRY_BYTES;
    return status;
}

int folder_good(const struct fat *fat, const struct fat_node *folder) {
    if (!(folder->kind & OS2_FILE_FOLDER))
        return OS2_FILE_E_NO_FOLDER;
    if (cluster_good(fat, folder->first) || (fat->bits == 16 && folder->entry_sector == 0))
        return 0;
    return OS2_FILE_E_DAMAGED;
}

uint32_t folder_parent(const struct fat *fat, uint32_t folder) {
    return folder == fat->root_cluster ? 0 : folder;
}

void scan_start(struct scan *scan, uint32_t folder, uint32_t slot) {
    *scan = (struct scan){.folder = folder, .next = slot, .row = slot, .wanted = BROKEN};
}

/* A part of a long name. */
static void scan_part(struct scan *scan) {
    static const uint8_t places[LONG_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    unsigned order = scan->entry[LONG_ORDER] & LONG_ORDER_MASK;
    bool last = scan->entry[LONG_ORDER] & LONG_LAST;

    if (last) {
        scan->start = scan->slot;
        scan->sum = scan->entry[LONG_SUM];
        scan->wanted = order;
        scan->count = order * LONG_UNITS;
    }
    if (order == 0 || order > LONG_PARTS || order != scan->wanted || scan->sum != scan->entry[LONG_SUM]) {
        scan->wanted = BROKEN;
        return;
    }
    scan->wanted = order - 1;
    for (unsigned i = 0; i < LONG_UNITS; i++) {
        unsigned at = (order - 1) * LONG_UNITS + i;

        scan->name[at] = (uint16_t)get16(scan->entry + places[i]);
        if (last && scan->name[at] == 0 && scan->count > at)
            scan->count = at;
    }
}

/* What is no part of a long name ends a row of them. */
static void scan_row(struct scan *scan, bool is_entry) {
    bool whole = is_entry && scan->wanted == 0 && scan->start >= scan->row && scan->row < scan->slot &&
                 scan->sum == short_sum(scan->entry);

    scan->parts = whole ? scan->slot - scan->start : 0;
    scan->orphans = scan->slot - scan->parts - scan->row;
    if (is_entry && (!whole || scan->count == 0 || scan->count > LONG_NAME))
        scan->count = short_read(scan->entry, scan->name);
    scan->row = scan->slot + 1;
    scan->wanted = BROKEN;
}

static enum slot_kind kind_of(struct scan *scan) {
    uint8_t attributes = scan->entry[ENTRY_ATTRIBUTES];

    if (scan->ended || scan->entry[ENTRY_NAME] == NAME_END) {
        scan->ended = true;
        return SLOT_END;
    }
    if (scan->entry[ENTRY_NAME] == NAME_REMOVED)
        return SLOT_FREE;
    if ((attributes & ATTRIBUTE_LONG_MASK) == ATTRIBUTE_LONG)
        return SLOT_LONG;
    return attributes & ATTRIBUTE_LABEL ? SLOT_LABEL : SLOT_ENTRY;
}

int scan_step(struct fat *fat, struct scan *scan) {
    enum slot_kind kind;
    uint8_t *entry;
    int status = folder_slot(fat, scan->folder, scan->next, &entry);

    scan->slot = scan->next;
    scan->parts = scan->orphans = 0;
    if (status <= 0) {
        scan_row(scan, false);
        return status;
    }
    memcpy(scan->entry, entry, ENTRY_BYTES);
    scan->next++;
    kind = kind_of(scan);
    if (kind == SLOT_LONG)
        scan_part(scan);
    else
        scan_row(scan, kind == SLOT_ENTRY);
    return kind;
}

int scan_entry(struct fat *fat, struct scan *scan) {
    for (;;) {
        int kind = scan_step(fat, scan);

        if (kind < 0)
            return kind;
        if (kind == SLOT_NONE || kind == SLOT_END)
            return 0;
        if (kind == SLOT_ENTRY && scan->entry[ENTRY_NAME] != '.')
            return 1;
    }
}

bool scan_named(const struct scan *scan, const uint16_t *units, unsigned count) {
    uint16_t alias[SHORT_BYTES + 1];

    if (name_same(scan->name, scan->count, units, count))
        return true;
    return scan->parts > 0 && name_same(alias, short_read(scan->entry, alias), units, count);
}

void node_read(const struct fat *fat, const struct scan *scan, uint64_t sector, struct fat_node *ret_node) {
    const uint8_t *entry = scan->entry;
    bool folder = entry[ENTRY_ATTRIBUTES] & ATTRIBUTE_FOLDER;

    *ret_node = (struct fat_node){
        .entry_sector = sector,
        .entry_index = scan->slot % ENTRIES,
        .first = entry_first(fat, entry),
        .size = folder ? 0 : get32(entry + ENTRY_SIZE),
        .kind =
            (folder ? OS2_FILE_FOLDER : 0) | (entry[ENTRY_ATTRIBUTES] & ATTRIBUTE_READ_ONLY ? OS2_FILE_READ_ONLY : 0),
        .time = entry_time(entry),
        .folder = scan->folder,
        .slot = scan->slot,
        .parts = scan->parts,
    };
}

static int node_found(struct fat *fat, const struct scan *scan, struct fat_node *ret_node) {
    uint64_t sector;
    int status = folder_sector(fat, scan->folder, scan->slot, &sector);

    if (status == 1)
        node_read(fat, scan, sector, ret_node);
    return status;
}

int fat_find(struct fat *fat, const struct fat_node *folder, const char *name, size_t length,
             struct fat_node *ret_node) {
    uint16_t units[LONG_NAME];
    unsigned count;
    struct scan scan;
    int status = folder_good(fat, folder);

    if (status >= 0)
        status = name_read(name, length, units, &count);
    if (status < 0)
        return status;
    scan_start(&scan, folder->first, 0);
    while ((status = scan_entry(fat, &scan)) == 1)
        if (scan_named(&scan, units, count))
            return node_found(fat, &scan, ret_node) < 0 ? OS2_FILE_E_DAMAGED : 0;
    return status < 0 ? status : OS2_FILE_E_NONE;
}

int fat_list(struct fat *fat, const struct fat_node *folder, uint64_t *position, struct fat_node *ret_node,
             char ret_name[OS2_FILES_NAME]) {
    struct scan scan;
    int status = folder_good(fat, folder);

    if (status < 0 || *position >= FOLDER_ENTRIES)
        return status;
    scan_start(&scan, folder->first, (uint32_t)*position);
    status = scan_entry(fat, &scan);
    if (status <= 0)
        return status;
    if (!name_write(scan.name, scan.count, ret_name))
        name_write(scan.name, short_read(scan.entry, scan.name), ret_name);
    status = node_found(fat, &scan, ret_node);
    *position = scan.next;
    return status;
}

/* One more cluster, of free slots. */
int folder_grow(struct fat *fat, uint32_t folder) {
    uint32_t last = folder, cluster, index = 0;
    int status;

    if (folder == 0)
        return OS2_FILE_E_FULL;
    while ((status = folder_cluster(fat, folder, index, &last)) == 1)
        if (++index >= FOLDER_ENTRIES / (ENTRIES * fat->cluster_sectors))
            return OS2_FILE_E_FULL;
    if (status < 0)
        return status;
    status = table_take(fat, last + 1, &cluster);
    if (status >= 0)
        status = cache_flush(fat);
    return status < 0 ? status : table_set(fat, last, cluster);
}
