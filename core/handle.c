/* SPDX-License-Identifier: MIT */
/* Handle tables: see core/handle.h. */
#include "core/handle.h"

void handle_table_init(struct handle_table *table) {
    for (unsigned i = 0; i < OS2_HANDLES; i++)
        table->entry[i] = (struct handle){0, i + 1 < OS2_HANDLES ? i + 1 : 0};
}

unsigned handle_put(struct handle_table *table, uint64_t target, uint64_t badge) {
    unsigned index = (unsigned)table->entry[0].badge;
    table->entry[0].badge = table->entry[index].badge;
    table->entry[index] = (struct handle){target, badge};
    return index;
}

void handle_drop(struct handle_table *table, struct handle *handle) {
    *handle = (struct handle){0, table->entry[0].badge};
    table->entry[0].badge = (uint64_t)(handle - table->entry);
}
