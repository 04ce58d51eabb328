/* SPDX-License-Identifier: MIT */
/*
 * Files: where their bytes are, and how they grow and become shorter.
 *
 * A node notes the last run of clusters that was looked up, so that reading on and reading the same again need no look
 * at the table. A reservation is one run of free clusters that is in memory only; where there is no such run it is a
 * chain in the table, that belongs to nothing until it is the file's.
 */
#include "fat/inside.h"

static uint64_t cluster_bytes(const struct fat *fat) {
    return (uint64_t)fat->cluster_sectors * FAT_SECTOR;
}

uint32_t file_clusters(const struct fat *fat, uint64_t bytes) {
    return (uint32_t)((bytes + cluster_bytes(fat) - 1) / cluster_bytes(fat));
}

/* A node as it was, where what was to be is not on the disk. */
static void restore(struct fat_node *node, const struct fat_node *before) {
    node->first = before->first;
    node->size = before->size;
    node->time = before->time;
}

static int no_folder(const struct fat_node *node) {
    return node->kind & OS2_FILE_FOLDER ? OS2_FILE_E_FOLDER : 0;
}

static int writable(const struct fat *fat, const struct fat_node *node) {
    if (fat->read_only || node->kind & OS2_FILE_READ_ONLY)
        return OS2_FILE_E_READ_ONLY;
    return no_folder(node);
}

/* One cluster further along a run that is made longer where it can: 1, 0 at the chain's end. */
static int run_step(struct fat *fat, struct chain_run *run) {
    uint32_t next;
    int status = table_next(fat, run->cluster + run->count - 1, &next);

    if (status <= 0)
        return status;
    if (next == run->cluster + run->count)
        run->count++;
    else
        *run = (struct chain_run){run->index + run->count, next, 1};
    return 1;
}

/* The run of the node's own clusters that has that index in it. */
static int run_at(struct fat *fat, struct fat_node *node, uint32_t index, struct chain_run *ret_run) {
    struct chain_run run = {node->at_index, node->at_cluster, node->at_count};

    if (run.count == 0 || index < run.index)
        run = (struct chain_run){0, node->first, 1};
    if (!cluster_good(fat, run.cluster))
        return OS2_FILE_E_DAMAGED;
    while (index - run.index >= run.count) {
        int status = run_step(fat, &run);

        if (status <= 0)
            return status < 0 ? status : OS2_FILE_E_DAMAGED;
    }
    *ret_run = run;
    return 0;
}

static void run_note(struct fat_node *node, const struct chain_run *run) {
    node->at_index = run->index;
    node->at_cluster = run->cluster;
    node->at_count = run->count;
}

/* Makes the run longer while its clusters follow each other, up to the index `end`. */
static int run_extend(struct fat *fat, struct chain_run *run, uint32_t end) {
    while (run->index + run->count < end) {
        struct chain_run next = *run;
        int status = run_step(fat, &next);

        if (status < 0)
            return status;
        if (status == 0 || next.index != run->index)
            break;
        *run = next;
    }
    return 0;
}

/* The run of reserved clusters with that index in the file, which has `have` of its own. */
static int run_reserved(struct fat *fat, const struct fat_node *node, uint32_t have, uint32_t index,
                        struct chain_run *ret_run) {
    struct chain_run run = {have, node->reserved_first, node->reserved_linked ? 1 : node->reserved_count};

    while (index - run.index >= run.count) {
        int status = run_step(fat, &run);

        if (status <= 0)
            return status < 0 ? status : OS2_FILE_E_DAMAGED;
    }
    *ret_run = run;
    return node->reserved_linked ? run_extend(fat, ret_run, have + node->reserved_count) : 0;
}

