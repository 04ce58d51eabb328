/* SPDX-License-Identifier: MIT */
/* Messages and notifications: the rules of docs/syscalls.md and ipc/, one by one, between processes on one core. */
#include "tests/unit/machine.h"

#define SEND OS2_SYS_send
#define RECEIVE OS2_SYS_receive
#define REPLY OS2_SYS_reply
#define REPLY_RECEIVE OS2_SYS_reply_receive
#define POLL OS2_F_DEADLINE

static struct process *a, *b, *server;
static unsigned ah, bh; /* their inbox handles to the server, badges 7 and 8 */

static int set_up(void **unused) {
    (void)unused;
    boot(16);
    a = spawn(init, 100, NULL);
    b = spawn(init, 100, NULL);
    server = spawn(init, 100, NULL);
    ah = handle_to(a, server, OS2_HANDLE_INBOX, ALL, 7);
    bh = handle_to(b, server, OS2_HANDLE_INBOX, ALL, 8);
    return 0;
}

#define CALL_TO(p, handle, label) CALL(p, OS2_SYS_call | HANDLE(handle), label, 2, 3, 4, 5, 6)

static void expect_message(const struct process *p, uint64_t label, uint64_t badge) {
    assert_int_equal(p->reg[OS2_R_CONTROL] & OS2_I_MESSAGE, OS2_I_MESSAGE);
    assert_int_equal(p->reg[OS2_R_LABEL], label);
    assert_int_equal(p->reg[OS2_R_BADGE], badge);
}

static void test_send(void **unused) {
    (void)unused;
    /* The receiver waits: the sender goes on at once. */
    CALL(server, RECEIVE, 0);
    assert_int_equal(kind_of(server), KIND_RCV);
    send_to(a, ah, 11);
    assert_int_equal(STATUS(a), OS2_OK);
    expect_message(server, 11, 7);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(server->reg[OS2_R_W0 + i], i + 2);
    assert_int_equal(server->reg[OS2_R_CALLER], 0);
    /* The sender waits: oldest first. */
    send_to(b, bh, 21);
    send_to(a, ah, 22);
    assert_int_equal(kind_of(a), KIND_SND);
    CALL(server, RECEIVE, 0);
    expect_message(server, 21, 8);
    CALL(server, RECEIVE, 0);
    expect_message(server, 22, 7);
    assert_int_equal(kind_of(a), KIND_RDY);
    settle();
    assert_int_equal(STATUS(a), OS2_OK);
}

static void test_call_and_reply(void **unused) {
    (void)unused;
    CALL(server, RECEIVE, 0);
    CALL_TO(a, ah, 1);
    assert_ptr_equal(cores[0]->current, server); /* a direct switch */
    assert_int_equal(kind_of(a), KIND_CAL);
    expect_message(server, 1, 7);
    uint64_t caller = server->reg[OS2_R_CALLER];
    assert_int_not_equal(caller, 0);
    assert_int_equal(CALL(server, REPLY, 99, 12, 13, 14, 15, 16, caller), OS2_OK);
    assert_int_equal(a->reg[OS2_R_LABEL], 99);
    assert_int_equal(a->reg[OS2_R_W4], 16);
    assert_int_equal(a->reg[OS2_R_CALLER] | a->reg[OS2_R_BADGE] | a->reg[OS2_R_BITS], 0);
    /* Twice; a caller that never was; another's. */
    assert_int_equal(CALL(server, REPLY, 99, 0, 0, 0, 0, 0, caller), OS2_E_NOT_WAITING);
    assert_int_equal(CALL(server, REPLY, 99, 0, 0, 0, 0, 0, 0), OS2_E_NOT_WAITING);
    assert_int_equal(CALL(server, REPLY, 99, 0, 0, 0, 0, 0, UINT64_MAX), OS2_E_NOT_WAITING);
    run(a);
    CALL_TO(a, ah, 2);
    CALL(server, RECEIVE, 0);
    caller = server->reg[OS2_R_CALLER];
    assert_int_equal(CALL(b, REPLY, 0, 0, 0, 0, 0, 0, caller), OS2_E_NOT_WAITING);
    assert_int_equal(kind_of(a), KIND_CAL);
}

