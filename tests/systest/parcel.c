/* SPDX-License-Identifier: MIT */
/* Blocks and handles that go with messages: all or nothing. */
#include "systest.h"

#include "os2/string.h"
#include "os2/time.h"

static int take(uint64_t flags, struct os2_message *m) {
    *m = (struct os2_message){.w = {[4] = os2_deadline_ms(HANG_MS)}};
    return os2_receive(flags | OS2_F_DEADLINE | OS2_F_MASK, m);
}

static uint32_t pages_of(const struct puppet *p) {
    struct os2_process_facts facts = {0};
    CHECK_IS(os2_process_facts(p->child.control, 0, &facts), OS2_OK);
    return facts.pages;
}

/* A block of each size to a puppet and back: content, address, order; the pages are counted where they are. */
static void moving(void) {
    struct puppet p;
    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 2048}));
    for (unsigned order = 0; order <= 11; order++) {
        uint64_t *b = block(order), at = (uintptr_t)b, last = (OS2_PAGE_SIZE << order) - 8;
        struct os2_message m;
        uint32_t before;
        if (!b)
            break;
        b[0] = at + last; /* a pointer into the block itself */
        *(uint64_t *)(uintptr_t)(at + last) = order + 1000;
        puppet_begin(&p, OS2_SYS_receive, 0, OS2_ACCEPT(order), NULL);
        if (order & 1)
            CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
        before = pages_of(&p);
        m = (struct os2_message){.w = {[3] = at}};
        CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK, &m), OS2_OK);
        CHECK_IS(os2_block_free((void *)(uintptr_t)at), OS2_E_OWNER); /* given away is gone */
        CHECK_IS(pages_of(&p) - before, 1u << order);
        CHECK_IS(puppet_finish(&p, &m), OS2_OK);
        CHECK_IS(m.control, OS2_I_MESSAGE | OS2_I_BLOCK | (uint64_t)order << OS2_I_ORDER_SHIFT);
        CHECK_IS(m.w[3], at); /* the same address: pointers in it stay good */
        if (puppet_run(&p, PUPPET_READ, at, 0) && CHECK_IS(p.script->out[0], at + last) &&
            puppet_run(&p, PUPPET_READ, at + last, 0))
            CHECK_IS(p.script->out[0], order + 1000);
        m = (struct os2_message){.w = {[3] = at}};
        puppet_begin(&p, OS2_SYS_send, PUPPET_BOSS, OS2_F_BLOCK, &m);
        CHECK_IS(take(OS2_ACCEPT(OS2_ORDER_MAX), &m), OS2_OK);
        CHECK_IS(m.w[3], at);
        CHECK_IS(os2_message_order(&m), order);
        CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
        CHECK(b[0] == at + last && *(uint64_t *)(uintptr_t)(at + last) == order + 1000);
        CHECK_IS(os2_block_free(b), OS2_OK);
    }
    puppet_drop(&p);
}

/* The giver touches what it gave: a fault, for each size of leaf. It had used it before, so its TLB knew the page. */
static void touching_given(void) {
    static const unsigned orders[] = {0, 3, 9, 10};
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct puppet p;
        struct os2_process_end end;
        struct os2_message m = {.label = orders[i]};
        uint64_t at;

        NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = PUPPET_QUOTA + 1024}));
        CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
        at = m.label;
        CHECK(puppet_run(&p, PUPPET_WRITE, at, 5) != NULL);
        m = (struct os2_message){.w = {[3] = at}};
        puppet_begin(&p, OS2_SYS_send, PUPPET_BOSS, OS2_F_BLOCK, &m);
        CHECK_IS(take(OS2_ACCEPT(OS2_ORDER_MAX), &m), OS2_OK);
        CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
        puppet_begin_op(&p, i & 1 ? PUPPET_WRITE : PUPPET_READ, at, 6);
        if (puppet_ended(&p, &end)) {
            CHECK_IS(end.reason, OS2_END_FAULT);
            CHECK_IS(end.value, i & 1 ? OS2_FAULT_WRITE : OS2_FAULT_READ);
            CHECK_IS(end.address, at);
        }
        CHECK_IS(*(volatile uint64_t *)(uintptr_t)at, 5);
        CHECK_IS(os2_block_free((void *)(uintptr_t)at), OS2_OK);
    }
}

