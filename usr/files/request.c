/* SPDX-License-Identifier: MIT */
/* Requests to files and folders, by path or by what is open (files/request.h). */
#include "files/request.h"

#include "os2/file.h"
#include "os2/string.h"

/* Where a path leads: a volume, and the path below it, which is in `text`. */
static int path_volume(const char *path, char text[OS2_FILES_PATH], struct volume **ret_volume, const char **ret_path) {
    size_t used = 0;

    if (path[0] != '/' || !os2_path_add(text, &used, path))
        return OS2_FILE_E_NAME;
    text[used] = 0;
    *ret_volume = volumes_find(text, ret_path);
    return OS2_OK;
}

int request_find(const char *path, struct node *ret_node) {
    char text[OS2_FILES_PATH];
    struct volume *volume;
    const struct node *open;
    const char *below;
    int status = path_volume(path, text, &volume, &below);

    if (status >= 0)
        status = volume->type->find(volume, below, ret_node);
    if (status >= 0 && (open = open_node(ret_node))) {
        *ret_node = *open;
        ret_node->users = 0;
    }
    return status;
}

static bool is_name(const char *path) {
    while (*path && *path != '/')
        path++;
    return !*path;
}

/* Makes what a path names, a file or a folder. */
static int make(const char *path, bool folder, struct node *ret_node) {
    char text[OS2_FILES_PATH];
    struct volume *volume;
    const char *below;
    int status = path_volume(path, text, &volume, &below);

    if (status >= 0 && volume->type == &root_type && !is_name(below))
        return OS2_FILE_E_NONE; /* the folder that it is to be in */
    if (status >= 0 && (volume->read_only || !volume->type->create))
        status = OS2_FILE_E_READ_ONLY;
    return status < 0 ? status : volume->type->create(volume, below, folder, ret_node);
}

/* May what was found be opened so? */
static int open_check(const struct node *node, unsigned flags) {
    bool folder = node->kind & OS2_FILE_FOLDER;

    if ((flags & OS2_OPEN_CREATE) && (flags & OS2_OPEN_EXCLUSIVE))
        return OS2_FILE_E_EXISTS;
    if ((flags & OS2_OPEN_FOLDER) && !folder)
        return OS2_FILE_E_NO_FOLDER;
    if (flags & OS2_OPEN_WRITE && folder)
        return OS2_FILE_E_FOLDER;
    return flags & OS2_OPEN_WRITE && node->kind & OS2_FILE_READ_ONLY ? OS2_FILE_E_READ_ONLY : OS2_OK;
}

int request_open(struct client *client, const char *path, unsigned flags, struct node *ret_node, unsigned *ret_handle) {
    struct open *open;
    int status;

    if (flags & (OS2_OPEN_CREATE | OS2_OPEN_TRUNCATE) && !(flags & OS2_OPEN_WRITE))
        return OS2_E_INVALID;
    status = request_find(path, ret_node);
    if (status >= 0)
        status = open_check(ret_node, flags);
    else if (status == OS2_FILE_E_NONE && flags & OS2_OPEN_CREATE)
        status = make(path, false, ret_node);
    if (status >= 0)
        status = open_add(client, ret_node, flags & (OS2_OPEN_READ | OS2_OPEN_WRITE), &open, ret_handle);
    if (status < 0 || !(flags & OS2_OPEN_TRUNCATE) || !ret_node->size)
        return status;
    status = open->node->volume->type->resize(open->node->volume, open->node, 0);
    ret_node->size = open->node->size;
    if (status < 0)
        open_close(open);
    return status;
}

int request_remove(const char *path) {
    struct node node;
    int status = request_find(path, &node);

    if (status < 0)
        return status;
    if (node.volume->read_only || !node.volume->type->remove)
        return OS2_FILE_E_READ_ONLY;
    if (open_node(&node))
        return OS2_FILE_E_IN_USE;
    return node.volume->type->remove(node.volume, &node);
}