static void test_late_reply(void **unused) {
    (void)unused;
    CALL(server, RECEIVE, 0);
    CALL(a, OS2_SYS_call | HANDLE(ah) | OS2_F_DEADLINE, 1, 0, 0, 0, 0, NOW + 500);
    uint64_t first = server->reg[OS2_R_CALLER];
    assert_int_equal(server->reg[OS2_R_W4], 0); /* the sender's deadline is not the receiver's business */
    run(server);
    pass(1000);
    assert_int_equal(STATUS(a), OS2_E_TIMEOUT);
    CALL_TO(a, ah, 2);
    CALL(server, RECEIVE, 0);
    uint64_t second = server->reg[OS2_R_CALLER];
    assert_int_not_equal(first, second);
    assert_int_equal(CALL(server, REPLY, 1, 0, 0, 0, 0, 0, first), OS2_E_NOT_WAITING);
    assert_int_equal(kind_of(a), KIND_CAL);
    assert_int_equal(CALL(server, REPLY, 2, 0, 0, 0, 0, 0, second), OS2_OK);
    assert_int_equal(a->reg[OS2_R_LABEL], 2);
}

static void test_reply_receive(void **unused) {
    (void)unused;
    CALL(server, RECEIVE, 0);
    CALL_TO(a, ah, 1);
    uint64_t caller = server->reg[OS2_R_CALLER];
    CALL(server, REPLY_RECEIVE, 5, 0, 0, 0, 0, 0, caller);
    assert_ptr_equal(cores[0]->current, a); /* a direct switch back */
    assert_int_equal(a->reg[OS2_R_LABEL], 5);
    assert_int_equal(kind_of(server), KIND_RCV);
    /* With the next one waiting already, the server goes on and the caller is ready. */
    CALL_TO(a, ah, 2);
    caller = server->reg[OS2_R_CALLER];
    CALL_TO(b, bh, 3);
    assert_int_equal(kind_of(b), KIND_SND);
    CALL(server, REPLY_RECEIVE, 6, 0, 0, 0, 0, 0, caller);
    assert_ptr_equal(cores[0]->current, server);
    expect_message(server, 3, 8);
    assert_int_equal(kind_of(a), KIND_RDY);
    assert_int_equal(kind_of(b), KIND_CAL);
    /* An answer that nobody waits for is dropped. */
    assert_int_equal(CALL(server, REPLY_RECEIVE | POLL, 0, 0, 0, 0, 0, 0, caller), OS2_E_WOULD_WAIT);
    /* One that is refused leaves nothing of the receive: the next wait is a plain one. */
    caller = (uint64_t)b->slot->index << STATE_SEQ_BITS | b->slot->seq;
    assert_int_equal(CALL(server, REPLY_RECEIVE | OS2_F_DEADLINE | OS2_F_BLOCK, 0, 0, 0, 0, 0x5000, NOW + 9, caller),
                     OS2_E_OWNER);
    assert_int_equal(kind_of(b), KIND_CAL);
    assert_int_equal(server->wait.deadline, TIMER_NEVER);
    assert_int_equal(CALL(server, REPLY, 0, 0, 0, 0, 0, 0, caller), OS2_OK);
}

static void test_fail(void **unused) {
    (void)unused;
    CALL(server, RECEIVE, 0);
    CALL_TO(a, ah, 1);
    uint64_t caller = server->reg[OS2_R_CALLER];
    assert_int_equal(CALL(server, REPLY | OS2_F_FAIL | OS2_F_HANDLE, 77, 0, 0, 0, 0, 0, caller), OS2_E_INVALID);
    assert_int_equal(CALL(server, REPLY | OS2_F_FAIL, 77, 0, 0, 0, 0, 0, caller), OS2_OK);
    assert_int_equal(STATUS(a), OS2_E_FAILED);
    assert_int_equal(a->reg[OS2_R_LABEL], 77);
}

