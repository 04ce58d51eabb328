/* SPDX-License-Identifier: MIT */
/* Blocks and page tables: every rule of mm/block.h and mm/paging.h, on spaces of real processes. */
#include "tests/unit/machine.h"

#include "mm/magazine.h"
#include "mm/paging.h"
#include "tests/host/options.h"

#define READ OS2_PROT_READ
#define WRITE OS2_PROT_WRITE
#define EXEC OS2_PROT_EXEC
#define REGION UINT64_C(0x200000)

static struct space *space;

static void set_up(uint64_t mib) {
    boot(mib);
    space = &init->space;
}

struct books {
    uint32_t owned, tables, objects, blocks;
    uint64_t quota, free_pages;
};
static struct books books(const struct space *s) {
    return (struct books){(uint32_t)space_owned(s),
                          s->tables - s->reserve_count,
                          s->objects,
                          s->blocks,
                          s->quota,
                          heap_free_pages(&machine.heap) + s->reserve_count};
}
static void same(struct books a, const struct space *s) {
    struct books b = books(s);
    assert_memory_equal(&a, &b, sizeof a);
    check();
}

static uint64_t get(unsigned order) {
    uint64_t va;
    int status;
    while ((status = block_alloc(space, order, &va)) == BLOCK_AGAIN)
        ;
    assert_int_equal(status, OS2_OK);
    return va;
}

static void test_alloc(void **unused) {
    (void)unused;
    set_up(64);
    for (unsigned order = 0; order <= 11; order++) {
        struct books before = books(space);
        uint64_t va, entries = 1;
        for (unsigned k = 0; k <= OS2_ORDER_MAX; k++) {
            const uint32_t free[] = {machine.heap.spare[k], machine.heap.free_list[k]};
            for (unsigned i = 0; i < 2; i++)
                if (free[i] != FRAME_NONE)
                    memset(frame_memory(free[i]), 0xee, OS2_PAGE_SIZE << k);
        }
        while (block_alloc(space, order, &va) == BLOCK_AGAIN)
            entries++;
        assert_int_equal(entries, order <= 9 ? 1 : 1u << (order - 9)); /* 2 MiB are cleared in one entry */
        const uint64_t *memory = arch_phys_to_virt(va - OS2_EXCHANGE_BASE);
        for (uint64_t i = 0; i < (OS2_PAGE_SIZE << order) / 8; i += 7)
            assert_int_equal(memory[i], 0);
        assert_int_equal((va - OS2_EXCHANGE_BASE) % (OS2_PAGE_SIZE << order), 0);
        assert_int_equal(space_owned(space), before.owned + (1u << order));
        check();
        assert_int_equal(block_free(space, va), OS2_OK);
        assert_int_equal(space_owned(space), before.owned);
        check();
        assert_int_equal(block_free(space, va), OS2_E_OWNER);
    }
    uint64_t va;
    assert_int_equal(block_alloc(space, OS2_ORDER_MAX + 1, &va), OS2_E_INVALID);
    struct books before = books(space);
    assert_int_equal(block_alloc(space, 15, &va), OS2_E_QUOTA);
    same(before, space);
}

static void test_quota_to_the_page(void **unused) {
    (void)unused;
    set_up(16);
    uint64_t va;
    while (block_alloc(space, 0, &va) == OS2_OK)
        ;
    assert_int_equal(space->charged, space->quota);
    assert_int_equal(heap_free_pages(&machine.heap), MAGAZINE_PAGES); /* init's quota is all there is beside them */
    struct books before = books(space);
    assert_int_equal(block_alloc(space, 0, &va), OS2_E_QUOTA);
    same(before, space);
}

