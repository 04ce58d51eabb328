/* SPDX-License-Identifier: MIT */
/*
 * Open files (os2/file.h). A file is known here by its path, so that it can be opened again when the service has ended;
 * where reading or writing goes on is this side's affair, so nothing is lost with the service's handle.
 *
 * Writing copies what it is given into blocks, which move to the service and from there to the device. So the bytes are
 * still here when a request fails half way, and can be written again, at the same place, with the same result.
 */
#include "os2/file.h"

#include "os2/call.h"
#include "os2/spawn.h"
#include "os2/string.h"
#include "usr/lib/file_session.h"

#define FILE_WRITE_ORDER 4u /* 64 KiB at a time */
#define FILE_OPEN_AGAIN (OS2_OPEN_READ | OS2_OPEN_WRITE | OS2_OPEN_FOLDER)

static int file_reopen(struct os2_file *file, unsigned flags, bool again) {
    struct os2_message m = {.w = {flags}};
    int status = os2_file_ask(OS2_FILES_OPEN, file->path, NULL, again, &m, NULL);

    if (status < 0)
        return status;
    if (!(m.control & OS2_I_HANDLE))
        return OS2_E_INVALID;
    file->handle = (unsigned)m.w[2];
    file->size = m.w[0];
    file->kind = (unsigned)m.w[1];
    return OS2_OK;
}

int os2_file_open(struct os2_file *file, const char *path, unsigned flags) {
    int status;

    file->handle = 0;
    status = os2_path_absolute(path, file->path);
    if (status < 0)
        return status;
    file->offset = 0;
    file->flags = flags & FILE_OPEN_AGAIN;
    /* To make a file that must not be there yet, a second time: it would be there. */
    return file_reopen(file, flags, !(flags & OS2_OPEN_EXCLUSIVE));
}

void os2_file_close(struct os2_file *file) {
    struct os2_message m = {.label = OS2_FILES_CLOSE};

    if (!file->handle)
        return;
    os2_request(file->handle, 0, &m);
    os2_handle_close(file->handle);
    file->handle = 0;
}

/* A request to the open file. Where its handle is worth nothing any more, it is opened again by the next one. A
 * driver's end is OS2_E_DIED too, but the handle is still good then. */
static int file_request(struct os2_file *file, uint64_t flags, struct os2_message *m) {
    int status = file->handle ? OS2_OK : file_reopen(file, file->flags, false);

    if (status < 0)
        return status;
    status = os2_request(file->handle, flags, m);
    if (status >= 0 && (int64_t)m->label < 0)
        status = (int)(int64_t)m->label;
    if (status == OS2_E_HANDLE || (status == OS2_E_DIED && os2_watch(file->handle, 0) == OS2_E_DIED)) {
        os2_handle_close(file->handle);
        file->handle = 0;
        status = OS2_E_DIED;
    }
    return status;
}

/* The same, made again as long as that may help. */
static int file_ask(struct os2_file *file, uint64_t flags, struct os2_message *m) {
    const struct os2_message asked = *m;
    unsigned tries = 0;
    int status;

    do {
        *m = asked;
        status = file_request(file, flags, m);
    } while (status == OS2_E_DIED && os2_file_try_again(&tries));
    return status;
}

/* Asks once for at most so many bytes at file->offset, into *block, which may be null afterwards. */
static int read_once(struct os2_file *file, uint64_t most, void **block, unsigned order, struct os2_message *m) {
    uint64_t flags = OS2_ACCEPT(order) | (*block ? OS2_F_BLOCK : 0);
    int status;

    *m = (struct os2_message){.control = UINT64_MAX, /* a failure, as long as nothing was asked */
                              .label = OS2_FILES_READ,
                              .w = {file->offset, most, 0, (uintptr_t)*block}};
    status = file_request(file, flags, m);
    if ((int64_t)m->control >= 0)
        *block = m->control & OS2_I_BLOCK ? os2_message_block(m) : NULL;
    else if (*block && !os2_block_owned(*block))
        *block = NULL;
    return status;
}

static int read_most(struct os2_file *file, uint64_t most, struct os2_stream_block *block) {
    void *memory = block->bytes;
    struct os2_message m;
    unsigned tries = 0;
    int status;

    do {
        status = read_once(file, most, &memory, block->order, &m);
    } while (status == OS2_E_DIED && os2_file_try_again(&tries));
    block->bytes = memory;
    block->used = 0;
    if (status < 0)
        return status;
    if (m.control & OS2_I_BLOCK)
        block->order = os2_message_order(&m);
    block->used = m.label;
    file->offset += m.label;
    return block->used > 0;
}

int os2_file_read_into(struct os2_file *file, struct os2_stream_block *block) {
    return read_most(file, OS2_PAGE_SIZE << block->order, block);
}

