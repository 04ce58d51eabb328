/* SPDX-License-Identifier: MIT */
/*
 * What mounting does to a volume that was left in use: it goes through all folders and makes right what the order of
 * writes (inside.h) lets a power cut leave. Clusters are never made free here: one that a chain has too many may be
 * another file's already, where the write that ended the chain before it is missing.
 *
 *   chain longer than its file       ends where the file does
 *   chain that runs into a free one  ends before it, and the file's size with it
 *   long entries without a file      free
 *   something behind a folder's end  zeros
 *   entries that are marked          see inside.h: of two entries of a file one goes; then the mark
 *   ".." of a folder that moved      the folder that it is in
 *   copies of the table              as the first
 *
 * A marked entry is not looked into: it is noted, and when the walk is done a second one looks for the file's other
 * entry. Then everything is looked through again.
 *
 * The walk has no memory for what it has seen. A tree of sane folders has no more slots and links than its
 * clusters, twice that while folders are there twice; a walk that makes more steps goes in circles: the volume is
 * damaged, and nothing more is changed.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define DEPTH_MAX 512u /* as deep as a path of OS2_FILES_PATH can say */
#define MARKS_MAX 8u
#define ROUNDS_MAX 8u

struct place {
    uint32_t folder, slot, parts;
};

struct mark {
    struct place place, twin;
    uint32_t first;
    bool counts; /* where there are two this one does */
    bool two;    /* the file has another entry, the twin */
};

struct check {
    struct fat *fat;
    uint64_t steps; /* that may be made yet */
    bool twins;     /* look for other entries of the marked ones, and change nothing */
    unsigned marks;
    struct mark mark[MARKS_MAX];
    unsigned depth;
    uint32_t at_folder[DEPTH_MAX], at_slot[DEPTH_MAX]; /* where to go on in the folders above */
};

static int step(struct check *check) {
    return check->steps-- > 0 ? 0 : OS2_FILE_E_DAMAGED;
}

/* What may follow in a chain? 1: a cluster; 0: its end; 2: what is neither. */
static int follow(struct check *check, uint32_t cluster, uint32_t *ret_next) {
    int status = step(check);

    if (status >= 0)
        status = table_next(check->fat, cluster, ret_next);
    return status == OS2_FILE_E_DAMAGED && check->steps > 0 ? 2 : status;
}

static int in_use(struct check *check, uint32_t cluster) {
    uint32_t value;
    int status;

    if (!cluster_good(check->fat, cluster))
        return 0;
    status = table_get(check->fat, cluster, &value);
    return status < 0 ? status : value != TABLE_FREE && value != TABLE_BAD;
}

/* Ends a chain that is longer than `most` clusters or runs into what is no file's; says how long it is. */
static int chain_fit(struct check *check, uint32_t first, uint32_t most, uint32_t *ret_count) {
    uint32_t cluster = first, count = 0;
    int status = in_use(check, first), kind = 1;

    while (status == 1 && kind == 1) {
        uint32_t next = 0;

        count++;
        kind = follow(check, cluster, &next);
        if (kind < 0)
            return kind;
        if (kind == 1)
            status = in_use(check, next);
        if (status >= 0 && (kind == 2 || (kind == 1 && (status == 0 || count == most)))) {
            status = table_set(check->fat, cluster, TABLE_END);
            break;
        }
        cluster = next;
    }
    *ret_count = count;
    return status < 0 ? status : 0;
}

static int entry_fix(struct check *check, const struct scan *scan, uint32_t first, uint32_t size) {
    uint8_t *entry;
    int status = folder_change(check->fat, scan->folder, scan->slot, &entry);

    if (status < 0)
        return status;
    entry_put_first(entry, first);
    put32(entry + ENTRY_SIZE, size);
    return 0;
}

/* A file's chain and its size have to be of one length. */
static int check_file(struct check *check, const struct scan *scan) {
    struct fat *fat = check->fat;
    uint64_t bytes = (uint64_t)fat->cluster_sectors * FAT_SECTOR;
    uint32_t first = entry_first(fat, scan->entry), size = get32(scan->entry + ENTRY_SIZE), count = 0;
    uint32_t needed = file_clusters(fat, size);
    int status = needed > 0 ? chain_fit(check, first, needed, &count) : 0;

    if (status < 0)
        return status;
    if (count < needed)
        size = (uint32_t)(count * bytes);
    if (size == get32(scan->entry + ENTRY_SIZE) && (count > 0 || first == 0))
        return 0;
    return entry_fix(check, scan, count > 0 ? first : 0, size);
}

