/* SPDX-License-Identifier: MIT */
/* Registers over system calls and over switches: kept, scrubbed, never leaked. */
#include "systest.h"

#include "arch_test.h"
#include "os2/string.h"
#include "os2/time.h"

/* A different value for each register, with a mark that nothing else has. */
static uint64_t pattern(unsigned i, unsigned salt) {
    return arch_register_value(i, REGISTER_MARK ^ (uint64_t)salt << 24 ^ i * UINT64_C(0x101));
}

static void fill(uint64_t *in, unsigned salt, const struct os2_message *m) {
    for (unsigned i = 0; i < ARCH_REGISTERS; i++)
        in[i] = pattern(i, salt);
    for (unsigned i = 0; i < OS2_R_COUNT; i++)
        in[arch_slot[i]] = ((const uint64_t *)m)[i];
}

/* What must hold after any call that came back. */
static bool kept(const uint64_t *in, const uint64_t *out) {
    bool good = true;
    for (unsigned i = 0; i < ARCH_REGISTERS; i++) {
        if (arch_role(i) == ARCH_KEPT)
            good &= CHECK_IS(out[i], in[i]);
        else if (arch_role(i) == ARCH_SCRUBBED && out[i] != in[i])
            good &= CHECK_IS(out[i], 0);
        else if (arch_role(i) == ARCH_RETURN && out[i] != in[i] && out[i] != (uintptr_t)arch_registers_return)
            good &= CHECK_IS(out[i], 0);
        else if (arch_role(i) == ARCH_SLOT)
            good &= CHECK(!register_marked(out[i]) || out[i] == in[i]);
    }
    return good;
}

/* From this slot on all are 0, or as they were. */
static bool rest_empty(const uint64_t *in, const uint64_t *out, unsigned from) {
    bool good = true;
    for (unsigned i = from; i < OS2_R_COUNT; i++)
        if (out[arch_slot[i]] != in[arch_slot[i]])
            good &= CHECK_IS(out[arch_slot[i]], 0);
    return good;
}

/* Every call, once failing or without effect, with marks in every register; `results` are those a good one has. */
static void every_call(void) {
    static const struct {
        enum os2_syscall number;
        uint64_t label, flags;
        int status;
        unsigned results;
    } calls[] = {
        {OS2_SYS_yield, 0, 0, OS2_OK, 0},
        {OS2_SYS_tokens, 0, 0, OS2_OK, 1},
        {OS2_SYS_clock, 0, 0, OS2_OK, 2},
        {OS2_SYS_process_info, 0, 0, OS2_OK, 9},
        {OS2_SYS_receive, 0, OS2_F_DEADLINE, OS2_E_WOULD_WAIT, 0},
        {OS2_SYS_receive, 0, OS2_F_DEADLINE | OS2_F_FROM, OS2_OK, 0},
        {OS2_SYS_reply, 0, 0, OS2_E_NOT_WAITING, 0},
        {OS2_SYS_reply_receive, 0, OS2_F_DEADLINE, OS2_E_WOULD_WAIT, 0},
        {OS2_SYS_block_alloc, 99, 0, OS2_E_INVALID, 0},
        {OS2_SYS_block_free, 0, 0, OS2_E_OWNER, 0},
        {OS2_SYS_block_place, 0, 0, OS2_E_INVALID, 0},
        {OS2_SYS_send, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_call, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_notify, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_watch, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_handle_mint, 0, 0, OS2_E_INVALID, 0},
        {OS2_SYS_handle_close, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_process_create, 0, 0, OS2_E_INVALID, 0},
        {OS2_SYS_process_give, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_process_grant, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_process_start, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_process_kill, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_device_claim, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_irq_bind, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_irq_ack, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_port_grant, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_log, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_machine_info, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_machine_control, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_firmware_console, 0, 0, OS2_E_HANDLE, 0},
        {OS2_SYS_COUNT, 0, 0, OS2_E_CALL, 0},
    };
    uint64_t in[ARCH_REGISTERS], out[ARCH_REGISTERS];

    for (unsigned i = 0; i < COUNT(calls); i++) {
        struct os2_message m = {.control = calls[i].number | calls[i].flags, .label = calls[i].label};
        m.caller = UINT64_MAX;
        fill(in, i, &m);
        arch_registers(in, out);
        if (!kept(in, out) || !CHECK_IS(out[arch_slot[OS2_R_CONTROL]], (uint64_t)(int64_t)calls[i].status) ||
            !rest_empty(in, out, OS2_R_LABEL + calls[i].results))
            CHECK_IS(calls[i].number, (uint64_t)-1); /* which one it was */
    }
}

