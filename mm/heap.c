/* SPDX-License-Identifier: MIT */
/*
 * The heap: all RAM, in blocks of 2^order frames, each with one owner or none.
 *
 * Free blocks lie in each core's magazines (mm/magazine.c), which take no lock, and behind those on the buddy lists
 * (mm/buddy.c), which are all cores'. Here is what gets them and gives them back, and how the array of descriptors is
 * made.
 *
 * The array has descriptors for the holes between banks too, 1/256 of a hole's size: 4 MiB for the one below 4 GiB in a
 * PC. Where a hole costs more than the RAM beyond it is worth, that RAM is left out (choose()): of all stretches of
 * banks with the boot archive in them, the heap is the one that has most RAM left once its array is made. An array with
 * holes of its own was tried: a look-up in a list of banks in heap_covers() costs each move of a block 14 to 17
 * instructions.
 */
#include "mm/heap.h"

#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/magazine.h"

static uint32_t take(struct heap *heap, unsigned order) {
    lock_acquire(&heap->lock);
    uint32_t number = buddy_take(heap, order);
    lock_release(&heap->lock);
    return number;
}

/* Before a block is refused: what this core holds back may be what is missing. One magazine's, and not more than an
 * entry has time for, so that a block of any order costs some entries, none of them a long one. */
#define DRAIN_MOST 16u
_Static_assert(HEAP_DRAINS == 2 * (MAGAZINE_ROUNDS / DRAIN_MOST) + MAGAZINE_ORDERS - 1, "all that can be held back");
static bool drain(struct heap *heap) {
    struct magazines *magazines = magazines_own(heap);
    for (unsigned k = 0; magazines && k <= MAGAZINE_ORDERS; k++) {
        struct magazine *m = k < MAGAZINE_ORDERS ? &magazines->dirty[k] : &magazines->cleared;
        uint64_t count = magazine_count(m);
        if (count) {
            magazine_empty(heap, m, k % MAGAZINE_ORDERS, count < DRAIN_MOST ? count : DRAIN_MOST);
            return true;
        }
    }
    return false;
}

static uint32_t take_dirty(struct heap *heap, unsigned order) {
    struct magazines *magazines = order < MAGAZINE_ORDERS ? magazines_own(heap) : NULL;
    if (!magazines)
        return take(heap, order);
    struct magazine *m = &magazines->dirty[order];
    if (!magazine_count(m))
        magazine_fill(heap, m, order);
    if (!magazine_count(m))
        return FRAME_NONE;
    uint32_t number = *--m->top;
    magazine_taken(number, order, MAGAZINE_POISON);
    return number;
}

static uint32_t hand_out(struct heap *heap, uint32_t number, unsigned order, unsigned state, uint16_t owner) {
    struct frame *f = heap_frame(heap, number);
    f->tag = frame_tag(state, order, owner);
    f->live = f->depth = 0;
    f->links = frame_links(FRAME_NONE, FRAME_NONE);
    return number;
}

/* Is this the allocation that tests/checks/stop.c wants to fail? */
static bool refused(struct heap *heap) {
#if OS2_CHECKS
    uint32_t *refuse = &heap->refuse[heap->open ? arch_core_index() : 0];
    return *refuse && --*refuse == 0;
#else
    (void)heap;
    return false;
#endif
}

uint32_t heap_alloc(struct heap *heap, unsigned order, unsigned state, uint16_t owner) {
    if (order > OS2_ORDER_MAX || refused(heap))
        return FRAME_NONE;
    uint32_t number = take_dirty(heap, order);
    if (number == FRAME_NONE)
        return drain(heap) ? FRAME_AGAIN : FRAME_NONE;
    return hand_out(heap, number, order, state, owner);
}

uint32_t heap_alloc_cleared(struct heap *heap, unsigned state, uint16_t owner) {
    struct magazines *magazines = magazines_own(heap);
    uint32_t number;
    if (refused(heap))
        return FRAME_NONE;
    if (magazines && magazine_count(&magazines->cleared)) {
        number = *--magazines->cleared.top;
        magazine_taken(number, 0, 0);
    } else {
        number = take_dirty(heap, 0);
        if (number == FRAME_NONE)
            return FRAME_NONE;
        frames_clear(number, 1);
    }
    return hand_out(heap, number, 0, state, owner);
}

/* States of a block in use, as bits. */
#define IN_USE                                                                                                         \
    (1u << OS2_FRAME_OWNED | 1u << OS2_FRAME_PLACED | 1u << OS2_FRAME_FLIGHT | 1u << OS2_FRAME_TABLE |                 \
     1u << OS2_FRAME_OBJECT | 1u << OS2_FRAME_KERNEL)

static inline unsigned order_in_use(const struct heap *heap, uint32_t number) {
    if (!heap_covers(heap, number))
        panic("heap_free: frame %x is not RAM", number);
    const struct frame *f = heap_frame(heap, number);
    if (!(IN_USE >> f->state & 1))
        panic("heap_free: frame %x is not the start of a block in use (state %u)", number, f->state);
    return f->order;
}