/* Into a folder. */
static int enter(struct check *check, struct scan *scan, uint32_t first) {
    if (check->depth == DEPTH_MAX)
        return OS2_FILE_E_DAMAGED;
    check->at_folder[check->depth] = scan->folder;
    check->at_slot[check->depth++] = scan->next;
    scan_start(scan, first, 0);
    return 0;
}

static int check_folder(struct check *check, struct scan *scan) {
    uint32_t first = entry_first(check->fat, scan->entry), count;
    int status = chain_fit(check, first, UINT32_MAX, &count);

    if (status < 0)
        return status;
    if (count == 0) /* nothing of it is there */
        return entry_delete(check->fat, scan->folder, scan->slot, scan->parts);
    if (get32(scan->entry + ENTRY_SIZE) != 0)
        status = entry_fix(check, scan, first, 0);
    return status < 0 ? status : enter(check, scan, first);
}

/* The first two entries of a folder say where it and the one above are. */
static int check_dots(struct check *check, const struct scan *scan) {
    uint32_t is;

    if (check->depth == 0 || scan->slot > 1)
        return 0;
    is = scan->slot == 0 ? scan->folder : folder_parent(check->fat, check->at_folder[check->depth - 1]);
    return entry_first(check->fat, scan->entry) == is ? 0 : entry_fix(check, scan, is, 0);
}

static int note_mark(struct check *check, const struct scan *scan) {
    if (check->marks < MARKS_MAX)
        check->mark[check->marks] = (struct mark){.place = {scan->folder, scan->slot, scan->parts},
                                                  .first = entry_first(check->fat, scan->entry),
                                                  .counts = scan->entry[ENTRY_CASE] & CASE_REPLACING};
    check->marks++;
    return 0;
}

static int check_entry(struct check *check, struct scan *scan) {
    if (scan->entry[ENTRY_NAME] == '.')
        return check_dots(check, scan);
    if (scan->entry[ENTRY_CASE] & (CASE_MOVING | CASE_REPLACING))
        return note_mark(check, scan);
    return scan->entry[ENTRY_ATTRIBUTES] & ATTRIBUTE_FOLDER ? check_folder(check, scan) : check_file(check, scan);
}

/* Is it the other entry of a file that is marked? */
static int look_for_twin(struct check *check, struct scan *scan) {
    uint32_t first = entry_first(check->fat, scan->entry);

    if (scan->entry[ENTRY_NAME] == '.')
        return 0;
    for (unsigned i = 0; i < check->marks; i++) {
        struct mark *mark = &check->mark[i];

        if (mark->first != first || first == 0 ||
            (mark->place.folder == scan->folder && mark->place.slot == scan->slot))
            continue;
        mark->two = true;
        mark->twin = (struct place){scan->folder, scan->slot, scan->parts};
    }
    if (!(scan->entry[ENTRY_ATTRIBUTES] & ATTRIBUTE_FOLDER) || !cluster_good(check->fat, first))
        return 0;
    return enter(check, scan, first);
}

static int slots_clear(struct check *check, uint32_t folder, uint32_t slot, uint32_t count, uint8_t byte) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *entry;
        int status = folder_change(check->fat, folder, slot + i, &entry);

        if (status < 0)
            return status;
        entry[ENTRY_NAME] = byte;
    }
    return 0;
}

/* One slot of a folder; an entry of a folder goes on inside of it. */
static int check_slot(struct check *check, struct scan *scan, int kind) {
    int status = step(check);

    if (status >= 0 && check->twins)
        return kind == SLOT_ENTRY ? look_for_twin(check, scan) : 0;
    if (status >= 0 && scan->orphans > 0)
        status =
            slots_clear(check, scan->folder, scan->slot - scan->parts - scan->orphans, scan->orphans, NAME_REMOVED);
    if (status >= 0 && kind == SLOT_END && scan->entry[ENTRY_NAME] != NAME_END)
        status = slots_clear(check, scan->folder, scan->slot, 1, NAME_END);
    return status >= 0 && kind == SLOT_ENTRY ? check_entry(check, scan) : status;
}

