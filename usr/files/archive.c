/* SPDX-License-Identifier: MIT */
/*
 * The boot archive as a volume: its regular files, in one folder, read-only.
 *
 * The archive is this process's own copy, a block that init gave it before its start. init keeps the original and gives
 * each new file service a fresh copy, so a crash of this one loses nothing. That costs the archive's size a second time
 * and leaves init free of serving files, which is why it is done so. What is read is copied into a block of the reader:
 * a page of the archive holds pieces of two files.
 */
#include "files/volume.h"
#include "os2/call.h"
#include "os2/string.h"

#define FILES 256u
#define ARCHIVE_ROOT UINT64_MAX

static struct cpio_file files[FILES];
static unsigned file_count;
static uint64_t archive_bytes;

/* Lists the regular files; of two with one name the later one, as an unpacker would leave it. */
void archive_start(const void *archive, size_t size) {
    struct cpio_file file;
    size_t offset = 0;

    archive_bytes = size;
    while (cpio_next(archive, size, &offset, &file)) {
        unsigned place = 0;
        while (place < file_count && strcmp(files[place].name, file.name) != 0)
            place++;
        if (place == FILES)
            break;
        files[place] = file;
        file_count += place == file_count;
    }
    volumes_add("/boot", "archive", "memory", &archive_type);
}

static int archive_find(struct volume *volume, const char *path, struct node *ret_node) {
    *ret_node = (struct node){.volume = volume, .kind = OS2_FILE_READ_ONLY, .archive = ARCHIVE_ROOT};
    if (!path[0]) {
        ret_node->kind |= OS2_FILE_FOLDER;
        return OS2_OK;
    }
    for (unsigned i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, path) == 0) {
            ret_node->archive = i;
            ret_node->size = files[i].size;
            return OS2_OK;
        }
    }
    return OS2_FILE_E_NONE;
}

static bool archive_same(const struct node *a, const struct node *b) {
    return a->archive == b->archive;
}

static uint64_t archive_number(const struct node *node) {
    return node->archive == ARCHIVE_ROOT ? 0 : node->archive + 1;
}

static int archive_list(struct volume *volume, struct node *folder, uint64_t *position, struct entry *ret_entry) {
    const struct cpio_file *file = &files[*position];

    (void)volume;
    (void)folder;
    if (*position >= file_count)
        return 0;
    *ret_entry = (struct entry){.size = file->size, .kind = OS2_FILE_READ_ONLY};
    os2_string_copy(ret_entry->name, sizeof(ret_entry->name), file->name);
    ++*position;
    return 1;
}

static int archive_read(struct volume *volume, struct node *node, uint64_t offset, uint64_t bytes,
                        struct piece *piece) {
    int status = OS2_OK;

    (void)volume;
    while (!piece->block && piece->order && OS2_PAGE_SIZE << (piece->order - 1) >= bytes)
        piece->order--;
    if (!piece->block)
        status = os2_block_alloc(piece->order, &piece->block);
    if (status < 0)
        return status;
    piece->bytes = bytes < OS2_PAGE_SIZE << piece->order ? bytes : OS2_PAGE_SIZE << piece->order;
    memcpy(piece->block, files[node->archive].bytes + offset, piece->bytes);
    counts.copied += piece->bytes;
    return OS2_OK;
}

static int archive_space(struct volume *volume, uint64_t *ret_total, uint64_t *ret_free) {
    (void)volume;
    *ret_total = archive_bytes;
    *ret_free = 0;
    return OS2_OK;
}

const struct volume_type archive_type = {
    .find = archive_find,
    .same = archive_same,
    .number = archive_number,
    .list = archive_list,
    .read = archive_read,
    .space = archive_space,
};
