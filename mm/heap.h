/* SPDX-License-Identifier: MIT */
/* The buddy heap over frame descriptors; theory in mm/heap.c. */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "arch/arch.h"
#include "mm/lock.h"

/* A frame number is a physical address >> OS2_PAGE_SHIFT. Number 0 is never RAM that the heap hands out: "none". */
#define FRAME_NONE 0u

/*
 * One descriptor for each 4 KiB frame between the first and the last RAM. Only the first frame of a block carries the
 * block's facts; all others are OS2_FRAME_TAIL, always, so that no operation costs more for a larger block.
 *
 * (h) heap lock while state is FREE; (o) the core that holds the owner while it is owned.
 */
struct frame {
    uint32_t next, prev; /* (h)(o) neighbours in a free list, a process's block list or its table list */
    uint16_t owner;      /* (o) slot of the owning process; for OWNED, FLIGHT, TABLE, OBJECT */
    uint8_t state;       /* enum os2_frame_state */
    uint8_t order;       /* (h)(o) of the block this frame begins */
    uint16_t live;       /* (o) TABLE: valid entries in it */
    uint16_t depth;      /* (o) TABLE: its level */
};
_Static_assert(sizeof(struct frame) == 16, "the design's budget: 16 bytes for 4096");

struct heap {
    struct frame *frames; /* (i) biased: frames[number] is right for first <= number < end */
    uint32_t first, end;  /* (i) */
    uint32_t ram_pages;   /* (i) all RAM that firmware reported, reserved parts included */
    struct lock lock;
    uint32_t free_list[OS2_ORDER_MAX + 1]; /* (h) */
    uint64_t free_pages;                   /* (h) */
};

static inline struct frame *heap_frame(const struct heap *heap, uint32_t number) {
    return &heap->frames[number];
}
static inline bool heap_covers(const struct heap *heap, uint64_t number) {
    return number >= heap->first && number < heap->end;
}
static inline void *frame_memory(uint32_t number) {
    return arch_phys_to_virt((uint64_t)number << OS2_PAGE_SHIFT);
}
static inline uint32_t frame_number(const void *memory) {
    return (uint32_t)(arch_virt_to_phys(memory) >> OS2_PAGE_SHIFT);
}

/* Build the heap from what the port found. Takes the memory of the descriptors from the RAM itself. False: there is not
 * enough RAM in one piece. */
bool heap_init(struct heap *heap, const struct boot_info *info);

/* A block of 2^order frames, naturally aligned, its memory as it was left; its first descriptor gets `state` and
 * `owner`. FRAME_NONE when the heap has none. */
uint32_t heap_alloc(struct heap *heap, unsigned order, unsigned state, uint16_t owner);

/* The same, one frame, cleared. */
uint32_t heap_alloc_cleared(struct heap *heap, unsigned state, uint16_t owner);

/* Clear whole frames. */
void frames_clear(uint32_t number, uint32_t count);

/* Give back a block from heap_alloc(). It must be on no list. Freeing what is not a block's first frame, or is free
 * already, is a kernel bug and panics. */
void heap_free(struct heap *heap, uint32_t number);

/* Hand [first, first + count) of frames kept since boot to the heap's books as owned blocks of `owner`: calls `each`
 * with every naturally aligned piece. */
void heap_adopt(struct heap *heap, uint32_t first, uint32_t count, uint16_t owner,
                void (*each)(void *context, uint32_t number), void *context);

/* Every invariant of the structure, at the cost of a walk over all descriptors. Returns NULL or what is wrong. */
const char *heap_check(struct heap *heap);

#endif
