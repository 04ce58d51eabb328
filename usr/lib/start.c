/* SPDX-License-Identifier: MIT */
/*
 * What this process knows from its start page (os2/start.h).
 */
#include "os2/start.h"

#include "os2/string.h"
#include "usr/lib/start_page.h"

const struct os2_start_page *os2_start_page;

unsigned os2_start_columns(void) {
    return os2_start_page && os2_start_page->columns ? (unsigned)os2_start_page->columns : OS2_START_COLUMNS;
}

unsigned os2_start_handle(const char *name) {
    if (!os2_start_page || os2_start_page->magic != OS2_START_MAGIC)
        return 0;
    for (uint64_t i = 0; i < os2_start_page->handle_count && i < OS2_START_HANDLES; i++)
        if (strncmp(os2_start_page->handles[i].name, name, OS2_START_NAME) == 0)
            return (unsigned)os2_start_page->handles[i].handle;
    return 0;
}
