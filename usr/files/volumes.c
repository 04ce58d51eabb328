/* SPDX-License-Identifier: MIT */
/*
 * The mount table. Paths are compared name by name, so "/disk2" is not in "/disk". The root folder is a volume too, the
 * first one, whose only files are the others' folders.
 *
 * Disks are looked for when a path is not in the boot archive, not before: a machine boots to its prompt whatever is on
 * its disks. Where the device manager is not there yet, or a disk did not answer, they are looked for again at the next
 * such path, once a second at the most.
 */
#include "files/volume.h"

#include "os2/call.h"
#include "os2/string.h"
#include "os2/time.h"

#define AGAIN_MS 1000u

struct counts counts;

static struct volume volumes[VOLUMES] = {{.path = "", .kind = "mounts", .read_only = true, .type = &root_type}};
static bool disks_known;
static uint64_t disks_next_ns; /* when to look again */

static void disks_look(void) {
    uint64_t now = os2_now_ns();
    bool again = false;

    if (disks_known || now < disks_next_ns)
        return;
    fat_volumes_mount(&again);
    disks_known = !again;
    disks_next_ns = os2_now_ns() + AGAIN_MS * UINT64_C(1000000);
}

/* Is the volume's path the beginning of this one? */
static bool volume_holds(const struct volume *volume, const char *path) {
    size_t length = strlen(volume->path);
    return volume->type && strncmp(volume->path, path, length) == 0 && (!path[length] || path[length] == '/');
}

static struct volume *volumes_look(const char *path) {
    struct volume *found = &volumes[0];

    for (unsigned i = 1; i < VOLUMES; i++)
        if (volume_holds(&volumes[i], path))
            found = &volumes[i];
    return found;
}

struct volume *volumes_find(const char *path, const char **ret_path) {
    struct volume *found = volumes_look(path);

    if (found == &volumes[0]) {
        disks_look();
        found = volumes_look(path);
    }
    path += strlen(found->path);
    *ret_path = path + (*path == '/');
    return found;
}

uint64_t volumes_file_number(const struct node *node) {
    return (uint64_t)(node->volume - volumes + 1) << 48 | node->volume->type->number(node);
}

bool volumes_has(const char *path) {
    for (unsigned i = 1; i < VOLUMES; i++)
        if (volumes[i].type && strcmp(volumes[i].path, path) == 0)
            return true;
    return false;
}

struct volume *volumes_at(unsigned index) {
    disks_look();
    return volumes_mounted(index);
}

struct volume *volumes_mounted(unsigned index) {
    for (unsigned i = 1; i < VOLUMES; i++)
        if (volumes[i].type && !index--)
            return &volumes[i];
    return NULL;
}

struct volume *volumes_add(const char *path, const char *kind, const char *device, const struct volume_type *type) {
    for (unsigned i = 1; i < VOLUMES; i++) {
        struct volume *volume = &volumes[i];
        if (volume->type)
            continue;
        *volume = (struct volume){.kind = kind, .read_only = !type->write, .type = type};
        os2_string_copy(volume->path, sizeof(volume->path), path);
        os2_string_copy(volume->device, sizeof(volume->device), device);
        return volume;
    }
    return NULL;
}

int volumes_sync(void) {
    int status = OS2_OK;

    for (unsigned i = 1; i < VOLUMES; i++) {
        int own = volumes[i].type && volumes[i].type->sync ? volumes[i].type->sync(&volumes[i]) : OS2_OK;
        status = status < 0 ? status : own;
    }
    return status;
}

bool volumes_changed(void) {
    bool changed = false;

    for (unsigned i = 1; i < VOLUMES; i++)
        changed |= volumes[i].type && volumes[i].type->changed && volumes[i].type->changed(&volumes[i]);
    return changed;
}
