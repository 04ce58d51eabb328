/* SPDX-License-Identifier: MIT */
/*
 * The lists of struct boot_info and the questions about them, against a map of the first pages that is painted byte by
 * byte: random ranges, not aligned, in any order, that touch, overlap and are empty. And lists that are full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "tests/host/host.h"

#define PAGES 48u
#define BYTES (PAGES * (unsigned)OS2_PAGE_SIZE)
#define ROUNDS 3000u

static struct boot_info info;
static bool ram[BYTES], reserved[BYTES], kept[BYTES];
static struct host_random numbers;

static void add_kept(struct boot_info *to, uint64_t base, uint64_t size) {
    to->kept[to->kept_count++] = (struct boot_range){base, size};
}

static void paint(void (*add)(struct boot_info *, uint64_t, uint64_t), bool *bytes, unsigned most, uint64_t size_most) {
    memset(bytes, 0, BYTES);
    for (unsigned n = (unsigned)host_below(&numbers, most + 1); n; n--) {
        uint64_t base = host_below(&numbers, BYTES - size_most), size = host_below(&numbers, size_most);
        if (host_below(&numbers, 2)) { /* on a boundary, or just beside it */
            base = (base & ~(OS2_PAGE_SIZE - 1)) + host_below(&numbers, 2);
            size = (size & ~(OS2_PAGE_SIZE - 1)) + host_below(&numbers, 2);
        }
        add(&info, base, size);
        memset(bytes + base, 1, size);
    }
}

/* Sorted, nothing empty, nothing that touches, and the very bytes that were painted. */
static void check_list(const struct boot_range *list, unsigned count, const bool *bytes) {
    static bool listed[BYTES];
    memset(listed, 0, BYTES);
    for (unsigned i = 0; i < count; i++) {
        assert_true(list[i].size > 0 && (!i || list[i].base > list[i - 1].base + list[i - 1].size));
        memset(listed + list[i].base, 1, list[i].size);
    }
    assert_memory_equal(listed, bytes, BYTES);
}

static bool all(const bool *bytes, uint64_t page, bool value) {
    for (unsigned i = 0; i < OS2_PAGE_SIZE; i++)
        if (bytes[page * OS2_PAGE_SIZE + i] != value)
            return false;
    return true;
}

static void test_ranges(void **unused) {
    (void)unused;
    for (unsigned round = 0; round < ROUNDS; round++) {
        info.ram_count = info.reserved_count = info.kept_count = 0;
        paint(boot_ram, ram, 5, 14 * OS2_PAGE_SIZE);
        paint(boot_reserve, reserved, 5, 5 * OS2_PAGE_SIZE);
        paint(add_kept, kept, 3, 3 * OS2_PAGE_SIZE);
        check_list(info.ram, info.ram_count, ram);
        check_list(info.reserved, info.reserved_count, reserved);
        struct boot_range any = {host_below(&numbers, BYTES / 2), host_below(&numbers, BYTES / 4) + 1};
        assert_int_equal(boot_holds(info.ram, info.ram_count, &any), !memchr(ram + any.base, 0, any.size));

        bool free_page[PAGES] = {0};
        uint64_t before = 0;
        for (struct boot_range r = {0}; boot_ram_next(&info, &r);) {
            assert_true(r.base >= before && r.size > 0 && r.base + r.size <= BYTES);
            assert_int_equal((r.base | r.size) % OS2_PAGE_SIZE, 0);
            before = r.base + r.size;
            memset(&free_page[r.base / OS2_PAGE_SIZE], 1, r.size / OS2_PAGE_SIZE);
        }
        uint64_t longest = 0, run = 0;
        for (unsigned page = 0; page < PAGES; page++) {
            assert_int_equal(free_page[page], all(ram, page, true) && all(reserved, page, false));
            uint64_t base = page * OS2_PAGE_SIZE;
            assert_int_equal(boot_meets(info.reserved, info.reserved_count, base, base + OS2_PAGE_SIZE) != 0,
                             !all(reserved, page, false));
            run = page && free_page[page] && all(kept, page, false) ? run + 1 : 0;
            longest = run > longest ? run : longest;
        }

        uint64_t pages = host_below(&numbers, 8) + 1,
                 size = pages * OS2_PAGE_SIZE - host_below(&numbers, OS2_PAGE_SIZE);
        uint64_t at = boot_room(&info, size, UINT64_MAX);
        assert_true(!at || at % OS2_PAGE_SIZE == 0);
        for (uint64_t i = 0; at && i < pages; i++) {
            uint64_t page = at / OS2_PAGE_SIZE + i;
            assert_true(all(reserved, page, false) && all(kept, page, false));
            assert_true(all(ram, page, true) || size % OS2_PAGE_SIZE);
        }
        if (longest >= pages)
            assert_int_not_equal(at, 0);
        if (at) {
            assert_int_equal(boot_room(&info, size, at + size), at);
            uint64_t below = boot_room(&info, size, at + size - 1);
            assert_true(below == 0 || below + size < at + size);
        }
    }
}