/* Nothing that only the other process had in its registers. */
static bool unmarked(const uint64_t *in, const uint64_t *out) {
    bool good = true;
    for (unsigned i = 0; i < ARCH_REGISTERS; i++)
        good &= CHECK(!register_marked(out[i]) || out[i] == in[i]);
    return good;
}

/* Through a real wait and back: a call to a server, with marks everywhere in both. */
static void over_switches(void) {
    struct puppet server;
    uint64_t in[ARCH_REGISTERS], out[ARCH_REGISTERS];
    struct os2_message m = {.label = 1, .w = {2, 3, 4, 5, 6}, .caller = 7};
    struct puppet_script *s;

    NEED(puppet_start(&server, 0, NULL));
    for (unsigned round = 0; round < 8; round++) {
        s = puppet_script(&server);
        NEED(s != NULL);
        fill(s->in, 100 + round, &(struct os2_message){.control = OS2_SYS_receive});
        puppet_begin_op(&server, PUPPET_REGISTERS, 0, 0);
        if (round & 1)
            CHECK(puppet_stuck(&server, OS2_STATE_RECEIVE));
        m.control = OS2_SYS_send | (uint64_t)server.inbox << OS2_HANDLE_SHIFT;
        fill(in, round, &m);
        arch_registers(in, out);
        kept(in, out);
        CHECK_IS(out[arch_slot[OS2_R_CONTROL]], OS2_OK);
        rest_empty(in, out, OS2_R_LABEL);
        if (!puppet_finish_op(&server))
            break;
        s = server.script;
        kept(s->in, s->out);
        CHECK_IS(s->out[arch_slot[OS2_R_CONTROL]], OS2_I_MESSAGE);
        for (unsigned i = OS2_R_LABEL; i <= OS2_R_W4; i++)
            CHECK_IS(s->out[arch_slot[i]], ((uint64_t *)&m)[i]);
        CHECK_IS(s->out[arch_slot[OS2_R_CALLER]], 0);
        CHECK_IS(s->out[arch_slot[OS2_R_BADGE]], 1);
        CHECK_IS(s->out[arch_slot[OS2_R_BITS]], 0);
        unmarked(s->in, s->out);
    }
    puppet_drop(&server);
}

/* Calls and their answers, the switch that matters most, between processes that both have floating point in use, or
 * only one of them: a puppet has none before its first arch_registers(). */