static void test_polls_and_deadlines(void **unused) {
    (void)unused;
    assert_int_equal(CALL(server, RECEIVE | POLL, 0), OS2_E_WOULD_WAIT);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | POLL, 0), OS2_E_WOULD_WAIT);
    assert_int_equal(CALL(a, OS2_SYS_call | HANDLE(ah) | POLL, 0), OS2_E_WOULD_WAIT);
    CALL(server, RECEIVE | OS2_F_DEADLINE, 0, 0, 0, 0, 0, NOW + 300);
    CALL(a, RECEIVE | OS2_F_DEADLINE, 0, 0, 0, 0, 0, NOW + 200);
    CALL(b, SEND | HANDLE(handle_to(b, a, OS2_HANDLE_NOTIFY, ALL, 0)), 0);
    assert_int_equal(STATUS(b), OS2_E_HANDLE);
    CALL(b, RECEIVE | OS2_F_FROM | OS2_F_DEADLINE, 0, 0, 0, 0, 0, NOW + 250); /* sleep */
    assert_int_equal(kind_of(b), KIND_RCV);
    pass(210);
    assert_int_equal(kind_of(a), KIND_RDY);
    assert_int_equal(STATUS(a), OS2_E_TIMEOUT);
    assert_int_equal(kind_of(b), KIND_RCV);
    pass(50);
    assert_int_equal(STATUS(b), OS2_OK);
    pass(100);
    assert_int_equal(STATUS(server), OS2_E_TIMEOUT);
    /* In the queue; and a deadline that has passed already. */
    CALL(a, SEND | HANDLE(ah) | OS2_F_DEADLINE, 0, 0, 0, 0, 0, NOW + 100);
    assert_int_equal(kind_of(a), KIND_SND);
    pass(200);
    assert_int_equal(STATUS(a), OS2_E_TIMEOUT);
    assert_int_equal(server->slot->queue_head, SLOT_NONE);
    CALL(a, RECEIVE | OS2_F_DEADLINE, 0, 0, 0, 0, 0, 1);
    pass(1);
    assert_int_equal(STATUS(a), OS2_E_TIMEOUT);
    CALL(a, RECEIVE | OS2_F_DEADLINE, 0, 0, 0, 0, 0, OS2_FOREVER);
    pass(1000000);
    assert_int_equal(kind_of(a), KIND_RCV);
}

static void test_blocks(void **unused) {
    (void)unused;
    uint64_t block = alloc(a, 2);
    struct block found;
    /* Not accepted, or too large: refused, and nothing moves; the receiver waits on. */
    CALL(server, RECEIVE, 0);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_BLOCK, 0, 0, 0, 0, block), OS2_E_REFUSED);
    assert_int_equal(kind_of(server), KIND_RCV);
    assert_int_equal(block_find(&a->space, block, &found), OS2_OK);
    send_to(a, ah, 0);
    CALL(server, RECEIVE | ACCEPT(1), 0);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_BLOCK, 0, 0, 0, 0, block), OS2_E_REFUSED);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_BLOCK, 0, 0, 0, 0, block + 0x1000), OS2_E_OWNER);
    send_to(a, ah, 0);
    /* Accepted: it is the receiver's, at the same address. */
    CALL(server, RECEIVE | ACCEPT(2), 0);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_BLOCK, 1, 0, 0, 0, block), OS2_OK);
    assert_int_equal(server->reg[OS2_R_CONTROL], OS2_I_MESSAGE | OS2_I_BLOCK | 2 << OS2_I_ORDER_SHIFT);
    assert_int_equal(server->reg[OS2_R_BLOCK], block);
    assert_int_equal(block_find(&server->space, block, &found), OS2_OK);
    assert_int_equal(block_find(&a->space, block, &found), OS2_E_OWNER);
    /* From the queue, and from a private address to the exchange address. */
    block = alloc(a, 0);
    assert_int_equal(CALL(a, OS2_SYS_block_place, block, 0x100000, OS2_PROT_READ), OS2_OK);
    CALL(a, SEND | HANDLE(ah) | OS2_F_BLOCK, 1, 0, 0, 0, 0x100000);
    CALL(server, RECEIVE | ACCEPT(0), 0);
    assert_int_equal(server->reg[OS2_R_BLOCK], block);
    /* And back, in an answer: what the call accepts holds. */
    run(a);
    CALL(a, OS2_SYS_call | HANDLE(ah), 0);
    CALL(server, RECEIVE, 0);
    uint64_t caller = server->reg[OS2_R_CALLER];
    assert_int_equal(CALL(server, REPLY | OS2_F_BLOCK, 0, 0, 0, 0, block, 0, caller), OS2_E_REFUSED);
    assert_int_equal(kind_of(a), KIND_CAL);
    CALL(server, REPLY, 0, 0, 0, 0, 0, 0, caller);
    CALL(a, OS2_SYS_call | HANDLE(ah) | ACCEPT(0), 0);
    CALL(server, RECEIVE, 0);
    caller = server->reg[OS2_R_CALLER];
    assert_int_equal(CALL(server, REPLY | OS2_F_BLOCK, 0, 0, 0, 0, block, 0, caller), OS2_OK);
    assert_int_equal(block_find(&a->space, block, &found), OS2_OK);
}

