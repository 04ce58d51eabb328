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
