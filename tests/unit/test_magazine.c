/* SPDX-License-Identifier: MIT */
/*
 * Magazines against a reference: an array that says of each frame who holds it, and cores that take turns at random.
 *
 * Held frames are written to, so that one given twice, or one said to be cleared and not, is seen. The promise that
 * quotas rest on is asked each time: while more frames are free than all magazines have room for, none is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mm/magazine.h"
#include "tests/host/host.h"
#include "tests/host/options.h"

#define MIB UINT64_C(0x100000)
#define RAM_MIB 16
#define CORES 4u
#define HELD_MOST 4096

static struct heap heap;
static struct magazines magazines[CORES];
static struct arch_core core[CORES];
static uint64_t all_pages;

static struct held {
    uint32_t number;
    unsigned order;
    bool zero; /* all its bytes are 0 */
} held[HELD_MOST];
static unsigned held_count;
static uint64_t held_pages;

static void on(unsigned index) {
    host_core = (struct core *)&core[index];
}

static void set_up(void) {
    struct boot_info info = {.ram = {{0x80000000, RAM_MIB * MIB}}, .ram_count = 1};
    struct magazines *each[CORES];
    memset(&heap, 0, sizeof heap);
    memset(magazines, 0, sizeof magazines);
    host_memory(0x80000000, RAM_MIB * MIB);
    assert_true(heap_init(&heap, &info));
    for (unsigned i = 0; i < CORES; i++) {
        core[i].index = i;
        each[i] = &magazines[i];
    }
    heap_open(&heap, each, CORES);
    on(0);
    all_pages = heap_free_pages(&heap);
    held_count = 0;
    held_pages = 0;
}

static uint64_t *words(uint32_t number) {
    return frame_memory(number);
}

static void keep(uint32_t number, unsigned order, bool cleared) {
    const struct frame *f = heap_frame(&heap, number);
    assert_int_equal(f->tag, frame_tag(OS2_FRAME_OBJECT, order, 7));
    assert_int_equal(number & ((1u << order) - 1), 0);
    for (unsigned i = 0; cleared && i < OS2_PAGE_SIZE / 8; i++)
        assert_int_equal(words(number)[i], 0);
    for (uint32_t i = 0; i < 1u << order; i++)
        assert_true(i == 0 || f[i].state == OS2_FRAME_TAIL);
    if (!cleared)
        words(number)[5] = number;
    held[held_count++] = (struct held){number, order, cleared};
    held_pages += UINT64_C(1) << order;
}

static unsigned held_back(void) {
    const struct magazines *m = &magazines[arch_core_index()];
    unsigned blocks = (unsigned)magazine_count(&m->cleared);
    for (unsigned order = 0; order < MAGAZINE_ORDERS; order++)
        blocks += (unsigned)magazine_count(&m->dirty[order]);
    return blocks;
}

/* As a system call does it: again, as long as there may be a block. Each time costs little, and leads somewhere. */
static unsigned again;
static uint32_t alloc(unsigned order) {
    uint32_t number;
    unsigned before = held_back();
    for (again = 0; (number = heap_alloc(&heap, order, OS2_FRAME_OBJECT, 7)) == FRAME_AGAIN; again++) {
        unsigned now = held_back();
        assert_in_range(before - now, 1, MAGAZINE_ROUNDS / 2);
        before = now;
    }
    return number;
}

static bool take(unsigned order, bool cleared) {
    bool promised = order == 0 && all_pages - held_pages > CORES * MAGAZINE_PAGES;
    uint32_t number = cleared ? heap_alloc_cleared(&heap, OS2_FRAME_OBJECT, 7) : alloc(order);
    if (number == FRAME_NONE) {
        if (promised)
            fail_msg("one frame is refused, and %lu are free", all_pages - held_pages);
        return false;
    }
    keep(number, order, cleared);
    return true;
}

static void give(unsigned which) {
    struct held h = held[which];
    held[which] = held[--held_count];
    held_pages -= UINT64_C(1) << h.order;
    if (h.zero) {
        heap_free_cleared(&heap, h.number);
    } else {
        assert_int_equal(words(h.number)[5], h.number);
        heap_free(&heap, h.number);
    }
}