/* The run of the file's own clusters, and what is reserved right behind it. */
static int run_own(struct fat *fat, struct fat_node *node, uint32_t have, uint32_t index, uint32_t end,
                   struct chain_run *ret_run) {
    int status = run_at(fat, node, index, ret_run);

    if (status >= 0)
        status = run_extend(fat, ret_run, end < have ? end : have);
    if (status < 0)
        return status;
    if (ret_run->index + ret_run->count > have)
        ret_run->count = have - ret_run->index;
    run_note(node, ret_run);
    if (ret_run->index + ret_run->count == have && node->reserved_count > 0 && !node->reserved_linked &&
        node->reserved_first == ret_run->cluster + ret_run->count)
        ret_run->count += node->reserved_count;
    return 0;
}

int fat_map(struct fat *fat, struct fat_node *node, uint64_t offset, uint64_t most, uint64_t *ret_sector,
            unsigned *ret_within, uint64_t *ret_bytes) {
    uint32_t have = file_clusters(fat, node->size);
    uint64_t end = (uint64_t)have + node->reserved_count, index = offset / cluster_bytes(fat), at, last;
    struct chain_run run;
    int status = no_folder(node);

    if (status < 0)
        return status;
    if (index >= end || most == 0)
        return OS2_E_INVALID;
    last = most > end * cluster_bytes(fat) - offset ? end * cluster_bytes(fat) - 1 : offset + most - 1;
    end = last / cluster_bytes(fat) + 1;
    status = index < have ? run_own(fat, node, have, (uint32_t)index, (uint32_t)end, &run)
                          : run_reserved(fat, node, have, (uint32_t)index, &run);
    if (status < 0)
        return status;
    at = offset - run.index * cluster_bytes(fat);
    *ret_sector = cluster_sector(fat, run.cluster) + at / FAT_SECTOR;
    *ret_within = at % FAT_SECTOR;
    *ret_bytes = run.count * cluster_bytes(fat) - at;
    if (*ret_bytes > last - offset + 1)
        *ret_bytes = last - offset + 1;
    return 0;
}

static void reservation_end(struct fat *fat, struct fat_node *node) {
    node->reserved_first = node->reserved_count = 0;
    node->reserved_linked = false;
    fat->reserved_first = fat->reserved_count = 0;
    fat->reserving = false;
}

/* A chain of scattered clusters is made in the table at once. */
static int reserve_scattered(struct fat *fat, struct fat_node *node, uint32_t near, uint32_t count) {
    int status = volume_begin(fat);

    if (status >= 0)
        status = volume_end(fat, table_gather(fat, near, count, &node->reserved_first));
    node->reserved_linked = status >= 0;
    return status;
}

/* The file's last cluster; 0: it has none. */
static int last_cluster(struct fat *fat, struct fat_node *node, uint32_t have, uint32_t *ret_last) {
    struct chain_run run;
    int status = 0;

    *ret_last = 0;
    if (have > 0)
        status = run_at(fat, node, have - 1, &run);
    if (have > 0 && status >= 0) {
        run_note(node, &run);
        *ret_last = run.cluster + (have - 1 - run.index);
    }
    return status;
}

int fat_reserve(struct fat *fat, struct fat_node *node, uint64_t size) {
    uint32_t have = file_clusters(fat, node->size), count;
    int status = writable(fat, node);

    if (status < 0)
        return status;
    if (size > UINT32_MAX)
        return OS2_FILE_E_TOO_LARGE;
    if (node->reserved_count > 0)
        fat_cancel(fat, node);
    if (fat->reserving)
        return OS2_E_BUSY;
    if (file_clusters(fat, size) <= have)
        return 0;
    count = file_clusters(fat, size) - have;
    status = last_cluster(fat, node, have, &node->last);
    if (status >= 0)
        status = table_find(fat, node->last > 0 ? node->last + 1 : 0, count, &node->reserved_first);
    if (status == 0)
        status = reserve_scattered(fat, node, node->last > 0 ? node->last + 1 : 0, count);
    if (status < 0)
        return status;
    node->reserved_count = count;
    fat->reserving = true;
    if (!node->reserved_linked) {
        fat->reserved_first = node->reserved_first;
        fat->reserved_count = count;
    }
    return 0;
}

