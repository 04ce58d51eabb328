/* SPDX-License-Identifier: MIT */
/* Tokens, turns, yield, the calls that are none. */
#include "systest.h"

#include "os2/time.h"

static void counting(void) {
    struct puppet p;
    struct puppet_script *s;

    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quantum = 10}));
    s = puppet_run(&p, PUPPET_TOKENS, 60, 0);
    for (unsigned i = 0; s && i + 1 < 60; i++)
        CHECK_IS(s->out[i + 1], s->out[i] ? s->out[i] - 1 : 9);
    for (unsigned i = 0; s && i < 60; i++)
        CHECK(s->out[i] < 10);
    puppet_drop(&p);
}

/* With another process ready, the turn ends, and what was left of it is not spent; with none, it goes on. */
static void yielding(void) {
    struct os2_process_facts before, after;
    struct puppet p;

    NEED(puppet_start(&p, 0, NULL));
    CHECK(puppet_run(&p, PUPPET_TOKENS, 1, 0) != NULL);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(puppet_waits(&p, OS2_STATE_RECEIVE));
        puppet_begin_op(&p, PUPPET_TOKENS, 1, 0); /* from here on it is ready, or stolen */
        NEED_IS(os2_process_facts(0, 0, &before), OS2_OK);
        os2_yield();
        NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
        if (cores == 1) {
            CHECK_IS(os2_tokens(), before.quantum - 2);
            CHECK_IS(after.turns - before.turns, 1);
            CHECK_IS(after.tokens - before.tokens, 2);
        }
        CHECK(puppet_finish_op(&p));
        CHECK(puppet_waits(&p, OS2_STATE_RECEIVE));
        uint64_t left = os2_tokens();
        os2_yield();
        if (cores == 1)
            CHECK_IS(os2_tokens(), left - 2); /* nobody was ready */
    }
    puppet_drop(&p);
}

/* On one core the others run before a yield returns: each of two counts the other's turns. */
static void order(void) {
    struct puppet p;
    struct os2_message m = {0};

    if (cores > 1)
        return skip("needs one core");
    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
    os2_yield();
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
    m.label = 1;
    CHECK_IS(os2_send(p.inbox, 0, &m), OS2_OK);
    os2_yield();
    m = (struct os2_message){.w = {[4] = 0}};
    CHECK_IS(os2_receive_from(p.inbox, OS2_F_DEADLINE | OS2_ACCEPT(0), &m), OS2_OK);
    p.script = os2_message_block(&m);
    puppet_drop(&p);
}

/* On one core a process that computes, over several ticks of the timer, has the core to itself, and keeps its turn. */
static void computing(void) {
    struct os2_process_facts before, after, other_before, other_after;
    uint64_t rate, start, left;
    struct puppet p;

    if (cores > 1)
        return skip("needs one core");
    NEED(puppet_start(&p, 0, NULL));
    CHECK(puppet_run(&p, PUPPET_TOKENS, 1, 0) != NULL);
    CHECK(puppet_waits(&p, OS2_STATE_RECEIVE));
    NEED_IS(os2_process_facts(p.child.control, 0, &other_before), OS2_OK);
    for (uint64_t rounds = 1 << 20;; rounds *= 2) {
        puppet_begin_op(&p, PUPPET_TOKENS, 1, 0); /* from here on it is ready */
        NEED_IS(os2_process_facts(0, 0, &before), OS2_OK);
        start = os2_clock(&rate);
        left = os2_tokens();
        for (uint64_t i = 0; i < rounds; i++)
            __asm__ volatile("");
        CHECK_IS(os2_tokens(), left - 1);
        start = os2_clock(NULL) - start;
        NEED_IS(os2_process_facts(p.child.control, 0, &other_after), OS2_OK);
        NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
        CHECK_IS(after.turns, before.turns);
        CHECK_IS(other_after.turns, other_before.turns);
        if (start > rate / 4)
            break;
        CHECK(puppet_finish_op(&p));
        CHECK(puppet_waits(&p, OS2_STATE_RECEIVE));
        NEED_IS(os2_process_facts(p.child.control, 0, &other_before), OS2_OK);
    }
    CHECK(puppet_finish_op(&p));
    puppet_drop(&p);
}

