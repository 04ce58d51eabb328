/* SPDX-License-Identifier: MIT */
/*
 * Reading the manifests (shell/programs.h). Of two programs with one name the later one counts, as it does for files.
 */
#include "shell/programs.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/file.h"
#include "os2/string.h"
#include "shell/terminal.h"

#define PROGRAMS 128u
#define PROGRAMS_FOLDER "/boot"
#define SCRIPT_SUFFIX ".sh"

static struct manifest_program programs[PROGRAMS];
static unsigned program_count;
static char texts[16384]; /* of all manifests */
static size_t texts_used;
static bool programs_known;

/* Enters a program. False: there is no room. */
static bool program_add(const struct manifest_program *program) {
    unsigned place = 0;

    while (place < program_count && strcmp(programs[place].name, program->name) != 0)
        place++;
    if (place == PROGRAMS)
        return false;
    programs[place] = *program;
    program_count += place == program_count;
    return true;
}

static void manifest_read(const char *file, size_t size) {
    struct manifest manifest = {.text = texts + texts_used, .size = size};
    struct manifest_program program;
    enum manifest_result result;
    const char *reason = NULL;

    while ((result = manifest_next(&manifest, &program, &reason)) != MANIFEST_END) {
        if (result == MANIFEST_ERROR) {
            terminal_print("%s:%u: %s; the line is ignored\n", file, manifest.line, reason);
        } else if (!program_add(&program)) {
            terminal_print("%s:%u: too many programs; the rest is ignored\n", file, manifest.line);
            return;
        }
    }
}

/* Reads a file if it is a manifest. */
static int file_read(const char *file) {
    size_t length = strlen(file), suffix = strlen(MANIFEST_SUFFIX);
    char path[OS2_FILES_PATH];
    uint64_t size;
    void *block;
    int status;

    if (length < suffix || strcmp(file + length - suffix, MANIFEST_SUFFIX) != 0)
        return OS2_OK;
    format(path, sizeof(path), PROGRAMS_FOLDER "/%s", file);
    status = os2_file_load(path, &block, &size);
    if (status < 0)
        return status;
    if (size <= sizeof(texts) - texts_used) {
        memcpy(texts + texts_used, block, size);
        manifest_read(file, size);
        texts_used += size;
    } else {
        terminal_print("%s: there is no room for it; it is ignored\n", file);
    }
    os2_block_free(block);
    return OS2_OK;
}

static void programs_read(void) {
    const struct os2_files_entry *entry;
    struct os2_folder folder;
    int status = os2_folder_open(&folder, PROGRAMS_FOLDER);

    program_count = 0;
    texts_used = 0;
    if (status >= 0) {
        while ((status = os2_folder_next(&folder, &entry)) > 0)
            if ((status = file_read(entry->name)) < 0)
                break;
        os2_folder_close(&folder);
    }
    programs_known = status >= 0;
    if (!programs_known) {
        terminal_print("cannot read what programs there are: %s\n", os2_status_text(status));
        program_count = 0;
    }
    terminal_flush();
}

const struct manifest_program *programs_at(unsigned place) {
    if (!programs_known)
        programs_read();
    return place < program_count ? &programs[place] : NULL;
}

const struct manifest_program *programs_find(const char *name) {
    const struct manifest_program *program;

    for (unsigned place = 0; (program = programs_at(place)); place++)
        if (strcmp(program->name, name) == 0)
            return program;
    return NULL;
}

static bool has_slash(const char *name) {
    while (*name && *name != '/')
        name++;
    return *name;
}

/* The program of the manifests that this path names, or null. */
static const struct manifest_program *programs_of_path(const char *path) {
    const size_t length = strlen(PROGRAMS_FOLDER "/");
    char absolute[OS2_FILES_PATH];

    if (os2_path_absolute(path, absolute) < 0 || strncmp(absolute, PROGRAMS_FOLDER "/", length) != 0)
        return NULL;
    return programs_find(absolute + length);
}

int programs_load(const char *name, void **ret_image, uint64_t *ret_size, unsigned *ret_rights) {
    const struct manifest_program *program;
    char path[OS2_FILES_PATH];
    int status;

    *ret_rights = 0;
    if (has_slash(name)) {
        os2_string_copy(path, sizeof(path), name);
        status = os2_file_load(path, ret_image, ret_size);
    } else {
        format(path, sizeof(path), PROGRAMS_FOLDER "/%s", name);
        status = os2_file_load(path, ret_image, ret_size);
        if (status == OS2_FILE_E_NONE) {
            format(path, sizeof(path), PROGRAMS_OWN "/%s", name);
            status = os2_file_load(path, ret_image, ret_size);
        }
    }
    program = status >= 0 ? programs_of_path(path) : NULL;
    if (program)
        *ret_rights = program->rights;
    return status;
}

bool programs_is_script(const char *name) {
    size_t length = strlen(name), suffix = strlen(SCRIPT_SUFFIX);
    struct os2_file file;
    char start[2];
    bool script;

    if (!has_slash(name) || os2_file_open(&file, name, OS2_OPEN_READ) < 0)
        return false;
    script = !(file.kind & OS2_FILE_FOLDER) &&
             ((length > suffix && strcmp(name + length - suffix, SCRIPT_SUFFIX) == 0) ||
              (os2_file_read(&file, start, sizeof(start)) == sizeof(start) && start[0] == '#' && start[1] == '!'));
    os2_file_close(&file);
    return script;
}