/* The same where other cores hold back as much as they can: a single page within quota is never refused. */
static void test_quota_beside_magazines(void **unused) {
    (void)unused;
    host_boot(&(struct host_config){.cores = 3, .ram_bytes = 16 << 20, .seed = 1});
    init = cores[0]->current;
    space = &init->space;
    for (unsigned i = 1; i < 3; i++) {
        uint32_t got[MAGAZINE_ROUNDS];
        host_core = cores[i];
        for (unsigned order = 0; order < MAGAZINE_ORDERS; order++) {
            for (unsigned n = 0; n < magazine_rounds(order); n++)
                got[n] = heap_alloc(&machine.heap, order, OS2_FRAME_OBJECT, 9);
            for (unsigned n = 0; n < magazine_rounds(order); n++)
                heap_free(&machine.heap, got[n]);
            assert_int_equal(magazine_count(&cores[i]->magazines.dirty[order]), magazine_rounds(order));
        }
        while (magazine_clear_ahead(&machine.heap))
            ;
        for (unsigned n = 0; n < MAGAZINE_ROUNDS; n++)
            got[n] = heap_alloc(&machine.heap, 0, OS2_FRAME_OBJECT, 9);
        for (unsigned n = 0; n < MAGAZINE_ROUNDS; n++)
            heap_free(&machine.heap, got[n]);
        assert_int_equal(magazine_count(&cores[i]->magazines.cleared), MAGAZINE_ROUNDS);
    }
    host_core = cores[0];
    uint64_t va;
    int status;
    while ((status = block_alloc(space, 0, &va)) == OS2_OK)
        ;
    assert_int_equal(status, OS2_E_QUOTA);
    assert_int_equal(space->charged, space->quota);
    check();
}

static void test_protections(void **unused) {
    (void)unused;
    set_up(16);
    uint64_t va = get(1), to;
    struct block b;
    for (unsigned prot = 0; prot < 16; prot++) {
        bool good = prot == READ || prot == (READ | WRITE) || prot == (READ | EXEC);
        assert_int_equal(block_prot_valid(prot), good);
        assert_int_equal(CALL(init, OS2_SYS_block_place, va, 0, prot), good ? OS2_OK : OS2_E_INVALID);
        unsigned level;
        if (good)
            assert_int_equal(arch_pte_prot(*paging_find(space, va + 0x1000, &level)), prot);
    }
    assert_false(block_prot_valid(UINT64_C(1) << 32 | READ));
    assert_int_equal(block_place(space, va, 0x4000, READ, &to), OS2_E_INVALID);
    assert_int_equal(block_find(space, va, &b), OS2_OK);
}

static void test_places(void **unused) {
    (void)unused;
    set_up(32);
    uint64_t va = get(1), other = get(0), to = 0;
    const uint64_t bad[] = {
        1,      0x1000,     0xf000,        OS2_PRIVATE_MIN + 0x1000, OS2_PRIVATE_MAX, OS2_PRIVATE_MAX - 0x1000,
        va + 8, UINT64_MAX, ARCH_USER_END, UINT64_MAX - 0x1fff};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct books before = books(space);
        assert_int_equal(block_place(space, va, bad[i], READ, &to), OS2_E_INVALID);
        same(before, space);
    }
    assert_int_equal(block_place(space, va + 0x1000, 0x100000, READ, &to), OS2_E_OWNER);
    assert_int_equal(block_place(space, va + 1, 0x100000, READ, &to), OS2_E_OWNER);
    const uint64_t good[] = {0x100000, OS2_PRIVATE_MAX - 0x2000, UINT64_C(0x40000000), 0x102000, 0};
    uint64_t at = va;
    for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(block_place(space, at, good[i], READ | WRITE, &to), OS2_OK);
        assert_int_equal(to, good[i] ? good[i] : va);
        struct block b;
        if (to != at)
            assert_int_equal(block_find(space, at, &b), OS2_E_OWNER);
        at = to;
        check();
    }
    /* In the way: another block, a page of it, a large one over it. */
    assert_int_equal(block_place(space, va, 0x100000, READ, &to), OS2_OK);
    assert_int_equal(block_place(space, other, 0x100000, READ, &to), OS2_E_BUSY);
    assert_int_equal(block_place(space, other, 0x101000, READ, &to), OS2_E_BUSY);
    assert_int_equal(block_place(space, other, 0x102000, READ, &to), OS2_OK);
    uint64_t large = get(9), small = get(0);
    assert_int_equal(block_place(space, large, 0, READ | WRITE, &to), OS2_OK);
    assert_int_equal(block_place(space, large, 8 * REGION, READ, &to), OS2_OK);
    assert_int_equal(block_place(space, small, 8 * REGION + 0x3000, READ, &to), OS2_E_BUSY);
    assert_int_equal(block_place(space, small, 9 * REGION, READ, &to), OS2_OK);
    assert_int_equal(block_place(space, 8 * REGION, 9 * REGION, READ, &to), OS2_E_BUSY);
    /* An empty table gives way to a large leaf. */
    assert_int_equal(block_free(space, 9 * REGION), OS2_OK);
    assert_int_equal(block_place(space, 8 * REGION, 9 * REGION, READ, &to), OS2_OK);
    check();
}

