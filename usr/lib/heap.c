/* SPDX-License-Identifier: MIT */
/*
 * A heap over blocks (os2/heap.h).
 *
 * Small sizes are rounded up to a power of two from 32 bytes to 1 KiB, header included, and cut from 16 KiB blocks; a
 * freed piece goes on the list of its size and the block stays, because getting it again would cost a system call and a
 * clearing. Larger sizes are blocks of their own and go back when freed, except that one of each order up to 64 KiB is
 * kept. A header of 16 bytes before each piece says which of the two it is; its check word turns a wild or double free
 * into the end of the program instead of a broken list.
 *
 * Rejected: coalescing (a program that needs it should use blocks), best fit (search time without a bound).
 */
#include "os2/heap.h"

#include <stdint.h>

#include "os2/call.h"

#define HEAP_SMALLEST 5u /* 2^5 bytes */
#define HEAP_CLASSES 6u  /* up to 2^10 */
#define HEAP_CHUNK_ORDER 2u
#define HEAP_KEEP_ORDERS 5u

enum { HEAP_USED = 0x05e2, HEAP_UNUSED = 0xf2ee };

struct heap_header {
    uint32_t check;      /* HEAP_USED or HEAP_UNUSED, exclusive-ored with the address */
    uint16_t size_class; /* small: its size class; otherwise HEAP_CLASSES + order */
    uint16_t unused;
    struct heap_header *next; /* on a list of free pieces */
};
_Static_assert(sizeof(struct heap_header) == 16, "keeps the piece behind it aligned to 16");

static struct heap_header *heap_small[HEAP_CLASSES];
static struct heap_header *heap_kept[HEAP_KEEP_ORDERS];
static char *heap_cut, *heap_cut_end; /* the rest of the chunk that is being cut */

static void heap_mark(struct heap_header *header, uint32_t state) {
    header->check = state ^ (uint32_t)(uintptr_t)header;
}

static struct heap_header *heap_small_get(unsigned size_class) {
    size_t size = (size_t)1 << (HEAP_SMALLEST + size_class);
    struct heap_header *header = heap_small[size_class];

    if (header) {
        heap_small[size_class] = header->next;
        return header;
    }
    if ((size_t)(heap_cut_end - heap_cut) < size) {
        void *chunk;
        if (os2_block_alloc(HEAP_CHUNK_ORDER, &chunk) < 0)
            return NULL;
        heap_cut = chunk;
        heap_cut_end = heap_cut + (OS2_PAGE_SIZE << HEAP_CHUNK_ORDER);
    }
    header = (struct heap_header *)heap_cut;
    heap_cut += size;
    return header;
}

static struct heap_header *heap_large_get(unsigned order) {
    void *block;

    if (order < HEAP_KEEP_ORDERS && heap_kept[order]) {
        struct heap_header *header = heap_kept[order];
        heap_kept[order] = NULL;
        return header;
    }
    return os2_block_alloc(order, &block) < 0 ? NULL : block;
}

void *os2_heap_alloc(size_t size) {
    struct heap_header *header;
    unsigned size_class = 0;

    if (size > (OS2_PAGE_SIZE << OS2_ORDER_MAX) - sizeof(*header))
        return NULL;
    size += sizeof(*header);
    while (size_class < HEAP_CLASSES && (size_t)1 << (HEAP_SMALLEST + size_class) < size)
        size_class++;
    if (size_class < HEAP_CLASSES) {
        header = heap_small_get(size_class);
    } else {
        unsigned order = 0;
        while (OS2_PAGE_SIZE << order < size)
            order++;
        size_class = HEAP_CLASSES + order;
        header = heap_large_get(order);
    }
    if (!header)
        return NULL;
    header->size_class = (uint16_t)size_class;
    heap_mark(header, HEAP_USED);
    return header + 1;
}

void os2_heap_free(void *memory) {
    struct heap_header *header;
    unsigned order;

    if (!memory)
        return;
    header = (struct heap_header *)memory - 1;
    if ((header->check ^ (uint32_t)(uintptr_t)header) != HEAP_USED)
        __builtin_trap();
    heap_mark(header, HEAP_UNUSED);
    if (header->size_class < HEAP_CLASSES) {
        header->next = heap_small[header->size_class];
        heap_small[header->size_class] = header;
        return;
    }
    order = header->size_class - HEAP_CLASSES;
    if (order < HEAP_KEEP_ORDERS && !heap_kept[order])
        heap_kept[order] = header;
    else
        os2_block_free(header);
}
