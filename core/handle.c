/* SPDX-License-Identifier: MIT */
/* Handle tables: see core/handle.h. */
#include "core/handle.h"

void handle_table_clear(struct handle_table *table) {
    for (unsigned i = handle_highest(table); i > 0; i--)
        table->entry[i] = (struct handle){0};
    table->entry[0].badge = 0;
}

unsigned handle_put(struct handle_table *table, uint64_t target, uint64_t badge) {
    unsigned index = handle_free(table);
    if (index) {
        table->entry[0].badge += table->entry[index].badge - index;
    } else {
        table->entry[0].badge += UINT64_C(1) << 32;
        index = handle_highest(table);
    }
    table->entry[index] = (struct handle){target, badge};
    return index;
}

void handle_drop(struct handle_table *table, struct handle *handle) {
    unsigned next = handle_free(table);
    *handle = (struct handle){0, next};
    table->entry[0].badge += (uint64_t)(handle - table->entry) - next;
}