void heap_free(struct heap *heap, uint32_t number) {
    unsigned order = order_in_use(heap, number);
    struct magazines *magazines = order < MAGAZINE_ORDERS ? magazines_own(heap) : NULL;
    if (magazines) {
        struct magazine *m = &magazines->dirty[order];
        if (magazine_count(m) == magazine_rounds(order))
            magazine_empty(heap, m, order, magazine_count(m) / 2);
        magazine_freed(number, order);
        magazine_put(heap, m, order, number);
        return;
    }
    lock_acquire(&heap->lock);
    buddy_put(heap, number, order);
    lock_release(&heap->lock);
}

void heap_free_cleared(struct heap *heap, uint32_t number) {
    struct magazines *magazines = magazines_own(heap);
    if (!magazines || magazine_count(&magazines->cleared) == MAGAZINE_ROUNDS) {
        heap_free(heap, number);
        return;
    }
    ASSERT(order_in_use(heap, number) == 0);
    magazine_put(heap, &magazines->cleared, 0, number);
}

uint64_t heap_free_pages(const struct heap *heap) {
    uint64_t pages = heap->free_pages;
    for (unsigned i = 0; i < CORES_MAX; i++) {
        const struct magazines *m = heap->magazines[i];
        if (!m)
            continue;
        pages += magazine_count(&m->cleared);
        for (unsigned order = 0; order < MAGAZINE_ORDERS; order++)
            pages += magazine_count(&m->dirty[order]) << order;
    }
    return pages;
}

/* ---- Building. ---- */

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

/* The frames that a range touches, those that have descriptors. */
struct run {
    uint64_t first, end;
};
static struct run run_of(const struct heap *heap, const struct boot_range *range) {
    struct run run = {range->base >> OS2_PAGE_SHIFT, (range->base + range->size + OS2_PAGE_SIZE - 1) >> OS2_PAGE_SHIFT};
    run.first = run.first < heap->first ? heap->first : run.first;
    run.end = run.end > heap->end ? heap->end : run.end;
    return run;
}

/* What is in use is marked where RAM is: TAIL marks what is to be freed, and what no bank has stays RESERVED. */
static void keep(struct heap *heap, const struct boot_range *range) {
    struct run run = run_of(heap, range);
    for (uint64_t n = run.first; n < run.end && range->size; n++)
        if (heap->frames[n].state == OS2_FRAME_TAIL)
            heap->frames[n].state = OS2_FRAME_KERNEL;
}

static void put_run(struct heap *heap, uint64_t first, uint64_t end) {
    while (first < end) {
        unsigned order = fit((uint32_t)first, (uint32_t)(end - first));
        buddy_put(heap, (uint32_t)first, order);
        first += UINT64_C(1) << order;
    }
}

void heap_take_in(struct heap *heap, const struct boot_range *range) {
    uint64_t first = range->base >> OS2_PAGE_SHIFT, end = (range->base + range->size) >> OS2_PAGE_SHIFT;
    if (first >= end || !heap_covers(heap, first) || !heap_covers(heap, end - 1))
        return;
    lock_acquire(&heap->lock);
    for (uint64_t n = first; n < end; n++)
        heap->frames[n].facts = frame_tag(OS2_FRAME_TAIL, 0, 0);
    put_run(heap, first, end);
    lock_release(&heap->lock);
}

/* The frames from `first` on up to what is kept next, put onto the free lists; those behind. */
static uint64_t free_run(struct heap *heap, const struct boot_info *info, const struct boot_range *array,
                         uint64_t first, uint64_t end) {
    for (unsigned i = 0; i <= info->kept_count; i++) {
        struct run run = run_of(heap, i < info->kept_count ? &info->kept[i] : array);
        end = run.first >= first && run.first < end && run.first < run.end ? run.first : end;
    }
    put_run(heap, first, end);
    return end;
}

/* Descriptors begin and end where page tables do, so that of what one maps all have one, or none: mm/fast.c. */
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
    struct boot_range array = {at, s.bytes};
    uint64_t made = s.first;
    for (struct boot_range r = {0}; boot_ram_next(info, &r);) {
        struct run run = run_of(heap, &r);
        if (run.first >= run.end)
            continue;
        frames_make(heap, made, run.first, OS2_FRAME_RESERVED);
        frames_make(heap, run.first, run.end, OS2_FRAME_TAIL);
        made = run.end;
    }
    frames_make(heap, made, s.end, OS2_FRAME_RESERVED);
    for (unsigned i = 0; i < info->kept_count; i++)
        keep(heap, &info->kept[i]);
    keep(heap, &array);
    if (s.first == 0)
        heap_frame(heap, 0)->state = OS2_FRAME_RESERVED;

    for (struct boot_range r = {0}; boot_ram_next(info, &r);) {
        struct run run = run_of(heap, &r);
        while (run.first < run.end)
            if (heap->frames[run.first].state == OS2_FRAME_TAIL)
                run.first = free_run(heap, info, &array, run.first, run.end);
            else
                run.first++;
    }
    return true;
}

static void make_empty(struct magazine *m) {
    m->top = m->frame;
    m->bottom = MAGAZINE_BOTTOM;
}

void heap_open(struct heap *heap, struct magazines *const *magazines, unsigned cores) {
    for (unsigned i = 0; i < cores; i++) {
        struct magazines *m = magazines[i];
        make_empty(&m->cleared);
        for (unsigned order = 0; order < MAGAZINE_ORDERS; order++)
            make_empty(&m->dirty[order]);
        heap->magazines[i] = m;
    }
    heap->open = true;
}