static void check(void) {
    const char *wrong = heap_check(&heap);
    if (wrong)
        fail_msg("%s", wrong);
    assert_int_equal(heap_free_pages(&heap), all_pages - held_pages);
}

static void test_random(void **unused) {
    (void)unused;
    uint64_t steps = option_steps ? option_steps : option_long ? 1000000 : 60000;
    struct host_random random = {option_seed};
    unsigned bias = 50;
    set_up();
    for (uint64_t step = 0; step < steps; step++) {
        on((unsigned)host_below(&random, CORES));
        if (step % 997 == 0)
            bias = (unsigned)(20 + host_below(&random, 70)); /* fill for a while, then drain */
        if (host_below(&random, 8) == 0) {
            magazine_clear_ahead(&heap);
        } else if (held_count == 0 || (held_count < HELD_MOST && host_below(&random, 100) < bias)) {
            unsigned order = 0;
            while (order < 6 && host_below(&random, 4) == 0)
                order++;
            take(order, order == 0 && host_below(&random, 2));
        } else {
            give((unsigned)host_below(&random, held_count));
        }
        if (step % 512 == 0)
            check();
    }
    while (held_count)
        give(held_count - 1);
    check();
}

/* All cores in turn take single frames, with their own and the others' magazines as full as they can be: down to the
 * last one that a quota could be for, none is refused. */
static void test_never_refused(void **unused) {
    (void)unused;
    struct host_random random = {option_seed};
    for (unsigned round = 0; round < 20; round++) {
        set_up();
        for (unsigned c = 0; c < CORES; c++) {
            on(c);
            while (magazine_clear_ahead(&heap))
                ;
            for (unsigned order = 0; order < MAGAZINE_ORDERS; order++) {
                unsigned first = held_count;
                while (held_count < first + magazine_rounds(order))
                    take(order, false);
                while (held_count > first)
                    give(held_count - 1);
            }
        }
        check();
        while (held_count < HELD_MOST && all_pages - held_pages > CORES * MAGAZINE_PAGES) {
            on(round % 2 ? (unsigned)host_below(&random, CORES) : 0);
            assert_true(take(0, host_below(&random, 2)));
        }
        check();
        assert_int_equal(all_pages - held_pages, CORES * MAGAZINE_PAGES);
    }
}

/* The heap's lock is taken once for many. */
static void test_batches(void **unused) {
    (void)unused;
    set_up();
    assert_true(take(0, false));
    assert_int_equal(magazine_count(&magazines[0].dirty[0]), MAGAZINE_ROUNDS / 2 - 1);
    uint64_t listed = heap.free_pages;
    for (unsigned i = 0; i < MAGAZINE_ROUNDS / 2 - 1; i++)
        assert_true(take(0, false));
    assert_int_equal(heap.free_pages, listed);
    for (unsigned i = 0; i < MAGAZINE_ROUNDS / 2; i++)
        assert_true(take(0, false));
    while (held_count)
        give(0);
    assert_int_equal(magazine_count(&magazines[0].dirty[0]), MAGAZINE_ROUNDS);
    assert_int_equal(heap.free_pages, all_pages - MAGAZINE_ROUNDS);
    assert_true(take(0, false));
    give(0);
    assert_int_equal(heap.free_pages, all_pages - MAGAZINE_ROUNDS);
    for (unsigned i = 0; i < 2; i++)
        keep(heap_alloc(&heap, 4, OS2_FRAME_OBJECT, 7), 4, false);
    give(0);
    give(0);
    assert_int_equal(heap.free_pages, all_pages - MAGAZINE_ROUNDS); /* order 4 has no magazine */
    check();
}

/* A cleared frame is handed out without being cleared again, and one that is given back as cleared is one. */
static void test_cleared_ahead(void **unused) {
    (void)unused;
    set_up();
    unsigned n = 0;
    while (magazine_clear_ahead(&heap))
        n++;
    assert_int_equal(n, MAGAZINE_ROUNDS);
    check();
    for (unsigned i = 0; i < MAGAZINE_ROUNDS; i++) {
        assert_int_equal(magazine_count(&magazines[0].cleared), MAGAZINE_ROUNDS - i);
        assert_true(take(0, true));
    }
    assert_true(take(0, true)); /* cleared now */
    give(0);
    assert_int_equal(magazine_count(&magazines[0].cleared), 1);
    on(1);
    give(0); /* to the core that gives it back, whoever got it */
    assert_int_equal(magazine_count(&magazines[1].cleared), 1);
    check();
}

