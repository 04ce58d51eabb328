/* SPDX-License-Identifier: MIT */
/* Making processes: create, give, grant, start, kill, info. */
#include "systest.h"

#include "arch_test.h"
#include "os2/string.h"
#include "os2/time.h"

#define RW (OS2_PROT_READ | OS2_PROT_WRITE)

static int create(uint64_t quota, uint64_t quantum, uint64_t watchdog, unsigned *ret_control, uint64_t *ret_id) {
    struct os2_process_plan plan = {
        .quota = quota, .quantum = quantum, .watchdog_ms = watchdog, .end_bits = UINT64_C(1) << 40, .name = "new"};
    *ret_control = 0;
    return os2_process_create(&plan, ret_control, ret_id);
}

static void create_errors(void) {
    struct os2_process_facts self, after;
    unsigned control;
    uint64_t id;

    NEED_IS(os2_process_facts(0, 0, &self), OS2_OK);
    CHECK_IS(create(0, 1, 0, &control, &id), OS2_E_INVALID);
    CHECK_IS(create(2, 1, 0, &control, &id), OS2_E_INVALID);
    CHECK_IS(create(8, 0, 0, &control, &id), OS2_E_INVALID);
    CHECK_IS(create(8, OS2_QUANTUM_MAX + 1, 0, &control, &id), OS2_E_INVALID);
    CHECK_IS(create(8, 1, UINT64_C(1) << 32, &control, &id), OS2_E_INVALID);
    CHECK_IS(create(self.quota, 1, 0, &control, &id), OS2_E_QUOTA);
    CHECK_IS(create(UINT64_C(1) << 33, 1, 0, &control, &id), OS2_E_QUOTA);
    CHECK_IS(create(UINT64_MAX, 1, 0, &control, &id), OS2_E_QUOTA);
    CHECK_IS(create(UINT64_MAX - 100, 1, 0, &control, &id), OS2_E_QUOTA);
    NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
    CHECK_IS(after.quota, self.quota);
    CHECK_IS(create(3, 1, 0, &control, &id), OS2_OK);
    NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
    CHECK_IS(self.quota - after.quota, 3 + slot_pages);
    os2_handle_close(control);
}

/* A slot costs its supervisor quota until the control handle is closed, also when its process has ended: no quota that
 * there is pays for all slots. */
static void slots(void) {
    struct os2_process_facts before, after;
    struct os2_message m;
    struct puppet p;
    unsigned control, made = 0;
    uint64_t id, left;

    NEED_IS(os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m), OS2_OK);
    CHECK_IS(m.w[4], slot_pages);
    CHECK((m.w[0] - 2) * slot_pages >= m.w[3]);
    NEED_IS(os2_process_facts(0, 0, &before), OS2_OK);
    NEED_IS(create(8, 1, 0, &control, &id), OS2_OK);
    CHECK_IS(os2_process_kill(control), OS2_OK);
    CHECK(take_bits(UINT64_C(1) << 40));
    CHECK_IS(os2_process_facts(0, 0, &after), OS2_OK);
    CHECK_IS(before.quota - after.quota, slot_pages);
    os2_handle_close(control);
    CHECK_IS(os2_process_facts(0, 0, &after), OS2_OK);
    CHECK_IS(after.quota, before.quota);
    /* One that keeps all that it can. */
    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 5 * slot_pages}));
    CHECK_IS(os2_process_facts(p.child.control, 0, &after), OS2_OK);
    left = after.quota - after.pages - after.tables - after.objects;
    do {
        m = (struct os2_message){.label = 3, .w = {1, OS2_WATCHDOG_DEFAULT_MS}};
        int status = puppet_do(&p, OS2_SYS_process_create, 0, 0, &m);
        if (status < 0) {
            CHECK_IS(status, OS2_E_QUOTA);
            break;
        }
        control = (unsigned)m.label;
        m = (struct os2_message){0};
        CHECK_IS(puppet_do(&p, OS2_SYS_process_kill, control, 0, &m), OS2_OK);
    } while (++made < OS2_HANDLES);
    CHECK(made >= 5 && made <= left / slot_pages);
    puppet_drop(&p);
}