int os2_file_read_block(struct os2_file *file, unsigned order, struct os2_stream_block *ret_block) {
    struct os2_stream_block block = {.order = order};
    int status = os2_file_read_into(file, &block);

    if (status > 0)
        *ret_block = block;
    return status;
}

int64_t os2_file_read(struct os2_file *file, void *buffer, size_t size) {
    static struct os2_stream_block block; /* kept from one read to the next */
    unsigned order = os2_order_for(size, FILE_WRITE_ORDER);
    uint64_t offset = file->offset;
    int status;

    if (block.bytes && block.order != order) {
        os2_block_free(block.bytes);
        block.bytes = NULL;
    }
    block.order = order;
    status = size ? read_most(file, size < OS2_PAGE_SIZE << order ? size : OS2_PAGE_SIZE << order, &block) : 0;
    if (status <= 0)
        return status;
    if (block.used > size)
        block.used = size;
    memcpy(buffer, block.bytes, block.used);
    file->offset = offset + block.used;
    return (int64_t)block.used;
}

/* Writes at file->offset from a block, which is gone afterwards. */
static int file_write_once(struct os2_file *file, void *block, uint64_t size) {
    struct os2_message m = {.label = OS2_FILES_WRITE, .w = {file->offset, size, 0, (uintptr_t)block}};
    int status = file_request(file, OS2_F_BLOCK, &m);

    if (status < 0) {
        if (os2_block_owned(block))
            os2_block_free(block);
        return status;
    }
    file->offset += size;
    file->size = m.w[0];
    return OS2_OK;
}

/* Copies the bytes to a block and writes them. */
static int file_write_part(struct os2_file *file, const void *bytes, uint64_t size) {
    unsigned tries = 0;
    int status;

    do {
        void *block;
        status = os2_block_alloc(os2_order_for(size, FILE_WRITE_ORDER), &block);
        if (status < 0)
            return status;
        memcpy(block, bytes, size);
        status = file_write_once(file, block, size);
    } while (status == OS2_E_DIED && os2_file_try_again(&tries));
    return status;
}

int os2_file_write(struct os2_file *file, const void *bytes, size_t size) {
    const uint64_t most = OS2_PAGE_SIZE << FILE_WRITE_ORDER;
    int status = OS2_OK;

    while (size && status >= 0) {
        /* Up to where a block's end is a block's end of the file, so that the next one begins there. */
        uint64_t part = most - file->offset % most;
        if (part > size)
            part = size;
        status = file_write_part(file, bytes, part);
        bytes = (const char *)bytes + part;
        size -= part;
    }
    return status;
}

int os2_file_write_block(struct os2_file *file, struct os2_stream_block *block) {
    int status = file_write_once(file, block->bytes, block->used);
    block->bytes = NULL;
    return status;
}

int os2_file_truncate(struct os2_file *file, uint64_t size) {
    struct os2_message m = {.label = OS2_FILES_TRUNCATE, .w = {size}};
    int status = file_ask(file, 0, &m);
    if (status >= 0)
        file->size = size;
    return status;
}

int os2_file_sync(struct os2_file *file) {
    struct os2_message m = {.label = OS2_FILES_FLUSH};
    return file_ask(file, 0, &m);
}

static void facts_take(const struct os2_message *m, struct os2_file_facts *ret_facts) {
    *ret_facts =
        (struct os2_file_facts){.size = m->w[0], .kind = (unsigned)m->w[1], .time = m->w[4], .number = m->label};
}

int os2_file_facts(struct os2_file *file, struct os2_file_facts *ret_facts) {
    struct os2_message m = {.label = OS2_FILES_FACTS};
    int status = file_ask(file, 0, &m);
    if (status >= 0)
        facts_take(&m, ret_facts);
    return status;
}

/* Asks about, or for a change of, what a path names. */
static int path_ask(enum os2_files_operation operation, const char *path, bool again, struct os2_message *m) {
    char absolute[OS2_FILES_PATH];
    int status = os2_path_absolute(path, absolute);
    return status < 0 ? status : os2_file_ask(operation, absolute, NULL, again, m, NULL);
}

int os2_file_stat(const char *path, struct os2_file_facts *ret_facts) {
    struct os2_message m = {0};
    int status = path_ask(OS2_FILES_STAT, path, true, &m);
    if (status >= 0)
        facts_take(&m, ret_facts);
    return status;
}

int os2_file_remove(const char *path) {
    return path_ask(OS2_FILES_REMOVE, path, false, &(struct os2_message){0});
}

int os2_file_mkdir(const char *path) {
    return path_ask(OS2_FILES_MKDIR, path, false, &(struct os2_message){0});
}