/* 1 GiB leaves, without touching what they map. */
static void test_large_blocks(void **unused) {
    (void)unused;
    set_up(4096);
    for (unsigned order = 9; order <= OS2_ORDER_MAX; order++) {
        uint32_t number = heap_alloc(&machine.heap, order, OS2_FRAME_OWNED, space->slot);
        assert_int_not_equal(number, FRAME_NONE);
        assert_int_equal(block_adopt(space, number), OS2_OK);
        uint64_t va = OS2_EXCHANGE_BASE + ((uint64_t)number << OS2_PAGE_SHIFT), size = OS2_PAGE_SIZE << order, to;
        struct block b;
        unsigned level;
        assert_int_equal(block_find(space, va, &b), OS2_OK);
        assert_int_equal(b.order, order);
        assert_non_null(paging_find(space, va + size - 1, &level));
        assert_int_equal(level, order / 9);
        assert_int_equal(block_find(space, va + size / 2, &b), OS2_E_OWNER);
        assert_int_equal(block_find(space, va + 0x1000, &b), OS2_E_OWNER);
        assert_int_equal(block_place(space, va, size * 3, READ, &to), OS2_OK);
        assert_int_equal(block_place(space, size * 3, 0, READ | WRITE, &to), OS2_OK);
        assert_null(space_check(space));
        assert_int_equal(block_free(space, va), OS2_OK);
    }
    check();
}

/* Emptied tables stay, at most SPACE_EMPTY_TABLES of them. */
static void test_empty_tables(void **unused) {
    (void)unused;
    set_up(16);
    uint64_t va[20], to;
    uint32_t tables = space->tables - space->reserve_count;
    for (unsigned i = 0; i < 20; i++) {
        va[i] = get(0);
        assert_int_equal(block_place(space, va[i], REGION * (i + 8), READ, &to), OS2_OK);
    }
    assert_true(space->tables >= tables + 20);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(block_free(space, REGION * (i + 8)), OS2_OK);
        assert_true(space->empty_tables <= SPACE_EMPTY_TABLES);
        check();
    }
    assert_int_equal(space->empty_tables, SPACE_EMPTY_TABLES);
    /* A page that goes to and fro uses a kept table, at last also where it is one more: nothing is taken from the heap
     * or given back then. */
    uint64_t page = get(0), free_pages = 0;
    for (unsigned place = 0; place < 3; place++)
        for (unsigned i = 0; i < 200; i++) {
            assert_int_equal(block_place(space, page, i % 2 ? 0 : REGION * (8 + 20 * place), READ, &page), OS2_OK);
            assert_true(space->empty_tables <= SPACE_EMPTY_TABLES);
            free_pages = i < 150 ? heap_free_pages(&machine.heap) : free_pages;
            assert_int_equal(heap_free_pages(&machine.heap), free_pages);
        }
    check();
}

/* A table that is dropped is nobody's, also where a block last passed through it. */
static void test_hint_of_a_dropped_table(void **unused) {
    (void)unused;
    set_up(16);
    uint64_t spare = get(0), at = 0, to;
    for (unsigned i = 0; i <= SPACE_EMPTY_TABLES; i++) {
        at = REGION * (i + 8);
        for (unsigned page = 0; page < 2; page++)
            assert_int_equal(block_place(space, get(0), at + page * OS2_PAGE_SIZE, READ, &to), OS2_OK);
    }
    for (unsigned i = 0; i <= SPACE_EMPTY_TABLES; i++)
        for (unsigned page = 0; page < 2; page++)
            assert_int_equal(block_free(space, REGION * (i + 8) + page * OS2_PAGE_SIZE), OS2_OK);
    assert_int_equal(paging_missing(space, at, 0), 1);
    assert_int_equal(block_place(space, spare, at, READ, &to), OS2_OK);
    check();
}

