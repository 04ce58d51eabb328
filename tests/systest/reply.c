/* SPDX-License-Identifier: MIT */
/* Answers: to the right call only, in any order, late, failed; reply_receive. */
#include "systest.h"

#include "os2/time.h"

static int take(uint64_t flags, struct os2_message *m) {
    *m = (struct os2_message){.w = {[4] = os2_deadline_ms(HANG_MS)}};
    return os2_receive(flags | OS2_F_DEADLINE | OS2_F_MASK, m);
}

static int answer(uint64_t caller, uint64_t label, uint64_t flags) {
    struct os2_message m = {.caller = caller, .label = label};
    return os2_reply(flags, &m);
}

static void any_order(void) {
    struct puppet client[3] = {0};
    uint64_t caller[3];
    struct os2_message m;
    unsigned i;

    for (i = 0; i < 3; i++) {
        if (!puppet_start(&client[i], i, NULL))
            goto out;
        puppet_begin(&client[i], OS2_SYS_call, PUPPET_BOSS, 0, NULL);
        CHECK_IS(take(0, &m), OS2_OK);
        CHECK_IS(m.badge, i);
        caller[i] = m.caller;
    }
    static const unsigned order[] = {2, 0, 1};
    for (i = 0; i < 3; i++)
        CHECK_IS(answer(caller[order[i]], 100 + order[i], 0), OS2_OK);
    for (i = 0; i < 3; i++) {
        CHECK_IS(puppet_finish(&client[i], &m), OS2_OK);
        CHECK_IS(m.label, 100 + i);
    }
out:
    for (i = 0; i < 3; i++)
        puppet_drop(&client[i]);
}

static void nobody(void) {
    struct puppet p, q;
    struct os2_message m;
    uint64_t caller;

    CHECK_IS(answer(0, 0, 0), OS2_E_NOT_WAITING);
    CHECK_IS(answer(UINT64_MAX, 0, 0), OS2_E_NOT_WAITING);
    CHECK_IS(answer(UINT64_C(1) << 63, 0, 0), OS2_E_NOT_WAITING);
    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, NULL);
    CHECK_IS(take(0, &m), OS2_OK);
    caller = m.caller;
    CHECK_IS(answer(caller + 1, 0, 0), OS2_E_NOT_WAITING);
    CHECK_IS(answer(caller - 1, 0, 0), OS2_E_NOT_WAITING);
    /* Another process cannot answer it. */
    if (puppet_start(&q, 1, NULL)) {
        m = (struct os2_message){.caller = caller};
        CHECK_IS(puppet_do(&q, OS2_SYS_reply, 0, 0, &m), OS2_E_NOT_WAITING);
        puppet_drop(&q);
    }
    CHECK_IS(answer(caller, 1, 0), OS2_OK);
    CHECK_IS(answer(caller, 2, 0), OS2_E_NOT_WAITING);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.label, 1);
    CHECK_IS(answer(caller, 3, 0), OS2_E_NOT_WAITING);
    /* One that has ended. */
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, NULL);
    CHECK_IS(take(0, &m), OS2_OK);
    CHECK_IS(os2_process_kill(p.child.control), OS2_OK);
    take_bits(p.end_bit);
    CHECK_IS(answer(m.caller, 4, 0), OS2_E_NOT_WAITING);
    puppet_drop(&p);
}

/* The server receives, and is seen to wait before the client calls it. The call's identity; 0 after a failed check. */
static uint64_t call_taken(struct puppet *server, struct puppet *client, unsigned handle, uint64_t deadline) {
    struct os2_message m = {.w = {[4] = deadline}};

    puppet_begin(server, OS2_SYS_receive, 0, 0, NULL);
    CHECK(puppet_stuck(server, OS2_STATE_RECEIVE));
    puppet_begin(client, OS2_SYS_call, handle, OS2_F_DEADLINE, &m);
    if (deadline != OS2_FOREVER)
        CHECK_IS(puppet_finish_polling(client, NULL), OS2_E_TIMEOUT); /* waiting for it could close a cycle */
    CHECK_IS(puppet_finish(server, &m), OS2_OK);
    return m.caller;
}

/*
 * A call gives up; the answer to it comes when the next call waits. The deadlines have passed before their calls are
 * made: a server that waits is given the call all the same, so nothing here depends on how fast anybody is.
 */
