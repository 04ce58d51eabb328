/* SPDX-License-Identifier: MIT */
/* Ends of processes: in every state, with children, and what is told and given back. */
#include "ipc/end.h"
#include "tests/unit/machine.h"

static struct process *a, *b;
static unsigned control;
static struct slot *slot;

/* Doomed by its supervisor, and nobody has looked yet. */
static void doom(struct slot *doomed) {
    doomed->doom = slot_generation(doomed) << DOOM_GENERATION_SHIFT | OS2_END_KILLED;
    doomed->life |= 1;
}

static int set_up(void **unused) {
    (void)unused;
    boot(16);
    a = spawn(init, 200, &control);
    b = spawn(init, 100, NULL);
    slot = a->slot;
    return 0;
}

static int64_t info(unsigned handle, unsigned page) {
    return CALL(init, OS2_SYS_process_info | HANDLE(handle), 0, page);
}

/* a has ended: its pages and its quota are back, and its supervisor knows how. */
static void expect_end(unsigned reason, uint64_t value, uint64_t quota) {
    uint64_t identity = 0;
    settle();
    assert_int_equal(state_kind(slot->word), KIND_DEAD);
    assert_int_equal(info(control, OS2_INFO_STATE), OS2_OK);
    assert_int_equal(init->reg[OS2_R_W0] & 0xff, OS2_STATE_ENDED);
    identity = init->reg[OS2_R_LABEL];
    assert_int_equal(info(control, OS2_INFO_END), OS2_OK);
    assert_int_equal(init->reg[OS2_R_LABEL], identity);
    assert_int_equal(init->reg[OS2_R_W0], reason);
    assert_int_equal(init->reg[OS2_R_W1], value);
    /* The identity that process_create() gave. */
    assert_int_equal(identity >> OS2_ID_GENERATION_SHIFT, handle_generation(init->handles->entry[control].target));
    assert_int_equal(init->space.quota, quota);
    CALL(init, OS2_SYS_receive | OS2_F_DEADLINE, 0);
    assert_int_equal(init->reg[OS2_R_BITS], UINT64_C(1) << 63);
    CALL(init, OS2_SYS_handle_close | HANDLE(control), 0);
    assert_int_equal(state_kind(slot->word), KIND_FREE);
    check();
}

static void test_exit(void **unused) {
    (void)unused;
    uint64_t quota = init->space.quota + 200;
    for (unsigned order = 0; order < 5; order++)
        alloc(a, order);
    CALL(a, OS2_SYS_block_place, alloc(a, 0), UINT64_C(7) << 39, OS2_PROT_READ);
    assert_int_equal(space_refill(&a->space, SPACE_RESERVE), OS2_OK); /* tables at hand are given back too */
    run(a);
    a->reg[OS2_R_CONTROL] = OS2_SYS_exit;
    a->reg[OS2_R_LABEL] = 42;
    host_syscall(0);
    expect_end(OS2_END_EXIT, 42, quota);
}

static void test_fault(void **unused) {
    (void)unused;
    run(a);
    uint64_t quota = init->space.quota + 200;
    host_fault(0, OS2_FAULT_WRITE, 0x12345, 0x6789);
    settle();
    assert_int_equal(info(control, OS2_INFO_END), OS2_OK);
    assert_int_equal(init->reg[OS2_R_W2], 0x12345);
    assert_int_equal(init->reg[OS2_R_W3], 0x6789);
    expect_end(OS2_END_FAULT, OS2_FAULT_WRITE, quota);
}

/* Killed before it started, ready, receiving, sleeping, sending, calling before and after it is taken, and with a
 * deadline that then means nothing. */
