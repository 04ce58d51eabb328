/* SPDX-License-Identifier: MIT */
/*
 * The buddy heap against a reference: an array that says of each frame whether it is free.
 *
 * A heap that merges whatever can be merged has a block of order k exactly when the reference has 2^k free frames in a
 * row, aligned. So the reference knows not only whether an allocation is good but also whether it had to succeed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/options.h"

#define MIB UINT64_C(0x100000)
#define FRAMES_MOST 0x8000u
#define HELD_MOST 2048

static struct heap heap;
static uint32_t base; /* frame number of free_frame[0] */
static bool free_frame[FRAMES_MOST];
static uint32_t frames;

static struct held {
    uint32_t number;
    unsigned order;
} held[HELD_MOST];
static unsigned held_count;

struct layout {
    const char *name;
    struct boot_info info;
};

static const struct layout layouts[] = {
    {"one bank", {.ram = {{0x80000000, 32 * MIB}}, .ram_count = 1}},
    {"a base of 4 KiB only, an odd size", {.ram = {{0x80003000, 9 * MIB + 0x5000}}, .ram_count = 1}},
    {"byte-granular",
     {.ram = {{0x80000123, 5 * MIB + 77}}, .reserved = {{0x80100001, 1}}, .ram_count = 1, .reserved_count = 1}},
    {"from 0", {.ram = {{0, 8 * MIB}}, .ram_count = 1}},
    {"two banks and a hole, unsorted", {.ram = {{0x82000000, 8 * MIB}, {0x80000000, 4 * MIB}}, .ram_count = 2}},
    {"reserved and kept",
     {.ram = {{0x80000000, 24 * MIB}, {0x82000000, 3 * MIB}},
      .reserved = {{0x80000000, 0x80000}, {0x80400000, 0x1000}, {0x80567800, 0x2345}},
      .kept = {{0x80800000, 0x123456}, {0x80a00000, 0x999}},
      .ram_count = 2,
      .reserved_count = 3,
      .kept_count = 2}},
    {"kept in a hole, at the edges of banks, and in what is reserved",
     {.ram = {{0x80000000, 4 * MIB}, {0x80800000, 4 * MIB - 0x800}},
      .reserved = {{0x80100000, 0x3000}},
      .kept = {{0x80600000, 0x5000}, {0x803ff800, 0x1000}, {0x80bff000, 0x400}, {0x80102800, 0x1000}},
      .ram_count = 2,
      .reserved_count = 1,
      .kept_count = 4}},
};

static bool inside(const struct boot_range *r, unsigned count, uint64_t page, bool whole) {
    for (unsigned i = 0; i < count; i++) {
        uint64_t end = r[i].base + r[i].size;
        if (whole ? page >= r[i].base && page + OS2_PAGE_SIZE <= end : page < end && r[i].base < page + OS2_PAGE_SIZE)
            return true;
    }
    return false;
}

static void set_up(const struct layout *layout) {
    const struct boot_info *info = &layout->info;
    memset(&heap, 0, sizeof heap);
    host_memory(info->ram[0].base & ~(16 * MIB - 1) ? 0x80000000 : 0, 64 * MIB);
    if (!heap_init(&heap, info))
        fail_msg("%s: no heap", layout->name);
    base = heap.first;
    frames = heap.end - heap.first;
    assert_true(frames <= FRAMES_MOST);
    uint64_t counted = 0;
    for (uint32_t i = 0; i < frames; i++) {
        uint64_t page = (uint64_t)(base + i) << OS2_PAGE_SHIFT;
        const struct frame *f = heap_frame(&heap, base + i);
        free_frame[i] = inside(info->ram, info->ram_count, page, true) && page &&
                        !inside(info->reserved, info->reserved_count, page, false) &&
                        !inside(info->kept, info->kept_count, page, false) && f->state != OS2_FRAME_KERNEL;
        counted += free_frame[i];
        if (!free_frame[i])
            assert_true(f->state == OS2_FRAME_RESERVED || f->state == OS2_FRAME_KERNEL);
        if (!inside(info->ram, info->ram_count, page, true)) /* or else it would be freed into the heap one day */
            assert_int_equal(f->state, OS2_FRAME_RESERVED);
    }
    assert_int_equal(counted, heap.free_pages);
    assert_null(heap_check(&heap));
    held_count = 0;
}