int os2_file_rename(const char *from, const char *to) {
    char first[OS2_FILES_PATH], second[OS2_FILES_PATH];
    int status = os2_path_absolute(from, first);

    if (status >= 0)
        status = os2_path_absolute(to, second);
    return status < 0 ? status : os2_file_ask(OS2_FILES_RENAME, first, second, false, &(struct os2_message){0}, NULL);
}

int os2_file_space(const char *path, uint64_t *ret_total, uint64_t *ret_free) {
    struct os2_message m = {0};
    int status = path_ask(OS2_FILES_SPACE, path, true, &m);
    if (status >= 0) {
        *ret_total = m.w[0];
        *ret_free = m.w[1];
    }
    return status;
}

int os2_file_sync_all(void) {
    return os2_file_ask(OS2_FILES_SYNC, NULL, NULL, true, &(struct os2_message){0}, NULL);
}

int os2_file_counts(uint64_t ret_counts[4]) {
    struct os2_message m = {0};
    int status = os2_file_ask(OS2_FILES_COUNTS, NULL, NULL, true, &m, NULL);

    for (unsigned i = 0; status >= 0 && i < 4; i++)
        ret_counts[i] = m.w[i < 3 ? i : 4];
    return status;
}

int os2_file_mount(unsigned index, struct os2_mount *ret_mount) {
    struct os2_message m = {.w = {index}};
    const char *text;
    int status = os2_file_ask(OS2_FILES_MOUNT, "/", NULL, true, &m, &text);

    if (status < 0)
        return status;
    os2_string_copy(ret_mount->path, sizeof(ret_mount->path), text);
    text += strlen(text) + 1;
    os2_string_copy(ret_mount->kind, sizeof(ret_mount->kind), text);
    text += strlen(text) + 1;
    os2_string_copy(ret_mount->device, sizeof(ret_mount->device), text);
    ret_mount->read_only = m.w[0] & OS2_MOUNT_READ_ONLY;
    return OS2_OK;
}

/* Reads a file of known size into a block; a file that is shorter meanwhile is no error. */
static int load_block(struct os2_file *file, unsigned order, void **ret_block, uint64_t *ret_size) {
    struct os2_stream_block block;
    uint64_t used = 0;
    char *whole;
    void *made;
    int status;

    if (order <= OS2_FILES_ORDER) {
        status = os2_file_read_block(file, order, &block);
        if (status < 0)
            return status;
        if (status && (block.used == file->size || block.order == order)) {
            *ret_block = block.bytes;
            *ret_size = block.used;
            return OS2_OK;
        }
        if (status)
            os2_block_free(block.bytes);
        file->offset = 0;
    }
    status = os2_block_alloc(order, &made);
    if (status < 0)
        return status;
    whole = made;
    while (used < file->size) {
        int64_t count = os2_file_read(file, whole + used, file->size - used);
        if (count < 0) {
            os2_block_free(made);
            return (int)count;
        }
        if (!count)
            break;
        used += (uint64_t)count;
    }
    *ret_block = made;
    *ret_size = used;
    return OS2_OK;
}

int os2_file_load(const char *path, void **ret_block, uint64_t *ret_size) {
    struct os2_file file;
    unsigned order;
    int status = os2_file_open(&file, path, OS2_OPEN_READ);

    if (status < 0)
        return status;
    order = os2_order_for(file.size, OS2_ORDER_MAX);
    status = OS2_PAGE_SIZE << order < file.size ? OS2_FILE_E_TOO_LARGE : load_block(&file, order, ret_block, ret_size);
    os2_file_close(&file);
    return status;
}

int os2_folder_open(struct os2_folder *folder, const char *path) {
    folder->block = NULL;
    folder->left = 0;
    folder->position = 0;
    return os2_file_open(&folder->file, path, OS2_OPEN_READ | OS2_OPEN_FOLDER);
}

int os2_folder_next(struct os2_folder *folder, const struct os2_files_entry **ret_entry) {
    const struct os2_files_entry *entry;

    if (!folder->left) {
        struct os2_message m = {.label = OS2_FILES_LIST, .w = {folder->position}};
        int status = file_ask(&folder->file, OS2_ACCEPT(0), &m);
        if (status < 0)
            return status;
        if (folder->block)
            os2_block_free(folder->block);
        folder->block = m.control & OS2_I_BLOCK ? os2_message_block(&m) : NULL;
        if (!folder->block || !m.label)
            return 0;
        folder->next = folder->block;
        folder->left = (unsigned)m.label;
        folder->position = m.w[0];
    }
    entry = (const struct os2_files_entry *)folder->next;
    folder->next += entry->size;
    folder->left--;
    *ret_entry = entry;
    return 1;
}

void os2_folder_close(struct os2_folder *folder) {
    if (folder->block)
        os2_block_free(folder->block);
    folder->block = NULL;
    os2_file_close(&folder->file);
}