/* Is one the path of a folder that has the other? */
static bool path_within(const char *folder, const char *path) {
    size_t length = strlen(folder);
    return strncmp(folder, path, length) == 0 && path[length] == '/';
}

int request_rename(const char *from, const char *to) {
    char first[OS2_FILES_PATH], second[OS2_FILES_PATH];
    struct node node, other;
    struct node *open;
    struct volume *volume, *target;
    const char *below, *name;
    bool same;
    int found, status = path_volume(from, first, &volume, &below);

    if (status >= 0)
        status = path_volume(to, second, &target, &name);
    if (status >= 0)
        status = request_find(first[0] ? first : "/", &node);
    if (status < 0)
        return status;
    if (target != volume)
        return OS2_FILE_E_OTHER_DISK;
    if (volume->read_only || !volume->type->rename)
        return OS2_FILE_E_READ_ONLY;
    if (path_within(first, second))
        return OS2_E_INVALID;
    found = volume->type->find(volume, name, &other);
    if (found < 0 && found != OS2_FILE_E_NONE)
        return found;
    same = found >= 0 && volume->type->same(&node, &other); /* another way to write its own name */
    if (found >= 0 && !same) {
        if (open_node(&other))
            return OS2_FILE_E_IN_USE;
        if (other.kind & OS2_FILE_FOLDER || node.kind & OS2_FILE_FOLDER)
            return OS2_FILE_E_EXISTS;
    }
    open = open_node(&node);
    return volume->type->rename(volume, open ? open : &node, name, found >= 0 && !same ? &other : NULL);
}

int request_mkdir(const char *path) {
    struct node made;
    int status = request_find(path, &made);

    if (status >= 0)
        return OS2_FILE_E_EXISTS;
    return status == OS2_FILE_E_NONE ? make(path, true, &made) : status;
}

int request_list(struct open *open, uint64_t *position, char *page, uint64_t *ret_count) {
    struct node *node = open->node;
    uint64_t count = 0;
    size_t used = 0;
    int status = node->kind & OS2_FILE_FOLDER ? OS2_OK : OS2_FILE_E_NO_FOLDER;

    while (status >= 0) {
        struct os2_files_entry *to = (struct os2_files_entry *)(page + used);
        struct entry entry;
        uint64_t next = *position;
        size_t size;

        status = node->volume->type->list(node->volume, node, &next, &entry);
        if (status <= 0)
            break;
        size = (sizeof(*to) + strlen(entry.name) + 1 + 7) & ~(size_t)7;
        if (size > OS2_PAGE_SIZE - used)
            break;
        *to = (struct os2_files_entry){
            .bytes = entry.size, .time = entry.time, .kind = entry.kind, .size = (uint32_t)size};
        memcpy(to->name, entry.name, strlen(entry.name) + 1);
        used += size;
        count++;
        *position = next;
    }
    *ret_count = count;
    return count ? OS2_OK : status;
}

int request_read(struct open *open, uint64_t offset, uint64_t bytes, struct piece *piece) {
    struct node *node = open->node;

    if (!(open->flags & OS2_OPEN_READ))
        return OS2_E_RIGHTS;
    if (node->kind & OS2_FILE_FOLDER)
        return OS2_FILE_E_FOLDER;
    if (offset >= node->size || !bytes)
        return OS2_OK;
    if (bytes > node->size - offset)
        bytes = node->size - offset;
    return node->volume->type->read(node->volume, node, offset, bytes, piece);
}

int request_write(struct open *open, uint64_t offset, struct piece *piece) {
    struct node *node = open->node;

    if (!(open->flags & OS2_OPEN_WRITE))
        return OS2_E_RIGHTS;
    if (!piece->bytes)
        return OS2_OK;
    return node->volume->type->write(node->volume, node, offset == OS2_WRITE_APPEND ? node->size : offset, piece);
}

int request_truncate(struct open *open, uint64_t size) {
    if (!(open->flags & OS2_OPEN_WRITE))
        return OS2_E_RIGHTS;
    return size == open->node->size ? OS2_OK : open->node->volume->type->resize(open->node->volume, open->node, size);
}