static void test_kill_in_each_state(void **unused) {
    (void)unused;
    for (unsigned state_wanted = 0; state_wanted < 8; state_wanted++) {
        set_up(NULL);
        unsigned h = handle_to(a, b, OS2_HANDLE_INBOX, ALL, 0);
        switch (state_wanted) {
        case 0:
            a = make(init, 200, &control);
            slot = a->slot;
            break;
        case 1:
            break;
        case 2:
            CALL(a, OS2_SYS_receive, 0);
            break;
        case 3:
            CALL(a, OS2_SYS_receive | OS2_F_FROM | OS2_F_DEADLINE, 0, 0, 0, 0, 0, NOW + 5000);
            break;
        case 4:
            send_to(a, h, 0);
            break;
        case 5:
            CALL(a, OS2_SYS_call | HANDLE(h), 0);
            break;
        case 6:
            CALL(a, OS2_SYS_call | HANDLE(h) | OS2_F_DEADLINE, 0, 0, 0, 0, 0, NOW + 5000);
            CALL(b, OS2_SYS_receive, 0);
            break;
        case 7: /* in the middle of a long allocation */
            CALL(init, OS2_SYS_process_grant | HANDLE(control), 0, 0, 2100);
            run(a);
            a->reg[OS2_R_CONTROL] = OS2_SYS_block_alloc;
            a->reg[OS2_R_LABEL] = 11;
            host_syscall(0);
            assert_true(a->context.again);
            break;
        }
        uint64_t quota = init->space.quota + a->space.quota, caller = b->reg[OS2_R_CALLER];
        if (state_wanted == 7) {
            doom(slot);
            cores[0]->arch.ipi = true;
            host_interrupt(0, 0);
        } else {
            assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
        }
        settle();
        assert_int_equal(b->slot->queue_head, SLOT_NONE);
        if (state_wanted == 6)
            assert_int_equal(CALL(b, OS2_SYS_reply, 0, 0, 0, 0, 0, 0, caller), OS2_E_NOT_WAITING);
        assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_E_DIED);
        pass(10000);
        expect_end(OS2_END_KILLED, 0, quota);
    }
}

/* A supervisor's end ends all below it, and quota flows up. */
static void test_supervisors(void **unused) {
    (void)unused;
    uint64_t quota = init->space.quota + 200;
    struct process *c = spawn(a, 130, NULL), *d = spawn(c, 45, NULL), *e = spawn(c, 30, NULL), *f = make(d, 20, NULL);
    struct slot *below[] = {c->slot, d->slot, e->slot, f->slot};
    CALL(c, OS2_SYS_receive, 0);
    send_to(e, handle_to(e, c, OS2_HANDLE_INBOX, ALL, 0), 1);
    CALL(init, OS2_SYS_process_kill | HANDLE(control), 0);
    for (unsigned i = 0; i < 10; i++)
        settle();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(state_kind(below[i]->word), KIND_FREE);
    expect_end(OS2_END_KILLED, 0, quota);
}

static void test_closing_control(void **unused) {
    (void)unused;
    uint64_t quota = init->space.quota + 200 + SLOT;
    CALL(a, OS2_SYS_receive, 0);
    assert_int_equal(CALL(init, OS2_SYS_handle_close | HANDLE(control), 0), OS2_OK);
    settle();
    assert_int_equal(state_kind(slot->word), KIND_FREE);
    assert_int_equal(init->space.quota, quota);
    /* The slot is used again, and old handles do not reach the new process. */
    unsigned old =
        handle_put(b->handles, handle_target(OS2_HANDLE_INBOX, ALL, slot->index, slot_generation(slot) - 1), 0);
    struct process *again = spawn(init, 50, NULL);
    assert_ptr_equal(again->slot, slot);
    assert_int_equal(CALL(b, OS2_SYS_send | HANDLE(old), 0), OS2_E_DIED);
}

/* One who leaves the list of children while an end goes through it is not what that comes to next. */
static void test_child_leaves(void **unused) {
    (void)unused;
    struct slot *first = make(init, 5, NULL)->slot, *last = make(init, 5, NULL)->slot;
    assert_int_equal(init->slot->child, last->index);
    assert_int_equal(last->younger, first->index);
    init->slot->end_cursor = last->index;
    slot_orphan(init->slot, last);
    assert_int_equal(init->slot->end_cursor, first->index);
    assert_int_equal(init->slot->child, first->index);
    assert_int_equal(first->elder, SLOT_NONE);
}

