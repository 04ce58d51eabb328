/* SPDX-License-Identifier: MIT */
/* Blocks: alloc, free, place. */
#include "systest.h"

#include "arch_user.h"
#include "os2/string.h"

#define RW (OS2_PROT_READ | OS2_PROT_WRITE)
#define PRIVATE UINT64_C(0x40000000) /* an address of this suite's choice */

static int free_at(uint64_t address) {
    return os2_block_free((void *)(uintptr_t)address);
}

static int place(uint64_t address, uint64_t wanted, unsigned prot, uint64_t *ret) {
    return os2_block_place((void *)(uintptr_t)address, wanted, prot, ret);
}

static void fresh(void) {
    for (unsigned order = 0; order <= 10; order++) {
        uint64_t *b = block(order), sum = 0;
        NEED(b != NULL);
        CHECK((uintptr_t)b >= OS2_EXCHANGE_BASE);
        CHECK_IS((uintptr_t)b & ((OS2_PAGE_SIZE << order) - 1), 0);
        for (uint64_t i = 0; i < (OS2_PAGE_SIZE << order) / 8; i++)
            sum |= b[i];
        CHECK_IS(sum, 0);
        memset(b, 0xa5, OS2_PAGE_SIZE << order); /* so that the next one is dirty if it is not cleared */
        CHECK_IS(os2_block_free(b), OS2_OK);
    }
}

static void not_executable(void) {
    struct puppet p;
    struct os2_process_end end;
    struct os2_message m = {.label = 0};

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
    puppet_begin_op(&p, PUPPET_JUMP, m.label, 0);
    if (puppet_ended(&p, &end)) {
        CHECK_IS(end.reason, OS2_END_FAULT);
        CHECK_IS(end.value, OS2_FAULT_EXEC);
    }
}

static void alloc_errors(void) {
    struct os2_process_facts before, after;
    struct puppet p;
    struct os2_message m;
    void *b;

    CHECK_IS(os2_block_alloc(OS2_ORDER_MAX + 1, &b), OS2_E_INVALID);
    m = (struct os2_message){.label = UINT64_MAX};
    CHECK_IS(raw(OS2_SYS_block_alloc, 0, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.label = UINT64_C(1) << 32};
    CHECK_IS(raw(OS2_SYS_block_alloc, 0, 0, &m), OS2_E_INVALID);
    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_process_facts(p.child.control, 0, &before), OS2_OK);
    m = (struct os2_message){.label = 9}; /* 512 pages of 400 */
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_E_QUOTA);
    m = (struct os2_message){.label = OS2_ORDER_MAX};
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_E_QUOTA);
    CHECK_IS(os2_process_facts(p.child.control, 0, &after), OS2_OK);
    CHECK_IS(after.pages, before.pages);
    puppet_drop(&p);
}

/* More than the heap has in one piece, but within the quota: as many of the largest order as there are, and one. */
static void no_memory(void) {
    struct os2_process_facts facts;
    unsigned order = 0, taken = 0;
    void *blocks[64], *b;
    int status = OS2_OK;

    NEED_IS(os2_process_facts(0, 0, &facts), OS2_OK);
    while (order < OS2_ORDER_MAX && (UINT64_C(2) << order) < os2_quota_left())
        order++;
    while (order >= 8 && taken < COUNT(blocks)) {
        if (os2_quota_left() < (UINT64_C(1) << order) + 8) {
            order--;
            continue;
        }
        status = os2_block_alloc(order, &b);
        if (status == OS2_E_MEMORY)
            break;
        if (!CHECK_IS(status, OS2_OK))
            break;
        blocks[taken++] = b;
    }
    if (status != OS2_E_MEMORY)
        skip("the heap is in one piece");
    while (taken)
        CHECK_IS(os2_block_free(blocks[--taken]), OS2_OK);
}

