/* SPDX-License-Identifier: MIT */
/* Handle tables, timers, the run queue: the structures under core/. */
#include "tests/unit/machine.h"

#include "core/turn.h"
#include "tests/host/options.h"

static void test_handle_table(void **unused) {
    (void)unused;
    static struct handle_table table;
    handle_table_clear(&table);
    bool used[OS2_HANDLES] = {true};
    for (unsigned i = 1; i < OS2_HANDLES; i++) {
        assert_true(handle_room(&table));
        unsigned index = handle_put(&table, handle_target(OS2_HANDLE_INBOX, ALL, i, i), i);
        assert_true(index < OS2_HANDLES && !used[index]);
        used[index] = true;
        assert_int_equal(handle_get(&table, index)->badge, i);
    }
    assert_false(handle_room(&table));
    assert_null(handle_get(&table, 0));
    assert_null(handle_get(&table, OS2_HANDLES));
    assert_null(handle_get(&table, UINT64_MAX));
    assert_null(handle_get(&table, OS2_HANDLES + 1));
    handle_drop(&table, handle_get(&table, 17));
    assert_null(handle_get(&table, 17));
    assert_int_equal(handle_put(&table, 1, 2), 17);
}

static void test_handle_words(void **unused) {
    (void)unused;
    for (unsigned kind = OS2_HANDLE_INBOX; kind <= OS2_HANDLE_PORTS; kind++) {
        uint64_t h = handle_target(kind, 0x5a, 0xfedc, HANDLE_GENERATION_MAX);
        assert_int_equal(handle_kind(h), kind);
        assert_int_equal(handle_rights(h), 0x5a);
        assert_int_equal(handle_slot(h), 0xfedc);
        assert_int_equal(handle_generation(h), HANDLE_GENERATION_MAX);
        assert_int_equal(handle_rights(handle_narrow(h, 0x0f)), 0x0a);
        assert_int_equal(handle_slot(handle_narrow(h, 0)), 0xfedc);
    }
}

/* Random deadlines: they fire in order, none early, none lost, the latest arming counts. */
static void test_timers(void **unused) {
    (void)unused;
    boot(16);
    struct process *p[40];
    struct host_random random = {option_seed};
    for (unsigned i = 0; i < 40; i++)
        p[i] = spawn(init, 6, NULL);
    for (unsigned round = 0; round < 60; round++) {
        uint64_t when[40];
        for (unsigned i = 0; i < 40; i++) {
            run(p[i]);
            when[i] = NOW + 20000 + host_below(&random, 50000);
            CALL(p[i], OS2_SYS_receive | OS2_F_FROM | OS2_F_DEADLINE, 0, 0, 0, 0, 0, when[i]);
            assert_int_equal(kind_of(p[i]), KIND_RCV);
        }
        for (unsigned n = 0; n < 12; n++) {
            pass(host_below(&random, 12000));
            for (unsigned i = 0; i < 40; i++) {
                if (NOW < when[i])
                    assert_int_equal(kind_of(p[i]), KIND_RCV);
                if (NOW > when[i] + 20)
                    assert_int_not_equal(kind_of(p[i]), KIND_RCV);
            }
        }
        pass(100000); /* the rest */
    }
}

/* However many deadlines pass at once, an interrupt looks at a few, and the timer is set for the rest; and after a few
 * interrupts that follow each other it is set for later, so that whoever runs goes on. */