/* A block at a private address, read-only: it arrives at its exchange address, read-write. */
static void from_private(void) {
    struct puppet p;
    uint64_t at, moved;
    struct os2_message m;
    void *b = block(2);

    NEED(b && puppet_start(&p, 0, NULL));
    at = (uintptr_t)b;
    *(uint64_t *)b = 3;
    CHECK_IS(os2_block_place(b, 0x50000000, OS2_PROT_READ, &moved), OS2_OK);
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_ACCEPT(2), NULL);
    m = (struct os2_message){.w = {[3] = moved}};
    CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.w[3], at);
    CHECK(puppet_run(&p, PUPPET_READ, at, 0) && p.script->out[0] == 3);
    CHECK(puppet_run(&p, PUPPET_WRITE, at, 4) != NULL);
    puppet_drop(&p);
}

/* What the sender does not have. */
static void not_the_senders(void) {
    struct puppet p;
    unsigned weak;
    struct os2_message m;
    static const uint64_t addresses[] = {0, 4, 0x12345000, OS2_EXCHANGE_BASE, UINT64_MAX};

    NEED(puppet_start(&p, 0, NULL));
    for (size_t i = 0; i < COUNT(addresses); i++) {
        m = (struct os2_message){.w = {[3] = addresses[i]}};
        CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK, &m), OS2_E_OWNER);
        m = (struct os2_message){.w = {[3] = addresses[i]}};
        CHECK_IS(os2_call(p.inbox, OS2_F_BLOCK, &m), OS2_E_OWNER);
    }
    m = (struct os2_message){.w = {[2] = 0}};
    CHECK_IS(os2_send(p.inbox, OS2_F_HANDLE, &m), OS2_E_HANDLE);
    m = (struct os2_message){.w = {[2] = 250}};
    CHECK_IS(os2_call(p.inbox, OS2_F_HANDLE, &m), OS2_E_HANDLE);
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL & ~OS2_RIGHT_GIVE, &weak), OS2_OK);
    m = (struct os2_message){.w = {[2] = weak | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(os2_send(p.inbox, OS2_F_HANDLE, &m), OS2_E_RIGHTS);
    m = (struct os2_message){.w = {[2] = p.child.control | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(os2_send(p.inbox, OS2_F_HANDLE, &m), OS2_E_RIGHTS);
    os2_handle_close(weak);
    puppet_drop(&p);
}

/* A receiver that accepts less gets nothing, the sender keeps all; then a fitting message arrives. */
static void refused(void) {
    for (unsigned waits = 0; waits < 2; waits++) {
        struct puppet p;
        struct os2_message m;
        uint64_t *b = block(2);
        unsigned self;

        NEED(b && puppet_start(&p, 0, NULL));
        CHECK_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 9, OS2_RIGHTS_ALL, &self), OS2_OK);
        b[0] = 5;
        puppet_begin(&p, OS2_SYS_receive, 0, OS2_ACCEPT(1), NULL); /* too small, and no handle */
        if (waits)
            CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
        m = (struct os2_message){.w = {[3] = (uintptr_t)b}};
        CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK, &m), OS2_E_REFUSED);
        m = (struct os2_message){.w = {[3] = (uintptr_t)b}};
        CHECK_IS(os2_call(p.inbox, OS2_F_BLOCK, &m), OS2_E_REFUSED);
        m = (struct os2_message){.w = {[2] = self | (uint64_t)OS2_RIGHTS_ALL << 16}};
        CHECK_IS(os2_send(p.inbox, OS2_F_HANDLE, &m), OS2_E_REFUSED);
        CHECK_IS(b[0], 5);
        m = (struct os2_message){.label = 8};
        CHECK_IS(os2_send(p.inbox, 0, &m), OS2_OK);
        CHECK_IS(puppet_finish(&p, &m), OS2_OK);
        CHECK_IS(m.control, OS2_I_MESSAGE);
        CHECK_IS(m.label, 8);
        CHECK_IS(os2_block_free(b), OS2_OK);
        os2_handle_close(self);
        puppet_drop(&p);
    }
}

