/* SPDX-License-Identifier: MIT */
/*
 * The table of clusters: chains, and the search for free clusters.
 *
 * The search goes from where it is best (behind the file's last cluster, or where the last search ended) to the end and
 * then from the start, reading many sectors at a time. It wants one piece. When it has looked at enough of the table,
 * and seen enough clusters that are free, it does with scattered ones. A reservation that is only in memory is passed
 * over.
 */
#include "fat/inside.h"

#include "lib/string.h"

/* So many clusters are looked at for one piece before scattered ones will do. */
#define EFFORT 65536u

bool cluster_good(const struct fat *fat, uint32_t cluster) {
    return cluster >= CLUSTER_FIRST && cluster - CLUSTER_FIRST < fat->clusters;
}

uint64_t cluster_sector(const struct fat *fat, uint32_t cluster) {
    return fat->data + (uint64_t)(cluster - CLUSTER_FIRST) * fat->cluster_sectors;
}

static uint32_t end_of_clusters(const struct fat *fat) {
    return fat->clusters + CLUSTER_FIRST;
}

/* Numbers that a sector of the table has. */
static uint32_t numbers(const struct fat *fat) {
    return FAT_SECTOR * 8 / fat->bits;
}

static uint32_t number_get(const struct fat *fat, const uint8_t *sector, uint32_t at) {
    uint32_t value;

    if (fat->bits == 32)
        return get32(sector + 4 * (size_t)at) & TABLE_MASK;
    value = get16(sector + 2 * (size_t)at);
    return value >= TABLE16_SPECIAL ? value | (TABLE_MASK & ~UINT32_C(0xffff)) : value;
}

static void number_put(const struct fat *fat, uint8_t *sector, uint32_t at, uint32_t value) {
    if (fat->bits == 32)
        put32(sector + 4 * (size_t)at, value | (get32(sector + 4 * (size_t)at) & ~TABLE_MASK));
    else
        put16(sector + 2 * (size_t)at, value & 0xffff);
}

int table_get(struct fat *fat, uint32_t cluster, uint32_t *ret_value) {
    uint8_t *sector;
    int status = cache_get(fat, fat->table + cluster / numbers(fat), &sector);

    if (status >= 0)
        *ret_value = number_get(fat, sector, cluster % numbers(fat));
    return status;
}

int table_set(struct fat *fat, uint32_t cluster, uint32_t value) {
    uint8_t *sector;
    uint32_t before;
    int status = cache_change(fat, fat->table + cluster / numbers(fat), &sector);

    if (status < 0)
        return status;
    before = number_get(fat, sector, cluster % numbers(fat));
    number_put(fat, sector, cluster % numbers(fat), value);
    if (fat->free != INFO_UNKNOWN)
        fat->free += (uint32_t)(value == TABLE_FREE) - (uint32_t)(before == TABLE_FREE);
    return 0;
}

int table_next(struct fat *fat, uint32_t cluster, uint32_t *ret_next) {
    uint32_t value;
    int status = table_get(fat, cluster, &value);

    if (status < 0)
        return status;
    if (value >= TABLE_ENDS)
        return 0;
    if (!cluster_good(fat, value))
        return OS2_FILE_E_DAMAGED;
    *ret_next = value;
    return 1;
}

/* Each step makes one cluster free, so a loop ends. */
int table_free_chain(struct fat *fat, uint32_t first) {
    while (cluster_good(fat, first)) {
        uint32_t next;
        int status = table_get(fat, first, &next);

        if (status < 0)
            return status;
        if (next == TABLE_FREE || next == TABLE_BAD)
            return 0;
        status = table_set(fat, first, TABLE_FREE);
        if (status < 0)
            return status;
        first = next;
    }
    return 0;
}

/* The second number of the table. */
int table_mark(struct fat *fat, bool clean) {
    uint8_t *sector;
    int status = cache_change(fat, fat->table, &sector);

    if (status < 0)
        return status;
    if (fat->bits == 32)
        put32(sector + 4, clean ? get32(sector + 4) | TABLE32_CLEAN : get32(sector + 4) & ~TABLE32_CLEAN);
    else
        put16(sector + 2, clean ? get16(sector + 2) | TABLE16_CLEAN : get16(sector + 2) & ~TABLE16_CLEAN);
    return 0;
}

int table_is_clean(struct fat *fat) {
    uint8_t *sector;
    int status = cache_get(fat, fat->table, &sector);

    if (status < 0)
        return status;
    return fat->bits == 32 ? (get32(sector + 4) & TABLE32_CLEAN) != 0 : (get16(sector + 2) & TABLE16_CLEAN) != 0;
}

int table_same(struct fat *fat, uint32_t at, uint32_t copy) {
    uint8_t *a, *b;
    int status = cache_get(fat, fat->table + at, &a);

    if (status >= 0)
        status = cache_get(fat, fat->table + (uint64_t)copy * fat->table_sectors + at, &b);
    return status < 0 ? status : memcmp(a, b, FAT_SECTOR) == 0;
}

/* The sector of the table that has the cluster's number, and the sectors behind it for the calls that follow. */
static int table_window(struct fat *fat, uint32_t cluster, uint8_t **ret_sector) {
    uint32_t at = cluster / numbers(fat);
    uint32_t used = (end_of_clusters(fat) + numbers(fat) - 1) / numbers(fat);
    int status = cache_ahead(fat, 0, fat->table + at, used - at);

    return status < 0 ? status : cache_get(fat, fat->table + at, ret_sector);
}

