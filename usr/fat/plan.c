/* SPDX-License-Identifier: MIT */
/*
 * New entries: one look through the folder says whether the name is there, which aliases are taken and where there is
 * room. Then nothing can go wrong but the device, and a folder that cannot grow.
 *
 * An alias is NAME~1 to NAME~9, or it has four digits that are made from all of the name, and these tails again. Where
 * all of them are taken the folder is looked through again, with other digits.
 */
#include "fat/inside.h"

#include "lib/string.h"

/* Notes a free slot. */
static void plan_slot(struct plan *plan, const struct scan *scan, bool end) {
    if (plan->there == plan->needed)
        return;
    if (plan->there == 0 || plan->slot + plan->there != scan->slot) {
        plan->slot = scan->slot;
        plan->there = 0;
    }
    plan->there++;
    plan->at_end = end;
}

static void plan_alias(struct plan *plan, const struct scan *scan) {
    for (unsigned form = 0; form < ALIAS_FORMS; form++) {
        uint8_t name[SHORT_BYTES];
        unsigned at = short_tail_at(plan->basis[form]);
        unsigned tail = scan->entry[at + 1] - '0';

        if (scan->entry[at] != '~' || tail < 1 || tail > ALIAS_TAILS)
            continue;
        memcpy(name, plan->basis[form], SHORT_BYTES);
        short_tail(name, tail);
        if (memcmp(name, scan->entry, SHORT_BYTES) == 0)
            plan->taken[form] |= (uint16_t)(1u << tail);
    }
}

/* Another file or folder of the same place; `moving` is the one that gets the name, NULL: a new one. */
static int plan_entry(struct plan *plan, const struct scan *scan, const struct fat_node *moving) {
    bool self = moving != NULL && moving->folder == scan->folder && moving->slot == scan->slot;

    if (self)
        plan->same = plan->count == scan->count && memcmp(plan->units, scan->name, 2 * (size_t)plan->count) == 0;
    if (!self && scan_named(scan, plan->units, plan->count))
        return OS2_FILE_E_EXISTS;
    if (plan->exact && memcmp(plan->name, scan->entry, SHORT_BYTES) == 0) {
        plan->self = self;
        return self ? 0 : OS2_FILE_E_EXISTS;
    }
    if (!plan->exact)
        plan_alias(plan, scan);
    return 0;
}

/* Goes through the folder: is the name there, which aliases are, where is room? */
static int plan_look(struct fat *fat, struct plan *plan, uint32_t folder, const struct fat_node *moving) {
    struct scan scan;
    int kind;

    scan_start(&scan, folder, 0);
    while ((kind = scan_step(fat, &scan)) > SLOT_NONE) {
        if (kind == SLOT_FREE || kind == SLOT_END)
            plan_slot(plan, &scan, kind == SLOT_END);
        if (kind == SLOT_END && plan->there == plan->needed)
            return 0;
        if (kind == SLOT_ENTRY && scan.entry[ENTRY_NAME] != '.') {
            int status = plan_entry(plan, &scan, moving);

            if (status < 0)
                return status;
        }
    }
    if (plan->there < plan->needed && (plan->there == 0 || plan->slot + plan->there != scan.slot)) {
        plan->slot = scan.slot;
        plan->there = 0;
    }
    return kind;
}

/* Chooses the alias; false: all that were looked for are taken. */
static bool plan_choose(struct plan *plan) {
    for (unsigned form = 0; form < ALIAS_FORMS; form++) {
        for (unsigned tail = 1; tail <= ALIAS_TAILS; tail++) {
            if (plan->taken[form] >> tail & 1)
                continue;
            memcpy(plan->name, plan->basis[form], SHORT_BYTES);
            short_tail(plan->name, tail);
            return true;
        }
    }
    return false;
}

#define ROUNDS_MAX 64u

int plan_make(struct fat *fat, struct plan *plan, uint32_t folder, const uint16_t *units, unsigned count,
              const struct fat_node *moving) {
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        int status;

        *plan = (struct plan){.units = units, .count = count};
        plan->exact = short_exact(units, count, plan->name, &plan->cases);
        plan->needed = plan->exact ? 1 : 1 + (count + LONG_UNITS - 1) / LONG_UNITS;
        short_basis(units, count, round, plan->basis);
        status = plan_look(fat, plan, folder, moving);
        if (status < 0)
            return status;
        if (plan->exact || plan_choose(plan)) {
            plan->cases = plan->exact ? plan->cases : 0;
            return plan->slot + plan->needed <= FOLDER_ENTRIES ? 0 : OS2_FILE_E_FULL;
        }
    }
    return OS2_FILE_E_FULL;
}