/* A block and a handle in one message: when the one is refused, neither moves. */
static void neither(void) {
    struct puppet p;
    struct os2_message m;
    void *b = block(0);
    unsigned self;

    NEED(b && puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 9, OS2_RIGHTS_ALL, &self), OS2_OK);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t before;
        puppet_begin(&p, OS2_SYS_receive, 0, i ? OS2_ACCEPT(0) : OS2_F_ACCEPT_HANDLE, NULL);
        CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
        before = pages_of(&p);
        m = (struct os2_message){.w = {0, 0, self | (uint64_t)OS2_RIGHTS_ALL << 16, (uintptr_t)b}};
        CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK | OS2_F_HANDLE, &m), OS2_E_REFUSED);
        CHECK_IS(pages_of(&p), before);
        CHECK_IS(os2_send(p.inbox, 0, &(struct os2_message){0}), OS2_OK);
        CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    }
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_ACCEPT(0) | OS2_F_ACCEPT_HANDLE, NULL);
    m = (struct os2_message){.w = {0, 1, self | (uint64_t)OS2_RIGHTS_ALL << 16, (uintptr_t)b}};
    CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK | OS2_F_HANDLE, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.control, OS2_I_MESSAGE | OS2_I_BLOCK | OS2_I_HANDLE);
    CHECK_IS(m.w[1], 1);
    os2_handle_close(self);
    puppet_drop(&p);
}