/* Single pages down to the quota, whatever the other cores have put aside: none is refused for want of memory. */
static void last_page(void) {
    void **chain = NULL, *b;
    uint64_t pages = 0, left = os2_quota_left();
    int status;

    while ((status = os2_block_alloc(0, &b)) == OS2_OK) {
        *(void ***)b = chain;
        chain = b;
        pages++;
    }
    CHECK_IS(status, OS2_E_QUOTA);
    CHECK(pages > left / 2 && os2_quota_left() <= 3); /* the next page may need three tables */
    while (chain) {
        b = chain;
        chain = *chain;
        CHECK_IS(os2_block_free(b), OS2_OK);
    }
}

/* An exact account: pages in blocks, and tables for a first block in a new place. */
static void account(void) {
    struct os2_process_facts a, b;
    void *blocks[20];

    NEED_IS(os2_process_facts(0, 0, &a), OS2_OK);
    for (unsigned i = 0; i < 20; i++)
        blocks[i] = block(i % 4);
    NEED_IS(os2_process_facts(0, 0, &b), OS2_OK);
    CHECK_IS(b.pages - a.pages, 5 * (1 + 2 + 4 + 8));
    for (unsigned i = 0; i < 20; i++)
        CHECK_IS(os2_block_free(blocks[i]), OS2_OK);
    NEED_IS(os2_process_facts(0, 0, &b), OS2_OK);
    CHECK_IS(b.pages, a.pages);
}

static void not_a_block(void) {
    uint64_t at, moved;
    void *b = block(3), *other = block(9);
    const uint64_t bad[] = {0,
                            8,
                            OS2_PROGRAM_BASE + 8,
                            OS2_EXCHANGE_BASE,
                            OS2_EXCHANGE_BASE - OS2_PAGE_SIZE,
                            OS2_EXCHANGE_BASE * 2 - OS2_PAGE_SIZE,
                            OS2_EXCHANGE_BASE * 2,
                            ARCH_KERNEL_ADDRESS,
                            UINT64_MAX,
                            UINT64_MAX & ~(OS2_PAGE_SIZE - 1),
                            UINT64_C(1) << 63,
                            (uintptr_t)b + 8,
                            (uintptr_t)b + OS2_PAGE_SIZE,
                            (uintptr_t)b + 7 * OS2_PAGE_SIZE,
                            (uintptr_t)other + OS2_PAGE_SIZE,
                            (uintptr_t)other + 511 * OS2_PAGE_SIZE};

    NEED(b && other);
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK_IS(free_at(bad[i]), OS2_E_OWNER);
        CHECK_IS(place(bad[i], PRIVATE, RW, &moved), OS2_E_OWNER);
    }
    at = (uintptr_t)b;
    CHECK_IS(free_at(at), OS2_OK);
    CHECK_IS(free_at(at), OS2_E_OWNER);
    CHECK_IS(os2_block_free(other), OS2_OK);
}

/* A block of another process has no meaning here, and its address faults. */
static void not_mine(void) {
    struct puppet p;
    struct os2_process_end end;
    struct os2_message m = {.label = (uintptr_t)image};

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(puppet_do(&p, OS2_SYS_block_free, 0, 0, &m), OS2_E_OWNER);
    puppet_begin_op(&p, PUPPET_READ, (uintptr_t)image, 0);
    if (puppet_ended(&p, &end)) {
        CHECK_IS(end.reason, OS2_END_FAULT);
        CHECK_IS(end.value, OS2_FAULT_READ);
        CHECK_IS(end.address, (uintptr_t)image);
    }
}

/* The same within one process, which no switch of tables helps. */
static void freed_at_once(void) {
    for (unsigned order = 0; order <= 10; order++) {
        struct puppet p;
        struct os2_process_end end;
        struct os2_message m = {.label = order};
        uint64_t at;

        NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 1024}));
        CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
        at = m.label + (OS2_PAGE_SIZE << order) - 8;
        puppet_begin_op(&p, PUPPET_FREED, m.label, at);
        if (puppet_ended(&p, &end)) {
            CHECK_IS(end.reason, OS2_END_FAULT);
            CHECK_IS(end.value, OS2_FAULT_WRITE);
            CHECK_IS(end.address, at);
        }
    }
}

