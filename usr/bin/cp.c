/* SPDX-License-Identifier: MIT */
/*
 * cp: copy files, with -r folders too. Bytes move in blocks, from the disk to this program and from here to the disk,
 * without a copy. A block that is lost with a service or a driver that ends is read again, and written again at its
 * place.
 */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/string.h"
#include "os2/time.h"
#include "os2/tool.h"

#define BLOCK_ORDER 6u /* 256 KiB */
#define TRIES 100u
#define PAUSE_MS 50u
#define DEPTH 16u

static char paths[DEPTH][2][OS2_FILES_PATH]; /* from and to, at each depth of folders */

/* One block from `from` to the same place of `to`. 1, 0 at the end, or a status. */
static int copy_block(struct os2_file *from, struct os2_file *to) {
    uint64_t offset = from->offset;
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < TRIES; tries++) {
        struct os2_stream_block block;
        if (tries)
            os2_sleep_ms(PAUSE_MS);
        from->offset = to->offset = offset;
        status = os2_file_read_block(from, BLOCK_ORDER, &block);
        if (status == 0)
            return 0;
        if (status > 0)
            status = os2_file_write_block(to, &block);
    }
    return status < 0 ? status : 1;
}

/* Is it one file under two names? Names may differ in case, and the file be the same. */
static bool same_file(const char *from, const char *to) {
    struct os2_file_facts one, other;
    return os2_file_stat(from, &one) >= 0 && os2_file_stat(to, &other) >= 0 && one.number == other.number;
}

static int copy_file(const char *from, const char *to) {
    static struct os2_file source, target;
    int status;

    if (same_file(from, to)) {
        os2_error("%s: to itself", from);
        return 1;
    }
    status = os2_file_open(&source, from, OS2_OPEN_READ);
    if (status < 0)
        return os2_tool_failed(from, status);
    status = os2_file_open(&target, to, OS2_OPEN_WRITE | OS2_OPEN_CREATE | OS2_OPEN_TRUNCATE);
    if (status < 0) {
        os2_file_close(&source);
        return os2_tool_failed(to, status);
    }
    while ((status = copy_block(&source, &target)) > 0) {
    }
    os2_file_close(&source);
    os2_file_close(&target);
    return status < 0 ? os2_tool_failed(to, status) : 0;
}

static int copy(const char *from, const char *to, bool folders, unsigned depth);

static int copy_folder(const char *from, const char *to, unsigned depth) {
    static struct os2_folder open[DEPTH];
    struct os2_folder *folder = &open[depth];
    const struct os2_files_entry *entry;
    int status, failed = 0;

    if (depth + 1 == DEPTH) {
        os2_error("%s: folders too deep within folders", from);
        return 1;
    }
    status = os2_file_mkdir(to);
    if (status < 0 && status != OS2_FILE_E_EXISTS)
        return os2_tool_failed(to, status);
    status = os2_folder_open(folder, from);
    while (status >= 0 && (status = os2_folder_next(folder, &entry)) > 0) {
        char *source = paths[depth + 1][0], *target = paths[depth + 1][1];
        if (!os2_tool_join(source, OS2_FILES_PATH, from, entry->name) ||
            !os2_tool_join(target, OS2_FILES_PATH, to, entry->name))
            failed = os2_tool_failed(entry->name, OS2_FILE_E_NAME);
        else
            failed |= copy(source, target, true, depth + 1);
    }
    os2_folder_close(folder);
    return status < 0 ? os2_tool_failed(from, status) : failed;
}

static int copy(const char *from, const char *to, bool folders, unsigned depth) {
    struct os2_file_facts facts;
    int status = os2_file_stat(from, &facts);

    if (status < 0)
        return os2_tool_failed(from, status);
    if (!(facts.kind & OS2_FILE_FOLDER))
        return copy_file(from, to);
    if (folders)
        return copy_folder(from, to, depth);
    os2_error("%s: is a folder; -r copies folders", from);
    return 1;
}

/* Would the folder be copied into itself, without end? It is then one of those on the way to the path. */
static bool is_within(const char *folder, const char *path) {
    struct os2_file_facts facts, above;
    char absolute[OS2_FILES_PATH];

    if (os2_file_stat(folder, &facts) < 0 || os2_path_absolute(path, absolute) < 0)
        return false;
    for (size_t length = strlen(absolute); length > 1; length--) {
        if (absolute[length] && absolute[length] != '/')
            continue;
        absolute[length] = 0;
        if (os2_file_stat(absolute, &above) >= 0 && above.number == facts.number)
            return true;
    }
    return false;
}

int main(int argc, char **argv) {
    struct os2_file_facts facts;
    unsigned recursive;
    int first = os2_tool_options(argc, argv, "r", &recursive, NULL), failed = 0;
    const char *to = argv[argc - 1];
    bool into;

    if (first < 0 || argc - first < 2)
        return os2_tool_usage("[-r] FROM... TO");
    into = os2_file_stat(to, &facts) >= 0 && facts.kind & OS2_FILE_FOLDER;
    if (argc - first > 2 && !into)
        return os2_tool_failed(to, OS2_FILE_E_NO_FOLDER);
    for (int i = first; i < argc - 1; i++) {
        char *target = paths[0][1];
        if (into ? !os2_tool_join(target, OS2_FILES_PATH, to, os2_tool_name(argv[i]))
                 : !os2_string_copy(target, OS2_FILES_PATH, to)) {
            failed = os2_tool_failed(argv[i], OS2_FILE_E_NAME);
        } else if (recursive && is_within(argv[i], target)) {
            os2_error("%s: into itself", argv[i]);
            failed = 1;
        } else {
            failed |= copy(argv[i], target, recursive, 0);
        }
    }
    return failed;
}