/* The receiver's quota and handle table. */
static void no_room(void) {
    struct puppet p;
    struct os2_message m;
    unsigned self, full = 0;
    void *b = block(9);

    NEED(b && puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_ACCEPT(OS2_ORDER_MAX), NULL);
    m = (struct os2_message){.w = {[3] = (uintptr_t)b}};
    CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK, &m), OS2_E_QUOTA); /* 512 pages of 400 */
    CHECK_IS(os2_send(p.inbox, 0, &(struct os2_message){0}), OS2_OK);
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    CHECK_IS(os2_block_free(b), OS2_OK);

    do {
        m = (struct os2_message){.label = OS2_HANDLE_INBOX};
        full++;
    } while (puppet_do(&p, OS2_SYS_handle_mint, 0, 0, &m) == OS2_OK && full < OS2_HANDLES);
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 9, OS2_RIGHTS_ALL, &self), OS2_OK);
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_F_ACCEPT_HANDLE, NULL);
    m = (struct os2_message){.w = {[2] = self | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(os2_send(p.inbox, OS2_F_HANDLE, &m), OS2_E_FULL);
    CHECK_IS(os2_send(p.inbox, 0, &(struct os2_message){0}), OS2_OK);
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    os2_handle_close(self);
    puppet_drop(&p);
}

/* A block needs room for itself and for its page tables; this one is alone in its 2 MiB, so it needs a table. */
static void table_quota(void) {
    struct puppet p;
    struct os2_message m;
    void *lone = block(9);
    uint64_t at = (uintptr_t)lone;

    NEED(lone && puppet_start(&p, 0, NULL));
    puppet_begin_op(&p, PUPPET_STARVE, 0, 0);
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
    /* The whole 2 MiB is this process's: no page of the puppet is in it. Given back, its first page is had again. */
    CHECK_IS(os2_block_free(lone), OS2_OK);
    void **page = NULL; /* a list of what had to be taken before it */
    unsigned count = 0;
    while (count++ < 20000 && (!page || (uintptr_t)page >> 21 != at >> 21)) {
        void **fresh = block(0);
        if (!fresh)
            break;
        *fresh = page;
        page = fresh;
    }
    if (CHECK_IS((uintptr_t)page >> 21, at >> 21)) {
        m = (struct os2_message){.w = {[3] = (uintptr_t)page}};
        CHECK_IS(os2_send(p.inbox, OS2_F_BLOCK, &m), OS2_E_QUOTA);
    }
    while (page) {
        void **before = *page;
        CHECK_IS(os2_block_free(page), OS2_OK);
        page = before;
    }
    CHECK_IS(os2_send(p.inbox, 0, &(struct os2_message){0}), OS2_OK);
    CHECK(puppet_finish_op(&p));
    CHECK_IS(p.script->out[0], OS2_I_MESSAGE);
    puppet_drop(&p);
}

/* Handles arrive with the rights that were left, and as copies. */
static void fewer_rights(void) {
    struct puppet p;
    struct os2_message m;
    unsigned index;

    NEED(puppet_start(&p, 0, NULL));
    index = puppet_handle(&p, p.inbox, OS2_RIGHT_SEND);
    CHECK(index != 0);
    m = (struct os2_message){.label = OS2_HANDLE_INBOX, .w = {55, OS2_RIGHTS_ALL}};
    CHECK_IS(puppet_do(&p, OS2_SYS_handle_mint, index, 0, &m), OS2_E_RIGHTS);
    m = (struct os2_message){.w = {[2] = index | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(puppet_do(&p, OS2_SYS_send, PUPPET_BOSS, OS2_F_HANDLE, &m), OS2_E_RIGHTS); /* not to be given on */
    index = puppet_handle(&p, p.inbox, OS2_RIGHT_GIVE);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&p, OS2_SYS_send, index, 0, &m), OS2_E_RIGHTS);
    m = (struct os2_message){0};
    CHECK_IS(os2_handle_close(p.inbox), OS2_OK); /* the copies live on */
    CHECK_IS(os2_handle_mint(p.child.control, OS2_HANDLE_INBOX, 1, OS2_RIGHTS_ALL, &p.inbox), OS2_OK);
    CHECK_IS(puppet_do(&p, OS2_SYS_handle_close, index, 0, &m), OS2_OK);
    puppet_drop(&p);
}

/* Answers carry blocks and handles too, as far as the call accepts them; a refused answer can be tried again. */
static void answers(void) {
    struct puppet p;
    struct os2_message m;
    uint64_t caller;
    unsigned self;
    void *b = block(1);

    NEED(b && puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 9, OS2_RIGHTS_ALL, &self), OS2_OK);
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, OS2_ACCEPT(0), NULL);
    CHECK_IS(take(0, &m), OS2_OK);
    caller = m.caller;
    m = (struct os2_message){.caller = caller, .w = {[3] = (uintptr_t)b}};
    CHECK_IS(os2_reply(OS2_F_BLOCK, &m), OS2_E_REFUSED);
    m = (struct os2_message){.caller = caller, .w = {[2] = self | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(os2_reply(OS2_F_HANDLE, &m), OS2_E_REFUSED);
    m = (struct os2_message){.caller = caller, .w = {[2] = p.child.control | (uint64_t)OS2_RIGHTS_ALL << 16}};
    CHECK_IS(os2_reply(OS2_F_HANDLE, &m), OS2_E_RIGHTS);
    CHECK(puppet_stuck(&p, OS2_STATE_CALL));
    m = (struct os2_message){.caller = caller, .label = 1};
    CHECK_IS(os2_reply(0, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);

    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, OS2_ACCEPT(1) | OS2_F_ACCEPT_HANDLE, NULL);
    CHECK_IS(take(0, &m), OS2_OK);
    m = (struct os2_message){.caller = m.caller, .w = {0, 0, self | UINT64_C(4) << 16, (uintptr_t)b}};
    CHECK_IS(os2_reply(OS2_F_BLOCK | OS2_F_HANDLE, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.control, OS2_I_MESSAGE | OS2_I_BLOCK | OS2_I_HANDLE | 1 << OS2_I_ORDER_SHIFT);
    CHECK_IS(m.w[3], (uintptr_t)b);

    /* Quota and table of the caller. */
    b = block(9);
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, OS2_ACCEPT(OS2_ORDER_MAX), NULL);
    CHECK_IS(take(0, &m), OS2_OK);
    caller = m.caller;
    m = (struct os2_message){.caller = caller, .w = {[3] = (uintptr_t)b}};
    CHECK_IS(os2_reply(OS2_F_BLOCK, &m), OS2_E_QUOTA);
    m = (struct os2_message){.caller = caller};
    CHECK_IS(os2_reply(0, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    os2_block_free(b);
    os2_handle_close(self);
    puppet_drop(&p);
}

/* A receive refuses a sender that waits, and waits on: what comes next is the puppet's script, which it accepts. */
static void queue_refused(void) {
    struct puppet p;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    m = (struct os2_message){.label = 1};
    CHECK_IS(puppet_do(&p, OS2_SYS_block_alloc, 0, 0, &m), OS2_OK);
    m = (struct os2_message){.w = {[3] = m.label}};
    puppet_begin(&p, OS2_SYS_send, PUPPET_BOSS, OS2_F_BLOCK, &m);
    CHECK(puppet_waits(&p, OS2_STATE_SEND));
    if (CHECK_IS(take(OS2_ACCEPT(0), &m), OS2_OK) && CHECK(m.control & OS2_I_BLOCK)) {
        p.script = os2_message_block(&m);
        CHECK_IS(p.script->m.control, (uint64_t)OS2_E_REFUSED);
    }
    puppet_drop(&p);
}

/* Nine who wait to send: eight what is not accepted, which one entry refuses; the rest costs one more token. */
static void many_refused(void) {
    enum { MANY = 9 };
    struct puppet p[MANY];
    struct os2_message m, own[MANY];
    unsigned n = 0, waiting = 0;

    for (bool good = true; n < MANY && good; n += good) {
        good = puppet_start(&p[n], n, NULL);
        own[n] = (struct os2_message){.label = 1};
        if (good)
            good = CHECK_IS(puppet_do(&p[n], OS2_SYS_block_alloc, 0, 0, &own[n]), OS2_OK);
    }
    for (bool good = n == MANY; waiting < MANY && good; waiting++) {
        m = (struct os2_message){.w = {[3] = own[waiting].label}};
        puppet_begin(&p[waiting], OS2_SYS_send, PUPPET_BOSS, waiting < MANY - 1 ? OS2_F_BLOCK : 0, &m);
        good = puppet_waits(&p[waiting], OS2_STATE_SEND);
    }
    if (CHECK_IS(waiting, MANY)) {
        m = (struct os2_message){.w = {[0] = 0, [4] = 0}}; /* no bits; a poll */
        uint64_t before = os2_tokens();
        CHECK_IS(raw(OS2_SYS_receive, 0, OS2_F_DEADLINE | OS2_F_MASK | OS2_ACCEPT(0), &m), OS2_OK);
        uint64_t after = os2_tokens();
        CHECK_IS(m.control, OS2_I_MESSAGE);
        CHECK_IS(m.badge, MANY - 1);
        if (after < before) /* the same turn */
            CHECK_IS(before - after, 3);
        for (unsigned i = 0; i < MANY; i++) {
            NEED_IS(take(OS2_ACCEPT(0), &m), OS2_OK);
            NEED(m.control & OS2_I_BLOCK && m.badge < MANY);
            p[m.badge].script = os2_message_block(&m);
            CHECK_IS(p[m.badge].script->m.control, m.badge < MANY - 1 ? (uint64_t)OS2_E_REFUSED : OS2_OK);
        }
    }
    for (unsigned i = 0; i < n; i++)
        puppet_drop(&p[i]);
}

static const struct test tests[] = {
    {"block-move block-same-address block-pointers block-count", "a block moves with a message, at every size", moving},
    {"block-gone", "touching a block that was given away is a fault", touching_given},
    {"block-arrives", "a private read-only block arrives at its exchange address, read-write", from_private},
    {"send-owner send-handle send-give control-stays", "what the sender may not give is refused", not_the_senders},
    {"send-refused", "what the receiver does not accept is refused, and it waits on", refused},
    {"parcel-both", "when block or handle is refused, neither moves", neither},
    {"send-quota send-full", "the receiver's quota and handle table", no_room},
    {"table-quota", "a block is refused where the quota has no room for its page tables", table_quota},
    {"handle-rights handle-copy", "a handle arrives with the rights that were kept", fewer_rights},
    {"reply-parcel reply-refused reply-rights reply-quota call-accept", "answers carry blocks and handles", answers},
    {"receive-refuses", "a receive that refuses a waiting sender waits on", queue_refused},
    {"receive-many", "a receive that refuses many is made again, as a call that costs", many_refused},
};
AREA(parcel, tests);