static void test_block_over_quota(void **unused) {
    (void)unused;
    struct process *poor = spawn(init, 8, NULL); /* 3 to live, 3 tables, 2 left */
    unsigned h = handle_to(a, poor, OS2_HANDLE_INBOX, ALL, 0);
    uint64_t block = alloc(a, 2);
    struct block found;
    CALL(poor, RECEIVE | ACCEPT(5), 0);
    assert_int_equal(CALL(a, SEND | HANDLE(h) | OS2_F_BLOCK, 0, 0, 0, 0, block), OS2_E_QUOTA);
    assert_int_equal(block_find(&a->space, block, &found), OS2_OK);
    assert_int_equal(kind_of(poor), KIND_RCV);
    /* The same from the queue: the sender gets the error, the receiver the next message. */
    send_to(a, h, 1);
    CALL(a, SEND | HANDLE(h) | OS2_F_BLOCK, 2, 0, 0, 0, block);
    CALL(b, SEND | HANDLE(handle_to(b, poor, OS2_HANDLE_INBOX, ALL, 3)), 4);
    CALL(poor, RECEIVE | ACCEPT(5), 0);
    assert_int_equal(STATUS(a), OS2_E_QUOTA);
    expect_message(poor, 4, 3);
}

/* The same by the short way, which looks at the quota by itself. */
static void test_call_over_quota(void **unused) {
    (void)unused;
    uint64_t page = alloc(a, 0);
    struct block found;
    CALL(server, RECEIVE | ACCEPT(0), 0);
    CALL(a, OS2_SYS_call | OS2_F_BLOCK | ACCEPT(0) | HANDLE(ah), 0, 0, 0, 0, page);
    CALL(server, REPLY_RECEIVE | OS2_F_BLOCK | ACCEPT(0), 0, 0, 0, 0, page, 0, server->reg[OS2_R_CALLER]);
    assert_int_equal(short_counts.blocks, 1); /* the first finds no table */
    uint64_t quota = server->space.quota;
    server->space.quota = server->space.charged;
    run(a);
    memset(a->reg, 0, sizeof a->reg);
    a->reg[OS2_R_CONTROL] = OS2_SYS_call | OS2_F_BLOCK | HANDLE(ah);
    a->reg[OS2_R_BLOCK] = page;
    host_syscall(0);
    server->space.quota = quota;
    assert_int_equal(STATUS(a), OS2_E_QUOTA);
    assert_int_equal(block_find(&a->space, page, &found), OS2_OK);
    assert_int_equal(kind_of(server), KIND_RCV);
    check();
}

/* What a call has no result in is 0, whatever the program had there. */
static void test_results(void **unused) {
    (void)unused;
    static const struct {
        uint64_t control;
        int64_t status;
        unsigned results;
    } calls[] = {
        {OS2_SYS_process_kill | HANDLE(99), OS2_E_HANDLE, 0},
        {OS2_SYS_watch | HANDLE(99), OS2_E_HANDLE, 0},
        {OS2_SYS_tokens, OS2_OK, 1},
        {OS2_SYS_clock, OS2_OK, 2},
        {OS2_NUMBER_MASK, OS2_E_CALL, 0},
    };
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(CALL(a, calls[i].control, 1, 2, 3, 4, 5, 6, 7, 8, 9), calls[i].status);
        for (unsigned r = OS2_R_LABEL + calls[i].results; r < OS2_R_COUNT; r++)
            assert_int_equal(a->reg[r], 0);
    }
}

