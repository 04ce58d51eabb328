/* SPDX-License-Identifier: MIT */
/*
 * Entries as they are on the disk: their times and clusters, and how they change and go.
 *
 * Times go from 1980 to 2099, in steps of two seconds, and are taken to be UTC. The first day of 1980 says: not known.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define SECONDS_DAY UINT64_C(86400)
#define EPOCH_DAYS 3652u /* from 1970 to 1980, where the dates of entries begin */
#define YEARS_4 1461u    /* days of four years; from 1980 to 2099 every fourth one is a leap year */
#define DATE_FIRST 0x21u /* 1 January 1980 */
#define YEARS_END 120u

static const uint16_t month_days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

/* Days from the start of a year to the start of its month, 0 to 11. */
static uint32_t days_before(uint32_t month, bool leap) {
    return month_days[month] + (leap && month > 1);
}

uint64_t entry_time(const uint8_t *entry) {
    uint32_t date = get16(entry + ENTRY_DATE), time = get16(entry + ENTRY_TIME);
    uint32_t year = date >> 9, month = date >> 5 & 15, day = date & 31;

    if (month < 1 || month > 12 || day < 1 || date == DATE_FIRST)
        return 0;
    return (EPOCH_DAYS + year * 365 + (year + 3) / 4 + days_before(month - 1, year % 4 == 0) + day - 1) * SECONDS_DAY +
           (uint64_t)(time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
}

static uint32_t date_of(uint64_t now) {
    uint64_t days = now / SECONDS_DAY;
    uint32_t year, day, month = 11;

    if (days < EPOCH_DAYS || days - EPOCH_DAYS >= (uint64_t)YEARS_END / 4 * YEARS_4)
        return DATE_FIRST;
    days -= EPOCH_DAYS;
    year = (uint32_t)(days / YEARS_4) * 4;
    day = (uint32_t)(days % YEARS_4);
    if (day >= 366) {
        year += 1 + (day - 366) / 365;
        day = (day - 366) % 365;
    }
    while (days_before(month, year % 4 == 0) > day)
        month--;
    return year << 9 | (month + 1) << 5 | (day - days_before(month, year % 4 == 0) + 1);
}

static uint32_t time_of(uint64_t now) {
    uint32_t second = (uint32_t)(now % SECONDS_DAY);

    return date_of(now) == DATE_FIRST ? 0 : second / 3600 << 11 | second / 60 % 60 << 5 | second % 60 / 2;
}

/* It was changed now, or made. */
void entry_stamp(const struct fat *fat, uint8_t *entry, bool created) {
    put16(entry + ENTRY_TIME, time_of(fat->now));
    put16(entry + ENTRY_DATE, date_of(fat->now));
    put16(entry + ENTRY_READ_DATE, date_of(fat->now));
    if (created) {
        put16(entry + ENTRY_CREATED, time_of(fat->now));
        put16(entry + ENTRY_CREATED + 2, date_of(fat->now));
    }
}

uint32_t entry_first(const struct fat *fat, const uint8_t *entry) {
    return get16(entry + ENTRY_FIRST_LOW) | (fat->bits == 32 ? get16(entry + ENTRY_FIRST_HIGH) << 16 : 0);
}

void entry_put_first(uint8_t *entry, uint32_t first) {
    put16(entry + ENTRY_FIRST_LOW, first & 0xffff);
    put16(entry + ENTRY_FIRST_HIGH, first >> 16);
}

static int entry_change(struct fat *fat, const struct fat_node *node, uint8_t **ret_entry) {
    int status = cache_change(fat, node->entry_sector, ret_entry);

    if (status >= 0)
        *ret_entry += (size_t)node->entry_index * ENTRY_BYTES;
    return status;
}

int entry_update(struct fat *fat, struct fat_node *node, uint32_t first, uint32_t size) {
    uint8_t *entry;
    int status = entry_change(fat, node, &entry);

    if (status < 0)
        return status;
    entry_put_first(entry, first);
    put32(entry + ENTRY_SIZE, size);
    entry_stamp(fat, entry, false);
    entry[ENTRY_ATTRIBUTES] |= ATTRIBUTE_ARCHIVE;
    node->first = first;
    node->size = size;
    node->time = entry_time(entry);
    return 0;
}

/* Slots up to `end`, which are in the sector of slot `with` or in none of it, become free. */
static int slots_free(struct fat *fat, uint32_t folder, uint32_t from, uint32_t end, uint32_t with, bool same) {
    for (uint32_t slot = from; slot < end; slot++) {
        uint8_t *entry;
        int status;

        if ((slot / ENTRIES == with / ENTRIES) != same)
            continue;
        status = folder_change(fat, folder, slot, &entry);
        if (status < 0)
            return status;
        entry[ENTRY_NAME] = NAME_REMOVED;
    }
    return 0;
}

int entry_delete(struct fat *fat, uint32_t folder, uint32_t slot, uint32_t parts) {
    int status = slots_free(fat, folder, slot - parts, slot + 1, slot, true);

    if (status >= 0)
        status = cache_flush(fat);
    return status < 0 ? status : slots_free(fat, folder, slot - parts, slot, slot, false);
}
