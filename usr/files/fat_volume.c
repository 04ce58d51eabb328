/* SPDX-License-Identifier: MIT */
/*
 * Volumes on disks: the files' bytes between disks and the blocks of readers and writers. The FAT itself is in
 * usr/fat/; which sectors a file's bytes are in is all that is asked of it here.
 *
 * A read of whole sectors goes from the device into the block that the reader gets; a write of whole sectors goes from
 * the writer's block to the device. Nobody copies them between. Bytes that begin within a sector are copied once, and
 * so are pages that are in the cache.
 *
 * The disk has what a writer was answered for: bytes first, then the table, then the entry with the size. So when this
 * service ends, at any moment, the next one finds all of it.
 */
#include "files/fat_volume.h"
#include "files/cache.h"
#include "files/disk.h"
#include "files/volume.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/string.h"

#define FAT_MOST UINT64_C(0xffffffff) /* bytes of a file */

/* Blocks of at most this order; less where memory is short, when the cache has given way. */
static int memory_get(unsigned order, void **ret_block, unsigned *ret_order) {
    int status;

    while ((status = os2_block_alloc(order, ret_block)) < 0) {
        if (cache_give_way())
            continue;
        if (order == 0)
            return status;
        order--;
    }
    *ret_order = order;
    return OS2_OK;
}

static uint64_t sectors_of(uint64_t bytes) {
    return (bytes + FAT_SECTOR - 1) / FAT_SECTOR;
}

static void cache_forget(struct volume *volume, const struct node *node, uint64_t offset, uint64_t end) {
    const struct cache_key key = {.volume = volume, .file = node->fat.first, .page = offset / OS2_PAGE_SIZE};

    if (node->fat.first && end > offset)
        cache_drop(&key, (end - 1) / OS2_PAGE_SIZE);
}

/* What the node says for all kinds of volumes. */
static void node_take(struct node *node) {
    node->size = node->fat.size;
    node->time = node->fat.time;
    node->kind = node->fat.kind | (node->volume->read_only ? OS2_FILE_READ_ONLY : 0);
}

/* ---- Names. ---- */

/* The folder that holds the path's last name, and that name. */
static int find_parent(struct volume *volume, const char *path, struct fat_node *ret_folder, const char **ret_name) {
    int status = OS2_OK;

    fat_root(&volume->fat, ret_folder);
    for (;;) {
        size_t length = 0;
        while (path[length] && path[length] != '/')
            length++;
        if (!path[length])
            break;
        status = fat_find(&volume->fat, ret_folder, path, length, ret_folder);
        if (status >= 0 && !(ret_folder->kind & OS2_FILE_FOLDER))
            status = OS2_FILE_E_NO_FOLDER;
        if (status < 0)
            return status;
        path += length + 1;
    }
    *ret_name = path;
    return OS2_OK;
}

static int volume_find(struct volume *volume, const char *path, struct node *ret_node) {
    struct node found = {.volume = volume};
    struct fat_node folder;
    const char *name;
    int status = find_parent(volume, path, &folder, &name);

    found.fat = folder;
    if (status >= 0 && *name)
        status = fat_find(&volume->fat, &folder, name, strlen(name), &found.fat);
    if (status < 0)
        return status;
    node_take(&found);
    *ret_node = found;
    return OS2_OK;
}

static bool volume_same(const struct node *a, const struct node *b) {
    return a->fat.entry_sector == b->fat.entry_sector && a->fat.entry_index == b->fat.entry_index;
}

/* Where its entry is; the root has none. */
static uint64_t volume_number(const struct node *node) {
    return (uint64_t)node->fat.entry_sector << 4 | node->fat.entry_index;
}

static int volume_list(struct volume *volume, struct node *folder, uint64_t *position, struct entry *ret_entry) {
    struct fat_node node;
    int status = fat_list(&volume->fat, &folder->fat, position, &node, ret_entry->name);

    if (status > 0) {
        ret_entry->size = node.size;
        ret_entry->time = node.time;
        ret_entry->kind = node.kind;
    }
    return status;
}