static void test_handles(void **unused) {
    (void)unused;
    unsigned mine = handle_to(a, b, OS2_HANDLE_INBOX, OS2_RIGHT_GIVE | OS2_RIGHT_SEND, 42);
    unsigned fixed = handle_to(a, b, OS2_HANDLE_INBOX, OS2_RIGHT_SEND, 42);
    CALL(server, RECEIVE, 0);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_HANDLE, 0, 0, 0, mine | ALL << 16), OS2_E_REFUSED);
    send_to(a, ah, 0);
    CALL(server, RECEIVE | OS2_F_ACCEPT_HANDLE, 0);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_HANDLE, 0, 0, 0, fixed | ALL << 16), OS2_E_RIGHTS);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_HANDLE, 0, 0, 0, 200), OS2_E_HANDLE);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_HANDLE, 0, 0, 0, mine | OS2_RIGHT_SEND << 16), OS2_OK);
    assert_int_equal(server->reg[OS2_R_CONTROL], OS2_I_MESSAGE | OS2_I_HANDLE);
    const struct handle *h = handle_get(server->handles, server->reg[OS2_R_HANDLE]);
    assert_int_equal(handle_rights(h->target), OS2_RIGHT_SEND);
    assert_int_equal(handle_slot(h->target), b->slot->index);
    assert_int_equal(h->badge, 42);
    CALL(server, RECEIVE | OS2_F_ACCEPT_HANDLE, 0);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_HANDLE, 0, 0, 0, mine | ALL << 16), OS2_OK);
    h = handle_get(server->handles, server->reg[OS2_R_HANDLE]); /* no more than it was */
    assert_int_equal(handle_rights(h->target), OS2_RIGHT_GIVE | OS2_RIGHT_SEND);
    /* A full table. */
    while (handle_room(server->handles))
        handle_to(server, a, OS2_HANDLE_INBOX, ALL, 0);
    CALL(server, RECEIVE | OS2_F_ACCEPT_HANDLE, 0);
    assert_int_equal(CALL(a, SEND | HANDLE(ah) | OS2_F_HANDLE, 0, 0, 0, mine | ALL << 16), OS2_E_FULL);
    assert_int_equal(kind_of(server), KIND_RCV);
    /* A control handle cannot be given, nor a send handle that has no right to send be used. */
    assert_int_equal(CALL(init, SEND | HANDLE(handle_to(init, server, OS2_HANDLE_INBOX, ALL, 0)) | OS2_F_HANDLE, 0, 0,
                          0, (OS2_INIT_MACHINE + 1) | ALL << 16),
                     OS2_E_RIGHTS);
    assert_int_equal(CALL(b, SEND | HANDLE(handle_to(b, server, OS2_HANDLE_INBOX, OS2_RIGHT_GIVE, 0)), 0),
                     OS2_E_RIGHTS);
}

static void test_notifications(void **unused) {
    (void)unused;
    unsigned n = handle_to(a, server, OS2_HANDLE_NOTIFY, ALL, 0x7);
    assert_int_equal(CALL(a, OS2_SYS_notify | HANDLE(n), 8), OS2_E_RIGHTS);
    assert_int_equal(CALL(a, OS2_SYS_notify | HANDLE(ah), 1), OS2_E_HANDLE);
    assert_int_equal(CALL(a, OS2_SYS_notify | HANDLE(n), 1), OS2_OK);
    assert_int_equal(CALL(a, OS2_SYS_notify | HANDLE(n), 4), OS2_OK);
    /* Bits are sticky, and come together with a message. */
    send_to(b, bh, 9);
    CALL(server, RECEIVE | OS2_F_MASK, 1);
    expect_message(server, 9, 8);
    assert_int_equal(server->reg[OS2_R_CONTROL], OS2_I_MESSAGE);
    CALL(server, RECEIVE | OS2_F_MASK | POLL, 0, 0);
    assert_int_equal(STATUS(server), OS2_E_WOULD_WAIT);
    send_to(b, bh, 10);
    CALL(server, RECEIVE | OS2_F_MASK, 0, 6);
    expect_message(server, 10, 8);
    assert_int_equal(server->reg[OS2_R_BITS], 4);
    CALL(server, RECEIVE, 0);
    assert_int_equal(server->reg[OS2_R_CONTROL], OS2_I_BITS);
    assert_int_equal(server->reg[OS2_R_BITS], 1);
    /* A waiter wakes for what it asks for only, and not in a receive from one process. */
    CALL(server, RECEIVE | OS2_F_MASK, 0, 2);
    CALL(a, OS2_SYS_notify | HANDLE(n), 1);
    assert_int_equal(kind_of(server), KIND_RCV);
    CALL(a, OS2_SYS_notify | HANDLE(n), 2);
    assert_int_equal(server->reg[OS2_R_BITS], 2);
    CALL(server, RECEIVE | OS2_F_FROM | HANDLE(handle_to(server, b, OS2_HANDLE_INBOX, ALL, 0)), 0);
    CALL(a, OS2_SYS_notify | HANDLE(n), 2);
    assert_int_equal(kind_of(server), KIND_RCV);
    send_to(b, bh, 1);
    assert_int_equal(server->reg[OS2_R_BITS], 0);
    CALL(server, RECEIVE | POLL, 0);
    assert_int_equal(server->reg[OS2_R_BITS], 3);
}