/* Used, and freed: the page behind it is gone at once, for each size of leaf. */
static void freed_is_gone(void) {
    static const unsigned orders[] = {0, 2, 9, 10};
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct puppet p;
        struct os2_process_end end;
        struct os2_message m = {.label = orders[i]}, out;
        uint64_t at;

        NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 1024}));
        CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
        at = m.label + (OS2_PAGE_SIZE << orders[i]) - 8;
        CHECK(puppet_run(&p, PUPPET_WRITE, at, 5) != NULL);
        out = (struct os2_message){.label = m.label};
        CHECK_IS(puppet_do(&p, OS2_SYS_block_free, 0, 0, &out), OS2_OK);
        puppet_begin_op(&p, i & 1 ? PUPPET_READ : PUPPET_WRITE, at, 6);
        if (puppet_ended(&p, &end)) {
            CHECK_IS(end.reason, OS2_END_FAULT);
            CHECK_IS(end.value, i & 1 ? OS2_FAULT_READ : OS2_FAULT_WRITE);
            CHECK_IS(end.address, at);
        }
    }
}

static void placing(void) {
    static const unsigned orders[] = {0, 3, 9, 10};
    for (size_t i = 0; i < COUNT(orders); i++) {
        uint64_t *b = block(orders[i]), at = (uintptr_t)b, moved = 0, last = (OS2_PAGE_SIZE << orders[i]) / 8 - 1;
        NEED(b != NULL);
        b[0] = 11;
        b[last] = 12;
        CHECK_IS(place(at, PRIVATE, RW, &moved), OS2_OK);
        CHECK_IS(moved, PRIVATE);
        b = (uint64_t *)(uintptr_t)moved;
        CHECK(b[0] == 11 && b[last] == 12);
        CHECK_IS(free_at(at), OS2_E_OWNER); /* not there any more */
        CHECK_IS(place(moved, 2 * PRIVATE, RW, &moved), OS2_OK);
        CHECK_IS(moved, 2 * PRIVATE);
        CHECK_IS(place(moved, 2 * PRIVATE, OS2_PROT_READ, &moved), OS2_OK); /* only the protection */
        CHECK_IS(moved, 2 * PRIVATE);
        CHECK_IS(place(moved, 0, RW, &moved), OS2_OK);
        CHECK_IS(moved, at);
        b = (uint64_t *)(uintptr_t)moved;
        CHECK(b[0] == 11 && b[last] == 12);
        CHECK_IS(place(at, at, RW, &moved), OS2_OK); /* its exchange address may be named too */
        CHECK_IS(moved, at);
        CHECK_IS(free_at(at), OS2_OK);
    }
}

/* What each protection lets a process do, by the fault of a puppet that does more. */
static void protection(void) {
    static const struct {
        unsigned prot;
        enum puppet_op op;
        enum os2_fault fault;
    } cases[] = {
        {OS2_PROT_READ, PUPPET_WRITE, OS2_FAULT_WRITE},
        {OS2_PROT_READ, PUPPET_JUMP, OS2_FAULT_EXEC},
        {RW, PUPPET_JUMP, OS2_FAULT_EXEC},
        {OS2_PROT_READ | OS2_PROT_EXEC, PUPPET_WRITE, OS2_FAULT_WRITE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (unsigned order = 0; order <= 9; order += 9) {
            struct puppet p;
            struct os2_process_end end;
            struct os2_message m = {.label = order};

            NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 1024}));
            CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
            CHECK(puppet_run(&p, PUPPET_WRITE, m.label, 7) != NULL);
            m = (struct os2_message){.label = m.label, .w = {0, cases[i].prot}};
            CHECK_IS(puppet_do(&p, OS2_SYS_block_place, 0, 0, &m), OS2_OK);
            CHECK(puppet_run(&p, PUPPET_READ, m.label, 0) && p.script->out[0] == 7);
            puppet_begin_op(&p, cases[i].op, m.label, 0);
            if (puppet_ended(&p, &end)) {
                CHECK_IS(end.reason, OS2_END_FAULT);
                CHECK_IS(end.value, cases[i].fault);
                CHECK_IS(end.address, m.label);
            }
        }
    }
}