static void test_quota(void **unused) {
    (void)unused;
    uint64_t mine = init->space.quota;
    assert_int_equal(CALL(init, OS2_SYS_process_create, 2, 1), OS2_E_INVALID);
    assert_int_equal(CALL(init, OS2_SYS_process_create, 10, 0), OS2_E_INVALID);
    assert_int_equal(CALL(init, OS2_SYS_process_create, 10, OS2_QUANTUM_MAX + 1), OS2_E_INVALID);
    assert_int_equal(CALL(init, OS2_SYS_process_create, mine, 1), OS2_E_QUOTA);
    assert_int_equal(CALL(a, OS2_SYS_process_create, 10, 101), OS2_E_RIGHTS);
    assert_int_equal(init->space.quota, mine);
    assert_int_equal(CALL(init, OS2_SYS_process_grant | HANDLE(control), 0, 0, 50), OS2_OK);
    assert_int_equal(init->space.quota, mine - 50);
    assert_int_equal(a->space.quota, 250);
    assert_int_equal(CALL(init, OS2_SYS_process_grant | HANDLE(control), 0, 0, mine), OS2_E_QUOTA);
    assert_int_equal(CALL(init, OS2_SYS_process_grant | HANDLE(control), OS2_INIT_MACHINE, 0, 0), OS2_E_BUSY);
    uint64_t left = a->space.quota - a->space.charged;
    unsigned n = 0;
    while (CALL(a, OS2_SYS_process_create, 3, 1, 0, 0) == OS2_OK)
        n++;
    assert_int_equal(n, left / (3 + SLOT));
    assert_int_equal(STATUS(a), OS2_E_QUOTA);
}

/* However many were doomed while this core held them, one interrupt ends a few, and sends for itself until none
 * waits. */
static void test_many_doomed(void **unused) {
    (void)unused;
    struct process *p[80];
    for (unsigned i = 0; i < 80; i++) {
        p[i] = spawn(init, 6, NULL);
        CALL(p[i], OS2_SYS_receive, 0);
    }
    run(init);
    for (unsigned i = 0; i < 80; i++) {
        doom(p[i]->slot);
    }
    machine.dooms++;
    cores[0]->arch.ipi = true;
    unsigned waiting = 80, interrupts = 0;
    while (cores[0]->arch.ipi) {
        unsigned before = waiting;
        if (!host_interrupt_due(0))
            host_clock = cores[0]->timers.breath;
        host_interrupt(0, 0);
        waiting = 0;
        for (unsigned i = 0; i < 80; i++)
            waiting += kind_of(p[i]) == KIND_RCV;
        assert_in_range(before - waiting, 0, 16);
        assert_in_range(++interrupts, 1, 16);
    }
    assert_int_equal(waiting, 0);
    /* And those who wait for the answer of one that ends. */
    for (unsigned i = 0; i < 60; i++) {
        struct process *client = spawn(init, 6, NULL);
        unsigned h = handle_to(client, a, OS2_HANDLE_INBOX, ALL, 0);
        CALL(client, OS2_SYS_call | HANDLE(h), 0);
        CALL(a, OS2_SYS_receive, 0);
        assert_int_equal(kind_of(client), KIND_CAL);
        p[i] = client;
    }
    assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
    waiting = 60;
    for (unsigned n = 0; n < 1000 && waiting; n++) {
        unsigned before = waiting;
        let_go();
        waiting = 0;
        for (unsigned i = 0; i < 60; i++)
            waiting += kind_of(p[i]) == KIND_CAL;
        assert_in_range(before - waiting, 0, 32);
    }
    assert_int_equal(waiting, 0);
}

/* ---- A driver's memory is kept until its supervisor has dealt with the device. ---- */

#define DEVICE 0x10000000u