/* Nor is its watchdog limit longer than its creator's, and none is longer than any. */
static void watchdog_limit(void) {
    static const struct {
        uint64_t limit;
        int status;
    } cases[] = {{0, OS2_E_RIGHTS}, {501, OS2_E_RIGHTS}, {UINT32_MAX, OS2_E_RIGHTS}, {500, OS2_OK}, {1, OS2_OK}};
    struct puppet p;

    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 2 * slot_pages, .watchdog_ms = 500}));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct os2_message m = {.label = 8, .w = {1, cases[i].limit}};
        CHECK_IS(puppet_do(&p, OS2_SYS_process_create, 0, 0, &m), cases[i].status);
    }
    puppet_drop(&p);
}

static void quantum_limit(void) {
    struct puppet p;
    struct os2_message m = {.label = 8, .w = {11, 1000}};

    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quantum = 10}));
    CHECK_IS(puppet_do(&p, OS2_SYS_process_create, 0, 0, &m), OS2_E_RIGHTS);
    m = (struct os2_message){.label = 8, .w = {10, 1000}};
    CHECK_IS(puppet_do(&p, OS2_SYS_process_create, 0, 0, &m), OS2_OK);
    puppet_drop(&p);
}

/* What a new process is charged, and what is said of it. */
static void facts_of_new(void) {
    struct os2_process_plan plan = {
        .quota = 20, .quantum = 7, .watchdog_ms = 5, .end_bits = 1, .name = "sixteen-bytes-id"};
    struct os2_process_facts facts;
    struct os2_process_end end;
    unsigned control, slot;
    uint64_t id;

    NEED_IS(os2_process_create(&plan, &control, &id), OS2_OK);
    slot = id & OS2_ID_SLOT_MASK;
    CHECK_IS(os2_process_facts(control, 0, &facts), OS2_OK);
    CHECK_IS(facts.id, id);
    CHECK_IS(facts.state, OS2_STATE_NEW);
    CHECK_IS(facts.quantum, 7);
    CHECK_IS(facts.quota, 20);
    CHECK_IS(facts.pages, 0);
    CHECK_IS(facts.tables, 1);
    CHECK_IS(facts.objects, 2);
    CHECK_IS(facts.tokens, 0);
    CHECK_IS(facts.turns, 0);
    CHECK_IS(facts.supervisor, self_id);
    CHECK(strcmp(facts.name, "sixteen-bytes-id") == 0);
    CHECK_IS(os2_process_end(control, 0, &end), OS2_E_BUSY);
    CHECK_IS(os2_process_facts(machine, slot, &facts), OS2_OK);
    CHECK_IS(facts.id, id);
    os2_handle_close(control);
}

static void info_errors(void) {
    struct os2_message m;
    struct os2_process_facts facts;

    NEED_IS(os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m), OS2_OK);
    unsigned slots = (unsigned)m.w[0];
    CHECK_IS(os2_process_facts(machine, slots, &facts), OS2_E_INVALID);
    m = (struct os2_message){.label = UINT64_MAX};
    CHECK_IS(raw(OS2_SYS_process_info, machine, 0, &m), OS2_E_INVALID);
    CHECK_IS(os2_process_facts(machine, slots - 1, &facts), OS2_E_DIED); /* never used */
    m = (struct os2_message){.label = slots - 1, .w = {OS2_INFO_END}};
    CHECK_IS(raw(OS2_SYS_process_info, machine, 0, &m), OS2_E_DIED);
    m = (struct os2_message){.w = {2}};
    CHECK_IS(raw(OS2_SYS_process_info, 0, 0, &m), OS2_E_INVALID);
    m = (struct os2_message){.w = {OS2_INFO_END}};
    CHECK_IS(raw(OS2_SYS_process_info, 0, 0, &m), OS2_E_BUSY);
    CHECK_IS(os2_process_facts(0, 0, &facts), OS2_OK);
    CHECK_IS(facts.id, self_id);
    CHECK_IS(facts.state, OS2_STATE_RUNNING);
    CHECK(facts.core < cores);
}

