/* SPDX-License-Identifier: MIT */
/* Ends: how they are told, what comes back, who goes along. */
#include "systest.h"

#include "arch_test.h"
#include "arch_user.h"
#include "os2/string.h"
#include "os2/time.h"

static void exit_status(void) {
    static const uint64_t values[] = {0, 1, 255, UINT64_MAX};
    for (size_t i = 0; i < COUNT(values); i++) {
        struct puppet p;
        struct os2_process_end end;
        struct os2_message m = {.label = values[i]};
        NEED(puppet_start(&p, 0, NULL));
        uint64_t id = p.child.id;
        puppet_begin(&p, OS2_SYS_exit, 0, 0, &m);
        if (puppet_ended(&p, &end)) {
            CHECK_IS(end.reason, OS2_END_EXIT);
            CHECK_IS(end.value, values[i]);
            CHECK_IS(end.id, id);
        }
        CHECK(p.script == NULL); /* or it had gone on, and sent it back */
    }
}

/* A process with many blocks of all sizes, placed all over: every page comes back. */
static void exit_pages(void) {
    struct puppet p;
    uint64_t before = pages_in_hand(), place = UINT64_C(0x100000000);

    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = 12000}));
    for (unsigned i = 0; i < 120; i++) {
        struct os2_message m = {.label = i % 7 == 6 ? 9 : i % 5};
        if (!CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK))
            break;
        if (i % 3 == 0) {
            place += UINT64_C(1) << (i % 2 ? 30 : 21);
            m = (struct os2_message){.label = m.label, .w = {place, OS2_PROT_READ | OS2_PROT_WRITE}};
            if (!CHECK_IS(puppet_do(&p, OS2_SYS_block_place, 0, 0, &m), OS2_OK))
                break;
        }
    }
    puppet_begin(&p, OS2_SYS_exit, 0, 0, NULL);
    CHECK(take_bits(p.end_bit));
    CHECK_IS(pages_in_hand(), before); /* the bits come when all is back */
    puppet_drop(&p);
}