static void test_many_deadlines(void **unused) {
    (void)unused;
    boot(16);
    struct process *p[80];
    uint64_t when = NOW + 20000;
    for (unsigned i = 0; i < 80; i++) {
        p[i] = spawn(init, 6, NULL);
        CALL(p[i], OS2_SYS_receive | OS2_F_FROM | OS2_F_DEADLINE, 0, 0, 0, 0, 0, when);
    }
    run(init);
    host_clock = machine.boot_time + when;
    unsigned in_a_row = 0, woken = 0, breaths = 0;
    while (woken < 80) {
        unsigned before = woken;
        if (!host_interrupt_due(0)) {
            assert_in_range(cores[0]->arch.timer - host_clock, HOST_CLOCK_HZ / 50000 - 5, HOST_CLOCK_HZ / 50000 + 1);
            host_clock = cores[0]->arch.timer;
            in_a_row = 0;
            breaths++;
        }
        host_interrupt(0, 0);
        woken = 0;
        for (unsigned i = 0; i < 80; i++)
            woken += kind_of(p[i]) != KIND_RCV;
        assert_in_range(woken - before, 1, 4);
        assert_in_range(++in_a_row, 1, 4);
        check();
    }
    assert_true(breaths >= 80 / 4 / 4);
}

/* Order of turns: first come, first served; what an interrupt woke goes first, but not twice in a row. */
static void test_run_queue(void **unused) {
    (void)unused;
    boot(16);
    struct runqueue queue;
    struct slot *s = machine.slot;
    bool front;
    runqueue_init(&queue);
    assert_null(runqueue_pop(&queue, true, &front));
    assert_null(runqueue_steal(&queue));
    for (unsigned i = 100; i < 120; i++)
        runqueue_push(&queue, &s[i]);
    runqueue_push_front(&queue, &s[120]);
    runqueue_push_front(&queue, &s[121]);
    assert_int_equal(runqueue_hint(&queue), 22);
    assert_null(runqueue_check(&queue));
    assert_ptr_equal(runqueue_pop(&queue, false, &front), &s[100]);
    assert_false(front);
    assert_ptr_equal(runqueue_pop(&queue, true, &front), &s[120]);
    assert_true(front);
    assert_ptr_equal(runqueue_pop(&queue, true, &front), &s[121]);
    for (unsigned i = 101; i < 110; i++)
        assert_ptr_equal(runqueue_pop(&queue, true, &front), &s[i]);
    /* A thief gets the older half, in order, at most RUNQUEUE_STEAL_MAX, once the owner lets it. */
    unsigned left = 10, first = 110;
    for (unsigned tries = 0; tries < 20 && left > 1; tries++) {
        runqueue_publish(&queue);
        struct slot *got = runqueue_steal(&queue);
        unsigned n = 0;
        for (; got; got = got->run_next) {
            assert_ptr_equal(got, &s[first++]);
            n++;
        }
        assert_true(n <= RUNQUEUE_STEAL_MAX && n <= (left + 1) / 2);
        left -= n;
        assert_null(runqueue_check(&queue));
    }
    assert_true(left <= 1);
    while (left--)
        assert_ptr_equal(runqueue_pop(&queue, true, &front), &s[first++]);
    assert_null(runqueue_pop(&queue, true, &front));
    /* Those that end are apart, and go to thieves last. */
    runqueue_push_end(&queue, &s[120]);
    runqueue_push_end(&queue, &s[121]);
    runqueue_push(&queue, &s[122]);
    assert_int_equal(runqueue_hint(&queue), 3);
    assert_null(runqueue_check(&queue));
    assert_ptr_equal(runqueue_pop(&queue, true, &front), &s[122]);
    assert_null(runqueue_pop(&queue, true, &front));
    assert_ptr_equal(runqueue_pop_end(&queue), &s[120]);
    runqueue_push(&queue, &s[122]);
    runqueue_publish(&queue);
    assert_ptr_equal(runqueue_steal(&queue), &s[122]);
    assert_null(s[122].run_next);
    runqueue_publish(&queue);
    assert_ptr_equal(runqueue_steal(&queue), &s[121]);
    assert_null(runqueue_pop_end(&queue));
    assert_null(runqueue_pop(&queue, true, &front));
    assert_int_equal(runqueue_hint(&queue), 0);
    for (unsigned i = 0; i < 30; i++) { /* empty and full again */
        runqueue_push(&queue, &s[130 + i]);
        runqueue_publish(&queue);
        assert_ptr_equal(runqueue_pop(&queue, false, &front), &s[130 + i]);
        assert_null(runqueue_check(&queue));
    }
}