static void states(void) {
    struct puppet p;
    struct os2_message m = {.w = {[4] = OS2_FOREVER}};

    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_F_FROM | OS2_F_DEADLINE, &m);
    CHECK(puppet_stuck(&p, OS2_STATE_SLEEP));
    puppet_drop(&p);
    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
    puppet_drop(&p);
    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_exit, 0, 0, &(struct os2_message){.label = 3});
    CHECK(take_bits(p.end_bit));
    struct os2_process_facts facts;
    CHECK_IS(os2_process_facts(p.child.control, 0, &facts), OS2_OK);
    CHECK_IS(facts.state, OS2_STATE_ENDED);
    CHECK_IS(facts.pages + facts.tables + facts.objects, 0);
    CHECK(facts.tokens > 0 && facts.turns > 0);
    CHECK(strcmp(facts.name, "puppet") == 0);
    puppet_drop(&p);
}

static void give_errors(void) {
    unsigned control;
    uint64_t id, at;
    void *b = block(1);
    struct os2_process_facts facts;

    NEED(b != NULL);
    at = (uintptr_t)b;
    NEED_IS(create(2 + ARCH_TABLES + 4, 1, 0, &control, &id), OS2_OK);
    CHECK_IS(os2_process_give(control, b, 0x10000, OS2_PROT_WRITE), OS2_E_INVALID);
    CHECK_IS(os2_process_give(control, b, 0x10000, RW | OS2_PROT_EXEC), OS2_E_INVALID);
    CHECK_IS(os2_process_give(control, b, 0x11000, RW), OS2_E_INVALID);
    CHECK_IS(os2_process_give(control, b, 0x8000, RW), OS2_E_INVALID);
    CHECK_IS(os2_process_give(control, b, OS2_PRIVATE_MAX, RW), OS2_E_INVALID);
    CHECK_IS(os2_process_give(control, (void *)(uintptr_t)(at + OS2_PAGE_SIZE), 0x10000, RW), OS2_E_OWNER);
    CHECK_IS(os2_process_give(control, NULL, 0x10000, RW), OS2_E_OWNER);
    *(uint64_t *)b = 1; /* still here */
    CHECK_IS(os2_process_give(control, b, 0x10000, RW), OS2_OK);
    CHECK_IS(os2_block_free((void *)(uintptr_t)at), OS2_E_OWNER);
    CHECK_IS(os2_process_facts(control, 0, &facts), OS2_OK);
    CHECK_IS(facts.pages, 2);
    CHECK_IS(facts.tables, ARCH_TABLES);
    b = block(0);
    CHECK_IS(os2_process_give(control, b, 0x11000, RW), OS2_E_BUSY);
    CHECK_IS(os2_process_give(control, b, 0x12000, OS2_PROT_READ), OS2_OK);
    /* Two objects, the tables, three pages in blocks; one more page, and no tables for another place. */
    b = block(1);
    CHECK_IS(os2_process_give(control, b, 0x14000, RW), OS2_E_QUOTA);
    CHECK_IS(os2_block_free(b), OS2_OK);
    b = block(0);
    CHECK_IS(os2_process_give(control, b, UINT64_C(0x1000000000), RW), OS2_E_QUOTA);
    CHECK_IS(os2_block_free(b), OS2_OK);
    os2_handle_close(control);
}

