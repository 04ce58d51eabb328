/* SPDX-License-Identifier: MIT */
/*
 * The buddy heap: all RAM, in blocks of 2^order frames, orders 0 to 18 (1 GiB).
 *
 * A block of order k begins at a multiple of 2^k frames; its buddy is the block whose number differs in bit k alone
 * (Knuth, TAOCP 1, section 2.5). Freeing merges a block with its buddy as long as the buddy is free and whole.
 *
 * All metadata is in the frame descriptors: the free lists run through them, never through the pages, so that a page
 * on a free list is not touched and may be one that the kernel does not even map. Only a block's first frame tells
 * state and order; every other frame is TAIL. Splitting makes one new first frame, merging turns one into TAIL: both
 * are O(1) for each level, and a check "is this the start of a block, and whose" is one load from its address.
 *
 * Merging is put off by one block (after Barkley and Lee's lazy buddy system): of each order that has no magazines, the
 * block that was freed last is kept whole, as the spare one, and the one before it is merged. So whoever gets and
 * gives back a large block splits and merges nothing. A request that finds no block that is large enough has all spares
 * merged and looks again: they never make one fail.
 *
 * Invariants (heap_check): each FREE block is on the list of its order, aligned, its tails TAIL, and its buddy is not
 * a FREE block of the same order; free_pages is their sum, with the spare ones. Each MAGAZINE block is spare or in one
 * magazine, of its order.
 *
 * One lock guards the lists, taken by mm/magazine.c, which is in front of them.
 *
 * The array has descriptors for the holes between banks too, 1/256 of a hole's size: 4 MiB for the one below 4 GiB in a
 * PC. Where a hole costs more than the RAM beyond it is worth, that RAM is left out (choose()): of all stretches of
 * banks with the boot archive in them, the heap is the one that has most RAM left once its array is made. An array with
 * holes of its own was tried: a look-up in a list of banks in heap_covers() costs each move of a block 14 to 17
 * instructions.
 *
 * Rejected: bitmaps (a second structure to agree with, and a search where the list has the answer at its head);
 * headers inside free pages (touches cold memory, and a wild write destroys the heap).
 */
#include "mm/heap.h"

#include "lib/string.h"

static void list_push(struct heap *heap, uint64_t number, unsigned order) {
    struct frame *frames = heap->frames;
    uint64_t head = frame_index(heap->free_list[order]);
    frames[number].tag = frame_tag(OS2_FRAME_FREE, order, 0);
    frames[number].links = frame_links(head, FRAME_NONE);
    if (head != FRAME_NONE)
        frames[head].prev = (uint32_t)number;
    heap->free_list[order] = (uint32_t)number;
}

static void list_remove(struct heap *heap, const struct frame *f, unsigned order) {
    struct frame *frames = heap->frames;
    uint64_t next = frame_index(f->next), prev = frame_index(f->prev);
    if (prev != FRAME_NONE)
        frames[prev].next = (uint32_t)next;
    else
        heap->free_list[order] = (uint32_t)next;
    if (next != FRAME_NONE)
        frames[next].prev = (uint32_t)prev;
}

/* Put a block onto the free lists, merged with whatever it can be merged with. */
static void merge(struct heap *heap, uint64_t number, unsigned order) {
    struct frame *frames = heap->frames;
    for (; order < OS2_ORDER_MAX; order++) {
        uint64_t half = UINT64_C(1) << order, buddy = number ^ half;
        if (!heap_covers(heap, buddy) || frames[buddy].tag != frame_tag(OS2_FRAME_FREE, order, 0))
            break;
        list_remove(heap, &frames[buddy], order);
        frames[number | half].state = OS2_FRAME_TAIL;
        number &= ~half;
    }
    list_push(heap, number, order);
}

static uint32_t take_spare(struct heap *heap, unsigned order) {
    uint32_t number = heap->spare[order];
    heap->spare[order] = FRAME_NONE;
    return number;
}

static bool merge_spares(struct heap *heap) {
    bool any = false;
    for (unsigned order = 0; order <= OS2_ORDER_MAX; order++) {
        uint32_t number = take_spare(heap, order);
        if (number == FRAME_NONE)
            continue;
        merge(heap, number, order);
        any = true;
    }
    return any;
}

uint32_t heap_take(struct heap *heap, unsigned order) {
    unsigned k = order;
    while (heap->free_list[k] == FRAME_NONE && heap->spare[k] == FRAME_NONE)
        if (++k > OS2_ORDER_MAX)
            return merge_spares(heap) ? heap_take(heap, order) : FRAME_NONE;
    uint64_t number;
    if (heap->spare[k] != FRAME_NONE) {
        number = frame_index(take_spare(heap, k));
    } else {
        number = frame_index(heap->free_list[k]);
        list_remove(heap, &heap->frames[number], k);
    }
    while (k > order) {
        k--;
        list_push(heap, number + (UINT64_C(1) << k), k); /* the upper half stays free */
    }
    heap->free_pages -= UINT64_C(1) << order;
    return (uint32_t)number;
}

