/* SPDX-License-Identifier: MIT */
/*
 * A volume is mounted, made safe, and counted. Nothing that the boot sector says is believed before it is known to lie
 * within the partition: what is computed from a good cluster is on the disk.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define CACHE_MIN 8u

static bool power_of_two(uint32_t number) {
    return number != 0 && (number & (number - 1)) == 0;
}

/* A table for so many clusters must be as large. */
static bool table_fits(const struct fat *fat) {
    return (uint64_t)fat->table_sectors * FAT_SECTOR * 8 >= ((uint64_t)fat->clusters + CLUSTER_FIRST) * fat->bits;
}

/* FAT32's fields; a table that is kept alone is the only one. */
static int shape_32(struct fat *fat, const uint8_t *boot) {
    uint32_t flags = get16(boot + BOOT32_FLAGS);

    fat->bits = 32;
    if (get16(boot + BOOT32_VERSION) != 0)
        return OS2_FILE_E_UNKNOWN;
    fat->root_cluster = get32(boot + BOOT32_ROOT);
    fat->root_entries = 0;
    if (fat->clusters > CLUSTERS_MAX_32 || !cluster_good(fat, fat->root_cluster))
        return OS2_FILE_E_DAMAGED;
    if (flags & BOOT_FLAGS_ONE_TABLE) {
        if ((flags & BOOT_FLAGS_ACTIVE) >= fat->tables)
            return OS2_FILE_E_DAMAGED;
        fat->table += (uint64_t)(flags & BOOT_FLAGS_ACTIVE) * fat->table_sectors;
        fat->tables = 1;
    }
    return 0;
}

static int shape_16(struct fat *fat) {
    fat->bits = 16;
    if (fat->clusters < CLUSTERS_MIN_16)
        return OS2_FILE_E_UNKNOWN;
    return fat->clusters <= CLUSTERS_MAX_16 && fat->root_entries > 0 ? 0 : OS2_FILE_E_DAMAGED;
}

/* Where everything is. */
static int shape_read(struct fat *fat, const uint8_t *boot, const struct fat_partition *partition) {
    uint32_t table_16 = get16(boot + BOOT_TABLE_SECTORS_16), reserved = get16(boot + BOOT_RESERVED);
    uint64_t sectors = get16(boot + BOOT_SECTORS_16), before;
    int status;

    if (get16(boot + BOOT_SIGNATURE) != SIGNATURE || get16(boot + BOOT_SECTOR_BYTES) != FAT_SECTOR ||
        (reserved == 0 && boot[BOOT_TABLES] == 0))
        return OS2_FILE_E_UNKNOWN;
    if (sectors == 0)
        sectors = get32(boot + BOOT_SECTORS_32);
    fat->cluster_sectors = boot[BOOT_CLUSTER_SECTORS];
    fat->tables = boot[BOOT_TABLES];
    fat->table_sectors = table_16 != 0 ? table_16 : get32(boot + BOOT32_TABLE_SECTORS);
    fat->root_entries = table_16 != 0 ? get16(boot + BOOT_ROOT_ENTRIES) : 0;
    before = reserved + (uint64_t)fat->tables * fat->table_sectors + (fat->root_entries + ENTRIES - 1) / ENTRIES;
    if (!power_of_two(fat->cluster_sectors) || reserved == 0 || fat->tables == 0 || fat->table_sectors == 0 ||
        sectors > partition->sectors || before >= sectors)
        return OS2_FILE_E_DAMAGED;
    fat->clusters = (uint32_t)((sectors - before) / fat->cluster_sectors);
    fat->table = partition->first + reserved;
    fat->data = partition->first + before;
    fat->root = fat->data - (fat->root_entries + ENTRIES - 1) / ENTRIES;
    status = table_16 != 0 ? shape_16(fat) : shape_32(fat, boot);
    return status < 0 ? status : table_fits(fat) ? 0 : OS2_FILE_E_DAMAGED;
}

/* FAT32's hints, where there are any. */
static int info_read(struct fat *fat, uint32_t at, const struct fat_partition *partition) {
    uint8_t *info;
    int status;

    if (at == 0 || partition->first + at >= fat->table)
        return 0;
    status = cache_get(fat, partition->first + at, &info);
    if (status < 0)
        return status;
    if (get32(info + INFO_LEAD) != INFO_LEAD_IS || get32(info + INFO_STRUCT) != INFO_STRUCT_IS)
        return 0;
    fat->info = partition->first + at;
    fat->hint = get32(info + INFO_NEXT);
    if (get32(info + INFO_FREE) <= fat->clusters)
        fat->free = get32(info + INFO_FREE);
    return 0;
}

static int info_write(struct fat *fat) {
    uint8_t *info;
    int status = cache_change(fat, fat->info, &info);

    if (status < 0)
        return status;
    put32(info + INFO_FREE, fat->free);
    put32(info + INFO_NEXT, cluster_good(fat, fat->hint) ? fat->hint : INFO_UNKNOWN);
    return 0;
}

static void label_note(struct fat *fat, const uint8_t *bytes) {
    unsigned size = LABEL_BYTES;

    while (size > 0 && bytes[size - 1] == ' ')
        size--;
    for (unsigned i = 0; i < size; i++)
        fat->label[i] = bytes[i] >= ' ' && bytes[i] < 0x7f ? (char)bytes[i] : '_';
    fat->label[size] = '\0';
}