/* Only a process that has not started can be given blocks, handles, a start. */
static void only_new(void) {
    struct puppet p;
    unsigned self;
    struct os2_process_end end;
    struct os2_message m = {0};
    void *b = block(0);

    NEED(b && puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_process_give(p.child.control, b, 0, RW), OS2_E_BUSY);
    CHECK_IS(os2_process_grant(p.child.control, self, OS2_RIGHTS_ALL, 0, NULL), OS2_E_BUSY);
    CHECK_IS(os2_process_start(p.child.control, 0x10000, 0, 0), OS2_E_BUSY);
    puppet_begin(&p, OS2_SYS_exit, 0, 0, &m);
    CHECK(take_bits(p.end_bit));
    CHECK_IS(os2_process_give(p.child.control, b, 0, RW), OS2_E_DIED);
    CHECK_IS(os2_process_grant(p.child.control, self, OS2_RIGHTS_ALL, 0, NULL), OS2_E_DIED);
    CHECK_IS(os2_process_grant(p.child.control, 0, 0, 1, NULL), OS2_E_DIED);
    CHECK_IS(os2_process_start(p.child.control, 0x10000, 0, 0), OS2_E_DIED);
    CHECK_IS(os2_process_kill(p.child.control), OS2_E_DIED);
    CHECK_IS(os2_process_end(p.child.control, 0, &end), OS2_OK);
    CHECK_IS(os2_block_free(b), OS2_OK);
    os2_handle_close(self);
    puppet_drop(&p);
}

static void granting(void) {
    struct os2_process_facts self, facts;
    unsigned control, source, weak, index, made = 0;
    uint64_t id;

    NEED_IS(create(8, 1, 0, &control, &id), OS2_OK);
    NEED_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &source), OS2_OK);
    NEED_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHT_SEND, &weak), OS2_OK);
    NEED_IS(os2_process_facts(0, 0, &self), OS2_OK);
    CHECK_IS(os2_process_grant(control, 250, OS2_RIGHTS_ALL, 0, &index), OS2_E_HANDLE);
    CHECK_IS(os2_process_grant(control, weak, OS2_RIGHTS_ALL, 0, &index), OS2_E_RIGHTS);
    CHECK_IS(os2_process_grant(control, control, OS2_RIGHTS_ALL, 0, &index), OS2_E_RIGHTS);
    CHECK_IS(os2_process_grant(control, source, OS2_RIGHTS_ALL, self.quota, &index), OS2_E_QUOTA);
    CHECK_IS(os2_process_grant(control, 0, 0, UINT64_MAX, &index), OS2_E_QUOTA);
    CHECK_IS(os2_process_grant(control, 0, 0, 0, NULL), OS2_OK);
    CHECK_IS(os2_process_grant(control, source, OS2_RIGHTS_ALL, 5, &index), OS2_OK);
    CHECK_IS(index, 1); /* nothing of the refused ones is there */
    CHECK_IS(os2_process_facts(control, 0, &facts), OS2_OK);
    CHECK_IS(facts.quota, 13);
    CHECK_IS(os2_process_facts(0, 0, &facts), OS2_OK);
    CHECK_IS(self.quota - facts.quota, 5);
    while (os2_process_grant(control, source, 0, 0, &index) == OS2_OK && made < OS2_HANDLES)
        made++;
    CHECK_IS(made, OS2_HANDLES - 2);
    CHECK_IS(os2_process_grant(control, source, 0, 0, &index), OS2_E_FULL);
    os2_handle_close(source);
    os2_handle_close(weak);
    os2_handle_close(control);
    CHECK_IS(os2_process_facts(0, 0, &facts), OS2_OK);
}

/* More quota for one that runs. */
static void grant_running(void) {
    struct puppet p;
    struct os2_message m = {.label = 9};

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_E_QUOTA);
    CHECK_IS(os2_process_grant(p.child.control, 0, 0, 512, NULL), OS2_OK);
    m = (struct os2_message){.label = 9};
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
    puppet_drop(&p);
}