static bool reference_has(unsigned order) {
    uint32_t size = 1u << order, first = (base + size - 1) & ~(size - 1);
    for (uint32_t n = first; n + size <= base + frames; n += size) {
        uint32_t i = 0;
        while (i < size && free_frame[n - base + i])
            i++;
        if (i == size)
            return true;
    }
    return false;
}

static void take(unsigned order) {
    uint16_t owner = (uint16_t)(held_count * 7 + order);
    uint32_t number = heap_alloc(&heap, order, OS2_FRAME_OWNED, owner);
    if (number == FRAME_NONE) {
        if (reference_has(order))
            fail_msg("order %u is refused, and there is one", order);
        return;
    }
    const struct frame *f = heap_frame(&heap, number);
    assert_int_equal(number & ((1u << order) - 1), 0);
    assert_int_equal(f->state, OS2_FRAME_OWNED);
    assert_int_equal(f->order, order);
    assert_int_equal(f->owner, owner);
    for (uint32_t i = 0; i < 1u << order; i++) {
        if (!free_frame[number - base + i])
            fail_msg("frame %x is given twice", number + i);
        free_frame[number - base + i] = false;
        assert_true(i == 0 || f[i].state == OS2_FRAME_TAIL);
    }
    held[held_count++] = (struct held){number, order};
}

static void give(unsigned which) {
    struct held h = held[which];
    held[which] = held[--held_count];
    heap_free(&heap, h.number);
    for (uint32_t i = 0; i < 1u << h.order; i++)
        free_frame[h.number - base + i] = true;
}

static void test_against_reference(void **unused) {
    (void)unused;
    uint64_t steps = option_steps ? option_steps : option_long ? 5000000 : 200000; /* of each of the layouts */
    struct host_random random = {option_seed};
    for (unsigned l = 0; l < sizeof layouts / sizeof *layouts; l++) {
        set_up(&layouts[l]);
        uint64_t free_pages = heap.free_pages;
        unsigned bias = 50;
        for (uint64_t step = 0; step < steps; step++) {
            if (step % 997 == 0)
                bias = (unsigned)(20 + host_below(&random, 61)); /* fill for a while, then drain */
            if (held_count == 0 || (held_count < HELD_MOST && host_below(&random, 100) < bias)) {
                unsigned order = 0;
                while (order < OS2_ORDER_MAX && host_below(&random, 2))
                    order++;
                take(order);
            } else {
                give((unsigned)host_below(&random, held_count));
            }
            /* Every invariant after each step, for as long as that takes no longer than all the rest. */
            if (step % 4096 == 0 || (frames < 2500 && step < 10000))
                assert_null(heap_check(&heap));
        }
        while (held_count)
            give(held_count - 1);
        assert_null(heap_check(&heap));
        assert_int_equal(heap.free_pages, free_pages);
    }
}

static void test_all_pages_one_by_one(void **unused) {
    (void)unused;
    for (unsigned l = 0; l < sizeof layouts / sizeof *layouts; l++) {
        set_up(&layouts[l]);
        uint64_t n = 0, all = heap.free_pages;
        uint32_t chain = FRAME_NONE, number;
        while ((number = heap_alloc(&heap, 0, OS2_FRAME_TABLE, 1)) != FRAME_NONE) {
            heap_frame(&heap, number)->next = chain;
            chain = number;
            n++;
        }
        assert_int_equal(n, all);
        assert_int_equal(heap.free_pages, 0);
        assert_null(heap_check(&heap));
        while (chain != FRAME_NONE) {
            number = chain;
            chain = heap_frame(&heap, number)->next;
            heap_free(&heap, number);
        }
        assert_int_equal(heap.free_pages, all);
        assert_null(heap_check(&heap));
    }
}