/* What a core holds back is given to the heap before a block is refused. */
static void test_drained(void **unused) {
    (void)unused;
    set_up();
    unsigned largest = 0;
    while (heap.free_list[largest + 1] != FRAME_NONE || largest < 10)
        largest++;
    while (take(largest, false) || largest-- > 0)
        ;
    check();
    assert_int_equal(held_pages, all_pages); /* to the last one, whatever lay in the magazines */
    assert_int_equal(heap_alloc_cleared(&heap, OS2_FRAME_OBJECT, 7), FRAME_NONE);
    for (unsigned order = 11; order > 0; order--) {
        while (held_count)
            give(held_count - 1);
        assert_true(take(order, false));
        check();
    }
}

/* Buddies that lie in a magazine, and are all that is free, are one block for who asks for it. */
static void test_drained_whole(void **unused) {
    (void)unused;
    set_up();
    while (take(0, false))
        ;
    assert_int_equal(held_pages, all_pages);
    uint32_t first = held[held_count / 2].number & ~7u;
    for (unsigned i = held_count; i-- > 0;)
        if ((held[i].number & ~7u) == first)
            give(i);
    assert_int_equal(all_pages - held_pages, 8);
    assert_int_equal(magazine_count(&magazines[0].dirty[0]), 8);
    assert_true(take(3, false));
    check();
}

/* A core that holds back all it can gives it up in steps, none of them long. */
static void test_drained_in_steps(void **unused) {
    (void)unused;
    set_up();
    while (magazine_clear_ahead(&heap))
        ;
    for (unsigned order = 0; order < MAGAZINE_ORDERS; order++) {
        for (unsigned i = 0; i < magazine_rounds(order); i++)
            assert_true(take(order, false));
        while (held_count)
            give(0);
    }
    assert_int_equal(held_back(), 2 * MAGAZINE_ROUNDS + 8 + 4 + 2);
    assert_false(take(OS2_ORDER_MAX, false)); /* there is less RAM */
    assert_int_equal(held_back(), 0);
    assert_int_equal(again, HEAP_DRAINS);
    check();
}

/* The checking build sees a write to a free frame, be it a cleared one or not. */
static void write_while_free(bool cleared) {
    set_up();
    take(0, cleared);
    uint32_t number = held[0].number;
    give(0);
    words(number)[511] ^= 1;
    assert_true(HOST_PANICS(take(0, cleared)));
    assert_non_null(strstr(host_panic, "while it was free"));
}
static void test_written_while_free(void **unused) {
    (void)unused;
    write_while_free(false);
    write_while_free(true);
}

/* A block in a magazine is free: freeing it again is a bug. */
static void free_twice(unsigned order) {
    set_up();
    uint32_t number = heap_alloc(&heap, order, OS2_FRAME_OBJECT, 7);
    heap_free(&heap, number);
    assert_int_equal(heap_frame(&heap, number)->state, OS2_FRAME_MAGAZINE);
    assert_true(HOST_PANICS(heap_free(&heap, number)));
    assert_non_null(strstr(host_panic, "not the start of a block"));
    assert_true(HOST_PANICS(heap_free_cleared(&heap, number)));
}
static void test_wrong_frees_panic(void **unused) {
    (void)unused;
    for (unsigned order = 0; order < MAGAZINE_ORDERS; order++)
        free_twice(order);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_never_refused),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_cleared_ahead),
        cmocka_unit_test(test_drained),
        cmocka_unit_test(test_drained_whole),
        cmocka_unit_test(test_drained_in_steps),
        cmocka_unit_test(test_written_while_free),
        cmocka_unit_test(test_wrong_frees_panic),
    };
    option_seed = 1;
    options_read(argc, argv);
    printf("# seed %lu\n", option_seed);
    return cmocka_run_group_tests_name("magazine", tests, NULL, NULL);
}
