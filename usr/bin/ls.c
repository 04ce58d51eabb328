/* SPDX-License-Identifier: MIT */
/*
 * ls: list folders and files. On the console the names stand in columns, elsewhere each in a line; -l: what is known of
 * each; -a: also names that begin with a dot.
 */
#include "os2/call.h"
#include "os2/file.h"
#include "os2/heap.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/text.h"
#include "os2/tool.h"

#define GAP 2u
#define LONG 1u
#define ALL 2u

struct name {
    struct name *next;
    struct os2_file_facts facts;
    char text[]; /* a folder's ends with '/' */
};

static unsigned flags;

/* Puts a name into a list: in the order of the names, or behind the others. */
static bool name_add(struct name **list, const char *text, const struct os2_file_facts *facts, bool sorted) {
    size_t length = strlen(text);
    struct name *name = os2_heap_alloc(sizeof(*name) + length + 2);
    bool folder = facts->kind & OS2_FILE_FOLDER;

    if (!name)
        return false;
    name->facts = *facts;
    memcpy(name->text, text, length + 1);
    if (folder && (!length || text[length - 1] != '/'))
        memcpy(name->text + length, "/", 2);
    while (*list && (!sorted || strcmp((*list)->text, name->text) <= 0))
        list = &(*list)->next;
    name->next = *list;
    *list = name;
    return true;
}

static void print_long(const struct name *name) {
    char size[OS2_TOOL_SIZE], date[OS2_TOOL_DATE];
    bool folder = name->facts.kind & OS2_FILE_FOLDER;

    os2_printf("%c%c %6s  %-16.16s  %s\n", folder ? 'd' : '-', name->facts.kind & OS2_FILE_READ_ONLY ? 'r' : 'w',
               folder ? "-" : os2_tool_size(name->facts.size, size), os2_tool_date(name->facts.time, date), name->text);
}

/* In columns, downward: the first column has the first names. */
static void print_columns(const struct name *list) {
    size_t widest = 1, count = 0, columns, rows;

    for (const struct name *n = list; n; n = n->next, count++) {
        size_t width = os2_text_columns(n->text, strlen(n->text));
        widest = width > widest ? width : widest;
    }
    columns = os2_start_columns() / (widest + GAP) ? os2_start_columns() / (widest + GAP) : 1;
    rows = (count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        size_t place = 0, gap = 0;
        for (const struct name *n = list; n; n = n->next, place++) {
            if (place % rows != row)
                continue;
            os2_printf("%*s%s", (int)gap, "", n->text);
            gap = widest + GAP - os2_text_columns(n->text, strlen(n->text));
        }
        os2_printf("\n");
    }
}

static void names_print(struct name *list) {
    if (!(flags & LONG) && !os2_out_is_pipe())
        print_columns(list);
    while (list) {
        struct name *next = list->next;
        if (flags & LONG)
            print_long(list);
        else if (os2_out_is_pipe())
            os2_printf("%s\n", list->text);
        os2_heap_free(list);
        list = next;
    }
}

static int list_folder(const char *path) {
    const struct os2_files_entry *entry;
    struct os2_folder folder;
    struct name *list = NULL;
    int status = os2_folder_open(&folder, path);

    if (status < 0)
        return os2_tool_failed(path, status);
    while ((status = os2_folder_next(&folder, &entry)) > 0) {
        struct os2_file_facts facts = {.size = entry->bytes, .time = entry->time, .kind = entry->kind};
        if ((entry->name[0] != '.' || flags & ALL) && !name_add(&list, entry->name, &facts, true)) {
            status = OS2_E_MEMORY;
            break;
        }
    }
    os2_folder_close(&folder);
    names_print(list);
    return status < 0 ? os2_tool_failed(path, status) : 0;
}

int main(int argc, char **argv) {
    struct name *files = NULL;
    int first = os2_tool_options(argc, argv, "la", &flags, NULL), failed = 0, folders = 0;

    if (first < 0)
        return 2;
    if (first == argc)
        return list_folder(".");
    for (int i = first; i < argc; i++) {
        struct os2_file_facts facts;
        int status = os2_file_stat(argv[i], &facts);

        if (status < 0)
            failed = os2_tool_failed(argv[i], status);
        else if (facts.kind & OS2_FILE_FOLDER)
            folders++;
        else if (!name_add(&files, argv[i], &facts, false))
            failed = os2_tool_failed(argv[i], OS2_E_MEMORY);
    }
    names_print(files);
    for (int i = first; i < argc && folders; i++) {
        struct os2_file_facts facts;
        if (os2_file_stat(argv[i], &facts) < 0 || !(facts.kind & OS2_FILE_FOLDER))
            continue;
        if (argc - first > 1)
            os2_printf("%s:\n", argv[i]);
        failed |= list_folder(argv[i]);
    }
    return failed;
}
