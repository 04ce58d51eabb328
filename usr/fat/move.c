/* SPDX-License-Identifier: MIT */
/*
 * Files and folders that go, or get another name or place. In which order, and why, is in inside.h.
 */
#include "fat/inside.h"

#include "lib/string.h"

#define DEPTH_MAX 1024u

static bool is_root(const struct fat_node *node) {
    return node->entry_sector == 0;
}

static bool same_entry(const struct fat_node *a, const struct fat_node *b) {
    return a->entry_sector == b->entry_sector && a->entry_index == b->entry_index;
}

static int folder_empty(struct fat *fat, const struct fat_node *folder) {
    struct scan scan;
    int status = folder_good(fat, folder);

    if (status < 0)
        return status;
    scan_start(&scan, folder->first, 0);
    status = scan_entry(fat, &scan);
    return status == 1 ? OS2_FILE_E_NOT_EMPTY : status;
}

int fat_remove(struct fat *fat, const struct fat_node *node) {
    int status = fat->read_only || node->kind & OS2_FILE_READ_ONLY ? OS2_FILE_E_READ_ONLY : 0;

    if (is_root(node))
        return OS2_E_INVALID;
    if (status >= 0 && node->kind & OS2_FILE_FOLDER)
        status = folder_empty(fat, node);
    if (status >= 0)
        status = volume_begin(fat);
    if (status < 0)
        return status;
    fat->seek_folder = 0;
    status = entry_delete(fat, node->folder, node->slot, node->parts);
    if (status >= 0)
        status = table_free_chain(fat, node->first);
    return volume_end(fat, status);
}

/* The first cluster of the folder that a folder is in; 0 in the root's. */
static int parent_of(struct fat *fat, uint32_t folder, uint32_t *ret_parent) {
    struct scan scan;
    int status;

    scan_start(&scan, folder, 1);
    status = scan_step(fat, &scan);
    if (status < 0)
        return status;
    if (status != SLOT_ENTRY || memcmp(scan.entry, "..         ", SHORT_BYTES) != 0)
        return OS2_FILE_E_DAMAGED;
    *ret_parent = entry_first(fat, scan.entry);
    return 0;
}

/* Is `folder` the folder of that first cluster, or in it? Then it does not move there. */
static int not_inside(struct fat *fat, const struct fat_node *folder, uint32_t moving) {
    uint32_t at = folder->first;

    for (unsigned depth = 0; depth < DEPTH_MAX && at != moving; depth++) {
        int status;

        if (folder_parent(fat, at) == 0)
            return 0;
        status = parent_of(fat, at, &at);
        if (status < 0)
            return status;
    }
    return at == moving ? OS2_E_INVALID : OS2_FILE_E_DAMAGED;
}

static int entry_get(struct fat *fat, const struct fat_node *node, uint8_t entry[ENTRY_BYTES]) {
    uint8_t *sector;
    int status = cache_get(fat, node->entry_sector, &sector);

    if (status >= 0)
        memcpy(entry, sector + (size_t)node->entry_index * ENTRY_BYTES, ENTRY_BYTES);
    return status;
}

/* `place` has the file's entry, marked, not safe yet: the old entry goes, then the mark. */
static int old_delete(struct fat *fat, struct fat_node *node, const struct fat_node *place) {
    uint8_t *entry;
    int status = cache_flush(fat);

    if (status >= 0)
        status = entry_delete(fat, node->folder, node->slot, node->parts);
    if (status >= 0)
        status = folder_change(fat, place->folder, place->slot, &entry);
    if (status < 0)
        return status;
    entry[ENTRY_CASE] &= (uint8_t) ~(CASE_MOVING | CASE_REPLACING);
    node->entry_sector = place->entry_sector;
    node->entry_index = place->entry_index;
    node->folder = place->folder;
    node->slot = place->slot;
    node->parts = place->parts;
    return 0;
}