void heap_put(struct heap *heap, uint32_t first, unsigned order) {
    uint32_t merged = first;
    heap->free_pages += UINT64_C(1) << order;
    if (order >= MAGAZINE_ORDERS && order <= OS2_ORDER_MAX) {
        heap_frame(heap, first)->tag = frame_tag(OS2_FRAME_MAGAZINE, order, 0);
        merged = take_spare(heap, order);
        heap->spare[order] = first;
    }
    if (merged != FRAME_NONE)
        merge(heap, frame_index(merged), order);
}

/* The largest order of a naturally aligned block that starts at `number` and fits into `count` frames. */
static unsigned fit(uint32_t number, uint32_t count) {
    unsigned order = 0;
    while (order < OS2_ORDER_MAX && !(number & (1u << order)) && (UINT64_C(2) << order) <= count)
        order++;
    return order;
}

void heap_adopt(struct heap *heap, uint32_t first, uint32_t count, uint16_t owner,
                void (*each)(void *context, uint32_t number), void *context) {
    while (count) {
        unsigned order = fit(first, count);
        struct frame *f = heap_frame(heap, first);
        for (uint32_t i = 1; i < 1u << order; i++)
            f[i].state = OS2_FRAME_TAIL;
        *f = (struct frame){.state = OS2_FRAME_OWNED, .order = (uint8_t)order, .owner = owner};
        each(context, first);
        first += 1u << order;
        count -= 1u << order;
    }
}

/* ---- Building. ---- */

/* What is in use is marked where RAM is: TAIL marks what is to be freed, and what no bank has stays RESERVED. */
static void mark(struct heap *heap, const struct boot_range *range, unsigned from, unsigned to) {
    uint64_t first = range->base >> OS2_PAGE_SHIFT;
    uint64_t end = (range->base + range->size + OS2_PAGE_SIZE - 1) >> OS2_PAGE_SHIFT;
    if (first < heap->first)
        first = heap->first;
    if (end > heap->end)
        end = heap->end;
    for (uint64_t n = first; n < end && range->size; n++)
        if (heap->frames[n].state == from)
            heap->frames[n].state = (uint8_t)to;
}

/* Descriptors begin and end where page tables do, so that of what one maps all have one, or none: mm/page.c. */
#define REGION 512u

/* Whole pages of a bank. */
static uint64_t bank_first(const struct boot_range *bank) {
    return (bank->base + OS2_PAGE_SIZE - 1) >> OS2_PAGE_SHIFT;
}
static uint64_t bank_end(const struct boot_range *bank) {
    return (bank->base + bank->size) >> OS2_PAGE_SHIFT;
}

struct stretch {
    uint64_t first, end; /* frames, whole regions */
    uint64_t ram;        /* pages of its banks */
    uint64_t bytes;      /* of its descriptors */
    uint64_t gain;       /* bytes of RAM to use, more than those */
};

/* The best stretch of banks whose descriptors take at most `most` bytes; gain 0: none. */
static struct stretch choose(const struct boot_info *info, uint64_t most) {
    uint64_t usable[BOOT_RANGES] = {0}; /* bytes of each bank */
    for (struct boot_range r = {0}; boot_ram_next(info, &r);)
        for (unsigned i = 0; i < info->ram_count; i++)
            if (boot_holds(&info->ram[i], 1, &r)) {
                usable[i] += r.size;
                break;
            }
    struct stretch best = {0};
    uint64_t archive = info->archive.base >> OS2_PAGE_SHIFT;
    for (unsigned i = 0; i < info->ram_count; i++)
        for (unsigned j = 0; j < info->ram_count; j++) {
            uint64_t first = bank_first(&info->ram[i]), end = bank_end(&info->ram[j]), bytes = 0;
            struct stretch s = {.first = first & ~(uint64_t)(REGION - 1),
                                .end = (end + REGION - 1) & ~(uint64_t)(REGION - 1)};
            s.bytes = (s.end - s.first) * sizeof(struct frame);
            if (!usable[i] || !usable[j] || first >= end || s.end > UINT32_MAX || s.bytes > most ||
                (info->archive.size && (archive < s.first || archive >= s.end)))
                continue;
            for (unsigned k = 0; k < info->ram_count; k++) {
                uint64_t from = bank_first(&info->ram[k]), to = bank_end(&info->ram[k]);
                if (from >= first && to <= end)
                    bytes += usable[k];
                from = from > s.first ? from : s.first; /* another one may share the first or the last region */
                to = to < s.end ? to : s.end;
                s.ram += from < to ? to - from : 0;
            }
            s.gain = bytes > s.bytes ? bytes - s.bytes : 0;
            if (s.gain > best.gain)
                best = s;
        }
    return best;
}