static void start_errors(void) {
    struct os2_process_end end;
    struct os2_message m;
    unsigned control;
    uint64_t id;

    NEED_IS(create(8, 1, 0, &control, &id), OS2_OK);
    CHECK_IS(os2_process_start(control, OS2_EXCHANGE_BASE * 2, 0, 0), OS2_E_INVALID);
    CHECK_IS(os2_process_start(control, UINT64_MAX, 0, 0), OS2_E_INVALID);
    CHECK_IS(os2_process_start(control, 0x10000, UINT64_MAX, 0), OS2_E_INVALID);
    m = (struct os2_message){.label = 0x10000, .w = {0, 0, 0, UINT64_MAX}};
    CHECK_IS(raw(OS2_SYS_process_start, control, 0, &m), OS2_E_INVALID);
    /* It is still new, and a start where nothing is mapped is a fault there. */
    CHECK_IS(os2_process_start(control, 0x10000, 0, 0), OS2_OK);
    CHECK(take_bits(UINT64_C(1) << 40));
    CHECK_IS(os2_process_end(control, 0, &end), OS2_OK);
    CHECK_IS(end.id, id); /* the one it was made with */
    CHECK_IS(end.reason, OS2_END_FAULT);
    CHECK_IS(end.value, OS2_FAULT_EXEC);
    CHECK_IS(end.pc, 0x10000);
    os2_handle_close(control);
}

/* A slot is used again under another identity, and handles to the one before stay dead. */
static void generations(void) {
    unsigned controls[100], old, count = 0, control;
    uint64_t id, first;
    struct os2_message m = {0};

    NEED_IS(create(8, 1, 0, &control, &first), OS2_OK);
    CHECK_IS(os2_handle_mint(control, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &old), OS2_OK);
    CHECK_IS(os2_process_kill(control), OS2_OK);
    CHECK(take_bits(UINT64_C(1) << 40));
    os2_handle_close(control); /* now its slot is free */
    do
        NEED_IS(create(8, 1, 0, &controls[count], &id), OS2_OK);
    while ((id & OS2_ID_SLOT_MASK) != (first & OS2_ID_SLOT_MASK) && ++count < COUNT(controls) - 1);
    if (CHECK_IS(id & OS2_ID_SLOT_MASK, first & OS2_ID_SLOT_MASK)) {
        CHECK(id >> OS2_ID_GENERATION_SHIFT > first >> OS2_ID_GENERATION_SHIFT);
        CHECK_IS(os2_send(old, 0, &m), OS2_E_DIED);
        CHECK_IS(os2_watch(old, 1), OS2_E_DIED);
    }
    for (unsigned i = 0; i <= count; i++)
        os2_handle_close(controls[i]);
    os2_handle_close(old);
}

/* Processes until there is no quota, or no handles. */
static void many(void) {
    unsigned controls[OS2_HANDLES], count = 0;
    uint64_t id, before = pages_in_hand();
    int status;

    while ((status = create(4, 1, 0, &controls[count], &id)) >= 0)
        count++;
    CHECK(status == OS2_E_FULL || status == OS2_E_QUOTA);
    CHECK(count > 100);
    while (count)
        os2_handle_close(controls[--count]);
    for (unsigned i = 0; i < 1000 && pages_in_hand() != before; i++)
        os2_yield();
}

static void kill_new(void) {
    struct os2_process_end end;
    unsigned control;
    uint64_t id;

    NEED_IS(create(8, 1, 0, &control, &id), OS2_OK);
    CHECK_IS(os2_process_kill(control), OS2_OK);
    CHECK(take_bits(UINT64_C(1) << 40));
    CHECK_IS(os2_process_end(control, 0, &end), OS2_OK);
    CHECK_IS(end.reason, OS2_END_KILLED);
    os2_handle_close(control);
}

