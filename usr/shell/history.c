/* SPDX-License-Identifier: MIT */
/* The history's file (shell/history.h): a line each. */
#include "shell/history.h"

#include "os2/call.h"
#include "os2/file.h"
#include "os2/string.h"
#include "shell/terminal.h"

#define HISTORY_FILE "/disk/.history"
#define HISTORY_MOST 65536u /* bytes of the file, at the start of a shell; */
#define HISTORY_KEPT 32768u /* what is then left of it, of the newest */

static bool history_there; /* there is a disk for it */

/* Writes the file anew, with only these lines. */
static void history_cut(const char *lines, uint64_t size) {
    struct os2_file file;

    if (os2_file_open(&file, HISTORY_FILE, OS2_OPEN_WRITE | OS2_OPEN_TRUNCATE) < 0)
        return;
    os2_file_write(&file, lines, size);
    os2_file_close(&file);
}

static void history_read(const char *text, uint64_t size) {
    char line[OS2_LINE_MAX + 1];
    size_t length = 0;

    for (uint64_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            line[length] = 0;
            terminal_remember(line);
            length = 0;
        } else if (length < OS2_LINE_MAX && (unsigned char)text[i] >= ' ') {
            line[length++] = text[i];
        }
    }
}

void history_load(void) {
    struct os2_file_facts facts;
    uint64_t size, from = 0;
    void *block;
    const char *text;

    history_there = os2_file_stat("/disk", &facts) >= 0;
    if (!history_there || os2_file_load(HISTORY_FILE, &block, &size) < 0)
        return;
    text = block;
    if (size > HISTORY_MOST)
        for (from = size - HISTORY_KEPT; from < size && text[from - 1] != '\n';)
            from++;
    if (from)
        history_cut(text + from, size - from);
    history_read(text + from, size - from);
    os2_block_free(block);
}

void history_add(const char *line) {
    static char last[OS2_LINE_MAX + 2];
    struct os2_file file;
    size_t length = strlen(line);

    if (!history_there || !length || strcmp(last, line) == 0)
        return;
    os2_string_copy(last, sizeof(last) - 1, line);
    if (os2_file_open(&file, HISTORY_FILE, OS2_OPEN_WRITE | OS2_OPEN_CREATE) < 0)
        return;
    file.offset = file.size;
    last[length] = '\n';
    os2_file_write(&file, last, length + 1);
    last[length] = 0;
    os2_file_close(&file);
}
