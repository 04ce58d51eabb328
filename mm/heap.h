/* SPDX-License-Identifier: MIT */
/* The heap: frame descriptors, and blocks of frames; theory in mm/heap.c. */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "arch/arch.h"
#include "mm/lock.h"

/* A frame number is a physical address >> OS2_PAGE_SHIFT. Number 0 is never RAM that the heap hands out: "none". */
#define FRAME_NONE 0u
/* No frame's number either: there is none at hand, but there may be one for who asks again. */
#define FRAME_AGAIN UINT32_MAX

/*
 * One descriptor for each 4 KiB frame between the first and the last RAM. Only the first frame of a block carries the
 * block's facts; all others are OS2_FRAME_TAIL, always, so that no operation costs more for a larger block.
 *
 * (h) heap lock while state is FREE; (o) the core that holds the owner while it is owned.
 */
struct frame {
    union {
        struct {
            uint32_t next, prev; /* (h)(o) neighbours in a free list, a process's block list or its table list */
        };
        uint64_t links; /* both at once: frame_links() */
    };
    union {
        struct {
            union {
                struct {
                    uint16_t owner; /* (o) slot of the owning process; for OWNED, FLIGHT, TABLE, OBJECT */
                    uint8_t state;  /* enum os2_frame_state */
                    uint8_t order;  /* (h)(o) of the block this frame begins */
                };
                uint32_t tag; /* the three at once: frame_tag() */
            };
            uint16_t live;  /* (o) TABLE: valid entries in it */
            uint16_t depth; /* (o) TABLE: its level */
        };
        uint64_t facts; /* all five at once: a tag, and no entries */
    };
};
_Static_assert(sizeof(struct frame) == 16, "the design's budget: 16 bytes for 4096");

static inline uint64_t frame_links(uint64_t next, uint64_t prev) {
    return next | prev << 32;
}
static inline uint32_t frame_tag(unsigned state, unsigned order, unsigned owner) {
    return owner | state << 16 | order << 24;
}
/* Does it begin a block of a process, wherever that is mapped? */
static inline bool frame_owned(const struct frame *frame) {
    return frame->state == OS2_FRAME_OWNED || frame->state == OS2_FRAME_PLACED;
}

/* A core's stock of blocks, so that the lock is taken once for many: see mm/magazine.c. All of it (c). */
#define MAGAZINE_ORDERS 4u         /* orders 0 to 3 */
#define MAGAZINE_ROUNDS 32u        /* of order 0; of the others, what makes 16 pages */
#define MAGAZINE_BOTTOM UINT32_MAX /* no frame's number */
struct magazine {
    uint32_t *top;                   /* behind the last block put in, which is the next one to go */
    uint32_t bottom;                 /* MAGAZINE_BOTTOM, below the first: what is seen at the top of an empty one */
    uint32_t frame[MAGAZINE_ROUNDS]; /* their numbers */
};
struct magazines {
    struct magazine cleared; /* order 0, every byte 0 */
    struct magazine dirty[MAGAZINE_ORDERS];
};
static inline uint32_t magazine_rounds(unsigned order) {
    return order ? 16u >> order : MAGAZINE_ROUNDS;
}
static inline uint64_t magazine_count(const struct magazine *magazine) {
    return (uint64_t)(magazine->top - magazine->frame);
}
/* All that the magazines of one core can hold. */
#define MAGAZINE_PAGES (2 * MAGAZINE_ROUNDS + 16 * (MAGAZINE_ORDERS - 1))

struct heap {
    struct frame *frames;                   /* (i) biased: frames[number] is right for first <= number < end */
    uint32_t first, end;                    /* (i) */
    uint32_t ram_pages;                     /* (i) all RAM that firmware reported, reserved parts included */
    struct magazines *magazines[CORES_MAX]; /* (i) once open */
    bool open;                              /* (i) cores use their magazines; set once, before init is made */
    struct lock lock;
    uint32_t free_list[OS2_ORDER_MAX + 1]; /* (h) */
    uint32_t spare[OS2_ORDER_MAX + 1];     /* (h) the block of an order freed last, not merged */
    uint64_t free_pages;                   /* (h) on the free lists and spare, those in magazines not counted */
#if OS2_CHECKS
    uint32_t refuse[CORES_MAX]; /* (c) of its next so many allocations the last one fails; 0: none does */
#endif
};

/* A frame number as the 64-bit index it is used as: else gcc 12 loads it with a sign, and extends it in two steps. */
static inline uint64_t frame_index(uint32_t number) {
    uint64_t wide = number;
    __asm__("" : "+r"(wide));
    return wide;
}
/* Lists of blocks through the descriptors of their first frames; the head is a frame number, FRAME_NONE: empty. Put one
 * in at the head; take one out, wherever it is. */
