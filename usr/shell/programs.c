/* SPDX-License-Identifier: MIT */
/*
 * Reading the manifests (shell/programs.h). Of two programs with one name the later one counts, as it does for files.
 */
#include "shell/programs.h"

#include "os2/call.h"
#include "os2/string.h"
#include "shell/services.h"
#include "shell/terminal.h"

#define PROGRAMS 128u

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
static int file_read(const char *file, uint64_t size) {
    size_t length = strlen(file), suffix = strlen(MANIFEST_SUFFIX);
    void *block;
    int status;

    if (length < suffix || strcmp(file + length - suffix, MANIFEST_SUFFIX) != 0)
        return OS2_OK;
    if (size > sizeof(texts) - texts_used) {
        terminal_print("%s: there is no room for it; it is ignored\n", file);
        return OS2_OK;
    }
    status = services_load(file, &block, &size);
    if (status < 0)
        return status;
    if (size > sizeof(texts) - texts_used) /* it is not what the list said */
        size = sizeof(texts) - texts_used;
    memcpy(texts + texts_used, block, size);
    os2_block_free(block);
    manifest_read(file, size);
    texts_used += size;
    return OS2_OK;
}

static void programs_read(void) {
    char name[OS2_FILES_PATH + 1];
    uint64_t size;
    int status = OS2_OK;

    program_count = 0;
    texts_used = 0;
    for (uint64_t file = 0; status >= 0; file++) {
        status = services_list(file, name, &size);
        if (status >= 0)
            status = file_read(name, size);
    }
    programs_known = status == OS2_E_INVALID; /* the end of the list */
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