static int volume_create(struct volume *volume, const char *path, bool folder, struct node *ret_node) {
    struct node made = {.volume = volume};
    struct fat_node parent;
    const char *name;
    int status = find_parent(volume, path, &parent, &name);

    volume->fat.now = fat_volume_now();
    if (status >= 0)
        status = *name ? fat_create(&volume->fat, &parent, name, strlen(name), folder, &made.fat) : OS2_FILE_E_EXISTS;
    if (status < 0)
        return status;
    node_take(&made);
    *ret_node = made;
    return OS2_OK;
}

static int volume_remove(struct volume *volume, struct node *node) {
    if (!node->fat.entry_sector)
        return OS2_FILE_E_ROOT;
    volume->fat.now = fat_volume_now();
    cache_forget(volume, node, 0, FAT_MOST);
    return fat_remove(&volume->fat, &node->fat);
}

static int volume_rename(struct volume *volume, struct node *node, const char *path, const struct node *replaced) {
    struct fat_node parent;
    const char *name;
    int status = find_parent(volume, path, &parent, &name);

    if (status < 0)
        return status;
    if (!*name || !node->fat.entry_sector)
        return OS2_FILE_E_ROOT;
    volume->fat.now = fat_volume_now();
    if (replaced)
        cache_forget(volume, replaced, 0, FAT_MOST);
    return fat_rename(&volume->fat, &node->fat, &parent, name, strlen(name), replaced ? &replaced->fat : NULL);
}

/* disk_read() or disk_write(). */
typedef int disk_function(struct disk *disk, uint64_t sector, uint64_t count, void **block, unsigned order,
                          uint64_t at);

/* Moves the sectors that hold [offset, offset + bytes), offset being a sector's start, to or from the block's start. */
static int move_sectors(disk_function *move, struct volume *volume, struct node *node, uint64_t offset, uint64_t bytes,
                        struct piece *piece) {
    uint64_t done = 0;

    while (done < bytes) {
        uint64_t sector, run;
        unsigned within;
        int status = fat_map(&volume->fat, &node->fat, offset + done, bytes - done, &sector, &within, &run);

        if (status >= 0)
            status = move(volume->disk, sector, sectors_of(run), &piece->block, piece->order, done);
        if (status < 0)
            return status;
        done += run;
    }
    return OS2_OK;
}

/* ---- Reading. ---- */

/* Reads sectors into piece->block, or a fresh one, in one attempt. */
static int read_once(struct volume *volume, struct node *node, uint64_t offset, struct piece *piece) {
    bool fresh = !piece->block;
    int status = fresh ? memory_get(piece->order, &piece->block, &piece->order) : OS2_OK;

    if (status < 0)
        return status;
    if (piece->bytes > OS2_PAGE_SIZE << piece->order)
        piece->bytes = OS2_PAGE_SIZE << piece->order;
    status = move_sectors(disk_read, volume, node, offset, piece->bytes, piece);
    if (status >= 0)
        counts.reads += (piece->bytes + OS2_PAGE_SIZE - 1) / OS2_PAGE_SIZE;
    if (status < 0 && fresh && piece->block) {
        os2_block_free(piece->block);
        piece->block = NULL;
    }
    return status;
}

/* Reads whole sectors, piece->bytes at the most, into piece->block, or a fresh one of at most piece->order. Sets what
 * it has. What is behind the file's end in the last sector is cleared. */
static int read_whole(struct volume *volume, struct node *node, uint64_t offset, struct piece *piece) {
    const struct piece asked = *piece;
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < DISK_TRIES; tries++) {
        *piece = (struct piece){.block = piece->block, .order = asked.order, .bytes = asked.bytes};
        status = read_once(volume, node, offset, piece);
    }
    if (status < 0)
        return status == OS2_E_DIED ? OS2_FILE_E_DEVICE : status;
    if (piece->bytes % FAT_SECTOR)
        memset((char *)piece->block + piece->bytes, 0, FAT_SECTOR - piece->bytes % FAT_SECTOR);
    return OS2_OK;
}

