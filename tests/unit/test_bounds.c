/* SPDX-License-Identifier: MIT */
/* What a program may use up, and who pays: slots, watches; and what a creator hands down. */
#include "core/loan.h"
#include "core/state.h"
#include "tests/unit/machine.h"

static struct process *a, *b;
static unsigned control;

static int set_up(void **unused) {
    (void)unused;
    boot(16);
    a = spawn(init, 200, &control);
    b = spawn(init, 100, NULL);
    return 0;
}

/* Children that have ended keep their slots while their control handles are open, and these cost their supervisor; so
 * no quota that there is pays for all of them, and init makes one at any time. */
static void test_slots(void **unused) {
    (void)unused;
    struct process *all = spawn(init, init->space.quota - init->space.charged - 80, &control), *user = all;
    unsigned first = machine.slot_high, made = 0, users = 0, top = 0, handle;
    assert_true(machine.slot_pages * (uint64_t)(machine.slot_count - 2) >= machine.heap.ram_pages);
    for (;; made++) { /* a table full of children that end at once, and the next one, who gets what is left */
        if (user->space.quota - user->space.charged < 3 + SLOT)
            break;
        if (made % 60 == 59) {
            user = spawn(user, user->space.quota - user->space.charged - 2 * SLOT, NULL);
            users++;
            continue;
        }
        make(user, 3, &handle);
        uint64_t quota = user->space.quota;
        assert_int_equal(CALL(user, OS2_SYS_process_kill | HANDLE(handle), 0), OS2_OK);
        for (unsigned i = 0; i < 10 && user->space.quota == quota; i++)
            settle();
        assert_int_equal(user->space.quota, quota + 3);
    }
    assert_in_range(made, 150, machine.slot_count - 3);
    assert_true(users > 0 && machine.slot_high > first + made - 3);
    assert_int_equal(CALL(user, OS2_SYS_process_create, 3, 1), OS2_E_QUOTA);
    struct process *service = spawn(init, 30, &top);
    assert_non_null(service);
    CALL(init, OS2_SYS_handle_close | HANDLE(top), 0);
    /* And when they are let go, their slots are nobody's and not looked at any more. */
    CALL(init, OS2_SYS_handle_close | HANDLE(control), 0);
    for (unsigned i = 0; i < 20; i++)
        settle();
    assert_int_equal(machine.slot_high, first - 1);
}

/* Slots that are in use, high and low: slot_high is above the highest, and the lowest free one is the next. */
static void test_slot_high(void **unused) {
    (void)unused;
    unsigned handle[150], slots[150];
    uint64_t quota = init->space.quota;
    unsigned before = machine.slot_high;
    for (unsigned i = 0; i < 150; i++)
        slots[i] = make(init, 3, &handle[i])->slot->index;
    for (unsigned i = 0; i < 150; i++)
        assert_int_equal(slots[i], before + i);
    for (unsigned i = 0; i < 149; i++) {
        CALL(init, OS2_SYS_handle_close | HANDLE(handle[i]), 0);
        settle();
        assert_int_equal(machine.slot_high, before + 150);
    }
    assert_int_equal(make(init, 3, &handle[0])->slot->index, before);
    CALL(init, OS2_SYS_handle_close | HANDLE(handle[149]), 0);
    settle();
    assert_int_equal(machine.slot_high, before + 1);
    CALL(init, OS2_SYS_handle_close | HANDLE(handle[0]), 0);
    settle();
    assert_int_equal(machine.slot_high, before);
    assert_int_equal(init->space.quota, quota);
}

/* A slot that has served as many processes as handles can tell apart is never used again: handles to its last one stay
 * dead, nobody looks through it, and where all are so nothing is made. */