/* Only the descriptors are ever touched, so memory of any size can be described. */
static void test_large_memory(void **unused) {
    (void)unused;
    for (uint64_t mib = 64; mib <= 16384; mib *= 4) {
        memset(&heap, 0, sizeof heap);
        struct boot_info info = {.ram = {{0x80000000, mib * MIB}}, .ram_count = 1};
        host_memory(0x80000000, mib * MIB);
        assert_true(heap_init(&heap, &info));
        assert_int_equal(heap.ram_pages, mib * MIB / OS2_PAGE_SIZE);
        assert_int_equal(heap.free_pages, heap.ram_pages - heap.ram_pages * sizeof(struct frame) / OS2_PAGE_SIZE);
        uint64_t free_pages = heap.free_pages;
        unsigned largest = 0;
        uint32_t got[16];
        while (largest < 16 && (got[largest] = heap_alloc(&heap, OS2_ORDER_MAX, OS2_FRAME_OWNED, 1)) != FRAME_NONE)
            largest++;
        assert_int_equal(largest, mib / 1024 ? mib / 1024 - 1 : 0); /* the descriptors are in one of them */
        while (largest)
            heap_free(&heap, got[--largest]);
        assert_int_equal(heap.free_pages, free_pages);
        assert_null(heap_check(&heap));
    }
}

/* A part of the image, taken in when boot is over, is as free as what lies around it. */
static void test_take_in(void **unused) {
    (void)unused;
    memset(&heap, 0, sizeof heap);
    struct boot_info info = {.ram = {{0x80000000, 64 * MIB}}, .ram_count = 1};
    struct boot_range image = {0x80200000, 0x30000}, part = {0x80204000, 0x6000}, outside = {0x70000000, 0x6000};
    boot_reserve(&info, image.base, image.size);
    host_memory(0x80000000, 64 * MIB);
    assert_true(heap_init(&heap, &info));
    uint64_t before = heap.free_pages;
    heap_take_in(&heap, &outside);
    assert_int_equal(heap.free_pages, before);
    heap_take_in(&heap, &part);
    assert_int_equal(heap.free_pages, before + 6);
    assert_null(heap_check(&heap));
    for (uint64_t pa = image.base; pa < image.base + image.size; pa += OS2_PAGE_SIZE) {
        bool taken = pa >= part.base && pa < part.base + part.size;
        assert_int_equal(heap_frame(&heap, (uint32_t)(pa >> OS2_PAGE_SHIFT))->state == OS2_FRAME_RESERVED, !taken);
    }
}

static void test_no_room_for_descriptors(void **unused) {
    (void)unused;
    host_memory(0x80000000, MIB);
    memset(&heap, 0, sizeof heap);
    assert_false(heap_init(&heap, &(struct boot_info){.ram_count = 0}));
    assert_false(heap_init(&heap, &(struct boot_info){.ram = {{0x80000000, 100}}, .ram_count = 1}));
    assert_false(heap_init(&heap, &(struct boot_info){.ram = {{0x80000000, 0x10000}},
                                                      .reserved = {{0x80000800, 0xf000}},
                                                      .ram_count = 1,
                                                      .reserved_count = 1}));
}

/* What is not the start of a block in use is a kernel bug, and is caught. */
static void test_wrong_frees_panic(void **unused) {
    (void)unused;
    const struct layout *layout = &layouts[5];
    set_up(layout);
    uint32_t number = heap_alloc(&heap, 3, OS2_FRAME_OWNED, 1);
    heap_free(&heap, number);
    assert_true(HOST_PANICS(heap_free(&heap, number)));
    set_up(layout);
    number = heap_alloc(&heap, 3, OS2_FRAME_OWNED, 1);
    assert_true(HOST_PANICS(heap_free(&heap, number + 1)));
    assert_non_null(strstr(host_panic, "not the start of a block"));
    set_up(layout);
    assert_true(HOST_PANICS(heap_free(&heap, 0x80400)));
    set_up(layout);
    assert_true(HOST_PANICS(heap_free(&heap, heap.end)));
    assert_true(HOST_PANICS(heap_free(&heap, heap.first - 1)));
    assert_true(HOST_PANICS(heap_free(&heap, FRAME_NONE)));
}

