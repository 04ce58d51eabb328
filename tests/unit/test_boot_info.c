/* SPDX-License-Identifier: MIT */
/*
 * The questions about struct boot_info, against a map of the first pages that is painted byte by byte: random ranges,
 * not aligned, that touch, overlap and are empty.
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

static void paint(struct boot_range *list, unsigned *count, bool *bytes, unsigned most, uint64_t size_most) {
    memset(bytes, 0, BYTES);
    *count = 0;
    for (unsigned n = (unsigned)host_below(&numbers, most + 1); n; n--) {
        uint64_t base = host_below(&numbers, BYTES - size_most), size = host_below(&numbers, size_most);
        if (host_below(&numbers, 2)) { /* on a boundary, or just beside it */
            base = (base & ~(OS2_PAGE_SIZE - 1)) + host_below(&numbers, 2);
            size = (size & ~(OS2_PAGE_SIZE - 1)) + host_below(&numbers, 2);
        }
        boot_add(list, count, base, size, "test");
        memset(bytes + base, 1, size);
    }
}

static bool all(const bool *bytes, uint64_t page, bool value) {
    for (unsigned i = 0; i < OS2_PAGE_SIZE; i++)
        if (bytes[page * OS2_PAGE_SIZE + i] != value)
            return false;
    return true;
}

/* Whole pages of one bank: where two banks share a page, neither holds it. */
static bool banked(uint64_t page) {
    for (unsigned i = 0; i < info.ram_count; i++)
        if (info.ram[i].base <= page * OS2_PAGE_SIZE &&
            (page + 1) * OS2_PAGE_SIZE <= info.ram[i].base + info.ram[i].size)
            return true;
    return false;
}

static void test_ranges(void **unused) {
    (void)unused;
    for (unsigned round = 0; round < ROUNDS; round++) {
        paint(info.ram, &info.ram_count, ram, 3, 20 * OS2_PAGE_SIZE);
        paint(info.reserved, &info.reserved_count, reserved, 5, 5 * OS2_PAGE_SIZE);
        paint(info.kept, &info.kept_count, kept, 3, 3 * OS2_PAGE_SIZE);

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
            assert_int_equal(free_page[page], banked(page) && all(reserved, page, false));
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
            assert_true(banked(page) || size % OS2_PAGE_SIZE);
        }
        if (info.ram_count == 1 && longest >= pages)
            assert_int_not_equal(at, 0);
        if (at) {
            assert_int_equal(boot_room(&info, size, at + size), at);
            uint64_t below = boot_room(&info, size, at + size - 1);
            assert_true(below == 0 || below + size < at + size);
        }
    }
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges), cmocka_unit_test(test_argument)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