/* Copies a part of a page into piece->block, or a fresh one. */
static int read_copy(const void *page, uint64_t within, uint64_t bytes, struct piece *piece) {
    int status = piece->block ? OS2_OK : os2_block_alloc(0, &piece->block); /* not memory_get: the page is to stay */

    if (status < 0)
        return status;
    memcpy(piece->block, (const char *)page + within, bytes);
    counts.copied += bytes;
    piece->bytes = bytes;
    return OS2_OK;
}

/* A page that has been asked for before, or of which only a part is wanted, comes to the cache. */
static int read_to_cache(struct volume *volume, struct node *node, uint64_t offset, uint64_t bytes,
                         const struct cache_key *key, struct piece *piece) {
    const uint64_t within = offset % OS2_PAGE_SIZE, left = node->size - (offset - within);
    struct piece page = {.bytes = left < OS2_PAGE_SIZE ? left : OS2_PAGE_SIZE};
    int status = read_whole(volume, node, offset - within, &page);

    if (status < 0)
        return status;
    status = read_copy(page.block, within, bytes, piece);
    if (status < 0)
        os2_block_free(page.block);
    else
        cache_put(key, page.block);
    return status;
}

/* Reads within one page. */
static int read_page(struct volume *volume, struct node *node, uint64_t offset, uint64_t bytes, struct piece *piece) {
    const struct cache_key key = {.volume = volume, .file = node->fat.first, .page = offset / OS2_PAGE_SIZE};
    bool again = false;
    const void *page = cache_find(&key, &again);

    if (page) {
        counts.hits++;
        return read_copy(page, offset % OS2_PAGE_SIZE, bytes, piece);
    }
    if (again || offset % OS2_PAGE_SIZE)
        return read_to_cache(volume, node, offset, bytes, &key, piece);
    piece->bytes = bytes;
    return read_whole(volume, node, offset, piece);
}

static int volume_read(struct volume *volume, struct node *node, uint64_t offset, uint64_t bytes, struct piece *piece) {
    const uint64_t lead = offset % FAT_SECTOR;
    int status;

    if (offset / OS2_PAGE_SIZE == (offset + bytes - 1) / OS2_PAGE_SIZE)
        return read_page(volume, node, offset, bytes, piece);
    piece->bytes = bytes + lead;
    if (!piece->block)
        piece->order = os2_order_for(piece->bytes, piece->order);
    status = read_whole(volume, node, offset - lead, piece);
    if (status >= 0 && lead) {
        piece->bytes -= lead;
        memmove(piece->block, (char *)piece->block + lead, piece->bytes);
        counts.copied += piece->bytes;
    }
    return status;
}

/* ---- Writing. ---- */

/* Puts what the file has in the sector at `offset` to `to`; what is behind its end is 0. */
static int read_edge(struct volume *volume, struct node *node, uint64_t offset, void *to) {
    uint64_t left = offset < node->fat.size ? node->fat.size - offset : 0;
    struct piece piece = {.bytes = left < FAT_SECTOR ? left : FAT_SECTOR};
    int status;

    memset(to, 0, FAT_SECTOR);
    if (!left)
        return OS2_OK;
    status = read_whole(volume, node, offset, &piece);
    if (status >= 0) {
        memcpy(to, piece.block, piece.bytes);
        os2_block_free(piece.block);
    }
    return status;
}

/* Writes bytes that begin or end within a sector that has others: through a block that has both. */
static int write_edges(struct volume *volume, struct node *node, uint64_t offset, const char *bytes, uint64_t size) {
    const uint64_t lead = offset % FAT_SECTOR, start = offset - lead, whole = sectors_of(lead + size) * FAT_SECTOR;
    struct piece piece = {.order = os2_order_for(whole, OS2_FILES_ORDER + 1)};
    int status = memory_get(piece.order, &piece.block, &piece.order);

    if (status >= 0 && OS2_PAGE_SIZE << piece.order < whole) {
        os2_block_free(piece.block);
        status = OS2_E_MEMORY;
    }
    if (status < 0)
        return status;
    status = read_edge(volume, node, start, piece.block);
    if (status >= 0 && whole > FAT_SECTOR)
        status = read_edge(volume, node, start + whole - FAT_SECTOR, (char *)piece.block + whole - FAT_SECTOR);
    if (status >= 0) {
        memcpy((char *)piece.block + lead, bytes, size);
        status = move_sectors(disk_write, volume, node, start, whole, &piece);
    }
    if (piece.block)
        os2_block_free(piece.block);
    return status;
}