static void test_refusals(void **unused) {
    (void)unused;
    set_up(&layouts[0]);
    uint64_t free_pages = heap.free_pages;
    assert_int_equal(heap_alloc(&heap, OS2_ORDER_MAX + 1, OS2_FRAME_OWNED, 1), FRAME_NONE);
    assert_int_equal(heap_alloc(&heap, OS2_ORDER_MAX, OS2_FRAME_OWNED, 1), FRAME_NONE);
    assert_int_equal(heap.free_pages, free_pages);
    uint32_t number = heap_alloc(&heap, 0, OS2_FRAME_OWNED, 1);
    memset(frame_memory(number), 0xff, OS2_PAGE_SIZE);
    heap_free(&heap, number);
    number = heap_alloc_cleared(&heap, OS2_FRAME_TABLE, 1);
    const uint8_t *memory = frame_memory(number);
    for (unsigned i = 0; i < OS2_PAGE_SIZE; i++)
        assert_int_equal(memory[i], 0);
}

/* Of each order the block freed last is kept whole; whoever needs what it would be merged to gets it all the same. */
static void test_spare(void **unused) {
    (void)unused;
    set_up(&layouts[0]);
    uint32_t all[16];
    unsigned count = 0;
    while (count < 16 && (all[count] = heap_alloc(&heap, 9, OS2_FRAME_OWNED, 1)) != FRAME_NONE)
        count++;
    assert_in_range(count, 15, 16); /* 32 MiB, less the descriptors */
    for (unsigned i = 0; i < count; i++) {
        heap_free(&heap, all[i]);
        assert_int_equal(heap.spare[9], all[i]);
        assert_int_equal(heap_frame(&heap, all[i])->state, OS2_FRAME_MAGAZINE);
        assert_null(heap_check(&heap));
    }
    uint32_t number = heap_alloc(&heap, 9, OS2_FRAME_OWNED, 1);
    assert_int_equal(number, all[count - 1]);
    assert_int_equal(heap_alloc_spare(&heap, 9), FRAME_NONE);
    assert_true(heap_free_spare(&heap, number, 9));
    assert_false(heap_free_spare(&heap, number ^ 0x200, 9));
    assert_int_equal(heap_alloc_spare(&heap, 9), number);
    assert_true(heap_free_spare(&heap, number, 9));
    assert_true(HOST_PANICS(heap_free(&heap, number))); /* it is free already */
    number = heap_alloc(&heap, 12, OS2_FRAME_OWNED, 1); /* of 32 MiB less the descriptors, what was merged */
    assert_int_not_equal(number, FRAME_NONE);
    assert_null(heap_check(&heap));
}

/* RAM of any shape: banks, holes, reserved and kept ranges at random, from 64 MiB to 16 GiB. What is free is what is in
 * a bank, whole, and in nothing else, but for the descriptors. */
#define SHAPE_FRAMES (UINT64_C(20) << (30 - OS2_PAGE_SHIFT))
static uint8_t shape_free[SHAPE_FRAMES]; /* of frames from SHAPE_LOWEST on */
#define SHAPE_LOWEST 0x80000u

/* Banks far apart. What a hole would cost in descriptors is never more than the RAM that it makes usable: then what is
 * beyond it is left out, whichever side that is; but the boot archive's bank is always in. */
static void test_far_banks(void **unused) {
    (void)unused;
    const uint64_t near = 0x80000000, gib = UINT64_C(1) << 30;
    const struct {
        uint64_t near_mib, hole_gib, far_mib, archive, first, end, ram_mib;
    } cases[] = {
        {32, 16, 4, 0, near, near + 32 * MIB, 32},
        {4, 16, 48, 0, near + 16 * gib, near + 16 * gib + 48 * MIB, 48},
        {8, 16, 48, near + 3 * MIB, near, near + 8 * MIB, 8}, /* 66 MiB of descriptors are not worth it */
        {8, 16, 200, near + 3 * MIB, near, near + 16 * gib + 200 * MIB, 208},
        {32, 1, 32, 0, near, near + gib + 32 * MIB, 64},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct boot_info info = {.archive = {cases[i].archive, cases[i].archive ? MIB : 0}};
        memset(&heap, 0, sizeof heap);
        host_memory(near, cases[i].hole_gib * gib + 256 * MIB);
        boot_ram(&info, near + cases[i].hole_gib * gib, cases[i].far_mib * MIB);
        boot_ram(&info, near, cases[i].near_mib * MIB);
        assert_true(heap_init(&heap, &info));
        assert_int_equal((uint64_t)heap.first << OS2_PAGE_SHIFT, cases[i].first);
        assert_int_equal((uint64_t)heap.end << OS2_PAGE_SHIFT, cases[i].end);
        assert_int_equal(heap.ram_pages, cases[i].ram_mib * MIB / OS2_PAGE_SIZE);
        assert_true(heap.free_pages > heap.ram_pages / 4);
        assert_null(heap_check(&heap));
    }
}

