/* SPDX-License-Identifier: MIT */
/*
 * Partitions: of a GUID partition table, of a master boot record with its chain of logical ones, or the whole disk.
 * A partition that is not wholly on the disk is not there.
 */
#include "fat/inside.h"

#include "lib/string.h"

struct search {
    const struct fat_device *device;
    unsigned skip; /* so many that fit come before */
    struct fat_partition *ret;
};

static int sector_read(const struct search *search, uint64_t sector, uint8_t *bytes) {
    if (sector >= search->device->sectors)
        return OS2_FILE_E_DAMAGED;
    return search->device->read(search->device->context, sector, 1, bytes);
}

/* One that may hold a FAT: true if it is the one that is looked for. */
static bool candidate(struct search *search, uint64_t first, uint64_t sectors, unsigned number) {
    if (first >= search->device->sectors || sectors == 0 || sectors > search->device->sectors - first)
        return false;
    if (search->skip-- > 0)
        return false;
    *search->ret = (struct fat_partition){first, sectors, number};
    return true;
}

static bool begins_with_fat(const uint8_t *sector) {
    uint32_t bytes = get16(sector + BOOT_SECTOR_BYTES), cluster = sector[BOOT_CLUSTER_SECTORS];

    return (sector[BOOT_JUMP] == 0xeb || sector[BOOT_JUMP] == 0xe9) && bytes >= FAT_SECTOR && bytes <= 4096 &&
           (bytes & (bytes - 1)) == 0 && cluster != 0 && (cluster & (cluster - 1)) == 0 &&
           get16(sector + BOOT_RESERVED) != 0 && sector[BOOT_TABLES] != 0 && sector[BOOT_MEDIA] >= 0xf0;
}

static bool holds_fat(uint8_t type) {
    static const uint8_t types[] = {0x04, 0x06, 0x0b, 0x0c, 0x0e, 0xef};

    for (unsigned i = 0; i < sizeof(types); i++)
        if (type == types[i])
            return true;
    return false;
}

static bool is_extended(uint8_t type) {
    return type == 0x05 || type == 0x0f || type == 0x85;
}

/* A chain of tables, each with one partition and, beside it, the next table: 1 if it has the one that is looked for. */
static int logical(struct search *search, uint64_t base) {
    uint8_t sector[FAT_SECTOR];
    uint64_t at = base;

    for (unsigned number = 0; number < MBR_LOGICAL_MAX; number++) {
        const uint8_t *entry = sector + MBR_ENTRIES, *next = entry + MBR_ENTRY;
        int status = sector_read(search, at, sector);

        if (status < 0)
            return status == OS2_FILE_E_DAMAGED ? 0 : status;
        if (get16(sector + BOOT_SIGNATURE) != SIGNATURE)
            return 0;
        if (holds_fat(entry[MBR_TYPE]) &&
            candidate(search, at + get32(entry + MBR_FIRST), get32(entry + MBR_SECTORS), MBR_LOGICAL_NUMBER + number))
            return 1;
        if (!is_extended(next[MBR_TYPE]))
            return 0;
        at = base + get32(next + MBR_FIRST);
    }
    return 0;
}

static int record(struct search *search, const uint8_t *sector) {
    for (unsigned i = 0; i < MBR_COUNT; i++) {
        const uint8_t *entry = sector + MBR_ENTRIES + (size_t)i * MBR_ENTRY;
        int status = 0;

        if (holds_fat(entry[MBR_TYPE]))
            status = candidate(search, get32(entry + MBR_FIRST), get32(entry + MBR_SECTORS), i + 1);
        else if (is_extended(entry[MBR_TYPE]))
            status = logical(search, get32(entry + MBR_FIRST));
        if (status != 0)
            return status;
    }
    return 0;
}

static bool has_type(const uint8_t *sector, uint8_t type) {
    for (unsigned i = 0; i < MBR_COUNT; i++)
        if (sector[MBR_ENTRIES + i * MBR_ENTRY + MBR_TYPE] == type)
            return true;
    return false;
}

/* Basic data, or an EFI system partition. */
static bool guid_fits(const uint8_t *guid) {
    static const uint8_t fit[2][16] = {
        {0xa2, 0xa0, 0xd0, 0xeb, 0xe5, 0xb9, 0x33, 0x44, 0x87, 0xc0, 0x68, 0xb6, 0xb7, 0x26, 0x99, 0xc7},
        {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b},
    };

    return memcmp(guid, fit[0], sizeof(fit[0])) == 0 || memcmp(guid, fit[1], sizeof(fit[1])) == 0;
}

static int guid_table(struct search *search, uint8_t *sector) {
    uint64_t at;
    uint32_t count, size, in_sector;
    int status = sector_read(search, GPT_SECTOR, sector);

    if (status < 0 || memcmp(sector, "EFI PART", 8) != 0)
        return status < 0 && status != OS2_FILE_E_DAMAGED ? status : 0;
    at = get64(sector + GPT_ENTRIES_AT);
    count = get32(sector + GPT_COUNT);
    size = get32(sector + GPT_ENTRY_SIZE);
    if (size < GPT_ENTRY_MIN || size > FAT_SECTOR || (size & (size - 1)) != 0)
        return 0;
    in_sector = FAT_SECTOR / size;
    for (uint32_t i = 0; i < count && i < GPT_COUNT_MAX; i++) {
        const uint8_t *entry = sector + (size_t)(i % in_sector) * size;
        uint64_t first, last;

        if (i % in_sector == 0 && (status = sector_read(search, at + i / in_sector, sector)) < 0)
            return status == OS2_FILE_E_DAMAGED ? 0 : status;
        first = get64(entry + GPT_FIRST);
        last = get64(entry + GPT_LAST);
        if (guid_fits(entry) && first <= last && last < search->device->sectors &&
            candidate(search, first, last - first + 1, i + 1))
            return 1;
    }
    return 0;
}

int fat_partition_find(const struct fat_device *device, unsigned index, struct fat_partition *ret_partition) {
    struct search search = {device, index, ret_partition};
    uint8_t sector[FAT_SECTOR];
    int status = device->sectors > 0 ? sector_read(&search, 0, sector) : OS2_FILE_E_NONE;

    if (status < 0)
        return status;
    if (get16(sector + BOOT_SIGNATURE) != SIGNATURE)
        return OS2_FILE_E_NONE;
    if (begins_with_fat(sector))
        status = candidate(&search, 0, device->sectors, 0);
    else if (has_type(sector, MBR_TYPE_GPT))
        status = guid_table(&search, sector);
    else
        status = record(&search, sector);
    if (status < 0)
        return status;
    return status == 1 ? 0 : OS2_FILE_E_NONE;
}