/* More ranges than there is room for. Of RAM the smallest go, whenever they come. */
static void test_full_of_ram(void **unused) {
    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        struct boot_range named[BOOT_RANGES + 20];
        unsigned count = BOOT_RANGES + (unsigned)host_below(&numbers, 20) + 1;
        uint64_t all_bytes = 0, got = 0, most_out = 0;
        memset(&info, 0, sizeof info);
        for (unsigned i = 0; i < count; i++)
            named[i] = (struct boot_range){(i + 1) * UINT64_C(0x100000), (host_below(&numbers, 200) + 1) << 12};
        for (unsigned i = count; i > 1; i--) { /* in any order */
            unsigned k = (unsigned)host_below(&numbers, i);
            struct boot_range other = named[k];
            named[k] = named[i - 1];
            named[i - 1] = other;
        }
        for (unsigned i = 0; i < count; i++) {
            boot_ram(&info, named[i].base, named[i].size);
            all_bytes += named[i].size;
        }
        assert_int_equal(info.ram_count, BOOT_RANGES);
        uint64_t least_in = UINT64_MAX;
        for (unsigned i = 0; i < info.ram_count; i++)
            got += info.ram[i].size;
        for (unsigned i = 0; i < count; i++) {
            bool in = boot_holds(info.ram, info.ram_count, &named[i]);
            if (in && named[i].size < least_in)
                least_in = named[i].size;
            if (!in && named[i].size > most_out)
                most_out = named[i].size;
        }
        assert_true(most_out <= least_in);
        assert_int_equal(got + info.ram_left_out, all_bytes);
    }
}

/* Of reserved memory nothing is forgotten, and nothing that is kept is swallowed. */
static void test_full_of_reserved(void **unused) {
    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        memset(&info, 0, sizeof info);
        uint64_t at = 0x80000000;
        struct boot_range named[3 * BOOT_RANGES];
        for (unsigned i = 0; i < 3 * BOOT_RANGES; i++) {
            named[i] = (struct boot_range){at, (host_below(&numbers, 8) + 1) << 12};
            at += named[i].size + ((host_below(&numbers, 30) + 1) << 12);
        }
        for (unsigned i = 0; i < 4; i++) { /* in a gap */
            const struct boot_range *before = &named[host_below(&numbers, 3 * BOOT_RANGES)];
            add_kept(&info, before->base + before->size, 0x800);
        }
        for (unsigned i = 0; i < 3 * BOOT_RANGES; i++) {
            const struct boot_range *r = &named[(i * 77) % (3 * BOOT_RANGES)]; /* 77 and 192 have no common factor */
            boot_reserve(&info, r->base, r->size);
        }
        assert_int_equal(info.reserved_count, BOOT_RANGES);
        assert_true(info.reserved_joined > 0);
        for (unsigned i = 0; i < 3 * BOOT_RANGES; i++)
            assert_true(boot_holds(info.reserved, info.reserved_count, &named[i]));
        for (unsigned i = 0; i < info.kept_count; i++)
            assert_int_equal(boot_meets(info.reserved, info.reserved_count, info.kept[i].base,
                                        info.kept[i].base + info.kept[i].size),
                             0);
    }
}

/* Two memory nodes that touch, the upper one first, are one bank: what lies across their border is in it. */
static void test_nodes_that_touch(void **unused) {
    (void)unused;
    memset(&info, 0, sizeof info);
    boot_ram(&info, 0x84000000, 0x4000000);
    boot_ram(&info, 0x80000000, 0x4000000);
    assert_int_equal(info.ram_count, 1);
    assert_true(boot_holds(info.ram, info.ram_count, &(struct boot_range){0x83ff0000, 0x20000}));
    struct boot_range r = {0};
    assert_true(boot_ram_next(&info, &r) && r.base == 0x80000000 && r.size == 0x8000000);
}

/* What a port does not reach is reserved, so that nobody takes it for a device either; and what wraps is cut. */
static void test_limit(void **unused) {
    (void)unused;
    memset(&info, 0, sizeof info);
    boot_ram(&info, 0x3000, UINT64_MAX);
    boot_reserve(&info, UINT64_MAX - 0x1000, 0x1000);
    boot_reserve(&info, BOOT_ADDRESS_END - 0x1000, UINT64_MAX);
    boot_ram(&info, 0x1000, 0x1000);
    assert_int_equal(info.reserved_count, 1);
    assert_int_equal(info.ram[1].base + info.ram[1].size, BOOT_ADDRESS_END);
    boot_limit(&info, 0x10000);
    assert_int_equal(info.ram_count, 2);
    assert_int_equal(info.ram[1].base + info.ram[1].size, 0x10000);
    assert_true(boot_meets(info.reserved, info.reserved_count, 0x10000, 0x11000));
    boot_limit(&info, 0x2000);
    assert_int_equal(info.ram_count, 1);
    struct boot_range r = {0};
    assert_true(boot_ram_next(&info, &r) && r.base == 0x1000 && r.size == 0x1000 && !boot_ram_next(&info, &r));
}

static void test_argument(void **unused) {
    (void)unused;
    strcpy(info.arguments, "os2.one os2.two=2  os2.three");
    assert_true(boot_argument(&info, "os2.one"));
    assert_true(boot_argument(&info, "os2.two=2"));
    assert_true(boot_argument(&info, "os2.three"));
    assert_false(boot_argument(&info, "os2.two"));
    assert_false(boot_argument(&info, "os2.on"));
    assert_false(boot_argument(&info, "one"));
    assert_false(boot_argument(&info, "os2.three4"));
    info.arguments[0] = 0;
    assert_false(boot_argument(&info, "os2.one"));
}

int main(void) {
    numbers.state = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_full_of_ram),
        cmocka_unit_test(test_full_of_reserved),
        cmocka_unit_test(test_nodes_that_touch),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