static void test_receive_from_one(void **unused) {
    (void)unused;
    unsigned from = handle_to(server, b, OS2_HANDLE_INBOX, 0, 0);
    send_to(a, ah, 1);
    CALL(server, RECEIVE | OS2_F_FROM | HANDLE(from), 0);
    assert_int_equal(kind_of(server), KIND_RCV);
    send_to(b, bh, 2);
    assert_int_equal(server->slot->queued_at, SLOT_NONE);
    expect_message(server, 2, 8);
    assert_int_equal(kind_of(a), KIND_SND);
    send_to(b, bh, 3);
    CALL(server, RECEIVE | OS2_F_FROM | HANDLE(from), 0);
    expect_message(server, 3, 8);
    CALL(server, RECEIVE, 0);
    expect_message(server, 1, 7);
    assert_int_equal(CALL(server, RECEIVE | OS2_F_FROM | HANDLE(77), 0), OS2_E_HANDLE);
}

static void test_deadlocks(void **unused) {
    (void)unused;
    unsigned self = handle_to(a, a, OS2_HANDLE_INBOX, ALL, 0), ab = handle_to(a, b, OS2_HANDLE_INBOX, ALL, 0),
             sa = handle_to(server, a, OS2_HANDLE_INBOX, ALL, 0), ba = handle_to(b, a, OS2_HANDLE_INBOX, ALL, 0);
    assert_int_equal(CALL(a, SEND | HANDLE(self), 0), OS2_E_DEADLOCK);
    assert_int_equal(CALL(a, RECEIVE | OS2_F_FROM | HANDLE(self), 0), OS2_E_DEADLOCK);
    /* Two: sends, calls, a receive from one. */
    CALL(a, SEND | HANDLE(ab), 0);
    assert_int_equal(CALL(b, SEND | HANDLE(ba), 0), OS2_E_DEADLOCK);
    assert_int_equal(CALL(b, OS2_SYS_call | HANDLE(ba), 0), OS2_E_DEADLOCK);
    CALL(b, RECEIVE, 0);
    CALL_TO(a, ah, 0);
    assert_int_equal(kind_of(a), KIND_SND);
    assert_int_equal(CALL(server, RECEIVE | OS2_F_FROM | HANDLE(sa), 0), OS2_I_MESSAGE);  /* they meet: no deadlock */
    assert_int_equal(CALL(server, RECEIVE | OS2_F_FROM | HANDLE(sa), 0), OS2_E_DEADLOCK); /* a waits for the answer */
    assert_int_equal(kind_of(a), KIND_CAL);
    /* Three: a waits for the server's answer, the server sends to b, b to a. */
    CALL(server, SEND | HANDLE(handle_to(server, b, OS2_HANDLE_INBOX, ALL, 0)), 0);
    assert_int_equal(CALL(b, SEND | HANDLE(ba), 0), OS2_E_DEADLOCK);
    assert_int_equal(CALL(b, OS2_SYS_receive | OS2_F_FROM | HANDLE(ba), 0), OS2_E_DEADLOCK);
}

static void test_chains(void **unused) {
    (void)unused;
    struct process *p[OS2_CHAIN_MAX + 3];
    for (unsigned i = 0; i < OS2_CHAIN_MAX + 3; i++)
        p[i] = spawn(init, 10, NULL);
    for (unsigned i = OS2_CHAIN_MAX; i-- > 0;) {
        CALL(p[i], SEND | HANDLE(handle_to(p[i], p[i + 1], OS2_HANDLE_INBOX, ALL, 0)), 0);
        assert_int_equal(kind_of(p[i]), KIND_SND); /* p[0] makes it 32 who wait */
    }
    struct process *last = p[OS2_CHAIN_MAX + 1];
    unsigned h = handle_to(last, p[0], OS2_HANDLE_INBOX, ALL, 0);
    assert_int_equal(CALL(last, SEND | HANDLE(h), 0), OS2_E_CHAIN);
    assert_int_equal(last->slot->queued_at, SLOT_NONE);
    /* 32 who close a circle are told what it is. */
    struct process *end = p[OS2_CHAIN_MAX];
    assert_int_equal(CALL(end, SEND | HANDLE(handle_to(end, p[1], OS2_HANDLE_INBOX, ALL, 0)), 0), OS2_E_DEADLOCK);
}

/* Two who are just closing a circle, one of whom will be told so: a third that waits for them has no long chain. */
static void test_circle_of_others(void **unused) {
    (void)unused;
    unsigned h = handle_to(server, a, OS2_HANDLE_INBOX, ALL, 0);
    run(server);
    uint64_t word_a = a->slot->word, word_b = b->slot->word;
    a->slot->word = state(KIND_SND, b->slot->index, 1);
    b->slot->word = state(KIND_SND, a->slot->index, 1);
    server->reg[OS2_R_CONTROL] = SEND | HANDLE(h);
    host_syscall(0);
    assert_int_equal(kind_of(server), KIND_SND);
    a->slot->word = word_a;
    b->slot->word = word_b;
}

