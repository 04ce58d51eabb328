/* SPDX-License-Identifier: MIT */
/*
 * Paths and the working folder (os2/file.h). Both are the program's own affair: the file service sees absolute paths
 * only. A child gets its parent's working folder on its start page.
 */
#include "os2/abi.h"
#include "os2/file.h"
#include "os2/string.h"
#include "usr/lib/start_page.h"

static char path_working[OS2_FILES_PATH];

const char *os2_folder_working(void) {
    const char *given = os2_start_page && os2_start_page->folder ? (const char *)(uintptr_t)os2_start_page->folder : "";

    if (!path_working[0])
        os2_string_copy(path_working, sizeof(path_working), given[0] == '/' ? given : OS2_FOLDER_FIRST);
    return path_working;
}

bool os2_path_add(char to[OS2_FILES_PATH], size_t *used, const char *path) {
    while (*path) {
        size_t length = 0;
        while (path[length] && path[length] != '/')
            length++;
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            while (*used && to[--*used] != '/') {
            }
        } else if (length && !(length == 1 && path[0] == '.')) {
            if (*used + length + 2 > OS2_FILES_PATH)
                return false;
            to[(*used)++] = '/';
            memcpy(to + *used, path, length);
            *used += length;
        }
        path += length + (path[length] == '/');
    }
    return true;
}

int os2_path_absolute(const char *path, char ret_path[OS2_FILES_PATH]) {
    char made[OS2_FILES_PATH];
    size_t used = 0;

    if (!path[0])
        return OS2_FILE_E_NONE;
    if ((path[0] != '/' && !os2_path_add(made, &used, os2_folder_working())) || !os2_path_add(made, &used, path))
        return OS2_FILE_E_NAME;
    if (!used)
        made[used++] = '/';
    made[used] = 0;
    memcpy(ret_path, made, used + 1);
    return OS2_OK;
}

int os2_folder_change(const char *path) {
    char absolute[OS2_FILES_PATH];
    struct os2_file_facts facts;
    int status = os2_path_absolute(path, absolute);

    if (status >= 0)
        status = os2_file_stat(absolute, &facts);
    if (status >= 0 && !(facts.kind & OS2_FILE_FOLDER))
        status = OS2_FILE_E_NO_FOLDER;
    if (status >= 0)
        os2_string_copy(path_working, sizeof(path_working), absolute);
    return status;
}