/* Looking for an emptied table ends after so many entries, wherever they are, and goes on there the next time. Here
 * they are behind a table that is long to look through: by the first searches they are not found, and the one just
 * emptied goes each time; by a later one they are. */
static void test_empty_tables_far_off(void **unused) {
    (void)unused;
    set_up(16);
    uint64_t to, last = get(0), page = get(0), far = 512 * REGION;
    assert_int_equal(block_place(space, last, 511 * REGION, READ, &to), OS2_OK);
    for (unsigned i = 0; i < 500; i++) {
        unsigned kept = 0;
        assert_int_equal(block_place(space, page, far + i * REGION, READ, &page), OS2_OK);
        assert_true(space->empty_tables <= SPACE_EMPTY_TABLES);
        for (unsigned k = 0; k < SPACE_EMPTY_TABLES && k < i; k++)
            kept += paging_missing(space, far + k * REGION, 0) == 0;
        if (i < 3 * 64) /* three searches at most, which do not come so far */
            assert_int_equal(kept, i < SPACE_EMPTY_TABLES ? i : SPACE_EMPTY_TABLES);
        if (i == 499)
            assert_true(kept < SPACE_EMPTY_TABLES);
    }
    assert_int_equal(space->empty_tables, SPACE_EMPTY_TABLES);
    check();
}

/* A core that has published the process and not yet left its tables may walk them: none is freed until it has. */
static void test_empty_tables_while_another_leaves(void **unused) {
    (void)unused;
    host_boot(&(struct host_config){.cores = 2, .ram_bytes = UINT64_C(16) << 20, .seed = 1});
    init = cores[0]->current;
    space = &init->space;
    uint64_t va, to;
    for (unsigned i = 0; i < 20; i++) {
        va = get(0);
        assert_int_equal(block_place(space, va, REGION * (i + 8), READ, &to), OS2_OK);
    }
    struct process *others = cores[1]->current;
    cores[1]->current = init;
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(block_free(space, REGION * (i + 8)), OS2_OK);
    assert_int_not_equal(space->stale_tables, FRAME_NONE);
    assert_null(space_check(space));
    uint32_t tables = space->tables;
    assert_int_equal(block_alloc(space, 0, &va), OS2_OK);
    assert_true(space->tables >= tables);
    cores[1]->current = others;
    assert_int_equal(block_alloc(space, 0, &va), OS2_OK);
    assert_int_equal(space->stale_tables, FRAME_NONE);
    assert_true(space->tables < tables);
    check();
}

/* The same where another process's core takes the blocks: the tables are unlinked at once, and freed when the space is
 * current somewhere and next has to do with memory. */
static void test_empty_tables_of_others(void **unused) {
    (void)unused;
    set_up(16);
    struct process *child = make(init, 100, NULL);
    struct space *other = &child->space;
    struct block b;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t va = get(0);
        assert_int_equal(block_find(space, va, &b), OS2_OK);
        assert_int_equal(space_refill(other, SPACE_RESERVE), OS2_OK);
        assert_int_equal(block_fits(other, &b, REGION * (i + 8)), OS2_OK);
        block_move(space, other, &b, REGION * (i + 8), READ);
        check();
    }
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(block_find(other, REGION * (i + 8), &b), OS2_OK);
        assert_int_equal(space_refill(space, SPACE_RESERVE), OS2_OK);
        block_move(other, space, &b, 0, READ | WRITE);
        assert_true(other->empty_tables <= SPACE_EMPTY_TABLES);
        check();
    }
    uint32_t tables = other->tables;
    struct space *mine = &init->space;
    arch_space_activate(cores[0], &other->arch);
    uint64_t va;
    assert_int_equal(block_alloc(other, 0, &va), OS2_OK);
    arch_space_activate(cores[0], &mine->arch);
    assert_int_equal(other->stale_tables, FRAME_NONE);
    assert_true(other->tables < tables);
    check();
}