/* `p`, which waits for nothing, gets the device's registers from init. */
static void get_device(struct process *p) {
    assert_int_equal(CALL(init, OS2_SYS_device_claim | HANDLE(OS2_INIT_MACHINE), OS2_DEVICE_MEMORY, DEVICE, 0), OS2_OK);
    uint64_t registers = init->reg[OS2_R_LABEL];
    CALL(p, OS2_SYS_receive | ACCEPT(0), 0);
    unsigned h = handle_to(init, p, OS2_HANDLE_INBOX, ALL, 0);
    assert_int_equal(CALL(init, OS2_SYS_send | OS2_F_BLOCK | HANDLE(h), 0, 0, 0, 0, registers), OS2_OK);
    CALL(init, OS2_SYS_handle_close | HANDLE(h), 0);
}

static uint32_t frame_of(uint64_t va) {
    return (uint32_t)((va - OS2_EXCHANGE_BASE) >> OS2_PAGE_SHIFT);
}

/* Ended and told, and all it had is still its own. */
static void expect_held(const struct slot *held, uint32_t frame, uint64_t quota) {
    settle();
    assert_int_equal(state_kind(held->word), KIND_HELD);
    assert_int_equal(heap_frame(&machine.heap, frame)->state, OS2_FRAME_OWNED);
    assert_int_equal(heap_frame(&machine.heap, frame)->owner, held->index);
    assert_int_equal(init->space.quota, quota);
}

static void test_device_held(void **unused) {
    (void)unused;
    uint64_t quota = init->space.quota, page = alloc(a, 0);
    alloc(a, 3);
    unsigned h = handle_to(b, a, OS2_HANDLE_INBOX, 0, 0);
    assert_int_equal(CALL(b, OS2_SYS_watch | HANDLE(h), 8), OS2_OK);
    get_device(a);
    run(a);
    a->reg[OS2_R_CONTROL] = OS2_SYS_exit;
    a->reg[OS2_R_LABEL] = 7;
    host_syscall(0);
    expect_held(slot, frame_of(page), quota);
    assert_int_equal(b->slot->note, 8);
    CALL(init, OS2_SYS_receive | OS2_F_DEADLINE, 0);
    assert_int_equal(init->reg[OS2_R_BITS], UINT64_C(1) << 63);
    assert_int_equal(info(control, OS2_INFO_STATE), OS2_OK);
    assert_int_equal(init->reg[OS2_R_W0] & 0xff, OS2_STATE_ENDED);
    assert_int_equal(init->reg[OS2_R_W1] & 0xffffffff, 9); /* pages in blocks */
    assert_int_equal(info(control, OS2_INFO_END), OS2_OK);
    assert_int_equal(init->reg[OS2_R_W1], 7);
    assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_E_DIED);
    /* Its supervisor resets the device. */
    assert_int_equal(CALL(init, OS2_SYS_device_claim | HANDLE(OS2_INIT_MACHINE), OS2_DEVICE_MEMORY, DEVICE, 0), OS2_OK);
    expect_held(slot, frame_of(page), quota);
    CALL(init, OS2_SYS_handle_close | HANDLE(control), 0);
    settle();
    assert_int_equal(state_kind(slot->word), KIND_FREE);
    assert_int_equal(init->space.quota, quota + 200 + SLOT);
    assert_int_not_equal(heap_frame(&machine.heap, frame_of(page))->state, OS2_FRAME_OWNED);
    assert_int_equal(b->slot->note, 8);
}

/* A living driver whose control handle is closed is not kept; one that gave the device back before it ended is. */
static void test_device_not_held(void **unused) {
    (void)unused;
    uint64_t quota = init->space.quota;
    get_device(a);
    CALL(init, OS2_SYS_handle_close | HANDLE(control), 0);
    settle();
    assert_int_equal(state_kind(slot->word), KIND_FREE);
    assert_int_equal(init->space.quota, quota + 200 + SLOT);
    a = spawn(init, 200, &control);
    slot = a->slot;
    get_device(a);
    assert_int_equal(CALL(a, OS2_SYS_block_free, OS2_EXCHANGE_BASE + DEVICE), OS2_OK);
    uint64_t page = alloc(a, 0);
    assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
    expect_held(slot, frame_of(page), quota);
    CALL(init, OS2_SYS_handle_close | HANDLE(control), 0);
    settle();
    assert_int_equal(init->space.quota, quota + 200 + SLOT);
}

