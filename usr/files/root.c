/* SPDX-License-Identifier: MIT */
/*
 * The folder "/": its entries are the mounted volumes. Nothing else can be in it.
 */
#include "files/volume.h"
#include "os2/call.h"
#include "os2/string.h"

static int root_find(struct volume *volume, const char *path, struct node *ret_node) {
    if (path[0])
        return OS2_FILE_E_NONE;
    *ret_node = (struct node){.volume = volume, .kind = OS2_FILE_FOLDER | OS2_FILE_READ_ONLY};
    return OS2_OK;
}

static bool root_same(const struct node *a, const struct node *b) {
    (void)a;
    (void)b;
    return true;
}

static uint64_t root_number(const struct node *node) {
    (void)node;
    return 0;
}

static int root_list(struct volume *volume, struct node *folder, uint64_t *position, struct entry *ret_entry) {
    const struct volume *mounted = volumes_at((unsigned)*position);

    (void)volume;
    (void)folder;
    if (!mounted)
        return 0;
    *ret_entry = (struct entry){.kind = OS2_FILE_FOLDER | (mounted->read_only ? OS2_FILE_READ_ONLY : 0)};
    os2_string_copy(ret_entry->name, sizeof(ret_entry->name), mounted->path + 1);
    ++*position;
    return 1;
}

static int root_read(struct volume *volume, struct node *node, uint64_t offset, uint64_t bytes, struct piece *piece) {
    (void)volume;
    (void)node;
    (void)offset;
    (void)bytes;
    (void)piece;
    return OS2_FILE_E_FOLDER;
}

static int root_space(struct volume *volume, uint64_t *ret_total, uint64_t *ret_free) {
    (void)volume;
    *ret_total = *ret_free = 0;
    return OS2_OK;
}

const struct volume_type root_type = {
    .find = root_find,
    .same = root_same,
    .number = root_number,
    .list = root_list,
    .read = root_read,
    .space = root_space,
};