bool heap_init(struct heap *heap, const struct boot_info *info) {
    struct stretch s = choose(info, UINT64_MAX);
    uint64_t at = 0;
    while (s.gain && !(at = boot_room(info, s.bytes, UINT64_MAX)))
        s = choose(info, s.bytes - 1);
    if (!s.gain)
        return false;
    heap->first = (uint32_t)s.first;
    heap->end = (uint32_t)s.end;
    heap->ram_pages = (uint32_t)s.ram;
    heap->frames = (struct frame *)arch_phys_to_virt(at) - s.first;
    for (uint64_t n = s.first; n < s.end; n++)
        heap->frames[n] = (struct frame){.state = OS2_FRAME_RESERVED};

    for (struct boot_range r = {0}; boot_ram_next(info, &r);)
        mark(heap, &r, OS2_FRAME_RESERVED, OS2_FRAME_TAIL);
    for (unsigned i = 0; i < info->kept_count; i++)
        mark(heap, &info->kept[i], OS2_FRAME_TAIL, OS2_FRAME_KERNEL);
    mark(heap, &(struct boot_range){at, s.bytes}, OS2_FRAME_TAIL, OS2_FRAME_KERNEL);
    if (s.first == 0)
        heap_frame(heap, 0)->state = OS2_FRAME_RESERVED;

    for (uint32_t n = heap->first; n < heap->end;) {
        uint32_t run = 0;
        while (n + run < heap->end && heap_frame(heap, n + run)->state == OS2_FRAME_TAIL)
            run++;
        while (run) {
            unsigned order = fit(n, run);
            heap_put(heap, n, order);
            n += 1u << order;
            run -= 1u << order;
        }
        if (n < heap->end)
            n++;
    }
    return true;
}

const char *heap_check(struct heap *heap) {
    const char *wrong = NULL;
    lock_acquire(&heap->lock);
    uint64_t listed = 0, counted = 0, kept = 0;
    for (unsigned order = 0; order <= OS2_ORDER_MAX && !wrong; order++) {
        uint32_t prev = FRAME_NONE;
        for (uint32_t n = heap->free_list[order]; n != FRAME_NONE && !wrong; n = heap_frame(heap, n)->next) {
            struct frame *f = heap_frame(heap, n);
            uint32_t buddy = n ^ (1u << order);
            if (f->state != OS2_FRAME_FREE || f->order != order)
                wrong = "a block on a free list is not free, or of another order";
            else if (n & ((1u << order) - 1))
                wrong = "a free block is not aligned";
            else if (f->prev != prev)
                wrong = "a free list's links disagree";
            else if (order < OS2_ORDER_MAX && heap_covers(heap, buddy) &&
                     heap_frame(heap, buddy)->state == OS2_FRAME_FREE && heap_frame(heap, buddy)->order == order)
                wrong = "two free buddies were not merged";
            prev = n;
            listed += UINT64_C(1) << order;
        }
    }
    uint64_t spare = 0;
    for (unsigned order = 0; order <= OS2_ORDER_MAX && !wrong; order++) {
        uint32_t n = heap->spare[order];
        if (n == FRAME_NONE)
            continue;
        spare += UINT64_C(1) << order;
        if (order < MAGAZINE_ORDERS || heap_frame(heap, n)->tag != frame_tag(OS2_FRAME_MAGAZINE, order, 0))
            wrong = "a spare block is not free, or of another order";
    }
    for (uint32_t n = heap->first; n < heap->end && !wrong; n++) {
        struct frame *f = heap_frame(heap, n);
        if (f->state == OS2_FRAME_FREE || f->state == OS2_FRAME_MAGAZINE) {
            *(f->state == OS2_FRAME_FREE ? &counted : &kept) += UINT64_C(1) << f->order;
            for (uint32_t i = 1; i < 1u << f->order; i++)
                if (f[i].state != OS2_FRAME_TAIL)
                    wrong = "a frame inside a free block is not a tail";
        }
    }
    if (!wrong && (listed != counted || listed + spare != heap->free_pages))
        wrong = "free pages: the lists, the descriptors and the count disagree";
    if (!wrong)
        wrong = magazines_check(heap, kept - spare);
    lock_release(&heap->lock);
    return wrong;
}
