/* SPDX-License-Identifier: MIT */
/*
 * A heap over blocks, for programs whose data has no fixed size.
 */
#ifndef OS2_HEAP_H
#define OS2_HEAP_H

#include <stddef.h>

/* At least `size` bytes, aligned to 16, not cleared; null when the quota or the machine has no more. */
void *os2_heap_alloc(size_t size);

/* Takes back what os2_heap_alloc gave (or null). The blocks of small sizes stay with the process for reuse. */
void os2_heap_free(void *memory);

#endif