static void test_turns(void **unused) {
    (void)unused;
    boot(16);
    struct process *p = spawn(init, 10, NULL), *q = spawn(init, 10, NULL);
    run(p);
    CALL(p, OS2_SYS_yield, 0);
    assert_ptr_equal(cores[0]->current, q); /* in the order in which they were made ready */
    CALL(q, OS2_SYS_tokens, 0);
    uint64_t tokens = q->reg[OS2_R_LABEL];
    assert_int_equal(tokens, 99); /* a quantum of 100; this call cost one */
    for (; tokens > 1; tokens--)
        CALL(q, OS2_SYS_clock, 0);
    assert_ptr_equal(cores[0]->current, q);
    CALL(q, OS2_SYS_clock, 0);
    assert_ptr_not_equal(cores[0]->current, q);
}

/* A process that makes no call for its limit ends; one that makes some does not. */
static void test_watchdog(void **unused) {
    (void)unused;
    boot(16);
    assert_int_equal(CALL(init, OS2_SYS_process_create, 10, 100, 500, 1), OS2_OK);
    unsigned control = (unsigned)init->reg[OS2_R_LABEL];
    struct slot *slot = &machine.slot[handle_slot(init->handles->entry[control].target)];
    assert_int_equal(CALL(init, OS2_SYS_process_start | HANDLE(control), 0x10000), OS2_OK);
    CALL(init, OS2_SYS_receive, 0);
    run(slot->process);
    for (unsigned i = 0; i < 20; i++) {
        pass(100000);
        CALL(slot->process, OS2_SYS_tokens, 0);
    }
    assert_int_equal(state_kind(slot->word), KIND_RUN);
    for (unsigned i = 0; i < 4; i++)
        pass(100000);
    assert_int_equal(state_kind(slot->word), KIND_RUN);
    for (unsigned i = 0; i < 4; i++)
        pass(100000);
    settle();
    assert_int_equal(state_kind(slot->word), KIND_DEAD);
    assert_int_equal(slot->end_reason, OS2_END_WATCHDOG);
}

/* A process that makes a call well within its limit, and so for ever, has no longer a turn than that. */
static void test_long_turn(void **unused) {
    (void)unused;
    struct slot *slot[2];
    boot(16);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(CALL(init, OS2_SYS_process_create, 10, 100, 500, 1), OS2_OK);
        unsigned control = (unsigned)init->reg[OS2_R_LABEL];
        slot[i] = &machine.slot[handle_slot(init->handles->entry[control].target)];
        assert_int_equal(CALL(init, OS2_SYS_process_start | HANDLE(control), 0x10000), OS2_OK);
    }
    CALL(init, OS2_SYS_receive, 0);
    for (unsigned turn = 0; turn < 6; turn++) {
        struct process *p = slot[turn % 2]->process;
        unsigned calls = 0;
        assert_ptr_equal(cores[0]->current, p);
        for (; cores[0]->current == p; calls++) {
            assert_in_range(calls, 0, 7);
            pass(100000);
            CALL(p, OS2_SYS_tokens, 0);
        }
        assert_in_range(calls, 5, 7);
    }
    /* Its tokens are gone, but not the time since its last call. */
    for (unsigned i = 0; i < 8; i++)
        pass(100000);
    settle();
    assert_int_equal(state_kind(slot[0]->word), KIND_DEAD);
    assert_int_equal(slot[0]->end_reason, OS2_END_WATCHDOG);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handle_table),   cmocka_unit_test(test_handle_words), cmocka_unit_test(test_timers),
        cmocka_unit_test(test_many_deadlines), cmocka_unit_test(test_run_queue),    cmocka_unit_test(test_turns),
        cmocka_unit_test(test_watchdog),       cmocka_unit_test(test_long_turn),
    };
    option_seed = 1;
    options_read(argc, argv);
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