static void test_worn_slots(void **unused) {
    (void)unused;
    uint64_t quota = init->space.quota, last = HANDLE_GENERATION_MAX - 1;
    unsigned before = machine.slot_high, handle, old;
    make(init, 3, &handle); /* so that there is the slot */
    CALL(init, OS2_SYS_handle_close | HANDLE(handle), 0);
    settle();
    machine.slot[before].life = (last - 1) << 1;
    for (unsigned i = 0; i < 2; i++) {
        struct process *p = make(init, 3, &handle);
        assert_ptr_equal(p->slot, &machine.slot[before]);
        assert_int_equal(slot_generation(p->slot), last - 1 + i);
        old = handle_to(init, p, OS2_HANDLE_INBOX, ALL, 0);
        CALL(init, OS2_SYS_handle_close | HANDLE(handle), 0);
        settle();
        assert_int_equal(machine.slot_high, before);
    }
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(make(init, 3, &handle)->slot->index, before + 1);
        assert_int_equal(CALL(init, OS2_SYS_send | HANDLE(old)), OS2_E_DIED);
        CALL(init, OS2_SYS_handle_close | HANDLE(handle), 0);
        settle();
        assert_int_equal(machine.slot_high, before);
    }
    /* Some that are worn out above one in use, and then all of them. */
    assert_int_equal(make(init, 3, &handle)->slot->index, before + 1);
    for (uint32_t i = before + 2; i < machine.slot_count; i++) {
        unsigned one;
        for (unsigned life = 0; life < 2; life++) { /* it is made, and it serves its last one */
            assert_int_equal(make(init, 3, &one)->slot->index, i);
            CALL(init, OS2_SYS_handle_close | HANDLE(one), 0);
            settle();
            if (life == 0)
                machine.slot[i].life = last << 1;
        }
        assert_int_equal(machine.slot_high, before + 2);
    }
    assert_int_equal(CALL(init, OS2_SYS_process_create, 3, 100), OS2_E_FULL);
    CALL(init, OS2_SYS_handle_close | HANDLE(handle), 0);
    settle();
    assert_int_equal(machine.slot_high, before);
    assert_int_equal(make(init, 3, &handle)->slot->index, before + 1);
    CALL(init, OS2_SYS_handle_close | HANDLE(handle), 0);
    settle();
    assert_int_equal(init->space.quota, quota);
}

/* What a creator hands down is no more than its own: a watchdog limit of 0 is the largest. */
static void test_watchdog_limit(void **unused) {
    (void)unused;
    unsigned handle;
    assert_int_equal(CALL(init, OS2_SYS_process_create, 100, 10, 500, 0), OS2_OK);
    handle = (unsigned)init->reg[OS2_R_LABEL];
    struct process *child = machine.slot[handle_slot(init->handles->entry[handle].target)].process;
    assert_int_equal(CALL(init, OS2_SYS_process_start | HANDLE(handle), 0x10000), OS2_OK);
    assert_int_equal(child->watchdog, HOST_CLOCK_HZ / 2);
    assert_int_equal(CALL(child, OS2_SYS_process_create, 10, 10, 501), OS2_E_RIGHTS);
    assert_int_equal(CALL(child, OS2_SYS_process_create, 10, 10, UINT32_MAX), OS2_E_RIGHTS);
    assert_int_equal(CALL(child, OS2_SYS_process_create, 10, 10, 0), OS2_E_RIGHTS);
    assert_int_equal(CALL(child, OS2_SYS_process_create, 10, 11, 500), OS2_E_RIGHTS);
    assert_int_equal(CALL(child, OS2_SYS_process_create, 10, 10, 500), OS2_OK);
    assert_int_equal(CALL(child, OS2_SYS_process_create, 10, 10, 1), OS2_OK);
    /* A clock so slow that a millisecond is less than a tick: rounded up, and never to none. */
    machine.clock_hz = 300;
    assert_int_equal(CALL(init, OS2_SYS_process_create, 10, 10, 1), OS2_OK);
    handle = (unsigned)init->reg[OS2_R_LABEL];
    assert_int_equal(machine.slot[handle_slot(init->handles->entry[handle].target)].process->watchdog, 1);
}

/* A process that cannot be made for want of memory leaves nothing behind, wherever it was missing. */
static void test_no_memory(void **unused) {
    (void)unused;
    for (long allocations = 0; allocations < 3; allocations++) {
        uint64_t pages = heap_free_pages(&machine.heap), quota = init->space.quota;
        run(init);
        host_heap_budget = allocations;
        assert_int_equal(CALL(init, OS2_SYS_process_create, 10, 10), OS2_E_MEMORY);
        host_heap_budget = -1;
        assert_int_equal(heap_free_pages(&machine.heap), pages);
        assert_int_equal(init->space.quota, quota);
    }
    assert_int_equal(CALL(init, OS2_SYS_process_create, 10, 10), OS2_OK);
}

static void test_watches(void **unused) {
    (void)unused;
    struct process *w[6];
    unsigned h = 0;
    for (unsigned i = 0; i < 6; i++) {
        w[i] = spawn(init, 20, NULL);
        h = handle_to(w[i], a, OS2_HANDLE_INBOX, 0, 0);
        assert_int_equal(CALL(w[i], OS2_SYS_watch | HANDLE(h), 1u << i), OS2_OK);
    }
    h = handle_to(w[0], a, OS2_HANDLE_INBOX, 0, 0);
    assert_int_equal(CALL(w[0], OS2_SYS_watch | HANDLE(h), 0x80), OS2_OK); /* replaces */
    h = handle_to(w[1], a, OS2_HANDLE_INBOX, 0, 0);
    assert_int_equal(CALL(w[1], OS2_SYS_watch | HANDLE(h), 0), OS2_OK); /* withdraws */
    CALL(init, OS2_SYS_process_kill | HANDLE(control), 0);
    settle();
    assert_int_equal(w[0]->slot->note, 0x80);
    assert_int_equal(w[1]->slot->note, 0);
    assert_int_equal(w[2]->slot->note, 4);
    assert_int_equal(w[5]->slot->note, 0x20);
}

