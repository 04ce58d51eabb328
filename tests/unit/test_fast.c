/* SPDX-License-Identifier: MIT */
/* The short way of single pages, mm/fast.h: that it is taken, and what it must leave to the long one. */
#include "tests/unit/machine.h"

#include "mm/fast.h"

#define READ OS2_PROT_READ
#define WRITE OS2_PROT_WRITE
#define REGION UINT64_C(0x200000)

static struct space *space;
static struct magazines *magazines;

static void set_up(uint64_t mib) {
    boot(mib);
    run(init);
    space = &init->space;
    magazines = &cores[0]->magazines;
}

static int64_t put(uint64_t va) {
    return CALL(init, OS2_SYS_block_free, va);
}

static void test_taken(void **unused) {
    (void)unused;
    set_up(16);
    uint64_t first = alloc(init, 0); /* the region is known from here on */
    while (magazine_clear_ahead(&machine.heap))
        ;
    uint64_t charged = space->charged;
    for (unsigned i = 0; i < MAGAZINE_ROUNDS / 2; i++) {
        uint64_t va = fast_get(space, magazines);
        assert_int_not_equal(va, 0);
        assert_int_equal(space->charged, charged + 1);
        check();
        assert_true(fast_put(space, magazines, va));
        assert_int_equal(space->charged, charged);
        check();
    }
    assert_int_equal(put(first), OS2_OK);
}

/* Within the quota to the page, and not without a cleared frame. */
static void test_get_refused(void **unused) {
    (void)unused;
    set_up(16);
    alloc(init, 0);
    uint64_t quota = space->quota;
    while (magazine_clear_ahead(&machine.heap))
        ;
    space->quota = space->charged;
    assert_int_equal(fast_get(space, magazines), 0);
    assert_false(fast_prepare(space, magazines));
    assert_int_equal(block_alloc(space, 0, &(uint64_t){0}), OS2_E_QUOTA);
    space->quota = quota;
    for (unsigned i = 0; i < MAGAZINE_ROUNDS; i++)
        alloc(init, 0);
    while (magazine_count(&magazines->cleared))
        alloc(init, 0);
    assert_int_equal(fast_get(space, magazines), 0);
    check();
}

/* What is not a page of the caller's at its exchange address is not given back, and changes nothing. */
static void test_put_refused(void **unused) {
    (void)unused;
    set_up(32);
    uint64_t page = alloc(init, 0), larger = alloc(init, 1), to;
    struct process *child = make(init, 20, NULL);
    struct block b;
    assert_int_equal(space_refill(&child->space, SPACE_RESERVE), OS2_OK);
    uint64_t given = alloc(init, 0);
    assert_int_equal(block_find(space, given, &b), OS2_OK);
    block_move(space, &child->space, &b, 0, READ | WRITE);
    uint64_t placed = alloc(init, 0);
    assert_int_equal(block_place(space, placed, REGION * 5, READ, &to), OS2_OK);
    uint64_t gone = alloc(init, 0);
    run(init);
    assert_int_equal(put(gone), OS2_OK);
    const uint64_t bad[] = {page + 1,
                            page + 8,
                            larger + OS2_PAGE_SIZE,
                            given,
                            placed,
                            gone,
                            0,
                            page - OS2_EXCHANGE_BASE,
                            ~page,
                            UINT64_MAX,
                            page ^ 1ull << 63,
                            page + ((uint64_t)machine.heap.end << OS2_PAGE_SHIFT)};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t charged = space->charged, free_pages = heap_free_pages(&machine.heap);
        assert_false(fast_put(space, magazines, bad[i]));
        assert_int_equal(put(bad[i]), OS2_E_OWNER);
        assert_int_equal(space->charged, charged);
        assert_int_equal(heap_free_pages(&machine.heap), free_pages);
    }
    assert_false(fast_put(space, magazines, larger)); /* the long way's */
    assert_int_equal(put(larger), OS2_OK);
    assert_int_equal(put(REGION * 5), OS2_OK);
    assert_int_equal(put(page), OS2_OK);
}

/* One page in each of many regions, got and given back by the short way: not more emptied tables are kept than ever. */
static void test_empty_tables(void **unused) {
    (void)unused;
    static uint64_t va[12 * 512];
    set_up(64);
    unsigned regions = 0;
    for (unsigned i = 0; i < 12 * 512; i++)
        va[i] = alloc(init, 0);
    for (unsigned i = 0; i < 12 * 512; i++)
        if (i % 512 / 4 != 25)
            assert_int_equal(put(va[i]), OS2_OK);
    while (magazine_count(&magazines->cleared))
        alloc(init, 0);
    for (unsigned i = 100; i < 12 * 512; i += 512) {
        for (unsigned j = 0; j < 4; j++)
            assert_int_equal(put(va[i + j]), OS2_OK);
        /* One of these frames, so that the region of the hint is its own; or first, what was a table. */
        uint64_t again = 0;
        for (unsigned tries = 0; tries < 8 && again / (512 * OS2_PAGE_SIZE) != va[i] / (512 * OS2_PAGE_SIZE); tries++)
            again = alloc(init, 0);
        assert_int_equal(again / (512 * OS2_PAGE_SIZE), va[i] / (512 * OS2_PAGE_SIZE));
        bool last = space->page.table->live == 2; /* it, and that it is held */
        if (!fast_put(space, magazines, again))
            assert_int_equal(put(again), OS2_OK);
        assert_true(space->empty_tables <= SPACE_EMPTY_TABLES);
        regions += last;
        check();
    }
    assert_true(regions > SPACE_EMPTY_TABLES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_get_refused),
        cmocka_unit_test(test_put_refused),
        cmocka_unit_test(test_empty_tables),
    };
    return cmocka_run_group_tests_name("fast", tests, NULL, NULL);
}