static void late(void) {
    struct puppet server, client;
    struct os2_message m;
    uint64_t first, second;
    unsigned handle;

    NEED(puppet_start(&server, 0, NULL));
    if (puppet_start(&client, 1, NULL)) {
        handle = puppet_connect(&client, &server, 1);
        m = (struct os2_message){.w = {[4] = 1}};
        puppet_begin(&client, OS2_SYS_call, handle, OS2_F_DEADLINE, &m); /* the server does not take it */
        CHECK_IS(puppet_finish_polling(&client, NULL), OS2_E_TIMEOUT);
        first = call_taken(&server, &client, handle, 1);
        m = (struct os2_message){.caller = first, .label = 1};
        CHECK_IS(puppet_do(&server, OS2_SYS_reply, 0, 0, &m), OS2_E_NOT_WAITING);
        second = call_taken(&server, &client, handle, OS2_FOREVER);
        CHECK(first && second && second != first);
        m = (struct os2_message){.caller = first, .label = 2};
        CHECK_IS(puppet_do(&server, OS2_SYS_reply, 0, 0, &m), OS2_E_NOT_WAITING);
        CHECK(puppet_stuck(&client, OS2_STATE_CALL));
        m = (struct os2_message){.caller = second, .label = 3};
        CHECK_IS(puppet_do(&server, OS2_SYS_reply, 0, 0, &m), OS2_OK);
        CHECK_IS(puppet_finish(&client, &m), OS2_OK);
        CHECK_IS(m.label, 3);
        puppet_drop(&client);
    }
    puppet_drop(&server);
}

static void failing(void) {
    struct puppet p;
    struct os2_message m;
    void *b = block(0);

    NEED(b && puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, NULL);
    CHECK_IS(take(0, &m), OS2_OK);
    uint64_t caller = m.caller;
    m = (struct os2_message){.caller = caller, .w = {[3] = (uintptr_t)b}};
    CHECK_IS(os2_reply(OS2_F_FAIL | OS2_F_BLOCK, &m), OS2_E_INVALID);
    m = (struct os2_message){.caller = caller};
    CHECK_IS(os2_reply(OS2_F_FAIL | OS2_F_HANDLE, &m), OS2_E_INVALID);
    m = (struct os2_message){.caller = caller, .label = 77, .w = {1, 2, 3, 4, 5}};
    CHECK_IS(os2_reply(OS2_F_FAIL, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_E_FAILED);
    CHECK_IS(m.label, 77);
    CHECK(m.w[0] == 1 && m.w[1] == 2 && m.w[2] == 3 && m.w[3] == 4 && m.w[4] == 5);
    CHECK(m.caller == 0 && m.badge == 0 && m.bits == 0);
    os2_block_free(b);
    puppet_drop(&p);
}

/* The two halves of reply_receive in one call, over and over. */
static void reply_receive(void) {
    struct puppet p, q;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    puppet_begin_op(&p, PUPPET_ECHO, 50, 0);
    for (unsigned i = 0; i < 50; i++) {
        m = (struct os2_message){.label = i, .w = {i, 2 * i, 3 * i, 4 * i, 5 * i}};
        CHECK_IS(os2_call(p.inbox, 0, &m), OS2_OK);
        CHECK(m.label == i && m.w[0] == i && m.w[4] == 5 * i);
    }
    CHECK(puppet_finish_op(&p));
    if (puppet_start(&q, 1, NULL)) {
        /* One call is answered, the next is there already. */
        puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, &(struct os2_message){.label = 1});
        CHECK_IS(take(0, &m), OS2_OK);
        puppet_begin(&q, OS2_SYS_call, PUPPET_BOSS, 0, &(struct os2_message){.label = 2});
        CHECK(puppet_waits(&q, OS2_STATE_SEND));
        m = (struct os2_message){.caller = m.caller, .label = 11, .w = {[4] = os2_deadline_ms(HANG_MS)}};
        CHECK_IS(os2_reply_receive(OS2_F_DEADLINE, &m), OS2_OK);
        CHECK_IS(m.label, 2);
        CHECK_IS(m.badge, 1);
        CHECK_IS(answer(m.caller, 12, 0), OS2_OK);
        CHECK_IS(puppet_finish(&p, &m), OS2_OK);
        CHECK_IS(m.label, 11);
        CHECK_IS(m.w[4], 0);
        CHECK_IS(puppet_finish(&q, &m), OS2_OK);
        CHECK_IS(m.label, 12);
        puppet_drop(&q);
    }
    puppet_drop(&p);
}