/* All folders, from the root on. */
static int walk(struct check *check) {
    struct fat *fat = check->fat;
    struct fat_node root;
    struct scan scan;
    uint32_t count;
    int status = 0;

    fat_root(fat, &root);
    check->depth = 0;
    check->steps = 2 * ((uint64_t)fat->clusters + 1) * (fat->cluster_sectors * ENTRIES + 3) + FOLDER_ENTRIES;
    if (fat->bits == 32)
        status = chain_fit(check, root.first, UINT32_MAX, &count);
    scan_start(&scan, root.first, 0);
    while (status >= 0) {
        int kind = scan_step(fat, &scan);

        if (kind < 0)
            return kind;
        status = check_slot(check, &scan, kind);
        if (kind != SLOT_NONE || status < 0)
            continue;
        if (check->depth-- == 0)
            return 0;
        scan_start(&scan, check->at_folder[check->depth], check->at_slot[check->depth]);
    }
    return status;
}

/* An empty file is known by nothing but its name: is there another entry in the folder with the same one? */
static int look_for_name(struct check *check, struct mark *mark) {
    struct scan scan, other;
    int status;

    scan_start(&scan, mark->place.folder, mark->place.slot - mark->place.parts);
    status = scan_entry(check->fat, &scan);
    scan_start(&other, mark->place.folder, 0);
    while (status == 1 && (status = scan_entry(check->fat, &other)) == 1) {
        if (other.slot == mark->place.slot || !name_same(other.name, other.count, scan.name, scan.count))
            continue;
        mark->two = true;
        mark->twin = (struct place){other.folder, other.slot, other.parts};
    }
    return status < 0 ? status : 0;
}

/* The marked entries: the file has another one, or this is its only one. */
static int marks_settle(struct check *check) {
    int status = 0;

    if (check->marks > MARKS_MAX)
        check->marks = MARKS_MAX;
    check->twins = true;
    status = walk(check);
    check->twins = false;
    for (unsigned i = 0; i < check->marks && status >= 0; i++) {
        struct mark *mark = &check->mark[i];
        const struct place *goes = mark->counts ? &mark->twin : &mark->place;
        uint8_t *entry;

        if (mark->first == 0)
            status = look_for_name(check, mark);
        if (status >= 0 && mark->two)
            status = entry_delete(check->fat, goes->folder, goes->slot, goes->parts);
        if (status >= 0)
            status = folder_change(check->fat, mark->place.folder, mark->place.slot, &entry);
        if (status >= 0)
            entry[ENTRY_CASE] &= (uint8_t) ~(CASE_MOVING | CASE_REPLACING);
    }
    return status;
}

static int check_tree(struct check *check) {
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        int status;

        check->marks = 0;
        status = walk(check);
        if (status < 0 || check->marks == 0)
            return status;
        status = marks_settle(check);
        if (status < 0)
            return status;
    }
    return OS2_FILE_E_DAMAGED;
}

/* A sector of a copy of the table. */
static int check_copy(struct fat *fat, uint32_t at, uint32_t copy) {
    uint64_t sector = fat->table + (uint64_t)copy * fat->table_sectors + at;
    uint8_t *is, *bytes;
    int status = cache_ahead(fat, 1, sector, fat->table_sectors - at);

    if (status >= 0)
        status = table_same(fat, at, copy);
    if (status != 0)
        return status;
    status = cache_get(fat, fat->table + at, &is);
    if (status >= 0)
        status = cache_change(fat, sector, &bytes);
    if (status >= 0)
        memcpy(bytes, is, FAT_SECTOR);
    return status;
}

static int check_copies(struct fat *fat) {
    int status = cache_write(fat);

    for (uint32_t at = 0; at < fat->table_sectors && status >= 0; at++) {
        status = cache_ahead(fat, 0, fat->table + at, fat->table_sectors - at);
        for (uint32_t copy = 1; copy < fat->tables && status >= 0; copy++)
            status = check_copy(fat, at, copy);
    }
    return status < 0 ? status : cache_write(fat);
}

int check_volume(struct fat *fat) {
    struct check check = {.fat = fat};
    int status = check_tree(&check);

    if (status >= 0)
        status = check_copies(fat);
    if (status < 0)
        return status;
    cache_forget(fat); /* the copies in it do not follow the first */
    return table_count(fat);
}