static void test_dead_peers(void **unused) {
    (void)unused;
    unsigned control = 0;
    struct process *victim = spawn(init, 50, &control);
    unsigned h = handle_to(a, victim, OS2_HANDLE_INBOX, ALL, 0), hb = handle_to(b, victim, OS2_HANDLE_INBOX, ALL, 0),
             hs = handle_to(server, victim, OS2_HANDLE_INBOX, ALL, 0),
             n = handle_to(server, victim, OS2_HANDLE_NOTIFY, ALL, 7);
    assert_int_equal(CALL(server, OS2_SYS_watch | HANDLE(hs), 0x10), OS2_OK);
    CALL(victim, RECEIVE, 0);
    CALL_TO(a, h, 0);
    CALL(b, SEND | HANDLE(hb), 0);
    CALL(server, RECEIVE | OS2_F_FROM | HANDLE(hs), 0);
    assert_int_equal(kind_of(a), KIND_CAL);
    assert_int_equal(kind_of(b), KIND_SND);
    assert_int_equal(kind_of(server), KIND_RCV);
    uint64_t quota = init->space.quota;
    assert_int_equal(CALL(init, OS2_SYS_process_kill | HANDLE(control), 0), OS2_OK);
    settle();
    assert_int_equal(STATUS(a), OS2_E_DIED);
    assert_int_equal(STATUS(b), OS2_E_DIED);
    assert_int_equal(STATUS(server), OS2_E_DIED);
    assert_int_equal(init->space.quota, quota + 50);
    CALL(server, RECEIVE | POLL, 0);
    assert_int_equal(server->reg[OS2_R_BITS], 0x10);
    /* From now on at once. */
    assert_int_equal(CALL(a, SEND | HANDLE(h), 0), OS2_E_DIED);
    assert_int_equal(CALL(a, OS2_SYS_call | HANDLE(h), 0), OS2_E_DIED);
    assert_int_equal(CALL(server, OS2_SYS_notify | HANDLE(n), 1), OS2_E_DIED);
    assert_int_equal(CALL(server, OS2_SYS_watch | HANDLE(hs), 1), OS2_E_DIED);
    assert_int_equal(CALL(server, RECEIVE | OS2_F_FROM | HANDLE(hs), 0), OS2_E_DIED);
    /* Nor is its successor in the slot reached, which waits. */
    CALL(init, RECEIVE | POLL, 0);
    assert_int_equal(CALL(init, OS2_SYS_handle_close | HANDLE(control), 0), OS2_OK);
    const struct slot *slot = &machine.slot[handle_slot(server->handles->entry[n].target)];
    struct process *heir = spawn(init, 50, NULL);
    assert_ptr_equal(heir->slot, slot);
    CALL(heir, RECEIVE, 0);
    assert_int_equal(CALL(server, OS2_SYS_notify | HANDLE(n), 1), OS2_E_DIED);
    assert_int_equal(CALL(a, SEND | HANDLE(h), 0), OS2_E_DIED);
    assert_int_equal(kind_of(heir), KIND_RCV);
}

/* A message that waits here from the successor in a slot is nobody's who receives from the one before it; nor does the
 * successor deliver to who waits for that one. */
static void test_stranger_in_slot(void **unused) {
    (void)unused;
    unsigned control = 0;
    struct process *victim = spawn(init, 50, &control);
    unsigned old = handle_to(server, victim, OS2_HANDLE_INBOX, ALL, 0);
    const struct slot *slot = victim->slot;
    CALL(victim, RECEIVE, 0);
    assert_int_equal(CALL(init, OS2_SYS_handle_close | HANDLE(control), 0), OS2_OK);
    settle();
    struct process *heir = spawn(init, 50, NULL);
    assert_ptr_equal(heir->slot, slot);
    unsigned hh = handle_to(heir, server, OS2_HANDLE_INBOX, ALL, 9), fresh;
    send_to(heir, hh, 31);
    assert_int_equal(kind_of(heir), KIND_SND);
    assert_int_equal(CALL(server, RECEIVE | OS2_F_FROM | HANDLE(old), 0), OS2_E_DIED);
    assert_int_equal(kind_of(heir), KIND_SND);
    fresh = handle_to(server, heir, OS2_HANDLE_INBOX, ALL, 0);
    CALL(server, RECEIVE | OS2_F_FROM | HANDLE(fresh), 0);
    expect_message(server, 31, 9);
    assert_int_equal(STATUS(heir), OS2_OK);
    /* One that waits for the victim and has not yet had its second look: as if its core were stopped before that. */
    CALL(server, RECEIVE | OS2_F_FROM | HANDLE(fresh), 0);
    assert_int_equal(kind_of(server), KIND_RCV);
    server->slot->wait_life--;
    assert_int_equal(CALL(heir, SEND | POLL | HANDLE(hh), 32), OS2_E_WOULD_WAIT);
    assert_int_equal(kind_of(server), KIND_RCV);
    /* Nor is that a circle. */
    unsigned ha = handle_to(a, server, OS2_HANDLE_INBOX, ALL, 0);
    unsigned hheir = handle_to(heir, a, OS2_HANDLE_INBOX, ALL, 0);
    send_to(a, ha, 33);
    assert_int_equal(kind_of(a), KIND_SND);
    run(heir);
    heir->reg[OS2_R_CONTROL] = SEND | HANDLE(hheir);
    host_syscall(0);
    assert_int_equal(kind_of(heir), KIND_SND);
    server->slot->wait_life++;
}

