/* SPDX-License-Identifier: MIT */
/* The file service's clients (os2/files.h). */
#include "os2/files.h"

#include "os2/call.h"
#include "os2/string.h"

int os2_files_open(unsigned files, const char *path, uint64_t *ret_file, uint64_t *ret_size) {
    struct os2_message m = {.label = OS2_FILES_OPEN};
    size_t length = strlen(path);
    int status;

    if (length > OS2_FILES_PATH)
        return OS2_E_INVALID;
    memcpy(m.w, path, length);
    status = os2_request(files, 0, &m);
    if (status >= 0) {
        *ret_file = m.label;
        *ret_size = m.w[0];
    }
    return status;
}

int os2_files_list(unsigned files, uint64_t file, char ret_path[OS2_FILES_PATH + 1], uint64_t *ret_size) {
    struct os2_message m = {.label = OS2_FILES_LIST, .w = {file}};
    int status = os2_request(files, 0, &m);
    if (status >= 0) {
        memcpy(ret_path, m.w, OS2_FILES_PATH);
        ret_path[OS2_FILES_PATH] = 0;
        *ret_size = m.label;
    }
    return status;
}

int os2_files_read(unsigned files, uint64_t file, uint64_t offset, unsigned order, void **ret_block,
                   uint64_t *ret_size) {
    struct os2_message m = {.label = OS2_FILES_READ, .w = {file, offset, order}};
    int status = os2_request(files, OS2_ACCEPT(order), &m);
    if (status < 0)
        return status;
    if (!(m.control & OS2_I_BLOCK))
        return OS2_E_INVALID;
    *ret_block = os2_message_block(&m);
    *ret_size = m.label;
    return OS2_OK;
}

int os2_files_load(unsigned files, const char *path, void **ret_block, uint64_t *ret_size) {
    uint64_t file, size;
    unsigned order = 0;
    int status = os2_files_open(files, path, &file, &size);

    if (status < 0)
        return status;
    while (order < OS2_FILES_ORDER && OS2_PAGE_SIZE << order < size)
        order++;
    return os2_files_read(files, file, 0, order, ret_block, ret_size);
}
