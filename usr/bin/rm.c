/* SPDX-License-Identifier: MIT */
/* rm: remove files and empty folders; -r: folders with all that is in them; -f: what is not there is no error. */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/tool.h"

#define RECURSIVE 1u
#define FORCE 2u
#define DEPTH 16u
#define TRIES 10u

static unsigned flags;
static char paths[DEPTH][OS2_FILES_PATH];

static int remove_path(const char *path, unsigned depth);

/* Removes what is in a folder. It is read anew after each removal: its entries move. */
static int empty_folder(const char *path, unsigned depth) {
    static struct os2_folder folder;
    const struct os2_files_entry *entry;
    int status, failed = 0;

    if (depth + 1 == DEPTH) {
        os2_error("%s: folders too deep within folders", path);
        return 1;
    }
    do {
        status = os2_folder_open(&folder, path);
        if (status >= 0)
            status = os2_folder_next(&folder, &entry);
        if (status > 0 && !os2_tool_join(paths[depth + 1], OS2_FILES_PATH, path, entry->name))
            status = OS2_FILE_E_NAME;
        os2_folder_close(&folder);
        if (status > 0)
            failed = remove_path(paths[depth + 1], depth + 1);
    } while (status > 0 && !failed);
    return status < 0 ? os2_tool_failed(path, status) : failed;
}

/* Where the service ended in the middle, the path may be gone or not: then it is to be removed again. */
static int remove_one(const char *path) {
    int status = os2_file_remove(path);

    for (unsigned tries = 0; status == OS2_E_DIED && tries < TRIES; tries++) {
        status = os2_file_remove(path);
        status = status == OS2_FILE_E_NONE ? OS2_OK : status;
    }
    return status;
}

static int remove_path(const char *path, unsigned depth) {
    int status = remove_one(path);

    if (status == OS2_FILE_E_NOT_EMPTY && flags & RECURSIVE) {
        if (empty_folder(path, depth))
            return 1;
        status = remove_one(path);
    }
    if (status >= 0 || (status == OS2_FILE_E_NONE && flags & FORCE))
        return 0;
    return os2_tool_failed(path, status);
}

int main(int argc, char **argv) {
    int first = os2_tool_options(argc, argv, "rf", &flags, NULL), failed = 0;

    if (first < 0 || (first == argc && !(flags & FORCE)))
        return os2_tool_usage("[-rf] PATH...");
    for (int i = first; i < argc; i++)
        failed |= remove_path(argv[i], 0);
    return failed;
}