static void place_errors(void) {
    void *b = block(1), *other = block(0);
    uint64_t at = (uintptr_t)b, moved = 99;
    const uint64_t bad[] = {8,
                            OS2_PAGE_SIZE,                   /* below the private region */
                            PRIVATE + OS2_PAGE_SIZE,         /* not aligned to the block */
                            PRIVATE + 8,                     /* not to a page */
                            OS2_PRIVATE_MAX,                 /* the exchange region */
                            OS2_PRIVATE_MAX - OS2_PAGE_SIZE, /* not aligned, and over its end */
                            (uintptr_t)other,                /* another block's exchange address */
                            at + 2 * OS2_PAGE_SIZE,          /* not its own */
                            ARCH_KERNEL_ADDRESS,
                            UINT64_MAX & ~UINT64_C(0x1fff)};
    static const uint64_t prots[] = {0, OS2_PROT_WRITE, OS2_PROT_EXEC, OS2_PROT_WRITE | OS2_PROT_EXEC,
                                     7, 8 | 1,          UINT64_MAX,    UINT64_C(1) << 32 | 1};

    NEED(b && other);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_IS(place(at, bad[i], RW, &moved), OS2_E_INVALID);
    for (size_t i = 0; i < COUNT(prots); i++) {
        struct os2_message m = {.label = at, .w = {PRIVATE, prots[i]}};
        CHECK_IS(raw(OS2_SYS_block_place, 0, 0, &m), OS2_E_INVALID);
    }
    CHECK_IS(place(at, OS2_PROGRAM_BASE, RW, &moved), OS2_E_BUSY);
    CHECK_IS(place((uintptr_t)other, PRIVATE, RW, &moved), OS2_OK);
    CHECK_IS(place(at, PRIVATE, RW, &moved), OS2_E_BUSY);
    CHECK_IS(place(at, OS2_PRIVATE_MAX - 2 * OS2_PAGE_SIZE, RW, &moved), OS2_OK);
    CHECK_IS(free_at(moved), OS2_OK);
    CHECK_IS(free_at(PRIVATE), OS2_OK);
}

/* A large block where small ones were, and the other way round. */
static void leaf_sizes(void) {
    for (unsigned round = 0; round < 3; round++) {
        void *small = block(0), *large = block(9);
        uint64_t moved;
        NEED(small && large);
        CHECK_IS(place((uintptr_t)small, PRIVATE + 5 * OS2_PAGE_SIZE, RW, &moved), OS2_OK);
        CHECK_IS(place((uintptr_t)large, PRIVATE, RW, &moved), OS2_E_BUSY);
        CHECK_IS(free_at(PRIVATE + 5 * OS2_PAGE_SIZE), OS2_OK);
        CHECK_IS(place((uintptr_t)large, PRIVATE, RW, &moved), OS2_OK);
        *(volatile uint64_t *)(uintptr_t)(PRIVATE + 5 * OS2_PAGE_SIZE) = round;
        small = block(0);
        CHECK_IS(place((uintptr_t)small, PRIVATE + 5 * OS2_PAGE_SIZE, RW, &moved), OS2_E_BUSY);
        CHECK_IS(place(PRIVATE, 0, RW, &moved), OS2_OK);
        CHECK_IS(place((uintptr_t)small, PRIVATE + 5 * OS2_PAGE_SIZE, RW, &moved), OS2_OK);
        CHECK_IS(*(volatile uint64_t *)(uintptr_t)(PRIVATE + 5 * OS2_PAGE_SIZE), 0);
        CHECK_IS(free_at(PRIVATE + 5 * OS2_PAGE_SIZE), OS2_OK);
        CHECK_IS(os2_block_free(large), OS2_OK);
    }
}