static void test_move(void **unused) {
    (void)unused;
    set_up(16);
    struct process *child = make(init, 20, NULL);
    struct space *other = &child->space;
    uint64_t va = get(2), large = get(5);
    struct block b;
    assert_int_equal(block_find(space, large, &b), OS2_OK);
    assert_int_equal(block_fits(other, &b, 0), OS2_E_QUOTA);
    assert_int_equal(block_find(space, va, &b), OS2_OK);
    assert_int_equal(block_fits(other, &b, 0), OS2_E_FULL); /* it has no tables yet */
    assert_int_equal(block_fits(other, &b, 0x1000), OS2_E_INVALID);
    assert_int_equal(space_refill(other, SPACE_RESERVE), OS2_OK);
    assert_int_equal(block_fits(other, &b, 0), OS2_OK);
    uint64_t owned = space_owned(space);
    assert_int_equal(block_move(space, other, &b, 0, READ), va);
    assert_int_equal(space_owned(space), owned - 4);
    assert_int_equal(space_owned(other), 4);
    assert_int_equal(block_find(space, va, &b), OS2_E_OWNER);
    assert_int_equal(block_find(other, va, &b), OS2_OK);
    check();
}

static void test_devices(void **unused) {
    (void)unused;
    set_up(16);
    uint64_t va, to;
    struct block b;
    assert_int_equal(block_claim_device(space, 0x10000000, 1, &va), OS2_OK);
    assert_int_equal(va, OS2_EXCHANGE_BASE + 0x10000000);
    assert_int_equal(block_claim_device(space, 0x10001000, 0, &to), OS2_E_BUSY);
    assert_int_equal(block_claim_device(space, 0x10001800, 0, &to), OS2_E_INVALID);
    assert_int_equal(block_claim_device(space, 0x10001000, 1, &to), OS2_E_INVALID);
    assert_int_equal(block_claim_device(space, 0, OS2_ORDER_MAX + 1, &to), OS2_E_INVALID);
    assert_int_equal(block_claim_device(space, ARCH_USER_END - OS2_EXCHANGE_BASE, 0, &to), OS2_E_INVALID);
    assert_int_equal(block_place(space, va, 0, READ | EXEC, &to), OS2_E_INVALID);
    assert_int_equal(block_place(space, va, 0x100000, READ | WRITE, &to), OS2_OK);
    assert_int_equal(block_find(space, 0x101000, &b), OS2_E_OWNER);
    assert_int_equal(block_find(space, 0x100000, &b), OS2_OK);
    assert_non_null(b.device);
    assert_int_equal(b.order, 1);
    struct process *child = make(init, 50, NULL);
    assert_int_equal(block_claim_device(&child->space, 0x10001000, 0, &to),
                     OS2_E_BUSY); /* another's, where it is free */
    assert_int_equal(block_claim_device(&child->space, 0x10000000, 2, &to), OS2_E_BUSY);
    assert_int_equal(space_refill(&child->space, SPACE_RESERVE), OS2_OK);
    assert_int_equal(block_fits(&child->space, &b, 0), OS2_OK);
    block_move(space, &child->space, &b, 0, READ | WRITE);
    assert_int_equal(block_find(space, 0x100000, &b), OS2_E_OWNER);
    check();
    assert_int_equal(block_free(&child->space, va), OS2_OK);
    uint64_t n = 0;
    while (block_claim_device(space, 0x20000000 + (n << 12), 0, &to) == OS2_OK)
        n++;
    assert_int_equal(n, DEVICE_BLOCKS);
    assert_int_equal(block_claim_device(space, 0x30000000, 0, &to), OS2_E_FULL);
    assert_int_equal(block_free(space, OS2_EXCHANGE_BASE + 0x20003000), OS2_OK);
    assert_int_equal(block_claim_device(space, 0x30000000, 0, &to), OS2_OK);
    check();
}