static inline void frame_list_push(struct frame *frames, uint32_t *head, struct frame *frame) {
    uint64_t next = frame_index(*head), number = (uint64_t)(frame - frames);
    frame->links = frame_links(next, FRAME_NONE);
    if (next != FRAME_NONE)
        frames[next].prev = (uint32_t)number;
    *head = (uint32_t)number;
}
static inline void frame_list_remove(struct frame *frames, uint32_t *head, const struct frame *frame) {
    uint64_t next = frame_index(frame->next), prev = frame_index(frame->prev);
    if (prev != FRAME_NONE)
        frames[prev].next = (uint32_t)next;
    else
        *head = (uint32_t)next;
    if (next != FRAME_NONE)
        frames[next].prev = (uint32_t)prev;
}

static inline struct frame *heap_frame(const struct heap *heap, uint32_t number) {
    return &heap->frames[frame_index(number)];
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

/* From here on each core has magazines: `magazines[i]`, all 0 so far, is core i's, and arch_core() is right on each. */
void heap_open(struct heap *heap, struct magazines *const *magazines, unsigned cores);

/* A block of 2^order frames, naturally aligned, its memory as it was left; its first descriptor gets `state` and
 * `owner`. FRAME_NONE when the heap has none. FRAME_AGAIN when it had none, but has now been given a part of what this
 * core held back: ask again, in another entry. After HEAP_DRAINS of them it had all that was held back. */
#define HEAP_DRAINS 7
uint32_t heap_alloc(struct heap *heap, unsigned order, unsigned state, uint16_t owner);

/* The spare block of this order, without more ado, in no state yet; FRAME_NONE where there is none at hand. And its
 * reverse for a block in use: false where there is one already. heap_alloc() and heap_free() do the rest. */
static inline uint32_t heap_alloc_spare(struct heap *heap, unsigned order) {
#if OS2_CHECKS
    if (heap->refuse[heap->open ? arch_core_index() : 0])
        return FRAME_NONE; /* left to heap_alloc() to refuse */
#endif
    lock_acquire(&heap->lock);
    uint32_t number = heap->spare[order];
    if (number != FRAME_NONE) {
        heap->spare[order] = FRAME_NONE;
        heap->free_pages -= UINT64_C(1) << order;
    }
    lock_release(&heap->lock);
    return number;
}
static inline bool heap_free_spare(struct heap *heap, uint32_t number, unsigned order) {
    lock_acquire(&heap->lock);
    bool room = heap->spare[order] == FRAME_NONE;
    if (room) {
        heap->spare[order] = number;
        heap->free_pages += UINT64_C(1) << order;
        heap_frame(heap, number)->tag = frame_tag(OS2_FRAME_MAGAZINE, order, 0);
    }
    lock_release(&heap->lock);
    return room;
}

/* heap_alloc() of one frame, cleared; FRAME_NONE, which nobody gets who is within quota. */
uint32_t heap_alloc_cleared(struct heap *heap, unsigned state, uint16_t owner);

/* Make memory 0: a multiple of 128 bytes, aligned to 8; or whole frames. */
void memory_clear(void *memory, size_t bytes);
/* Make the descriptors of frames that begin no block. */
void frames_make(struct heap *heap, uint64_t first, uint64_t end, unsigned state);
static inline void frames_clear(uint32_t number, uint32_t count) {
    memory_clear(frame_memory(number), (size_t)count * OS2_PAGE_SIZE);
}

/* Give back a block from heap_alloc(). It must be on no list. Freeing what is not a block's first frame, or is free
 * already, is a kernel bug and panics. */
void heap_free(struct heap *heap, uint32_t number);

/* The same for one frame whose bytes are all 0: it need not be cleared again. */
void heap_free_cleared(struct heap *heap, uint32_t number);

/* Pages on the free lists and in magazines. Exact only where no core is inside the heap. */
uint64_t heap_free_pages(const struct heap *heap);

/* Hand [first, first + count) of frames kept since boot to the heap's books as owned blocks of `owner`: calls `each`
 * with every naturally aligned piece. */
void heap_adopt(struct heap *heap, uint32_t first, uint32_t count, uint16_t owner,
                void (*each)(void *context, uint32_t number), void *context);

/* Take in a range of the image, whole pages, that has been RESERVED so far. */
void heap_take_in(struct heap *heap, const struct boot_range *range);

/* Every invariant of the structure, at the cost of a walk over all descriptors. Returns NULL or what is wrong. */
const char *heap_check(struct heap *heap);

#endif