static void faults(void) {
    const struct {
        enum puppet_op op;
        uint64_t argument;
        enum os2_fault fault;
        bool address;
    } cases[] = {
        {PUPPET_READ, 0, OS2_FAULT_READ, true},
        {PUPPET_READ, 0x12345678, OS2_FAULT_READ, true},
        {PUPPET_READ, OS2_EXCHANGE_BASE, OS2_FAULT_READ, true},
        {PUPPET_READ, ARCH_KERNEL_ADDRESS, OS2_FAULT_READ, true},
        {PUPPET_WRITE, 8, OS2_FAULT_WRITE, true},
        {PUPPET_WRITE, OS2_PROGRAM_BASE, OS2_FAULT_WRITE, true}, /* its own text */
        {PUPPET_WRITE, ARCH_KERNEL_ADDRESS, OS2_FAULT_WRITE, true},
        {PUPPET_JUMP, 0, OS2_FAULT_EXEC, true},
        {PUPPET_JUMP, 0x12345678, OS2_FAULT_EXEC, true},
        {PUPPET_JUMP, OS2_START_PAGE, OS2_FAULT_EXEC, true}, /* data */
        {PUPPET_FAULT, OS2_FAULT_INSTRUCTION, OS2_FAULT_INSTRUCTION, false},
        {PUPPET_WIDE, 0, OS2_FAULT_INSTRUCTION, false},
        {PUPPET_FAULT, OS2_FAULT_BREAKPOINT, OS2_FAULT_BREAKPOINT, false},
        {PUPPET_FAULT, OS2_FAULT_OTHER, arch_fault_priv, false},
        {PUPPET_FAULT, OS2_FAULT_ARITHMETIC, OS2_FAULT_ARITHMETIC, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct puppet p;
        struct os2_process_end end;
        if (cases[i].fault == OS2_FAULT_ARITHMETIC && !ARCH_DIVIDES)
            continue;
        NEED(puppet_start(&p, 0, NULL));
        puppet_begin_op(&p, cases[i].op, cases[i].argument, 0);
        if (puppet_ended(&p, &end)) {
            bool good = CHECK_IS(end.reason, OS2_END_FAULT) & CHECK_IS(end.value, cases[i].fault);
            if (cases[i].address)
                good &= CHECK_IS(end.address, cases[i].argument);
            if (cases[i].op == PUPPET_JUMP)
                good &= CHECK_IS(end.pc, cases[i].argument);
            else
                good &= CHECK(end.pc >= OS2_PROGRAM_BASE && end.pc < OS2_PROGRAM_END);
            if (!good)
                CHECK_IS(i, COUNT(cases));
        }
    }
}

/* Where the kernel has its tables is not shown. */
static void secrets(void) {
    if (!arch_secrets())
        return skip("this processor shows them, or has no instruction for that");
    for (unsigned i = 0; i < arch_secrets(); i++) {
        struct puppet p;
        struct os2_process_end end;
        NEED(puppet_start(&p, 0, NULL));
        puppet_begin_op(&p, PUPPET_SECRET, i, 0);
        if (puppet_ended(&p, &end))
            CHECK(end.reason == OS2_END_FAULT && end.value == arch_fault_priv);
    }
}

/* Killed in every state; told once. */
static void killing(void) {
    static const struct {
        enum os2_syscall number;
        unsigned handle;
        uint64_t flags;
        enum os2_process_state state;
    } waits[] = {
        {OS2_SYS_receive, 0, 0, OS2_STATE_RECEIVE},
        {OS2_SYS_receive, 0, OS2_F_FROM, OS2_STATE_SLEEP},
        {OS2_SYS_receive, PUPPET_BOSS, OS2_F_FROM, OS2_STATE_RECEIVE},
        {OS2_SYS_send, PUPPET_BOSS + 1, 0, OS2_STATE_SEND},
        {OS2_SYS_call, PUPPET_BOSS + 1, 0, OS2_STATE_SEND},
    };
    struct puppet other;

    NEED(puppet_start(&other, 1, NULL));
    for (size_t i = 0; i < COUNT(waits); i++) {
        struct puppet p;
        struct os2_process_end end;
        struct os2_message m = {0};
        NEED(puppet_start(&p, 0, NULL));
        CHECK_IS(puppet_connect(&p, &other, 1), PUPPET_BOSS + 1);
        puppet_begin(&p, waits[i].number, waits[i].handle, waits[i].flags, &m);
        CHECK(puppet_stuck(&p, waits[i].state));
        CHECK_IS(os2_process_kill(p.child.control), OS2_OK);
        CHECK(take_bits(p.end_bit));
        CHECK_IS(os2_process_end(p.child.control, 0, &end), OS2_OK);
        CHECK_IS(end.reason, OS2_END_KILLED);
        CHECK_IS(end.value, 0);
        CHECK_IS(os2_process_kill(p.child.control), OS2_E_DIED);
        puppet_drop(&p);
        /* It is not in the queue any more either. */
        m = (struct os2_message){0};
        CHECK_IS(puppet_do(&other, OS2_SYS_receive, 0, OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    }
    puppet_drop(&other);
}

/* A process that computes runs, or waits for a moment until whoever has its core lets it run again. */
static bool goes_on(unsigned control) {
    struct os2_process_facts facts = {.state = OS2_STATE_READY};
    uint64_t limit = os2_deadline_ms(HANG_MS);

    while (facts.state == OS2_STATE_READY && os2_clock(NULL) < limit)
        if (!CHECK_IS(os2_process_facts(control, 0, &facts), OS2_OK))
            return false;
    return facts.state == OS2_STATE_RUNNING;
}

/* A process that computes is killed where it runs; needs another core to do it from. */
static void kill_computing(void) {
    struct puppet p;
    struct os2_process_end end;
    struct os2_process_facts facts = {0};

    if (cores < 2)
        return skip("needs two cores");
    for (unsigned i = 0; i < 5; i++) {
        NEED(puppet_start(&p, 0, &(struct puppet_plan){.watchdog_ms = HANG_MS}));
        puppet_begin_op(&p, PUPPET_SPIN, 0, 0);
        while (facts.state != OS2_STATE_RUNNING)
            CHECK_IS(os2_process_facts(p.child.control, 0, &facts), OS2_OK);
        os2_sleep_ms(PAUSE_MS);
        CHECK(goes_on(p.child.control));
        CHECK_IS(os2_process_kill(p.child.control), OS2_OK);
        if (puppet_ended(&p, &end))
            CHECK_IS(end.reason, OS2_END_KILLED);
    }
}

static void watchdog(void) {
    struct puppet p;
    struct os2_process_end end;
    uint64_t start = os2_now_ns();

    NEED(puppet_start(&p, 0, &(struct puppet_plan){.watchdog_ms = 200}));
    puppet_begin_op(&p, PUPPET_SPIN, 0, 0);
    if (puppet_ended(&p, &end)) {
        CHECK_IS(end.reason, OS2_END_WATCHDOG);
        CHECK(end.pc >= OS2_PROGRAM_BASE && end.pc < OS2_PROGRAM_END);
        CHECK(os2_now_ns() - start >= 200000000);
        CHECK(os2_now_ns() - start < UINT64_C(1000000) * HANG_MS);
    }
}

/* One that waits, or makes calls, for longer than its limit lives. */
static void watchdog_patient(void) {
    struct puppet p;
    struct os2_message m;

    /* A host that takes the processor away between two calls takes it for less than this. */
    NEED(puppet_start(&p, 0, &(struct puppet_plan){.watchdog_ms = 400}));
    m = (struct os2_message){.w = {[4] = os2_deadline_ms(600)}};
    CHECK_IS(puppet_do(&p, OS2_SYS_receive, 0, OS2_F_DEADLINE, &m), OS2_E_TIMEOUT);
    uint64_t limit = os2_deadline_ms(600);
    for (; os2_clock(NULL) < limit; os2_sleep_ms(PAUSE_MS))
        CHECK(puppet_run(&p, PUPPET_TOKENS, 20, 0) != NULL);
    puppet_drop(&p);
}

/* A limit of 0 is none. Needs a core that it may keep. */
static void watchdog_none(void) {
    struct os2_process_plan plan = {.quota = 16, .quantum = 1, .watchdog_ms = 0, .end_bits = 1, .name = "forever"};
    unsigned control;
    uint64_t id;
    void *code;

    if (cores < 2)
        return skip("needs two cores");
    code = block(0);
    NEED(code && os2_process_create(&plan, &control, &id) == OS2_OK);
    memcpy(code, arch_loop, (size_t)(arch_loop_end - arch_loop));
    CHECK_IS(os2_process_give(control, code, 0x10000, OS2_PROT_READ | OS2_PROT_EXEC), OS2_OK);
    CHECK_IS(os2_process_start(control, 0x10000, 0, 0), OS2_OK);
    os2_sleep_ms(500);
    CHECK(goes_on(control));
    CHECK_IS(os2_process_kill(control), OS2_OK);
    CHECK(take_bits(1));
    os2_handle_close(control);
}

/* A supervisor ends, and its children with it; its own supervisor gets all quota back. */
static void trees(void) {
    for (unsigned way = 0; way < 3; way++) {
        struct os2_process_facts before, after;
        struct puppet p, child[2];

        NEED_IS(os2_process_facts(0, 0, &before), OS2_OK);
        NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = 1500, .has_image = true}));
        CHECK(puppet_spawn(&p, 1, &child[0]));
        CHECK(puppet_spawn(&p, 2, &child[1]));
        for (unsigned i = 0; i < 2; i++) {
            CHECK_IS(os2_watch(child[i].inbox, UINT64_C(1) << (30 + i)), OS2_OK);
            puppet_begin(&child[i], OS2_SYS_receive, 0, 0, NULL);
            CHECK(puppet_stuck(&child[i], OS2_STATE_RECEIVE));
        }
        if (way == 0)
            CHECK_IS(os2_process_kill(p.child.control), OS2_OK);
        else if (way == 1)
            puppet_begin(&p, OS2_SYS_exit, 0, 0, NULL);
        else
            puppet_begin_op(&p, PUPPET_READ, 0, 0);
        CHECK(take_bits(p.end_bit | UINT64_C(3) << 30));
        for (unsigned i = 0; i < 2; i++) {
            struct os2_message m = {0};
            CHECK_IS(os2_send(child[i].inbox, 0, &m), OS2_E_DIED);
            puppet_drop(&child[i]);
        }
        puppet_drop(&p);
        NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
        CHECK_IS(after.quota, before.quota);
    }
}