/* The root folder's entry of it, which counts, or the boot sector's. */
static int label_read(struct fat *fat, const uint8_t *boot) {
    struct fat_node root;
    struct scan scan;
    int kind;

    if (memcmp(boot, "NO NAME    ", LABEL_BYTES) != 0)
        label_note(fat, boot);
    fat_root(fat, &root);
    scan_start(&scan, root.first, 0);
    while ((kind = scan_step(fat, &scan)) > SLOT_NONE && kind != SLOT_END) {
        if (kind == SLOT_LABEL) {
            label_note(fat, scan.entry);
            return 0;
        }
    }
    return kind == OS2_FILE_E_DAMAGED || kind > 0 ? 0 : kind;
}

/* Was it in use when it was left? Linux says so in the boot sector. The mark may be gone in some of the tables only. */
static int was_left(struct fat *fat, uint8_t state, bool *ret_left) {
    int clean = table_is_clean(fat);

    for (uint32_t copy = 1; copy < fat->tables && clean == 1; copy++)
        clean = table_same(fat, 0, copy);
    *ret_left = clean == 0 || state & BOOT_STATE_DIRTY;
    return clean < 0 ? clean : 0;
}

static int state_clear(struct fat *fat, uint64_t sector) {
    uint8_t *boot;
    int status = cache_change(fat, sector, &boot);

    if (status >= 0)
        boot[fat->bits == 32 ? BOOT32_STATE : BOOT16_STATE] &= (uint8_t)~BOOT_STATE_DIRTY;
    return status;
}

/* One that was left is looked through, and clean then. Damage that this does not know stays, and is not added to. */
static int recover(struct fat *fat, uint64_t boot) {
    int status;

    fat->free = INFO_UNKNOWN;
    if (fat->read_only)
        return 0;
    fat->dirty = true;
    status = check_volume(fat);
    if (status == OS2_FILE_E_DAMAGED) {
        cache_forget(fat);
        fat->read_only = true;
        return 0;
    }
    if (status >= 0)
        status = state_clear(fat, boot);
    return status < 0 ? status : fat_sync(fat);
}

int fat_mount(struct fat *fat, const struct fat_device *device, const struct fat_partition *partition,
              struct fat_cache_sector *cache, unsigned size) {
    uint8_t label[LABEL_BYTES];
    uint8_t *boot;
    uint8_t state = 0;
    bool left = false;
    int status;

    memset(fat, 0, sizeof(*fat));
    if (size < CACHE_MIN || partition->sectors == 0 || partition->first >= device->sectors ||
        partition->sectors > device->sectors - partition->first)
        return OS2_E_INVALID;
    fat->device = *device;
    fat->read_only = device->read_only;
    fat->free = INFO_UNKNOWN;
    cache_start(fat, cache, size);
    status = cache_get(fat, partition->first, &boot);
    if (status >= 0)
        status = shape_read(fat, boot, partition);
    if (status >= 0) {
        uint32_t info = fat->bits == 32 ? get16(boot + BOOT32_INFO) : 0;

        state = boot[fat->bits == 32 ? BOOT32_STATE : BOOT16_STATE];
        memcpy(label, boot + (fat->bits == 32 ? BOOT32_LABEL : BOOT16_LABEL), LABEL_BYTES);
        status = info_read(fat, info, partition);
    }
    if (status >= 0)
        status = was_left(fat, state, &left);
    if (status >= 0)
        status = label_read(fat, label);
    return status >= 0 && left ? recover(fat, partition->first) : status;
}

int volume_begin(struct fat *fat) {
    int status = 0;

    if (fat->read_only)
        return OS2_FILE_E_READ_ONLY;
    if (fat->dirty)
        return 0;
    status = table_mark(fat, false);
    if (status >= 0)
        status = cache_flush(fat);
    fat->dirty = true;
    return status < 0 ? volume_end(fat, status) : 0;
}

/* A change that was broken off half-way is not to be added to: whoever mounts it next makes it right. */
int volume_end(struct fat *fat, int status) {
    if (status >= 0 || status == OS2_FILE_E_FULL) {
        int written = cache_write(fat);

        if (written >= 0)
            return status < 0 ? status : 0;
        status = written;
    }
    cache_forget(fat);
    fat->read_only = true;
    return status;
}

/* The mark goes when all else is safe. */
static int mark_clean(struct fat *fat) {
    int status = fat->info != 0 ? info_write(fat) : 0;

    if (status >= 0)
        status = cache_flush(fat);
    if (status >= 0)
        status = table_mark(fat, true);
    if (status >= 0)
        status = cache_flush(fat);
    fat->dirty = status < 0;
    return volume_end(fat, status);
}

int fat_sync(struct fat *fat) {
    if (fat->dirty && !fat->read_only)
        return mark_clean(fat);
    return fat->device.read_only ? 0 : cache_flush(fat);
}

void fat_root(const struct fat *fat, struct fat_node *ret_node) {
    *ret_node = (struct fat_node){.first = fat->bits == 32 ? fat->root_cluster : 0, .kind = OS2_FILE_FOLDER};
}

int fat_space(struct fat *fat, uint64_t *ret_total, uint64_t *ret_free) {
    uint64_t bytes = (uint64_t)fat->cluster_sectors * FAT_SECTOR;
    int status = fat->free == INFO_UNKNOWN ? table_count(fat) : 0;

    if (status < 0)
        return status;
    *ret_total = fat->clusters * bytes;
    *ret_free = (fat->free - (fat->free < fat->reserved_count ? fat->free : fat->reserved_count)) * bytes;
    return 0;
}