/* Words that nobody waits for are dropped, and the receive is done; with a block or a handle it is not. */
static void dropped(void) {
    void *b = block(0);
    unsigned self;
    struct os2_message m;

    NEED(b != NULL);
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_NOTIFY, 1 << 5, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_notify(self, 1 << 5), OS2_OK);
    m = (struct os2_message){.caller = 5, .w = {0, 0, 0, (uintptr_t)b, 0}};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE | OS2_F_BLOCK, &m), OS2_E_NOT_WAITING);
    CHECK_IS(os2_block_free(b), OS2_OK);
    m = (struct os2_message){.caller = 5, .w = {[2] = self | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE | OS2_F_HANDLE, &m), OS2_E_NOT_WAITING);
    m = (struct os2_message){.caller = 5};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(m.control, OS2_I_BITS);
    CHECK_IS(m.bits, 1 << 5);
    m = (struct os2_message){.caller = 5};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    os2_handle_close(self);
}

/* An answer that cannot be given: its error, no receive, and the caller waits on. */
static void reply_receive_errors(void) {
    struct puppet p;
    unsigned self;
    uint64_t caller;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_NOTIFY, 1 << 5, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_notify(self, 1 << 5), OS2_OK);
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, NULL);
    CHECK_IS(take(0, &m), OS2_OK);
    caller = m.caller;
    m = (struct os2_message){.caller = caller, .w = {[3] = 0x12345000}};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE | OS2_F_BLOCK, &m), OS2_E_OWNER);
    m = (struct os2_message){.caller = caller, .w = {[2] = 250}};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE | OS2_F_HANDLE, &m), OS2_E_HANDLE);
    m = (struct os2_message){.caller = caller, .w = {[2] = self | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE | OS2_F_HANDLE, &m), OS2_E_REFUSED);
    m = (struct os2_message){.caller = caller};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE | OS2_F_FAIL | OS2_F_BLOCK, &m), OS2_E_INVALID);
    m = (struct os2_message){.caller = caller, .control = (uint64_t)250 << OS2_HANDLE_SHIFT};
    CHECK_IS(raw(OS2_SYS_reply_receive, 250, OS2_F_FROM, &m), OS2_E_HANDLE);
    CHECK(puppet_stuck(&p, OS2_STATE_CALL));
    /* Answered without a receive that waits: the bits are still there, and taken. */
    m = (struct os2_message){.caller = caller, .label = 6};
    CHECK_IS(os2_reply_receive(OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(m.bits, 1 << 5);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.label, 6);
    os2_handle_close(self);
    puppet_drop(&p);
}

/* The receive half from one process, and from nobody. */
static void reply_receive_from(void) {
    struct puppet p, q;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    if (puppet_start(&q, 1, NULL)) {
        puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, NULL);
        CHECK_IS(take(0, &m), OS2_OK);
        puppet_begin(&q, OS2_SYS_send, PUPPET_BOSS, 0, &(struct os2_message){.label = 2});
        CHECK(puppet_waits(&q, OS2_STATE_SEND));
        m = (struct os2_message){.caller = m.caller, .label = 9, .w = {[4] = 0}};
        m.control = 0;
        CHECK_IS(raw(OS2_SYS_reply_receive, p.inbox, OS2_F_FROM | OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
        CHECK_IS(puppet_finish(&p, &m), OS2_OK);
        CHECK_IS(m.label, 9);
        CHECK_IS(take(0, &m), OS2_OK);
        CHECK_IS(m.label, 2);
        CHECK_IS(puppet_finish(&q, NULL), OS2_OK);
        puppet_drop(&q);
    }
    puppet_drop(&p);
}

static const struct test tests[] = {
    {"reply-order", "answers in any order", any_order},
    {"reply-nobody", "an answer reaches only that very call to this very process", nobody},
    {"reply-late call-timeout", "a late answer does not reach the next call", late},
    {"reply-fail reply-invalid call-failed", "a server fails a call with a reason", failing},
    {"rr-both", "reply_receive answers and receives", reply_receive},
    {"rr-drop rr-stays rr-bits", "an answer nobody waits for is dropped, but not what goes with it", dropped},
    {"rr-error reply-owner reply-handle reply-refused", "an answer that cannot be given: no receive",
     reply_receive_errors},
    {"rr-from", "the receive half may be from one process", reply_receive_from},
};
AREA(reply, tests);