void fat_cancel(struct fat *fat, struct fat_node *node) {
    if (node->reserved_count == 0)
        return;
    if (node->reserved_linked && volume_begin(fat) >= 0)
        volume_end(fat, table_free_chain(fat, node->reserved_first));
    reservation_end(fat, node);
}

/* Makes a chain of the first `count` reserved clusters; what else was reserved is free again. */
static int reservation_chain(struct fat *fat, const struct fat_node *node, uint32_t count) {
    uint32_t cluster = node->reserved_first, rest = 0;
    int status = 0;

    if (!node->reserved_linked) {
        for (uint32_t i = 0; i < count && status >= 0; i++)
            status = table_set(fat, cluster + i, i + 1 < count ? cluster + i + 1 : TABLE_END);
        return status;
    }
    for (uint32_t i = 1; i < count && status >= 0; i++)
        status = table_next(fat, cluster, &cluster);
    if (status >= 0)
        status = table_next(fat, cluster, &rest);
    if (status == 1)
        status = table_set(fat, cluster, TABLE_END);
    return status >= 0 ? table_free_chain(fat, rest) : status;
}

/* The file gets the first `count` clusters of what it has reserved. */
static int adopt(struct fat *fat, struct fat_node *node, uint64_t size, uint32_t count) {
    uint32_t first = node->last > 0 ? node->first : node->reserved_first;
    int status = reservation_chain(fat, node, count);

    if (status >= 0 && node->last > 0)
        status = table_set(fat, node->last, node->reserved_first);
    if (status >= 0)
        status = cache_flush(fat);
    return status < 0 ? status : entry_update(fat, node, first, (uint32_t)size);
}

int fat_commit(struct fat *fat, struct fat_node *node, uint64_t size) {
    struct fat_node before = *node;
    uint32_t have = file_clusters(fat, node->size), count;
    int status = writable(fat, node);

    if (status < 0)
        return status;
    if (size < node->size)
        size = node->size;
    count = size > UINT32_MAX ? UINT32_MAX : file_clusters(fat, size) - have;
    if (count > node->reserved_count)
        return OS2_E_INVALID;
    status = volume_begin(fat);
    if (status < 0)
        return status;
    status =
        count > 0 ? adopt(fat, node, size, count) : entry_update(fat, node, have ? node->first : 0, (uint32_t)size);
    status = volume_end(fat, status);
    if (status < 0)
        restore(node, &before);
    if (status >= 0 && count > 0)
        reservation_end(fat, node);
    else
        fat_cancel(fat, node);
    return status;
}

/* The chain ends with its cluster `last`; those behind it are free. 0: all are. */
static int cut(struct fat *fat, uint32_t first, uint32_t last) {
    uint32_t next = first;
    int status;

    if (last == 0)
        return table_free_chain(fat, first);
    status = table_get(fat, last, &next);
    if (status >= 0)
        status = table_set(fat, last, TABLE_END);
    return status < 0 ? status : table_free_chain(fat, next);
}

/* The entry first, safe if clusters will go. */
static int shorten_entry(struct fat *fat, struct fat_node *node, uint32_t first, uint32_t size, bool goes) {
    struct fat_node before = *node;
    int status = entry_update(fat, node, first, size);

    if (status >= 0)
        status = goes ? cache_flush(fat) : cache_write(fat);
    if (status < 0)
        restore(node, &before);
    return status;
}

int fat_shorten(struct fat *fat, struct fat_node *node, uint64_t size) {
    uint32_t first = node->first, last = 0, before = file_clusters(fat, node->size), have = file_clusters(fat, size);
    int status = writable(fat, node);

    fat_cancel(fat, node);
    if (status < 0 || size >= node->size)
        return status < 0 ? status : 0;
    status = last_cluster(fat, node, have, &last);
    if (status >= 0)
        status = volume_begin(fat);
    if (status < 0)
        return status;
    node->at_count = 0;
    status = shorten_entry(fat, node, have > 0 ? first : 0, (uint32_t)size, have < before);
    if (status >= 0 && have < before)
        status = cut(fat, first, last);
    return volume_end(fat, status);
}