/* Calls of many kinds, good and bad: one token each. */
static void price(void) {
    static const struct {
        enum os2_syscall number;
        uint64_t label;
    } calls[] = {
        {OS2_SYS_tokens, 0},
        {OS2_SYS_clock, 0},
        {OS2_SYS_block_alloc, 99},
        {OS2_SYS_block_free, 0},
        {OS2_SYS_block_place, 0},
        {OS2_SYS_send, 0},
        {OS2_SYS_call, 0},
        {OS2_SYS_notify, 0},
        {OS2_SYS_watch, 0},
        {OS2_SYS_handle_close, 0},
        {OS2_SYS_process_kill, 0},
        {OS2_SYS_process_info, 0},
        {OS2_SYS_device_claim, 0},
        {OS2_SYS_irq_bind, 0},
        {OS2_SYS_irq_ack, 0},
        {OS2_SYS_port_grant, 0},
        {OS2_SYS_machine_info, 0},
        {OS2_SYS_log, 0},
        {OS2_SYS_reply, 0},
        {OS2_SYS_handle_mint, 0},
        {OS2_SYS_process_start, 0},
        {OS2_SYS_process_grant, 0},
        {OS2_SYS_process_give, 0},
        {OS2_SYS_COUNT, 0},
        {OS2_SYS_firmware_console, OS2_FIRMWARE_GET},
    };
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct os2_message m = {.label = calls[i].label, .caller = UINT64_MAX};
        uint64_t before, after;
        do {
            before = os2_tokens();
            raw(calls[i].number, 0, 0, &m);
            after = os2_tokens();
        } while (after > before); /* all within one turn */
        if (!CHECK_IS(before - after, 2))
            CHECK_IS(calls[i].number, OS2_SYS_COUNT);
    }
}

static void clearing(void) {
    static const unsigned orders[] = {0, 3, 4, 5, 9, 10, 12};
    for (size_t i = 0; i < COUNT(orders); i++) {
        unsigned steps = orders[i] > 4 ? 1u << (orders[i] - 4) : 1;
        uint64_t before, after;
        void *b = NULL;
        do { /* all within one turn */
            before = os2_tokens();
            NEED_IS(os2_block_alloc(orders[i], &b), OS2_OK);
            after = os2_tokens();
            CHECK_IS(os2_block_free(b), OS2_OK);
        } while (after > before);
        CHECK_IS(before - after, steps + 1);
    }
}

/* An allocation goes on over several turns of a process with few tokens. */
static void clearing_in_turns(void) {
    struct puppet p;
    struct os2_process_facts before, after;
    struct os2_message m = {.label = 12};

    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 4096, .quantum = 2}));
    CHECK(puppet_run(&p, PUPPET_TOKENS, 1, 0) != NULL);
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE)); /* who sends earlier waits, and lends it a longer turn */
    CHECK_IS(os2_process_facts(p.child.control, 0, &before), OS2_OK);
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
    CHECK_IS(os2_process_facts(p.child.control, 0, &after), OS2_OK);
    CHECK(after.turns - before.turns >= 128); /* 256 tokens */
    puppet_drop(&p);
}

/* The server's tokens while it works for a client with a quantum of 10. */
static void lending(void) {
    struct puppet server, client;
    struct puppet_script *s = NULL;
    unsigned handle;

    NEED(puppet_start(&server, 0, &(struct puppet_plan){.quantum = 1000}));
    if (puppet_start(&client, 1, &(struct puppet_plan){.quantum = 10})) {
        handle = puppet_connect(&client, &server, 5);
        puppet_begin_op(&server, PUPPET_SERVE, 40, 0);
        CHECK(puppet_stuck(&server, OS2_STATE_RECEIVE));
        CHECK_IS(puppet_do(&client, OS2_SYS_call, handle, 0, &(struct os2_message){0}), OS2_OK);
        if (puppet_finish_op(&server))
            s = server.script;
        for (unsigned i = 0; s && i < 40; i++)
            CHECK(s->out[i] < 10);
        for (unsigned i = 0; s && i + 1 < 40; i++)
            CHECK_IS(s->out[i + 1], s->out[i] ? s->out[i] - 1 : 9);
        /* Then it works for itself again: it received a message that is no call. */
        s = puppet_run(&server, PUPPET_TOKENS, 40, 0);
        CHECK(s && s->out[39] > 10);
        puppet_drop(&client);
    }
    puppet_drop(&server);
}

