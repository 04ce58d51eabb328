/* SPDX-License-Identifier: MIT */
/*
 * What FAT16 and FAT32 have on the disk, and partition tables. Offsets are in bytes. Numbers are little-endian, and lie
 * where they lie: they are read and written byte by byte, since an access across words may trap to firmware.
 *
 * A volume: boot sector (and more reserved sectors; FAT32's FSInfo is one), the tables, FAT16's root folder, clusters.
 * A table has a number for each cluster: 0 free, the next cluster of its file, a bad one, or the end of its file. The
 * first two numbers are no cluster's; the second says whether the volume was unmounted.
 */
#ifndef FAT_LAYOUT_H
#define FAT_LAYOUT_H

#include <stdint.h>

/* The boot sector. */
enum {
    BOOT_JUMP = 0,
    BOOT_SECTOR_BYTES = 11,
    BOOT_CLUSTER_SECTORS = 13,
    BOOT_RESERVED = 14,
    BOOT_TABLES = 16,
    BOOT_ROOT_ENTRIES = 17,
    BOOT_SECTORS_16 = 19,
    BOOT_MEDIA = 21,
    BOOT_TABLE_SECTORS_16 = 22,
    BOOT_SECTORS_32 = 32,
    BOOT_SIGNATURE = 510, /* 0xaa55; of a master boot record too */
    /* FAT16 */
    BOOT16_STATE = 37,
    BOOT16_LABEL = 43,
    /* FAT32 */
    BOOT32_TABLE_SECTORS = 36,
    BOOT32_FLAGS = 40,
    BOOT32_VERSION = 42,
    BOOT32_ROOT = 44,
    BOOT32_INFO = 48,
    BOOT32_STATE = 65,
    BOOT32_LABEL = 71,
};

#define SIGNATURE 0xaa55u
#define BOOT_STATE_DIRTY 1u        /* Linux says so that it has the volume mounted */
#define BOOT_FLAGS_ONE_TABLE 0x80u /* only the table whose number is in the low four bits is kept */
#define BOOT_FLAGS_ACTIVE 0x0fu
#define LABEL_BYTES 11u

/* FAT32's sector of hints. */
enum { INFO_LEAD = 0, INFO_STRUCT = 484, INFO_FREE = 488, INFO_NEXT = 492 };
#define INFO_LEAD_IS UINT32_C(0x41615252)
#define INFO_STRUCT_IS UINT32_C(0x61417272)
#define INFO_UNKNOWN UINT32_MAX

/* Numbers of the table, as FAT32 has them; FAT16's have the lowest 16 bits of these. */
#define TABLE_FREE 0u
#define TABLE_BAD UINT32_C(0x0ffffff7)
#define TABLE_ENDS UINT32_C(0x0ffffff8) /* this and what is above: the file's last cluster */
#define TABLE_END UINT32_C(0x0fffffff)
#define TABLE_MASK UINT32_C(0x0fffffff)
#define TABLE16_SPECIAL 0xfff0u
#define TABLE16_CLEAN UINT32_C(0x8000)
#define TABLE32_CLEAN UINT32_C(0x08000000)
#define CLUSTER_FIRST 2u
#define CLUSTERS_MIN_16 4085u /* with fewer it is a FAT12 */
#define CLUSTERS_MAX_16 65524u
#define CLUSTERS_MAX_32 UINT32_C(0x0ffffff5)

/* An entry of a folder. */
enum {
    ENTRY_NAME = 0, /* 8 and 3 characters */
    ENTRY_ATTRIBUTES = 11,
    ENTRY_CASE = 12,
    ENTRY_CREATED_TENTHS = 13,
    ENTRY_CREATED = 14, /* time, then date */
    ENTRY_READ_DATE = 18,
    ENTRY_FIRST_HIGH = 20,
    ENTRY_TIME = 22,
    ENTRY_DATE = 24,
    ENTRY_FIRST_LOW = 26,
    ENTRY_SIZE = 28,
    ENTRY_BYTES = 32
};

#define ENTRIES 16u /* of a sector */
_Static_assert(ENTRIES *ENTRY_BYTES == 512, "entries fill a sector");

#define SHORT_BASE 8u
#define SHORT_BYTES 11u
#define NAME_END 0x00u     /* the first byte of the first entry that was never used */
#define NAME_REMOVED 0xe5u /* of a free one */
#define NAME_E5 0x05u      /* a name that begins with 0xe5 */

#define ATTRIBUTE_READ_ONLY 0x01u
#define ATTRIBUTE_LABEL 0x08u
#define ATTRIBUTE_FOLDER 0x10u
#define ATTRIBUTE_ARCHIVE 0x20u
#define ATTRIBUTE_LONG 0x0fu
#define ATTRIBUTE_LONG_MASK 0x3fu

#define CASE_BASE_LOWER 0x08u
#define CASE_EXTENSION_LOWER 0x10u
#define CASE_MOVING 0x40u    /* ours, for a moment: the file may have its old entry still, which counts */
#define CASE_REPLACING 0x80u /* the same, and this one counts */

/* An entry that has 13 units of a long name. */
enum { LONG_ORDER = 0, LONG_SUM = 13, LONG_UNITS = 13, LONG_LAST = 0x40, LONG_ORDER_MASK = 0x3f, LONG_PARTS = 20 };
#define LONG_NAME 255u
#define FOLDER_ENTRIES 65536u

/* A master boot record's partitions. */
enum { MBR_ENTRIES = 446, MBR_ENTRY = 16, MBR_COUNT = 4, MBR_TYPE = 4, MBR_FIRST = 8, MBR_SECTORS = 12 };
#define MBR_TYPE_GPT 0xeeu
#define MBR_LOGICAL_MAX 128u /* more of them are a loop */
#define MBR_LOGICAL_NUMBER 5u

/* A GUID partition table. */
enum { GPT_ENTRIES_AT = 72, GPT_COUNT = 80, GPT_ENTRY_SIZE = 84, GPT_FIRST = 32, GPT_LAST = 40, GPT_ENTRY_MIN = 128 };
#define GPT_SECTOR 1u
#define GPT_COUNT_MAX 1024u

static inline uint32_t get16(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t get32(const uint8_t *at) {
    return get16(at) | get16(at + 2) << 16;
}

static inline uint64_t get64(const uint8_t *at) {
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static inline void put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void put32(uint8_t *at, uint32_t value) {
    put16(at, value & 0xffff);
    put16(at + 2, value >> 16);
}

#endif
