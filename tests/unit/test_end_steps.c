/* SPDX-License-Identifier: MIT */
/* However much there is to do at an end, one step of it does a bounded part. */
#include "ipc/end.h"
#include "tests/unit/machine.h"

static struct process *a;
static unsigned control;
static struct slot *slot;

static struct slot *around[600];
static uint64_t around_life[600];
static unsigned around_count;

static int set_up(void **unused) {
    (void)unused;
    boot(64);
    a = spawn(init, 200, &control);
    slot = a->slot;
    around_count = 0;
    return 0;
}

static uint64_t in_state(enum kind kind) {
    uint64_t n = 0;
    for (unsigned i = 0; i < around_count; i++)
        n += state_kind(around[i]->word) == kind;
    return n;
}
static uint64_t senders(void) {
    return in_state(KIND_SND);
}
static uint64_t waiters(void) {
    return in_state(KIND_CAL) + in_state(KIND_RCV);
}
static uint64_t living(void) {
    uint64_t n = 0;
    for (unsigned i = 0; i < around_count; i++)
        n += slot_life(around[i]) == around_life[i];
    return n;
}
static uint64_t blocks(void) {
    return slot->process == PROCESS_NONE ? 0 : slot->process->space.charged - slot->process->space.tables;
}

/* a is killed. Between two steps what is left goes down by `most` at the most, once by just that, and `steps` times. */
static void expect_steps(uint64_t (*left)(void), uint64_t most, unsigned steps) {
    uint64_t before = left();
    unsigned seen = 0, whole = 0;
    assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
    for (unsigned n = 0; n < 5000 && state_kind(slot->word) != KIND_DEAD; n++) {
        let_go();
        uint64_t now = left();
        if (now < before) {
            assert_in_range(before - now, 1, most);
            seen++;
            whole += before - now == most;
        }
        before = now;
    }
    assert_int_equal(state_kind(slot->word), KIND_DEAD);
    assert_true(whole > 0);
    assert_in_range(seen, steps, steps + 1);
}

/* Processes that have not started, children of `parent`. */
static void surround(unsigned count, struct process *parent) {
    for (unsigned i = 0; i < count; i++) {
        around[around_count] = make(parent, 5, NULL)->slot;
        around_life[around_count] = slot_life(around[around_count]);
        around_count++;
    }
}

static void test_steps_of_senders(void **unused) {
    (void)unused;
    around_count = 80;
    for (unsigned i = 0; i < 80; i++) {
        struct process *p = spawn(init, 6, NULL);
        send_to(p, handle_to(p, a, OS2_HANDLE_INBOX, ALL, 0), 0);
        around[i] = p->slot;
    }
    assert_int_equal(senders(), 80);
    expect_steps(senders, 32, 3);
}
/* Calls that it has taken and not answered, and receives from it alone. */
static void test_steps_of_waiters(void **unused) {
    (void)unused;
    around_count = 80;
    CALL(a, OS2_SYS_receive, 0);
    for (unsigned i = 0; i < 80; i++) {
        struct process *p = spawn(init, 6, NULL);
        unsigned handle = handle_to(p, a, OS2_HANDLE_INBOX, ALL, 0);
        CALL(p, i % 2 ? OS2_SYS_call | HANDLE(handle) : OS2_SYS_receive | OS2_F_FROM | HANDLE(handle), 0);
        if (i % 2)
            CALL(a, OS2_SYS_receive, 0);
        around[i] = p->slot;
    }
    assert_int_equal(waiters(), 80);
    expect_steps(waiters, 32, 3);
}
static void test_steps_of_children(void **unused) {
    (void)unused;
    CALL(init, OS2_SYS_process_grant | HANDLE(control), 0, 0, 80 * (5 + SLOT));
    surround(80, a);
    assert_int_equal(living(), 80);
    expect_steps(living, 32, 3);
}
static void test_steps_of_blocks(void **unused) {
    (void)unused;
    for (unsigned i = 0; i < 100; i++)
        alloc(a, 0);
    expect_steps(blocks, 16, 7);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_steps_of_senders),
        TEST(test_steps_of_waiters),
        TEST(test_steps_of_children),
        TEST(test_steps_of_blocks),
    };
    return cmocka_run_group_tests_name("end_steps", tests, NULL, NULL);
}