/* A child that ends before its supervisor gives the quota back to it. */
static void quota_back(void) {
    struct os2_process_facts before, during, after;
    struct puppet p;

    NEED_IS(os2_process_facts(0, 0, &before), OS2_OK);
    NEED(puppet_start(&p, 0, NULL));
    NEED_IS(os2_process_facts(0, 0, &during), OS2_OK);
    CHECK_IS(before.quota - during.quota, PUPPET_QUOTA + slot_pages);
    puppet_begin(&p, OS2_SYS_exit, 0, 0, NULL);
    CHECK(take_bits(p.end_bit));
    NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
    CHECK_IS(after.quota, before.quota - slot_pages);
    puppet_drop(&p);
    NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
    CHECK_IS(after.quota, before.quota);
}

/* What the ended one was about to be given stays with the giver. */
static void gift_to_the_dead(void) {
    struct puppet server, client;
    struct os2_message m = {0};
    unsigned handle;
    uint64_t at;

    NEED(puppet_start(&server, 0, NULL));
    NEED(puppet_start(&client, 1, NULL));
    handle = puppet_connect(&client, &server, 1);
    CHECK_IS(puppet_do(&client, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
    at = m.label;
    m = (struct os2_message){.w = {[3] = at}};
    puppet_begin(&client, OS2_SYS_send, handle, OS2_F_BLOCK, &m);
    CHECK(puppet_stuck(&client, OS2_STATE_SEND));
    CHECK_IS(os2_process_kill(server.child.control), OS2_OK);
    CHECK_IS(puppet_finish(&client, NULL), OS2_E_DIED);
    m = (struct os2_message){.label = at};
    CHECK_IS(puppet_do(&client, OS2_SYS_block_free, 0, 0, &m), OS2_OK);
    puppet_drop(&server);
    puppet_drop(&client);
}

static const struct test tests[] = {
    {"exit-status exit-last end-identity", "exit tells its status, and does not return", exit_status},
    {"exit-pages end-bits", "every page of an ended process is back when its supervisor is told", exit_pages},
    {"fault-kinds fault-facts", "each kind of fault ends the process, and is told with its place", faults},
    {"fault-kinds", "an instruction that shows where the kernel has its tables is a fault", secrets},
    {"kill kill-waits kill-queue", "a process is killed out of each kind of wait", killing},
    {"kill-computes", "a process that computes is killed", kill_computing},
    {"watchdog", "a process that makes no system call for its limit ends", watchdog},
    {"watchdog-waits", "one that waits, or makes calls, lives", watchdog_patient},
    {"watchdog-none", "a limit of 0 is none", watchdog_none},
    {"tree tree-quota", "the children of a supervisor end with it", trees},
    {"quota-back", "quota comes back", quota_back},
    {"died-keeps", "what was to be given to one that died stays with the giver", gift_to_the_dead},
};
AREA(end, tests);