/* The name that is there is this file's; what it was before is free. */
static int replace_entry(struct fat *fat, struct fat_node *node, const struct fat_node *place,
                         const uint8_t model[ENTRY_BYTES]) {
    uint8_t *entry;
    uint8_t cases;
    int status = folder_change(fat, place->folder, place->slot, &entry);

    if (status < 0)
        return status;
    cases = entry[ENTRY_CASE];
    cases &= CASE_BASE_LOWER | CASE_EXTENSION_LOWER;
    memcpy(entry + ENTRY_ATTRIBUTES, model + ENTRY_ATTRIBUTES, ENTRY_BYTES - ENTRY_ATTRIBUTES);
    entry[ENTRY_CASE] = (uint8_t)(cases | CASE_REPLACING);
    status = old_delete(fat, node, place);
    return status < 0 ? status : table_free_chain(fat, place->first);
}

/* The name differs in case only, and a short name can say it. */
static int rename_in_place(struct fat *fat, struct fat_node *node, uint8_t cases) {
    uint8_t *entry;
    int status = 0;

    for (uint32_t slot = node->slot - node->parts; slot < node->slot && status >= 0; slot++) {
        status = folder_change(fat, node->folder, slot, &entry);
        if (status >= 0)
            entry[ENTRY_NAME] = NAME_REMOVED;
    }
    if (status >= 0)
        status = folder_change(fat, node->folder, node->slot, &entry);
    if (status < 0)
        return status;
    entry[ENTRY_CASE] = cases;
    node->parts = 0;
    return 0;
}

static int rename_to(struct fat *fat, struct fat_node *node, const struct fat_node *folder, const struct plan *plan,
                     uint8_t model[ENTRY_BYTES]) {
    struct fat_node place;
    uint8_t *entry;
    int status = 0;

    model[ENTRY_CASE] = CASE_MOVING;
    if (node->kind & OS2_FILE_FOLDER && node->folder != folder->first) {
        status = folder_change(fat, node->first, 1, &entry);
        if (status >= 0)
            entry_put_first(entry, folder_parent(fat, folder->first));
    }
    if (status >= 0)
        status = plan_write(fat, plan, folder->first, model, &place);
    return status < 0 ? status : old_delete(fat, node, &place);
}

static int rename_allowed(struct fat *fat, const struct fat_node *node, const struct fat_node *folder,
                          const struct fat_node *replace) {
    int status = fat->read_only ? OS2_FILE_E_READ_ONLY : folder_good(fat, folder);

    if (status < 0)
        return status;
    if (is_root(node))
        return OS2_E_INVALID;
    if (replace != NULL && replace->kind & OS2_FILE_FOLDER)
        return OS2_FILE_E_FOLDER;
    if (replace != NULL && node->kind & OS2_FILE_FOLDER)
        return OS2_FILE_E_EXISTS;
    if (replace != NULL && replace->kind & OS2_FILE_READ_ONLY)
        return OS2_FILE_E_READ_ONLY;
    if (!(node->kind & OS2_FILE_FOLDER))
        return 0;
    status = folder_good(fat, node);
    return status < 0 ? status : not_inside(fat, folder, node->first);
}

int fat_rename(struct fat *fat, struct fat_node *node, const struct fat_node *folder, const char *name, size_t length,
               const struct fat_node *replace) {
    uint16_t units[LONG_NAME];
    unsigned count;
    uint8_t model[ENTRY_BYTES];
    struct plan plan;
    int status;

    if (replace != NULL && same_entry(node, replace))
        replace = NULL;
    status = rename_allowed(fat, node, folder, replace);
    if (status >= 0)
        status = name_read(name, length, units, &count);
    if (status >= 0 && replace == NULL)
        status = plan_make(fat, &plan, folder->first, units, count, node);
    if (status >= 0)
        status = entry_get(fat, node, model);
    if (status >= 0 && replace == NULL && plan.same)
        return 0;
    if (status >= 0)
        status = volume_begin(fat);
    if (status < 0)
        return status;
    if (replace != NULL)
        status = replace_entry(fat, node, replace, model);
    else if (plan.self)
        status = rename_in_place(fat, node, plan.cases);
    else
        status = rename_to(fat, node, folder, &plan, model);
    return volume_end(fat, status);
}
