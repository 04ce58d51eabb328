/* SPDX-License-Identifier: MIT */
/* What commands see of the shell (shell/session.h). */
#include "shell/session.h"

#include "os2/file.h"
#include "os2/string.h"

struct session session;

void session_list(const char *folder, bool slashes, glob_take_function *take, void *taker) {
    static struct os2_folder open; /* a kilobyte and more, and only one is read at a time */
    const struct os2_files_entry *entry;

    if (os2_folder_open(&open, *folder ? folder : ".") < 0)
        return;
    while (os2_folder_next(&open, &entry) > 0) {
        char name[OS2_FILES_NAME + 1];
        size_t length;
        os2_string_copy(name, OS2_FILES_NAME, entry->name);
        length = strlen(name);
        if (slashes && entry->kind & OS2_FILE_FOLDER)
            memcpy(name + length, "/", 2);
        take(taker, name);
    }
    os2_folder_close(&open);
}

static void folder_list(void *context, const char *folder, glob_take_function *take, void *taker) {
    (void)context;
    session_list(folder, false, take, taker);
}

static bool path_exists(void *context, const char *path) {
    struct os2_file_facts facts;
    size_t length = strlen(path);

    (void)context;
    if (os2_file_stat(path, &facts) < 0)
        return false;
    return !length || path[length - 1] != '/' || facts.kind & OS2_FILE_FOLDER;
}

static const char *variable(void *context, const char *name, size_t length) {
    (void)context;
    return variables_get(&session.variables, name, length);
}

struct expand_values session_values(void) {
    static const struct glob_folders folders = {.list = folder_list, .exists = path_exists};
    return (struct expand_values){.variable = variable,
                                  .status = session.status,
                                  .argc = session.argc,
                                  .argv = (const char *const *)session.argv,
                                  .folders = &folders};
}
