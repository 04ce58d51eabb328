/* SPDX-License-Identifier: MIT */
/*
 * find: folders and all paths in them, and in the folders in these; -n TEXT: only those whose name has the text.
 *
 * A folder's names are read to the end before the next one is opened: the list of folders that are still to be read is
 * on the heap.
 */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/heap.h"
#include "os2/string.h"
#include "os2/tool.h"

struct path {
    struct path *next;
    char text[];
};

static struct path *waiting;
static const char *wanted;

static bool path_push(const char *text) {
    size_t size = strlen(text) + 1;
    struct path *path = os2_heap_alloc(sizeof(*path) + size);

    if (!path)
        return false;
    memcpy(path->text, text, size);
    path->next = waiting;
    waiting = path;
    return true;
}

static bool has_text(const char *name) {
    for (; wanted && *name; name++)
        if (strncmp(name, wanted, strlen(wanted)) == 0)
            return true;
    return !wanted;
}

static int find_in(const char *folder_path) {
    static struct os2_folder folder;
    static char path[OS2_FILES_PATH];
    const struct os2_files_entry *entry;
    int status = os2_folder_open(&folder, folder_path);

    while (status >= 0 && (status = os2_folder_next(&folder, &entry)) > 0) {
        if (!os2_tool_join(path, sizeof(path), folder_path, entry->name))
            status = OS2_FILE_E_NAME;
        else if (entry->kind & OS2_FILE_FOLDER && !path_push(path))
            status = OS2_E_MEMORY;
        if (status >= 0 && has_text(entry->name))
            os2_printf("%s\n", path);
    }
    os2_folder_close(&folder);
    return status < 0 ? os2_tool_failed(folder_path, status) : 0;
}

int main(int argc, char **argv) {
    unsigned flags;
    int first = os2_tool_options(argc, argv, "n:", &flags, &wanted), failed = 0;

    if (first < 0)
        return os2_tool_usage("[-n TEXT] [FOLDER...]");
    for (int i = first; i < argc || (i == first && first == argc); i++) {
        const char *start = i < argc ? argv[i] : ".";
        struct os2_file_facts facts;
        int status = os2_file_stat(start, &facts);

        if (status >= 0 && facts.kind & OS2_FILE_FOLDER && !path_push(start))
            status = OS2_E_MEMORY;
        if (status < 0)
            failed = os2_tool_failed(start, status);
        else if (has_text(os2_tool_name(start)))
            os2_printf("%s\n", start);
        while (waiting) {
            struct path *path = waiting;
            waiting = path->next;
            failed |= find_in(path->text);
            os2_heap_free(path);
        }
    }
    return failed;
}
