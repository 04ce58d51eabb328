/* SPDX-License-Identifier: MIT */
/*
 * The compiled trees of tests/trees/.
 */
#include "tests/unit/trees.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree_file *trees;
size_t trees_count;

static void fail(const char *what, const char *name) {
    fprintf(stderr, "%s: %s\n", name, what);
    exit(1);
}

static void tree_load(struct tree_file *file, const char *path) {
    FILE *stream = fopen(path, "rb");
    const char *slash = strrchr(path, '/');
    long size;

    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0 || (size = ftell(stream)) <= 0)
        fail("cannot read", path);
    rewind(stream);
    file->size = (size_t)size;
    file->bytes = malloc(file->size);
    if (file->bytes == NULL || fread(file->bytes, 1, file->size, stream) != file->size)
        fail("cannot read", path);
    fclose(stream);
    file->name = strdup(slash != NULL ? slash + 1 : path);
    if (!fdt_open(&file->tree, file->bytes, file->size))
        fail("does not open", path);
}

void trees_load(void) {
    char *paths = strdup(getenv("TREES") != NULL ? getenv("TREES") : "");

    for (char *path = strtok(paths, ":"); path != NULL; path = strtok(NULL, ":")) {
        trees = realloc(trees, (trees_count + 1) * sizeof(*trees));
        tree_load(&trees[trees_count++], path);
    }
    free(paths);
    if (trees_count == 0)
        fail("names no tree", "TREES");
}

struct tree_file *trees_named(const char *name) {
    for (size_t i = 0; i < trees_count; i++)
        if (strncmp(trees[i].name, name, strlen(name)) == 0 && strcmp(trees[i].name + strlen(name), ".dtb") == 0)
            return &trees[i];
    fail("no such tree", name);
    return NULL;
}
