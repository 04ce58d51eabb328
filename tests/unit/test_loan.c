/* SPDX-License-Identifier: MIT */
/* Loans of quanta, core/loan.c: with how many tokens a server goes on, and when that ends. */
#include "core/loan.h"
#include "tests/unit/machine.h"

#define LEAST 3u /* enough to be in a turn after a call */
#define SMALL 10u
#define LARGE 90u

static struct process *server, *client, *other;
static unsigned control; /* init's, of the client */

/* Turns of this quantum from here on. */
static struct process *with_quantum(uint32_t quantum, unsigned *ret_control) {
    struct process *p = spawn(init, 20, ret_control);
    p->quantum = p->lent = quantum;
    return p;
}

static void set_up(uint32_t servers, uint32_t clients) {
    boot(16);
    server = with_quantum(servers, NULL);
    client = with_quantum(clients, &control);
    other = with_quantum(LARGE, NULL);
}

static uint64_t calls(struct process *p, uint64_t flags, uint64_t deadline) {
    unsigned handle = handle_to(p, server, OS2_HANDLE_INBOX, ALL, 0);
    CALL(p, OS2_SYS_call | flags | HANDLE(handle), 1, 2, 3, 4, 5, deadline);
    return server->reg[OS2_R_CALLER];
}

/* What the server's next turn would have, if this one were spent now. */
static uint32_t next_quantum(void) {
    return loan_quantum(server, cores[0]->turn_slot, cores[0]->turn_quantum);
}

/* It works with its client's tokens, and, once it has answered, with no more than its own. */
static void test_answer(void **unused) {
    (void)unused;
    set_up(SMALL, LARGE);
    CALL(server, OS2_SYS_receive, 0);
    uint64_t caller = calls(client, 0, 0);
    assert_ptr_equal(cores[0]->current, server);
    assert_true(cores[0]->tokens > SMALL);
    assert_int_equal(next_quantum(), LARGE);
    assert_int_equal(CALL(server, OS2_SYS_reply, 0, 0, 0, 0, 0, 0, caller), OS2_OK);
    assert_ptr_equal(cores[0]->current, server);
    assert_true(cores[0]->tokens <= SMALL);
    assert_int_equal(next_quantum(), SMALL);
}

/* A client that gives up, or ends, lends nothing any more. */
static void test_deadline(void **unused) {
    (void)unused;
    set_up(SMALL, LARGE);
    CALL(server, OS2_SYS_receive, 0);
    calls(client, OS2_F_DEADLINE, NOW + 500);
    assert_int_equal(next_quantum(), LARGE);
    pass(1000);
    assert_int_equal(STATUS(client), OS2_E_TIMEOUT);
    assert_int_equal(next_quantum(), SMALL);
}

static void test_end(void **unused) {
    (void)unused;
    set_up(SMALL, LARGE);
    CALL(server, OS2_SYS_receive, 0);
    calls(client, 0, 0);
    assert_int_equal(next_quantum(), LARGE);
    run(init);
    assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
    run(server);
    assert_int_equal(next_quantum(), SMALL);
}

/* A client of a small quantum holds up nobody else: who waits to be taken, and who has been taken and waits on. */
static void test_others(void **unused) {
    (void)unused;
    set_up(SMALL, LEAST);
    CALL(server, OS2_SYS_receive, 0);
    calls(client, 0, 0);
    assert_int_equal(next_quantum(), LEAST);
    calls(other, 0, 0);
    assert_int_equal(kind_of(other), KIND_SND);
    run(server);
    assert_int_equal(next_quantum(), LARGE);
}

static void test_parked(void **unused) {
    (void)unused;
    set_up(SMALL, LEAST);
    CALL(server, OS2_SYS_receive, 0);
    calls(other, 0, 0);
    CALL(server, OS2_SYS_receive, 0);
    uint64_t caller = calls(client, 0, 0);
    assert_int_equal(next_quantum(), LARGE); /* the other one's is the first, and unanswered */
    assert_int_equal(CALL(server, OS2_SYS_reply, 0, 0, 0, 0, 0, 0, loan_name(other->slot)), OS2_OK);
    assert_int_equal(kind_of(other), KIND_RDY);
    assert_int_equal(other->slot->queued_at, SLOT_NONE);
    assert_int_equal(CALL(server, OS2_SYS_reply, 0, 0, 0, 0, 0, 0, caller), OS2_OK);
    assert_int_equal(next_quantum(), SMALL);
}

/* Of those who wait only the first few are looked at. For the others' sake it works with its own quantum. */
static void test_behind_many(void **unused) {
    (void)unused;
    set_up(SMALL, LEAST);
    CALL(server, OS2_SYS_receive, 0);
    calls(other, 0, 0);
    CALL(server, OS2_SYS_receive, 0);
    calls(client, 0, 0);
    assert_int_equal(next_quantum(), LARGE);
    for (unsigned i = 0; i < 8; i++) {
        struct process *p = spawn(init, 6, NULL);
        CALL(p, OS2_SYS_receive | OS2_F_FROM | HANDLE(handle_to(p, server, OS2_HANDLE_INBOX, ALL, 0)), 0);
    }
    run(server);
    assert_int_equal(next_quantum(), SMALL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer), cmocka_unit_test(test_deadline), cmocka_unit_test(test_end),
        cmocka_unit_test(test_others), cmocka_unit_test(test_parked),   cmocka_unit_test(test_behind_many),
    };
    return cmocka_run_group_tests_name("loan", tests, NULL, NULL);
}