/* The part of the long name with that order, from 1 on. */
static void part_write(const struct plan *plan, unsigned order, uint8_t *entry) {
    static const uint8_t places[LONG_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

    memset(entry, 0, ENTRY_BYTES);
    entry[LONG_ORDER] = (uint8_t)(order + 1 == plan->needed ? order | LONG_LAST : order);
    entry[ENTRY_ATTRIBUTES] = ATTRIBUTE_LONG;
    entry[LONG_SUM] = short_sum(plan->name);
    for (unsigned i = 0; i < LONG_UNITS; i++) {
        unsigned at = (order - 1) * LONG_UNITS + i;

        put16(entry + places[i], at < plan->count ? plan->units[at] : at == plan->count ? 0 : 0xffff);
    }
}

/* The slot behind the new entry is the end, whatever was there. */
static int end_write(struct fat *fat, const struct plan *plan, uint32_t folder) {
    uint64_t sector;
    uint8_t *entry;
    uint32_t slot = plan->slot + plan->needed;
    int status = plan->at_end ? folder_sector(fat, folder, slot, &sector) : 0;

    if (status <= 0)
        return status;
    status = cache_get(fat, sector, &entry);
    if (status < 0 || entry[slot % ENTRIES * ENTRY_BYTES] == NAME_END)
        return status;
    status = folder_change(fat, folder, slot, &entry);
    if (status >= 0)
        entry[ENTRY_NAME] = NAME_END;
    return status;
}

int plan_write(struct fat *fat, const struct plan *plan, uint32_t folder, const uint8_t *model,
               struct fat_node *ret_node) {
    struct scan scan = {.folder = folder, .slot = plan->slot + plan->needed - 1, .parts = plan->needed - 1};
    uint64_t sector;
    uint8_t *entry;
    int status = 0;

    while (status >= 0 && (status = folder_sector(fat, folder, scan.slot, &sector)) == SLOT_NONE)
        status = folder_grow(fat, folder);
    if (status >= 0)
        status = end_write(fat, plan, folder);
    for (uint32_t i = 0; i + 1 < plan->needed && status >= 0; i++) {
        status = folder_change(fat, folder, plan->slot + i, &entry);
        if (status >= 0)
            part_write(plan, plan->needed - 1 - i, entry);
    }
    if (status >= 0)
        status = folder_change(fat, folder, scan.slot, &entry);
    if (status < 0)
        return status;
    memcpy(entry, model, ENTRY_BYTES);
    memcpy(entry, plan->name, SHORT_BYTES);
    entry[ENTRY_CASE] = (uint8_t)(plan->cases | (model[ENTRY_CASE] & CASE_MOVING));
    memcpy(scan.entry, entry, ENTRY_BYTES);
    node_read(fat, &scan, sector, ret_node);
    return 0;
}

/* The first cluster of a new folder, safe. */
static int folder_new(struct fat *fat, const struct fat_node *parent, uint8_t *model) {
    static const char dots[SHORT_BYTES + 1] = "..         ";
    uint32_t cluster;
    uint8_t *sector;
    int status = table_take(fat, 0, &cluster);

    if (status >= 0)
        status = cache_change(fat, cluster_sector(fat, cluster), &sector);
    if (status < 0)
        return status;
    entry_put_first(model, cluster);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *entry = sector + (size_t)i * ENTRY_BYTES;

        memcpy(entry, model, ENTRY_BYTES);
        memset(entry, ' ', SHORT_BYTES);
        memcpy(entry, dots, i + 1);
        if (i == 1)
            entry_put_first(entry, folder_parent(fat, parent->first));
    }
    return cache_flush(fat);
}

static void model_make(const struct fat *fat, bool is_folder, uint8_t model[ENTRY_BYTES]) {
    memset(model, 0, ENTRY_BYTES);
    model[ENTRY_ATTRIBUTES] = is_folder ? ATTRIBUTE_FOLDER : ATTRIBUTE_ARCHIVE;
    entry_stamp(fat, model, true);
}

int fat_create(struct fat *fat, const struct fat_node *folder, const char *name, size_t length, bool is_folder,
               struct fat_node *ret_node) {
    uint16_t units[LONG_NAME];
    unsigned count;
    uint8_t model[ENTRY_BYTES];
    struct plan plan;
    int status = fat->read_only ? OS2_FILE_E_READ_ONLY : folder_good(fat, folder);

    if (status >= 0)
        status = name_read(name, length, units, &count);
    if (status >= 0)
        status = plan_make(fat, &plan, folder->first, units, count, NULL);
    if (status >= 0 && plan.there < plan.needed && folder->first == 0)
        status = OS2_FILE_E_FULL;
    if (status >= 0)
        status = volume_begin(fat);
    if (status < 0)
        return status;
    model_make(fat, is_folder, model);
    if (is_folder)
        status = folder_new(fat, folder, model);
    if (status >= 0)
        status = plan_write(fat, &plan, folder->first, model, ret_node);
    if (status == OS2_FILE_E_FULL && is_folder)
        table_free_chain(fat, entry_first(fat, model));
    return volume_end(fat, status);
}