static void shape_mark(const struct boot_range *r, bool whole, uint8_t value) {
    uint64_t first = (r->base + (whole ? OS2_PAGE_SIZE - 1 : 0)) >> OS2_PAGE_SHIFT;
    uint64_t end = (r->base + r->size + (whole ? 0 : OS2_PAGE_SIZE - 1)) >> OS2_PAGE_SHIFT;
    for (uint64_t n = first; r->size && n < end; n++)
        if (n >= SHAPE_LOWEST && n - SHAPE_LOWEST < SHAPE_FRAMES)
            shape_free[n - SHAPE_LOWEST] = value;
}

static uint64_t shape_make(struct host_random *random, struct boot_info *info, uint64_t mib) {
    uint64_t at = ((uint64_t)SHAPE_LOWEST << OS2_PAGE_SHIFT) + host_below(random, 4 * MIB), left = mib * MIB;
    uint64_t gap = left / 16;
    info->ram_count = 1 + (unsigned)host_below(random, 4);
    for (unsigned i = 0; i < info->ram_count; i++) {
        uint64_t size = i + 1 == info->ram_count ? left : left / 8 + host_below(random, left / 2);
        info->ram[i] = (struct boot_range){at, size};
        left -= size;
        at += size + (host_below(random, 3) ? host_below(random, gap) : 0);
    }
    info->reserved_count = (unsigned)host_below(random, 6);
    info->kept_count = (unsigned)host_below(random, 4);
    uint64_t lowest = info->ram[0].base, span = at - lowest;
    for (unsigned i = 0; i < info->reserved_count; i++)
        info->reserved[i] = (struct boot_range){lowest + host_below(random, span), host_below(random, 3 * MIB)};
    for (unsigned i = 0; i < info->kept_count; i++)
        info->kept[i] = (struct boot_range){lowest + host_below(random, span), host_below(random, MIB)};
    return span;
}

static void test_any_shape(void **unused) {
    (void)unused;
    struct host_random random = {option_seed};
    unsigned rounds = option_long ? 10 : 2;
    for (unsigned round = 0; round < rounds; round++)
        for (uint64_t mib = 64; mib <= 16384; mib *= 2) {
            static struct boot_info info;
            memset(&info, 0, sizeof info);
            memset(&heap, 0, sizeof heap);
            memset(shape_free, 0, sizeof shape_free);
            uint64_t span = shape_make(&random, &info, mib), wanted = 0, got = 0, kernel = 0;
            host_memory((uint64_t)SHAPE_LOWEST << OS2_PAGE_SHIFT, span + 8 * MIB);
            assert_true(heap_init(&heap, &info));
            for (unsigned i = 0; i < info.ram_count; i++)
                shape_mark(&info.ram[i], true, 1);
            for (unsigned i = 0; i < info.reserved_count; i++)
                shape_mark(&info.reserved[i], false, 0);
            for (unsigned i = 0; i < info.kept_count; i++)
                shape_mark(&info.kept[i], false, 0);
            uint32_t behind = heap.first; /* the free block below */
            for (uint32_t n = heap.first; n < heap.end; n++) {
                const struct frame *f = heap_frame(&heap, n);
                if (f->state == OS2_FRAME_TAIL && n >= behind)
                    fail_msg("seed %lu, %lu MiB: frame %x is in no block", option_seed, mib, n);
                wanted += shape_free[n - SHAPE_LOWEST];
                kernel += f->state == OS2_FRAME_KERNEL && shape_free[n - SHAPE_LOWEST];
                if (f->state != OS2_FRAME_FREE && f->state != OS2_FRAME_MAGAZINE)
                    continue;
                for (uint32_t i = 0; i < 1u << f->order; i++)
                    if (!shape_free[n + i - SHAPE_LOWEST])
                        fail_msg("seed %lu, %lu MiB: frame %x is free and should not be", option_seed, mib, n + i);
                got += UINT64_C(1) << f->order;
                behind = n + (1u << f->order);
            }
            assert_int_equal(got, wanted - kernel);
            assert_int_equal(got, heap.free_pages);
            uint64_t bytes = (uint64_t)(heap.end - heap.first) * sizeof(struct frame);
            assert_int_equal(kernel, (bytes + OS2_PAGE_SIZE - 1) / OS2_PAGE_SIZE);
            assert_null(heap_check(&heap));
        }
}