struct hunt {
    uint32_t wanted;       /* of one piece */
    uint32_t first, count; /* the piece that was seen last */
    uint32_t total;        /* free clusters seen */
    uint32_t effort;       /* that may be looked at yet */
};

static bool reserved(const struct fat *fat, uint32_t cluster) {
    return cluster - fat->reserved_first < fat->reserved_count;
}

/* Looks at the clusters of one sector of the table: true if there is a piece that is large enough. */
static bool hunt_sector(const struct fat *fat, struct hunt *hunt, const uint8_t *sector, uint32_t from, uint32_t to) {
    uint32_t base = from - from % numbers(fat);

    for (uint32_t cluster = from; cluster < to; cluster++) {
        if (number_get(fat, sector, cluster - base) != TABLE_FREE || reserved(fat, cluster)) {
            hunt->count = 0;
            continue;
        }
        if (hunt->count++ == 0)
            hunt->first = cluster;
        hunt->total++;
        if (hunt->count == hunt->wanted)
            return true;
    }
    return false;
}

/* Looks from one cluster to another: 1 if there is a piece, 0 if not or there was enough effort. */
static int hunt_range(struct fat *fat, struct hunt *hunt, uint32_t from, uint32_t to) {
    hunt->count = 0;
    while (from < to && (hunt->total < hunt->wanted || hunt->effort > 0)) {
        uint32_t end = from - from % numbers(fat) + numbers(fat);
        uint8_t *sector;
        int status = table_window(fat, from, &sector);

        if (status < 0)
            return status;
        if (end > to)
            end = to;
        if (hunt_sector(fat, hunt, sector, from, end))
            return 1;
        hunt->effort -= hunt->effort < end - from ? hunt->effort : end - from;
        from = end;
    }
    return 0;
}

int table_count(struct fat *fat) {
    struct hunt hunt = {.wanted = UINT32_MAX};
    uint32_t held = fat->reserved_count;
    int status;

    fat->reserved_count = 0;
    status = hunt_range(fat, &hunt, CLUSTER_FIRST, end_of_clusters(fat));
    fat->reserved_count = held;
    if (status < 0)
        return status;
    fat->free = hunt.total;
    fat->counted = true;
    return 0;
}

/* Are there so many? What the disk says is not believed where it would end in a refusal. */
static int enough(struct fat *fat, uint32_t count) {
    if (fat->free == INFO_UNKNOWN || (!fat->counted && fat->free < count)) {
        int status = table_count(fat);

        if (status < 0)
            return status;
    }
    return fat->free >= fat->reserved_count && fat->free - fat->reserved_count >= count ? 0 : OS2_FILE_E_FULL;
}

static uint32_t near_or_hint(const struct fat *fat, uint32_t near) {
    if (cluster_good(fat, near))
        return near;
    return cluster_good(fat, fat->hint) ? fat->hint : CLUSTER_FIRST;
}

int table_find(struct fat *fat, uint32_t near, uint32_t count, uint32_t *ret_first) {
    struct hunt hunt = {.wanted = count, .effort = EFFORT};
    int status = enough(fat, count);

    if (status < 0)
        return status;
    near = near_or_hint(fat, near);
    status = hunt_range(fat, &hunt, near, end_of_clusters(fat));
    if (status == 0)
        status = hunt_range(fat, &hunt, CLUSTER_FIRST, near);
    if (status == 1) {
        *ret_first = hunt.first;
        fat->hint = hunt.first + count;
    } else if (status == 0 && hunt.total < count) {
        fat->free = INFO_UNKNOWN;
        return OS2_FILE_E_FULL;
    }
    return status;
}

/* The next free cluster from `from` on, and from the start. */
static int next_free(struct fat *fat, uint32_t from, uint32_t *ret_cluster) {
    struct hunt hunt = {.wanted = 1, .effort = UINT32_MAX};
    int status = from < end_of_clusters(fat) ? hunt_range(fat, &hunt, from, end_of_clusters(fat)) : 0;

    if (status == 0)
        status = hunt_range(fat, &hunt, CLUSTER_FIRST, end_of_clusters(fat));
    if (status < 0)
        return status;
    *ret_cluster = hunt.first;
    return status == 1 ? 0 : OS2_FILE_E_FULL;
}

int table_gather(struct fat *fat, uint32_t near, uint32_t count, uint32_t *ret_first) {
    uint32_t last = 0, cluster = near_or_hint(fat, near);
    int status = 0;

    for (uint32_t i = 0; i < count && status >= 0; i++, last = cluster, cluster++) {
        status = next_free(fat, cluster, &cluster);
        if (status >= 0)
            status = table_set(fat, cluster, TABLE_END);
        if (status >= 0 && i > 0)
            status = table_set(fat, last, cluster);
        else
            *ret_first = cluster;
    }
    fat->hint = cluster;
    return status;
}

int table_take(struct fat *fat, uint32_t near, uint32_t *ret_cluster) {
    int status = table_find(fat, near, 1, ret_cluster);

    if (status < 0)
        return status;
    status = cache_zero(fat, cluster_sector(fat, *ret_cluster), fat->cluster_sectors);
    return status < 0 ? status : table_set(fat, *ret_cluster, TABLE_END);
}
