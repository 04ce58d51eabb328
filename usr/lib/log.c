/* SPDX-License-Identifier: MIT */
/* Lines in the kernel's log: see os2/log.h. */
#include "os2/log.h"

#include "lib/format.h"
#include "os2/call.h"

void os2_log(unsigned machine, const char *format, ...) {
    char line[200];
    va_list list;
    size_t length;

    va_start(list, format);
    length = format_list(line, sizeof(line), format, list);
    va_end(list);
    if (length >= sizeof(line))
        length = sizeof(line) - 1;
    for (size_t at = 0; at < length; at += OS2_LOG_CHUNK)
        os2_log_write(machine, line + at, (unsigned)(length - at < OS2_LOG_CHUNK ? length - at : OS2_LOG_CHUNK));
}
