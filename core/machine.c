/* SPDX-License-Identifier: MIT */
/* The kernel's state: see core/machine.h. */
#include "core/machine.h"

#include "lib/string.h"

struct core *cores[CORES_MAX];
struct machine machine;

void *machine_memory_dirty(size_t bytes, const char *what) {
    unsigned order = 0;
    while ((OS2_PAGE_SIZE << order) < bytes)
        order++;
    uint32_t number = heap_alloc(&machine.heap, order, OS2_FRAME_KERNEL, 0);
    if (number == FRAME_NONE)
        panic("no memory for %s", what);
    return frame_memory(number);
}

void *machine_memory(size_t bytes, const char *what) {
    return memset(machine_memory_dirty(bytes, what), 0, (bytes + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1));
}