/* A supervisor that ends before it has dealt with it is kept itself; and one that lives lets it go. */
static void test_device_tree(void **unused) {
    (void)unused;
    for (unsigned round = 0; round < 4; round++) {
        uint64_t quota = init->space.quota;
        unsigned handle;
        struct process *driver = spawn(a, 50, &handle);
        struct slot *inner = driver->slot;
        uint64_t page = alloc(driver, 0), own = alloc(a, 0), a_quota = a->space.quota;
        get_device(driver);
        if (round == 0) { /* it ends first */
            run(driver);
            driver->reg[OS2_R_CONTROL] = OS2_SYS_exit;
            host_syscall(0);
            expect_held(inner, frame_of(page), quota);
            CALL(a, OS2_SYS_handle_close | HANDLE(handle), 0);
            settle();
            assert_int_equal(state_kind(inner->word), KIND_FREE);
            assert_int_equal(a->space.quota, a_quota + 50 + SLOT);
            assert_int_equal(CALL(a, OS2_SYS_block_free, own), OS2_OK);
            continue;
        }
        if (round == 1) { /* it ends first, and its supervisor then; else by its supervisor's end */
            run(driver);
            driver->reg[OS2_R_CONTROL] = OS2_SYS_exit;
            host_syscall(0);
            expect_held(inner, frame_of(page), quota);
        }
        if (round < 3) { /* else its supervisor's control handle is closed while both live */
            assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
            expect_held(slot, frame_of(own), quota);
            expect_held(inner, frame_of(page), quota);
        }
        CALL(init, OS2_SYS_handle_close | HANDLE(control), 0);
        settle();
        assert_int_equal(state_kind(inner->word), KIND_FREE);
        assert_int_equal(state_kind(slot->word), KIND_FREE);
        assert_int_equal(init->space.quota, quota + 200 + SLOT);
        a = spawn(init, 200, &control);
        slot = a->slot;
    }
}

/* Doomed processes that are ready, on several cores: no core sends for them, or those that look for them would send for
 * each other without end, and nobody would run. They end when their turn comes. */
static void test_doomed_ready(void **unused) {
    (void)unused;
    struct process *p[12];
    unsigned ready = 0, interrupts = 0;
    host_boot(&(struct host_config){.cores = 3, .ram_bytes = 16 << 20, .seed = 1});
    init = cores[0]->current;
    for (unsigned i = 0; i < 12; i++)
        p[i] = spawn(init, 6, NULL);
    for (unsigned i = 0; i < 30; i++) {
        host_clock += HOST_CLOCK_HZ / 1000;
        for (unsigned c = 0; c < 3; c++)
            if (host_interrupt_due(c))
                host_interrupt(c, 0);
    }
    for (unsigned i = 0; i < 12; i++)
        ready |= kind_of(p[i]) == KIND_RDY ? 1u << state_peer(p[i]->slot->word) : 0;
    assert_int_equal(ready, 7); /* some on each core */
    for (unsigned i = 0; i < 12; i++) {
        if (kind_of(p[i]) == KIND_RDY) {
            doom(p[i]->slot);
        }
    }
    for (unsigned c = 0; c < 3; c++) {
        machine.dooms++;
        cores[c]->arch.ipi = true;
    }
    for (unsigned c = 0; cores[0]->arch.ipi || cores[1]->arch.ipi || cores[2]->arch.ipi; c = (c + 1) % 3) {
        if (!cores[c]->arch.ipi)
            continue;
        assert_in_range(++interrupts, 1, 30);
        host_interrupt(c, 0);
    }
}