static void over_calls(void) {
    struct puppet server, echo = {0}, client = {0};
    uint64_t in[ARCH_REGISTERS], out[ARCH_REGISTERS];
    struct os2_message m = {.label = 1, .w = {2, 3, 4, 5, 6}}, back = {.label = 11, .w = {12, 13, 14, 15, 16}};
    struct puppet_script *s;
    unsigned handle;

    NEED(puppet_start(&server, 0, NULL));
    s = puppet_script(&server);
    if (!s || !puppet_start(&echo, 1, NULL) || !puppet_start(&client, 2, NULL))
        goto out;
    fill(s->in, 100, &back);
    puppet_begin_op(&server, PUPPET_ANSWER, 0, 0);
    puppet_begin_op(&echo, PUPPET_ECHO, 4, 1);
    if (!puppet_waits(&server, OS2_STATE_RECEIVE) || !puppet_waits(&echo, OS2_STATE_RECEIVE))
        goto out;
    for (unsigned round = 0; round < 8; round++) {
        m.control = OS2_SYS_call | (uint64_t)(round & 1 ? echo : server).inbox << OS2_HANDLE_SHIFT;
        fill(in, round, &m);
        arch_registers(in, out);
        kept(in, out);
        unmarked(in, out);
        CHECK_IS(out[arch_slot[OS2_R_CONTROL]], OS2_I_MESSAGE);
        for (unsigned i = OS2_R_LABEL; i <= OS2_R_W4; i++)
            CHECK_IS(out[arch_slot[i]], ((const uint64_t *)(round & 1 ? &m : &back))[i]);
    }
    if (CHECK(puppet_finish_op(&echo)))
        CHECK_IS(echo.script->argument[2], 0);
    handle = puppet_connect(&client, &server, 7);
    for (unsigned round = 0; round < 4 && handle; round++) {
        m.label = round;
        if (CHECK_IS(puppet_do(&client, OS2_SYS_call, handle, 0, &m), OS2_OK))
            CHECK_IS(m.label, back.label);
    }
    m = (struct os2_message){.label = 99};
    CHECK_IS(raw(OS2_SYS_send, server.inbox, 0, &m), OS2_OK);
    if (puppet_finish_op(&server)) {
        s = server.script;
        CHECK_IS(s->out[arch_slot[OS2_R_LABEL]], 99);
        CHECK_IS(s->argument[2], 0);
        unmarked(s->in, s->out);
    }
out:
    puppet_drop(&client);
    puppet_drop(&echo);
    puppet_drop(&server);
}

/* A wait that a deadline ends, and one that bits end. */
static void over_waits(void) {
    uint64_t in[ARCH_REGISTERS], out[ARCH_REGISTERS];
    struct os2_message m = {.control = OS2_SYS_receive | OS2_F_DEADLINE, .w = {[4] = os2_deadline_ms(PAUSE_MS)}};
    unsigned self;

    fill(in, 200, &m);
    arch_registers(in, out);
    kept(in, out);
    CHECK_IS(out[arch_slot[OS2_R_CONTROL]], (uint64_t)OS2_E_TIMEOUT);
    rest_empty(in, out, OS2_R_LABEL);

    NEED_IS(os2_handle_mint(0, OS2_HANDLE_NOTIFY, UINT64_MAX, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_notify(self, UINT64_C(1) << 60), OS2_OK);
    m = (struct os2_message){.control = OS2_SYS_receive};
    fill(in, 201, &m);
    arch_registers(in, out);
    kept(in, out);
    CHECK_IS(out[arch_slot[OS2_R_CONTROL]], OS2_I_BITS);
    CHECK_IS(out[arch_slot[OS2_R_BITS]], UINT64_C(1) << 60);
    for (unsigned i = OS2_R_LABEL; i <= OS2_R_BADGE; i++)
        CHECK_IS(out[arch_slot[i]], 0);
    os2_handle_close(self);
}

/* Floating point of two processes that take turns. */
static void floating_point(void) {
    struct puppet p[2] = {0};

    for (unsigned i = 0; i < 2; i++)
        if (!puppet_start(&p[i], i, NULL))
            goto out;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 2; i++) {
            struct puppet_script *s = puppet_script(&p[i]);
            if (!s)
                goto out;
            fill(s->in, round * 2 + i, &(struct os2_message){.control = OS2_SYS_yield});
            puppet_begin_op(&p[i], PUPPET_REGISTERS, 0, 0);
        }
        for (unsigned i = 0; i < 2; i++) {
            if (!puppet_finish_op(&p[i]))
                goto out;
            kept(p[i].script->in, p[i].script->out);
        }
    }
out:
    puppet_drop(&p[0]);
    puppet_drop(&p[1]);
}

/* Where the thread pointer points to in the page that arch_dump gets. */
#define TP_WORD 256u