/* The turn was a client's with a quantum of 1000; what is left of it is not the server's. */
static void repaying(void) {
    struct puppet server, client;
    unsigned handle;

    NEED(puppet_start(&server, 0, &(struct puppet_plan){.quantum = 10}));
    if (puppet_start(&client, 1, &(struct puppet_plan){.quantum = 1000})) {
        handle = puppet_connect(&client, &server, 5);
        puppet_begin_op(&server, PUPPET_SERVE, 20, 0);
        CHECK(puppet_stuck(&server, OS2_STATE_RECEIVE));
        CHECK_IS(puppet_do(&client, OS2_SYS_call, handle, 0, &(struct os2_message){0}), OS2_OK);
        if (puppet_finish_op(&server)) {
            CHECK(server.script->out[19] > 500);
            CHECK(server.script->out[20] < 10);
        }
        puppet_drop(&client);
    }
    puppet_drop(&server);
}

/* A call, and the answer, go on with the same turn: no turn is begun. */
static void direct_switch(void) {
    struct puppet server;
    struct os2_process_facts before, after;

    NEED(puppet_start(&server, 0, NULL));
    puppet_begin_op(&server, PUPPET_ECHO, 20, 0);
    CHECK(puppet_stuck(&server, OS2_STATE_RECEIVE));
    os2_yield();
    CHECK_IS(os2_process_facts(server.child.control, 0, &before), OS2_OK);
    for (unsigned i = 0; i < 19; i++) {
        struct os2_message m = {.w = {i}};
        CHECK_IS(os2_call(server.inbox, 0, &m), OS2_OK);
        CHECK_IS(m.w[0], i);
    }
    CHECK_IS(os2_process_facts(server.child.control, 0, &after), OS2_OK);
    CHECK_IS(after.turns - before.turns, 0);
    CHECK_IS(after.tokens - before.tokens, 0); /* the client spent them */
    CHECK_IS(os2_call(server.inbox, 0, &(struct os2_message){0}), OS2_OK);
    CHECK(puppet_finish_op(&server));
    puppet_drop(&server);
}

static void no_such_call(void) {
    for (unsigned number = OS2_SYS_COUNT; number <= OS2_NUMBER_MASK; number++) {
        struct os2_message m = {.label = 1, .w = {2, 3, 4, 5, 6}, .caller = 7};
        if (!CHECK_IS(raw((enum os2_syscall)number, 0, 0, &m), OS2_E_CALL))
            break;
        CHECK_IS(m.label | m.w[0] | m.w[4] | m.caller | m.badge | m.bits, 0);
    }
}

static void ignored_bits(void) {
    struct os2_message m = {0};
    CHECK_IS(raw(OS2_SYS_tokens, OS2_HANDLE_MASK, UINT64_C(0x00ffffffffffff00), &m), OS2_OK);
    CHECK(m.label > 0);
    CHECK_IS(m.control, OS2_OK);
}

static const struct test tests[] = {
    {"token-count token-end", "tokens go down by one a call, and the turn ends at 0", counting},
    {"yield-rest yield-spent", "yield gives up the rest of the turn where another process is ready", yielding},
    {"turn-only turn-alone", "a process that computes keeps its turn, and nobody else runs on its core", computing},
    {"yield-others", "the others run before yield returns", order},
    {"token-one", "every call costs one token, also one that fails", price},
    {"token-clear alloc-tokens", "a block costs one token for each 64 KiB cleared", clearing},
    {"alloc-turns", "clearing goes on over several turns", clearing_in_turns},
    {"call-lend", "a server's turn has its client's quantum while that one waits for its answer", lending},
    {"call-repay", "a server that has answered goes on with no more tokens than its own turn has", repaying},
    {"call-turn", "a call and its answer go on with the same turn", direct_switch},
    {"number", "numbers that are no call are refused", no_such_call},
    {"ignored", "bits of CONTROL that a call has no use for are ignored", ignored_bits},
};
AREA(turn, tests);