/* Fragmentation: all memory taken page by page and half of it given back at random, then every other page. What is free
 * and not refused is what the reference says, and once all is back, the largest blocks are there again. */
static void test_fragments(void **unused) {
    (void)unused;
    struct host_random random = {option_seed};
    static uint32_t page[FRAMES_MOST];
    for (unsigned l = 0; l < sizeof layouts / sizeof *layouts; l++) {
        set_up(&layouts[l]);
        uint64_t all = heap.free_pages;
        unsigned count = 0, largest = OS2_ORDER_MAX;
        while (!reference_has(largest))
            largest--;
        while ((page[count] = heap_alloc(&heap, 0, OS2_FRAME_OWNED, 1)) != FRAME_NONE)
            free_frame[page[count++] - base] = false;
        assert_int_equal(count, all);
        for (unsigned i = 0; i < count; i++) {
            bool free = l & 1 ? page[i] & 1 : host_below(&random, 2);
            if (!free)
                continue;
            heap_free(&heap, page[i]);
            free_frame[page[i] - base] = true;
            page[i] = FRAME_NONE;
        }
        assert_null(heap_check(&heap));
        for (unsigned order = 0; order <= OS2_ORDER_MAX; order++) {
            uint32_t number = heap_alloc(&heap, order, OS2_FRAME_OWNED, 1);
            assert_int_equal(number != FRAME_NONE, reference_has(order));
            if (number != FRAME_NONE)
                heap_free(&heap, number);
        }
        for (unsigned i = 0; i < count; i++)
            if (page[i] != FRAME_NONE)
                heap_free(&heap, page[i]);
        assert_int_equal(heap.free_pages, all);
        assert_null(heap_check(&heap));
        assert_int_not_equal(heap_alloc(&heap, largest, OS2_FRAME_OWNED, 1), FRAME_NONE);
    }
}

static void count_piece(void *context, uint32_t number) {
    const struct frame *f = heap_frame(&heap, number);
    assert_int_equal(f->state, OS2_FRAME_OWNED);
    assert_int_equal(f->owner, 9);
    assert_int_equal(number & ((1u << f->order) - 1), 0);
    *(uint32_t *)context += 1u << f->order;
}

/* Frames kept since boot become blocks, and can be freed like any other. */
static void test_adopt(void **unused) {
    (void)unused;
    set_up(&layouts[5]);
    uint64_t free_pages = heap.free_pages;
    uint32_t pages = 0, first = 0x80800, count = 0x124;
    heap_adopt(&heap, first, count, 9, count_piece, &pages);
    assert_int_equal(pages, count);
    for (uint32_t n = first; n < first + count;) {
        uint32_t size = 1u << heap_frame(&heap, n)->order;
        heap_free(&heap, n);
        n += size;
    }
    assert_int_equal(heap.free_pages, free_pages + count);
    assert_null(heap_check(&heap));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_all_pages_one_by_one),
        cmocka_unit_test(test_large_memory),
        cmocka_unit_test(test_take_in),
        cmocka_unit_test(test_no_room_for_descriptors),
        cmocka_unit_test(test_wrong_frees_panic),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_spare),
        cmocka_unit_test(test_far_banks),
        cmocka_unit_test(test_any_shape),
        cmocka_unit_test(test_fragments),
    };
    option_seed = 1;
    options_read(argc, argv);
    printf("# seed %lu\n", option_seed);
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