/* How many blocks of this order does the process in `slot` have at private addresses? */
static uint64_t placed_blocks(uint64_t slot, unsigned order) {
    struct os2_message m;
    uint64_t frame, end, count = 0;

    if (!CHECK_IS(os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m), OS2_OK))
        return 0;
    frame = m.w[1];
    end = m.w[2];
    while (frame < end && CHECK_IS(os2_machine_info(machine, OS2_MACHINE_FRAMES, frame, &m), OS2_OK)) {
        if (m.w[0] == OS2_FRAME_PLACED && m.w[1] == order && m.w[3] == slot + 1)
            count += m.w[2];
        frame = m.label;
    }
    return count;
}

/* The library's loader gives a program of several MiB large blocks, and so large leaves: few page tables. */
#define LARGE_START UINT64_C(0x400000)
#define LARGE_MIB 9u
static void large_program(void) {
    struct os2_child_plan plan = {.process = {.name = "large", .end_bits = UINT64_C(1) << 40}};
    struct os2_child child;
    struct os2_process_facts facts;
    uint8_t *file = block(1);
    const uint64_t header[8] = {[3] = LARGE_START, [4] = 64, [6] = UINT64_C(56) << 48, [7] = 1};
    const uint64_t segment[7] = {
        1 | UINT64_C(5) << 32, /* LOAD, readable and executable */
        OS2_PAGE_SIZE,         LARGE_START, LARGE_START, OS2_PAGE_SIZE, (uint64_t)LARGE_MIB << 20, OS2_PAGE_SIZE};

    NEED(file != NULL);
    memcpy(file, image, 24); /* what says that it is a program for this machine */
    memcpy(file + 24, &header[3], sizeof header - 24);
    memcpy(file + 64, segment, sizeof segment);
    memcpy(file + OS2_PAGE_SIZE, arch_loop, (size_t)(arch_loop_end - arch_loop));
    plan.image = file;
    plan.image_size = 2 * OS2_PAGE_SIZE;
    if (CHECK_IS(os2_child_create(&plan, &child, NULL), OS2_OK)) {
        uint64_t slot = child.id & ((UINT64_C(1) << OS2_ID_GENERATION_SHIFT) - 1);
        CHECK_IS(placed_blocks(slot, 10), 2); /* 4 MiB each: of two leaves */
        CHECK_IS(placed_blocks(slot, 8), 1);
        CHECK_IS(os2_process_facts(child.control, 0, &facts), OS2_OK);
        CHECK(facts.pages >= LARGE_MIB << (20 - OS2_PAGE_SHIFT));
        CHECK(facts.tables <= 9); /* root, reserve, and for 1 MiB, stack and start page; not one for each 2 MiB */
        os2_child_drop(&child);
        for (unsigned i = 0; i < HANG_MS / PAUSE_MS && placed_blocks(slot, 10); i++)
            os2_sleep_ms(PAUSE_MS);
    }
    os2_block_free(file);
}

static const struct test tests[] = {
    {"create-invalid create-quota create-least", "malformed creations, and over the quota, are refused", create_errors},
    {"create-quantum", "a child's quantum is at most its creator's", quantum_limit},
    {"create-limit", "so is its watchdog limit, and none is above any", watchdog_limit},
    {"create-slot create-slots", "a slot costs quota until it is let go, so there are always some", slots},
    {"create-charge info-state info-control info-observe info-end-busy", "facts of a new process", facts_of_new},
    {"info-invalid info-free info-self info-end-self", "process_info refuses, and tells of oneself", info_errors},
    {"info-states info-ended", "the states of a process", states},
    {"give-move give-invalid give-owner give-busy give-quota", "giving blocks to a new process", give_errors},
    {"give-new grant-new start-new kill-died grant-died", "only a new process can be filled and started", only_new},
    {"grant-handle grant-errors grant-quota grant-full", "granting handles and quota", granting},
    {"grant-running", "quota for a process that runs", grant_running},
    {"start-invalid start-fault", "starts outside the user half are refused", start_errors},
    {"identity", "a slot is used again under another identity", generations},
    {"create-many", "processes until refused", many},
    {"kill-new", "a process that never ran is killed", kill_new},
    {"", "the loader gives a large program large blocks", large_program},
};
AREA(process, tests);