/* Writes within the clusters that there are. */
static int write_bytes(struct volume *volume, struct node *node, uint64_t offset, struct piece *piece) {
    const uint64_t end = offset + piece->bytes, rest = end % FAT_SECTOR;

    if (offset % FAT_SECTOR || (rest && end < node->fat.size))
        return write_edges(volume, node, offset, piece->block, piece->bytes);
    if (rest) /* what is behind the end of the file on the disk says nothing of the writer */
        memset((char *)piece->block + piece->bytes, 0, FAT_SECTOR - rest);
    return move_sectors(disk_write, volume, node, offset, piece->bytes, piece);
}

/* Makes the file longer, with zeros. */
static int write_zeros(struct volume *volume, struct node *node, uint64_t size) {
    struct piece zeros = {0};
    int status = fat_reserve(&volume->fat, &node->fat, size);

    for (uint64_t at = node->fat.size; status >= 0 && at < size; at += zeros.bytes) {
        if (!zeros.block)
            status = memory_get(os2_order_for(size - at, 4), &zeros.block, &zeros.order);
        if (status < 0)
            break;
        zeros.bytes = OS2_PAGE_SIZE << zeros.order;
        if (at % FAT_SECTOR)
            zeros.bytes = FAT_SECTOR - at % FAT_SECTOR;
        if (zeros.bytes > size - at)
            zeros.bytes = size - at;
        status = write_bytes(volume, node, at, &zeros);
        if (status == OS2_E_DIED && !zeros.block) { /* a driver took it along; zeros are to be had again */
            status = OS2_OK;
            zeros.bytes = 0;
        }
    }
    if (zeros.block)
        os2_block_free(zeros.block);
    if (status >= 0)
        status = fat_commit(&volume->fat, &node->fat, size);
    else
        fat_cancel(&volume->fat, &node->fat);
    return status;
}

static int volume_resize(struct volume *volume, struct node *node, uint64_t size) {
    int status;

    if (size > FAT_MOST)
        return OS2_FILE_E_TOO_LARGE;
    volume->fat.now = fat_volume_now();
    cache_forget(volume, node, size < node->size ? size : node->size, FAT_MOST);
    if (size <= node->fat.size)
        status = fat_shorten(&volume->fat, &node->fat, size);
    else
        status = write_zeros(volume, node, size);
    node_take(node);
    return status;
}

static int volume_write(struct volume *volume, struct node *node, uint64_t offset, struct piece *piece) {
    uint64_t end = offset + piece->bytes;
    int status = OS2_OK;

    if (end < offset || end > FAT_MOST)
        return OS2_FILE_E_TOO_LARGE;
    if (offset > node->fat.size)
        status = volume_resize(volume, node, offset);
    volume->fat.now = fat_volume_now();
    if (status >= 0 && end > node->fat.size)
        status = fat_reserve(&volume->fat, &node->fat, end);
    if (status >= 0)
        status = write_bytes(volume, node, offset, piece);
    cache_forget(volume, node, offset, end);
    if (status >= 0)
        status = fat_commit(&volume->fat, &node->fat, end > node->fat.size ? end : node->fat.size);
    else
        fat_cancel(&volume->fat, &node->fat);
    node_take(node);
    return status;
}

static int volume_space(struct volume *volume, uint64_t *ret_total, uint64_t *ret_free) {
    return fat_space(&volume->fat, ret_total, ret_free);
}

static int volume_sync(struct volume *volume) {
    return fat_sync(&volume->fat);
}

static bool volume_changed(const struct volume *volume) {
    return volume->fat.dirty;
}

const struct volume_type fat_type = {
    .find = volume_find,
    .same = volume_same,
    .number = volume_number,
    .list = volume_list,
    .read = volume_read,
    .space = volume_space,
    .write = volume_write,
    .resize = volume_resize,
    .create = volume_create,
    .remove = volume_remove,
    .rename = volume_rename,
    .sync = volume_sync,
    .changed = volume_changed,
};