/* However many watch one process, its supervisor can too, and all are told, a few in each step. */
static void test_many_watchers(void **unused) {
    (void)unused;
    struct process *w[80];
    unsigned handles[80], h = 0, told = 0, before, steps = 0;
    for (unsigned i = 0; i < 80; i++) {
        w[i] = spawn(init, 6, &handles[i]);
        h = handle_to(w[i], a, OS2_HANDLE_INBOX, 0, 0);
        assert_int_equal(CALL(w[i], OS2_SYS_watch | HANDLE(h), 1), OS2_OK);
    }
    h = handle_to(init, a, OS2_HANDLE_INBOX, 0, 0);
    assert_int_equal(CALL(init, OS2_SYS_watch | HANDLE(h), 2), OS2_OK);
    /* Some end before: the first of the list, the last, and some inside. */
    const unsigned gone[] = {79, 0, 40, 41};
    for (unsigned i = 0; i < 4; i++)
        CALL(init, OS2_SYS_handle_close | HANDLE(handles[gone[i]]), 0);
    settle();
    uint64_t quota = init->space.quota;
    assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
    while (told < 76) {
        assert_in_range(++steps, 1, 400);
        before = told;
        let_go(); /* one step of an end, and another program's turn */
        check();
        told = 0;
        for (unsigned i = 0; i < 80; i++)
            told += i != 0 && i != 40 && i != 41 && i != 79 && w[i]->slot->note == 1;
        assert_in_range(told - before, 0, 40);
        assert_true(!told || init->space.quota >= quota + 200); /* all pages are back before */
    }
    settle();
    CALL(init, OS2_SYS_receive | OS2_F_DEADLINE, 0);
    assert_int_equal(init->reg[OS2_R_BITS] & 3, 2);
}

/* What a watcher may watch is bounded by its own object, and comes back when what it watches ends. */
static void test_many_watched(void **unused) {
    (void)unused;
    unsigned controls[WATCHES + 1], handles[WATCHES + 1];
    for (unsigned i = 0; i <= WATCHES; i++) {
        handles[i] = handle_to(b, make(init, 3, &controls[i]), OS2_HANDLE_NOTIFY, 0, 0);
        assert_int_equal(CALL(b, OS2_SYS_watch | HANDLE(handles[i]), i ? 1 : 2), i < WATCHES ? OS2_OK : OS2_E_FULL);
    }
    assert_int_equal(CALL(b, OS2_SYS_watch | HANDLE(handles[WATCHES]), 0), OS2_OK); /* withdrawing needs no room */
    assert_int_equal(CALL(b, OS2_SYS_watch | HANDLE(handles[7]), 4), OS2_OK);       /* nor does replacing */
    CALL(init, OS2_SYS_handle_close | HANDLE(controls[0]), 0);
    settle();
    assert_int_equal(b->slot->note, 2);
    assert_int_equal(CALL(b, OS2_SYS_watch | HANDLE(handles[WATCHES]), 1), OS2_OK);
    assert_int_equal(CALL(b, OS2_SYS_watch | HANDLE(handles[0]), 1), OS2_E_DIED);
    run(b);
    b->reg[OS2_R_CONTROL] = OS2_SYS_exit;
    host_syscall(0);
    settle(); /* its object is clean: the heap's check says so, and the lists are whole */
    for (unsigned i = 1; i <= WATCHES; i++)
        assert_int_equal(machine.slot[handle_slot(init->handles->entry[controls[i]].target)].watchers, 0);
}

/* What is read of one that seems to wait in a queue counts only while it waits there: its object may be a page of a
 * program's by now. */
static void test_gone_from_queue(void **unused) {
    (void)unused;
    uint32_t own = a->quantum;
    run(b);
    CALL(b, OS2_SYS_call | HANDLE(handle_to(b, a, OS2_HANDLE_INBOX, OS2_RIGHT_SEND, 0)), 0);
    assert_int_equal(state_kind(b->slot->word), KIND_SND);
    b->lending = own + 5;
    assert_int_equal(loan_quantum(a, a->slot, own), own + 5);
    uint64_t word = b->slot->word;
    for (enum kind kind = KIND_RCV; kind <= KIND_DEAD; kind++) {
        b->slot->word = state(kind, a->slot->index, state_seq(word));
        assert_int_equal(loan_quantum(a, a->slot, own), own + 5 * (kind == KIND_SND));
    }
    b->slot->word = word;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_slots),          TEST(test_slot_high),    TEST(test_worn_slots),
        TEST(test_watchdog_limit), TEST(test_no_memory),    TEST(test_watches),
        TEST(test_many_watchers),  TEST(test_many_watched), TEST(test_gone_from_queue),
    };
    return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