/* What a fresh process finds in its registers. Its code is one page, its memory another. */
static void fresh_process(void) {
    struct os2_process_plan plan = {.quota = 16, .quantum = 100, .watchdog_ms = 10000, .end_bits = 1, .name = "dump"};
    struct os2_message m = {.w = {1}};
    uint64_t in[ARCH_REGISTERS], out[ARCH_REGISTERS], id, *page = NULL;
    unsigned control, self, inbox, index = 0;
    void *code, *data;

    NEED_IS(os2_process_create(&plan, &control, &id), OS2_OK);
    code = block(0);
    data = block(0);
    if (!code || !data)
        return;
    memcpy(code, arch_dump, (size_t)(arch_dump_end - arch_dump));
    uint64_t *calls = (uint64_t *)((char *)data + ARCH_DUMP_CONTROL);
    calls[0] = OS2_SYS_call | OS2_F_BLOCK | OS2_ACCEPT(0) | UINT64_C(1) << OS2_HANDLE_SHIFT;
    calls[1] = OS2_SYS_send | OS2_F_BLOCK | UINT64_C(1) << OS2_HANDLE_SHIFT;
    calls[2] = OS2_SYS_exit;
    uint64_t *tp = (uint64_t *)data + TP_WORD;
    *tp = (uintptr_t)tp;
    CHECK_IS(os2_process_give(control, code, 0x10000, OS2_PROT_READ | OS2_PROT_EXEC), OS2_OK);
    CHECK_IS(os2_process_give(control, data, 0, OS2_PROT_READ | OS2_PROT_WRITE), OS2_OK);
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_process_grant(control, self, OS2_RIGHTS_ALL, 0, &index), OS2_OK);
    CHECK_IS(index, 1);
    CHECK_IS(os2_handle_mint(control, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &inbox), OS2_OK);
    /* Leave marks in every register of this core before it starts. */
    fill(in, 300, &(struct os2_message){.control = OS2_SYS_tokens});
    arch_registers(in, out);
    m = (struct os2_message){.label = 0x10000, .w = {0x7000, (uintptr_t)data, 0x123450, (uintptr_t)tp}};
    CHECK_IS(raw(OS2_SYS_process_start, control, 0, &m), OS2_OK);
    /* Waiting for anyone, so that the call and its answer go the shortest way. */
    m = (struct os2_message){0};
    while (os2_receive(OS2_ACCEPT(0), &m) >= 0 && !(m.control & OS2_I_MESSAGE) && !(m.bits & plan.end_bits)) {
    }
    if (CHECK(m.control & OS2_I_MESSAGE))
        page = os2_message_block(&m);
    for (unsigned i = 0; page && i < ARCH_REGISTERS; i++) {
        bool expected = arch_fresh(i, page[i]);
        if (i == ARCH_REGISTER_ARGUMENT)
            expected = page[i] == (uintptr_t)data;
        else if (i == ARCH_REGISTER_SP)
            expected = page[i] == 0x7000;
        else if (i == ARCH_REGISTER_GP)
            expected = page[i] == 0x123450;
        else if (i == ARCH_REGISTER_TP)
            expected = page[i] == (uintptr_t)tp;
        if (!expected)
            CHECK_IS(page[i], i); /* register i has the wrong value */
    }
    /* The thread pointer is its own also after others ran. */
    if (page && CHECK_IS(os2_reply_receive(OS2_F_BLOCK | OS2_ACCEPT(0), &m), OS2_OK) &&
        CHECK_IS(os2_message_block(&m) == page, true)) {
        CHECK_IS(page[ARCH_DUMP_TP / sizeof(*page)], (uintptr_t)tp);
        os2_block_free(page);
    }
    take_bits(1);
    os2_handle_close(control);
    os2_handle_close(inbox);
    os2_handle_close(self);
}

static const struct test tests[] = {
    {"scrub keep", "every call: kept registers are kept, the others are 0 or as they were", every_call},
    {"keep words badge message-caller", "kept and scrubbed over a message, nothing of the sender is seen",
     over_switches},
    {"scrub keep fp-keep fp-leak", "kept and scrubbed over calls and answers, floating point in use or not",
     over_calls},
    {"scrub keep timeout-registers bits-registers", "kept and scrubbed over waits", over_waits},
    {"fp-keep", "floating-point registers of two processes that take turns", floating_point},
    {"start-registers fp-leak", "a fresh process finds zeros, its argument and its constants", fresh_process},
};
AREA(register, tests);