/* A heap that fails at any moment: an error, and nothing has changed. */
static void test_out_of_memory(void **unused) {
    (void)unused;
    for (long budget = 0; budget < 6; budget++) {
        set_up(16);
        uint64_t va = get(0), to;
        host_heap_budget = -1;
        struct books before = books(space);
        host_heap_budget = budget;
        int status = block_alloc(space, 3, &to);
        host_heap_budget = -1;
        if (status != OS2_OK) {
            assert_int_equal(status, OS2_E_MEMORY);
            same(before, space);
        }
        before = books(space);
        host_heap_budget = budget;
        status = block_place(space, va, UINT64_C(5) << 40, READ, &to);
        host_heap_budget = -1;
        assert_int_equal(status, budget < 3 ? OS2_E_MEMORY : OS2_OK);
        if (status != OS2_OK)
            same(before, space);
        before = books(space);
        uint64_t handles = init->handles->entry[0].badge;
        host_heap_budget = budget;
        run(init);
        memset(init->reg, 0, sizeof init->reg);
        init->reg[OS2_R_CONTROL] = OS2_SYS_process_create;
        init->reg[OS2_R_LABEL] = 10;
        init->reg[OS2_R_W0] = 1;
        host_syscall(0);
        host_heap_budget = -1;
        assert_int_equal(STATUS(init), budget < 3 ? OS2_E_MEMORY : OS2_OK);
        if (budget < 3) {
            same(before, space);
            assert_int_equal(init->handles->entry[0].badge, handles);
        }
        check();
    }
}

static void test_random(void **unused) {
    (void)unused;
    set_up(16);
    struct process *child = make(init, 600, NULL);
    struct space *both[2] = {&init->space, &child->space};
    uint64_t at[2][64] = {{0}}, steps = option_steps ? option_steps : option_long ? 1000000 : 20000;
    struct host_random random = {option_seed};
    for (uint64_t step = 0; step < steps; step++) {
        unsigned who = (unsigned)host_below(&random, 2), i = (unsigned)host_below(&random, 64);
        struct space *s = both[who];
        uint64_t *va = &at[who][i], to = 0;
        struct block b;
        arch_space_activate(cores[0], &s->arch);
        if (!*va) {
            if (block_alloc(s, (unsigned)host_below(&random, 4), &to) == OS2_OK)
                *va = to;
        } else if (host_below(&random, 3) == 0) {
            assert_int_equal(block_free(s, *va), OS2_OK);
            *va = 0;
        } else if (host_below(&random, 2) == 0) {
            uint64_t place = host_below(&random, 4) ? REGION * (1 + host_below(&random, 40)) : 0;
            if (block_place(s, *va, place, READ | WRITE, &to) == OS2_OK)
                *va = to;
        } else {
            unsigned j = (unsigned)host_below(&random, 64);
            assert_int_equal(block_find(s, *va, &b), OS2_OK);
            if (!at[!who][j] && space_refill(both[!who], SPACE_RESERVE) == OS2_OK &&
                block_fits(both[!who], &b, 0) == OS2_OK) {
                at[!who][j] = block_move(s, both[!who], &b, 0, READ | WRITE);
                *va = 0;
            }
        }
        for (unsigned k = 0; k < 2 && step % 8 == 0; k++)
            assert_null(space_check(both[k]));
        assert_true(both[0]->empty_tables <= SPACE_EMPTY_TABLES && both[1]->empty_tables <= SPACE_EMPTY_TABLES);
    }
    arch_space_activate(cores[0], &init->space.arch);
    check();
}

/* Of a block that is lost no leaf can be reached any more, be they fenced one by one or all at once. */
static void test_leaves_fenced(void **unused) {
    (void)unused;
    host_boot(&(struct host_config){.cores = 1, .ram_bytes = 16 << 20, .quiet = true});
    struct process *p = cores[0]->current;
    for (unsigned order = 0; order <= 5; order++) {
        assert_int_equal(CALL(p, OS2_SYS_block_alloc, order), OS2_OK);
        uint64_t va = p->reg[OS2_R_LABEL];
        for (unsigned i = 0; i < 1u << order; i++)
            tlb_touch(0, va + i * OS2_PAGE_SIZE);
        assert_int_equal(CALL(p, OS2_SYS_block_free, va), OS2_OK);
        check();
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_quota_to_the_page),
        cmocka_unit_test(test_quota_beside_magazines),
        cmocka_unit_test(test_protections),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_large_blocks),
        cmocka_unit_test(test_empty_tables),
        cmocka_unit_test(test_hint_of_a_dropped_table),
        cmocka_unit_test(test_empty_tables_far_off),
        cmocka_unit_test(test_empty_tables_of_others),
        cmocka_unit_test(test_empty_tables_while_another_leaves),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_leaves_fenced),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_random),
    };
    option_seed = 1;
    options_read(argc, argv);
    printf("# seed %lu\n", option_seed);
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