/* However many senders are refused, one entry looks at a few; bits that were taken first are not lost, nor the place of
 * an answer that was given before. */
static void test_many_refusals(void **unused) {
    (void)unused;
    struct process *p[20];
    unsigned h = handle_to(init, server, OS2_HANDLE_NOTIFY, ALL, 3);
    for (unsigned i = 0; i < 20; i++) {
        p[i] = spawn(init, 20, NULL);
        unsigned ph = handle_to(p[i], server, OS2_HANDLE_INBOX, ALL, i);
        CALL(p[i], SEND | HANDLE(ph) | OS2_F_BLOCK, 1, 0, 0, 0, alloc(p[i], 0));
        assert_int_equal(kind_of(p[i]), KIND_SND);
    }
    assert_int_equal(CALL(init, OS2_SYS_notify | HANDLE(h), 2), OS2_OK);
    run(server);
    memset(server->reg, 0, sizeof server->reg);
    server->reg[OS2_R_CONTROL] = REPLY_RECEIVE | POLL;
    unsigned entries = 0, refused = 0;
    do {
        unsigned before = refused;
        run(server);
        host_syscall(0);
        refused = 0;
        for (unsigned i = 0; i < 20; i++)
            refused += kind_of(p[i]) != KIND_SND;
        assert_in_range(refused - before, 0, 8);
        entries++;
        check();
    } while (server->context.again);
    assert_int_equal(refused, 20);
    assert_int_equal(entries, 3);
    assert_int_equal(server->reg[OS2_R_CONTROL], OS2_I_BITS);
    assert_int_equal(server->reg[OS2_R_BITS], 2);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(STATUS(p[i]), OS2_E_REFUSED);
    /* With a mask and a deadline: the receive that is made again is the same one. */
    for (unsigned i = 0; i < 9; i++) {
        run(p[i]);
        CALL(p[i], SEND | HANDLE(1) | OS2_F_BLOCK, 1, 0, 0, 0, alloc(p[i], 0));
    }
    uint64_t until = NOW + 5000;
    run(server);
    memset(server->reg, 0, sizeof server->reg);
    server->reg[OS2_R_CONTROL] = RECEIVE | OS2_F_MASK | OS2_F_DEADLINE | OS2_F_ACCEPT_HANDLE;
    server->reg[OS2_R_W0] = 5;
    server->reg[OS2_R_DEADLINE] = until;
    host_syscall(0);
    assert_true(server->context.again);
    assert_int_equal(server->reg[OS2_R_CONTROL], RECEIVE | OS2_F_MASK | OS2_F_DEADLINE | OS2_F_ACCEPT_HANDLE);
    assert_int_equal(server->reg[OS2_R_W0], 5);
    assert_int_equal(server->reg[OS2_R_DEADLINE], until);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_send),
        TEST(test_call_and_reply),
        TEST(test_late_reply),
        TEST(test_reply_receive),
        TEST(test_fail),
        TEST(test_polls_and_deadlines),
        TEST(test_blocks),
        TEST(test_block_over_quota),
        TEST(test_call_over_quota),
        TEST(test_results),
        TEST(test_handles),
        TEST(test_notifications),
        TEST(test_receive_from_one),
        TEST(test_deadlocks),
        TEST(test_chains),
        TEST(test_circle_of_others),
        TEST(test_dead_peers),
        TEST(test_many_refusals),
        TEST(test_stranger_in_slot),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