/* Placing takes table pages, and fails without them: the block stays where it was. */
static void place_quota(void) {
    struct puppet p;
    struct os2_process_facts facts;
    struct os2_message m, first;
    unsigned placed = 0;
    int status = OS2_OK;

    NEED(puppet_start(&p, 0, NULL));
    first = (struct os2_message){0};
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &first), OS2_OK);
    CHECK_IS(os2_process_facts(p.child.control, 0, &facts), OS2_OK);
    /* Leave it nothing but the script's page. */
    for (unsigned n = facts.quota - facts.pages - facts.tables - facts.objects; n > 0 && status == OS2_OK; n--) {
        m = (struct os2_message){0};
        status = puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m);
    }
    for (unsigned i = 1; i < 8; i++) {
        m = (struct os2_message){.label = first.label, .w = {(uint64_t)i << 32, RW}};
        status = puppet_do(&p, OS2_SYS_block_place, 0, 0, &m);
        if (status < 0)
            break;
        placed++;
        first.label = m.label;
    }
    CHECK_IS(status, OS2_E_QUOTA);
    CHECK(placed < 4);
    CHECK(puppet_run(&p, PUPPET_READ, first.label, 0) != NULL);
    puppet_drop(&p);
}

static void gigabyte(void) {
    void *b;
    uint64_t moved;

    if (os2_quota_left() < (UINT64_C(1) << OS2_ORDER_MAX) + 8)
        return skip("needs more than 1 GiB of RAM");
    int status = os2_block_alloc(OS2_ORDER_MAX, &b);
    if (status == OS2_E_MEMORY)
        return skip("the heap has no such block");
    NEED_IS(status, OS2_OK);
    for (uint64_t at = 0; at < OS2_PAGE_SIZE << OS2_ORDER_MAX; at += OS2_PAGE_SIZE << 8)
        CHECK_IS(*(volatile uint64_t *)((char *)b + at), 0);
    CHECK_IS(free_at((uintptr_t)b + (OS2_PAGE_SIZE << 9)), OS2_E_OWNER);
    CHECK_IS(place((uintptr_t)b, PRIVATE, RW, &moved), OS2_OK);
    CHECK_IS(free_at(moved), OS2_OK);
}

static const struct test tests[] = {
    {"alloc-gigabyte", "a block of 1 GiB", gigabyte},
    {"alloc-cleared alloc-address alloc-aligned", "a fresh block is cleared, aligned, at an exchange address", fresh},
    {"alloc-prot", "a fresh block cannot be executed", not_executable},
    {"alloc-invalid alloc-quota", "orders too large, and blocks over the quota, are refused", alloc_errors},
    {"alloc-single", "every page of the quota can be had", last_page},
    {"alloc-memory", "a block that the heap does not have is refused", no_memory},
    {"account", "blocks are counted to the page", account},
    {"free-owner place-owner", "what is not the start of an own block is refused", not_a_block},
    {"block-own free-owner", "another process's block is out of reach", not_mine},
    {"free-gone", "a freed block is gone at once", freed_is_gone},
    {"free-gone", "and where nobody else runs in between", freed_at_once},
    {"place-move place-back place-content", "a block moves to a private address and back", placing},
    {"place-prot", "protections hold, for each size of leaf", protection},
    {"place-invalid place-wx place-busy", "wrong addresses and protections are refused", place_errors},
    {"place-sizes", "large and small blocks in each other's place", leaf_sizes},
    {"place-quota", "placing is refused when its table pages are over the quota", place_quota},
};
AREA(block, tests);