/* The first who dooms a process says why: neither a second killer nor a late one changes it. */
static void test_first_reason(void **unused) {
    (void)unused;
    unsigned handle;
    host_boot(&(struct host_config){.cores = 2, .ram_bytes = 16 << 20, .seed = 1});
    init = cores[0]->current;
    a = spawn(init, 100, &control);
    struct process *child = spawn(a, 30, &handle);
    const struct slot *ended = child->slot;
    /* Until it computes on the other core, and its supervisors are here. */
    for (unsigned i = 0;
         i < 500 && (cores[1]->current != child || state_peer(a->slot->word) != 0 || state_peer(init->slot->word) != 0);
         i++) {
        host_clock += HOST_CLOCK_HZ / 100;
        for (unsigned c = 0; c < 2; c++) {
            if (host_rest(c) == HOST_USER) {
                cores[c]->current->reg[OS2_R_CONTROL] = OS2_SYS_yield;
                host_syscall(c);
            }
            if (host_interrupt_due(c))
                host_interrupt(c, 0);
        }
    }
    run(a);
    assert_ptr_equal(cores[1]->current, child);
    a->reg[OS2_R_CONTROL] = OS2_SYS_process_kill | HANDLE(handle);
    host_syscall(0);
    assert_true(slot_doomed(ended));
    run(init);
    init->reg[OS2_R_CONTROL] = OS2_SYS_process_kill | HANDLE(control);
    host_syscall(0);
    for (unsigned i = 0; i < 20; i++)
        let_go(); /* a comes to its children */
    assert_int_equal(kind_of(child), KIND_RUN);
    /* And a late one, of the process before. */
    end_kill(cores[0], machine.slot + ended->index, slot_generation(ended) - 1, OS2_END_SUPERVISOR);
    host_interrupt(1, 0);
    settle();
    assert_int_equal(ended->end_reason, OS2_END_KILLED);
}

/* Core 0 makes a call; core 1, stopped somewhere, goes on only where it has the lock that is wanted. */
static void syscall_beside(void) {
    host_syscall(0);
    while (host_rest(0) == HOST_KERNEL) {
        host_continue(1);
        host_continue(0);
    }
}

/* A core that looks late at a doom: the process has ended meanwhile, and its slot has another one, that has not started
 * and that nobody dooms. Each of the two cores is stopped at each of its points. */
static void test_late_look(void **unused) {
    (void)unused;
    unsigned both = 0;
    bool more = true;
    for (uint64_t at = 1; more; at++) {
        more = false;
        for (uint64_t late = 1; late < 40; late++) {
            host_boot(&(struct host_config){.cores = 2, .ram_bytes = 16 << 20, .seed = 1});
            init = cores[0]->current;
            struct process *child = make(init, 30, &control);
            const struct slot *place = child->slot;
            run(init);
            init->reg[OS2_R_CONTROL] = OS2_SYS_process_kill | HANDLE(control);
            host_stop_in = at;
            host_syscall(0);
            if (host_stop_in)
                break; /* it was over before */
            more = true;
            machine.dooms++;
            cores[1]->arch.ipi = true;
            host_stop_in = late;
            host_interrupt(1, 0);
            bool stopped = host_stop_in == 0;
            host_stop_in = 0;
            while (host_rest(0) == HOST_KERNEL)
                host_continue(0);
            for (unsigned i = 0; i < 20 && state_kind(place->word) != KIND_DEAD; i++)
                let_go();
            if (stopped && state_kind(place->word) == KIND_DEAD) {
                init->reg[OS2_R_CONTROL] = OS2_SYS_handle_close | HANDLE(control);
                syscall_beside();
                memcpy(init->reg, (const uint64_t[OS2_R_COUNT]){OS2_SYS_process_create, 30, 100}, sizeof init->reg);
                syscall_beside();
                assert_int_equal(STATUS(init), OS2_OK);
                assert_int_equal(state_kind(place->word), KIND_NEW);
                check();
                assert_int_equal(state_kind(place->word), KIND_NEW);
                both++;
            }
            if (!stopped)
                break;
        }
    }
    assert_true(both > 20);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_exit),        TEST(test_fault),           TEST(test_kill_in_each_state),
        TEST(test_supervisors), TEST(test_closing_control), TEST(test_quota),
        TEST(test_many_doomed), TEST(test_device_held),     TEST(test_device_not_held),
        TEST(test_device_tree), TEST(test_doomed_ready),    TEST(test_first_reason),
        TEST(test_late_look),   TEST(test_child_leaves),
    };
    return cmocka_run_group_tests_name("end", tests, NULL, NULL);
}
