/* SPDX-License-Identifier: MIT */
/* Waits: deadlines, polls, peers that die, cycles and chains. */
#include "systest.h"

#include "os2/string.h"
#include "os2/time.h"

static void polls(void) {
    struct puppet p;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    m = (struct os2_message){0};
    CHECK_IS(os2_receive(OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    m = (struct os2_message){0};
    CHECK_IS(os2_receive_from(p.inbox, OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    /* The puppet waits for this process, but in a sleep it takes nothing. */
    m = (struct os2_message){.w = {[4] = OS2_FOREVER}};
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_F_FROM | OS2_F_DEADLINE, &m);
    CHECK(puppet_stuck(&p, OS2_STATE_SLEEP));
    m = (struct os2_message){0};
    CHECK_IS(os2_send(p.inbox, OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    m = (struct os2_message){0};
    CHECK_IS(os2_call(p.inbox, OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    puppet_drop(&p);
    /* A poll finds one that waits. */
    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
    m = (struct os2_message){.label = 3};
    CHECK_IS(os2_send(p.inbox, OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.label, 3);
    puppet_drop(&p);
}

/* A call with deadline 0 is given to a server that waits, and its wait for the answer is over at once. */
static void poll_call(void) {
    struct puppet server, client;
    struct os2_message m;
    unsigned handle;

    NEED(puppet_start(&server, 0, NULL));
    if (puppet_start(&client, 1, NULL)) {
        handle = puppet_connect(&client, &server, 1);
        puppet_begin(&server, OS2_SYS_receive, 0, 0, NULL);
        CHECK(puppet_stuck(&server, OS2_STATE_RECEIVE));
        m = (struct os2_message){.label = 4};
        puppet_begin(&client, OS2_SYS_call, handle, OS2_F_DEADLINE, &m);
        CHECK_IS(puppet_finish_polling(&client, NULL), OS2_E_TIMEOUT); /* waiting for it could close a cycle */
        CHECK_IS(puppet_finish(&server, &m), OS2_OK);
        CHECK_IS(m.label, 4);
        m = (struct os2_message){.caller = m.caller};
        CHECK_IS(puppet_do(&server, OS2_SYS_reply, 0, 0, &m), OS2_E_NOT_WAITING);
        puppet_drop(&client);
    }
    puppet_drop(&server);
}

/* Each kind of wait ends at its deadline: not before, and soon after. */
static void deadlines(void) {
    struct puppet p;
    uint64_t rate, start;
    struct os2_message m;
    static const struct {
        enum os2_syscall number;
        uint64_t flags;
        int status;
    } waits[] = {
        {OS2_SYS_receive, 0, OS2_E_TIMEOUT},       {OS2_SYS_receive, OS2_F_FROM, OS2_E_TIMEOUT},
        {OS2_SYS_send, 0, OS2_E_TIMEOUT},          {OS2_SYS_call, 0, OS2_E_TIMEOUT},
        {OS2_SYS_reply_receive, 0, OS2_E_TIMEOUT},
    };

    NEED(puppet_start(&p, 0, NULL));
    m = (struct os2_message){.w = {[4] = OS2_FOREVER}};
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_F_FROM | OS2_F_DEADLINE, &m);
    CHECK(puppet_stuck(&p, OS2_STATE_SLEEP));
    for (size_t i = 0; i < COUNT(waits); i++) {
        start = os2_clock(&rate);
        m = (struct os2_message){.w = {[4] = start + rate / 50}};
        CHECK_IS(raw(waits[i].number, waits[i].number == OS2_SYS_reply_receive ? 0 : p.inbox,
                     waits[i].flags | OS2_F_DEADLINE, &m),
                 waits[i].status);
        CHECK(os2_clock(NULL) >= start + rate / 50);
        CHECK(os2_clock(NULL) < start + rate / 1000 * HANG_MS);
        CHECK(m.label == 0 && m.w[0] == 0 && m.caller == 0 && m.bits == 0);
        /* A deadline in the past: the wait begins and is over. */
        m = (struct os2_message){.w = {[4] = 1}};
        CHECK_IS(raw(waits[i].number, waits[i].number == OS2_SYS_reply_receive ? 0 : p.inbox,
                     waits[i].flags | OS2_F_DEADLINE, &m),
                 waits[i].status);
    }
    start = os2_clock(NULL);
    m = (struct os2_message){.w = {[4] = start + rate / 50}};
    CHECK_IS(raw(OS2_SYS_receive, 0, OS2_F_FROM | OS2_F_DEADLINE, &m), OS2_OK); /* sleep */
    CHECK_IS(m.control, OS2_OK);
    CHECK(os2_clock(NULL) >= start + rate / 50);
    puppet_drop(&p);
}

/* Many deadlines at once, in mixed order: none ends before its time, and on one core they end in the order of their
 * times. (Who was woken later may tell it earlier on another core.) False: not all slept before the first was due. */
static bool deadlines_from(struct puppet *p, unsigned n, uint64_t base, uint64_t apart) {
    unsigned last = 0;
    bool in_time;

    for (unsigned i = 0; i < n; i++) {
        struct os2_message m = {.w = {[4] = base + i * 5 % n * apart}};
        puppet_begin(&p[i], OS2_SYS_receive, 0, OS2_F_FROM | OS2_F_DEADLINE, &m);
    }
    in_time = os2_clock(NULL) < base;
    /* Each sends its script back when it has slept: take them as they come. */
    for (unsigned i = 0; i < n; i++) {
        struct os2_message m = {.w = {[4] = os2_deadline_ms(HANG_MS)}};
        if (!CHECK_IS(os2_receive(OS2_F_DEADLINE | OS2_F_MASK | OS2_ACCEPT(0), &m), OS2_OK) || m.badge >= n)
            break;
        p[m.badge].script = os2_message_block(&m);
        CHECK(os2_clock(NULL) >= base + m.badge * 5 % n * apart);
        CHECK(m.badge * 5 % n >= last || cores > 1 || !in_time);
        last = m.badge * 5 % n;
    }
    return in_time;
}

static void many_deadlines(void) {
    enum { N = 6 };
    struct puppet p[N] = {0};
    uint64_t rate, hang = os2_deadline_ms(HANG_MS), from;
    unsigned i;

    for (i = 0; i < N; i++)
        if (!puppet_start(&p[i], i, NULL))
            goto out;
    os2_clock(&rate);
    for (from = rate / 10; !deadlines_from(p, N, os2_clock(NULL) + from, rate / 50); from *= 2)
        if (!CHECK(os2_clock(NULL) < hang))
            break;
out:
    for (i = 0; i < N; i++)
        puppet_drop(&p[i]);
}

/* A wait that ended otherwise is not hit by its old deadline, nor is the next wait. */
static void stale_deadline(void) {
    struct puppet p;
    struct os2_message m;
    unsigned ms = 2 * PAUSE_MS;
    int status;

    NEED(puppet_start(&p, 0, NULL));
    while (1) { /* until the message comes before the deadline */
        m = (struct os2_message){.w = {[4] = os2_deadline_ms(ms)}};
        puppet_begin(&p, OS2_SYS_receive, 0, OS2_F_DEADLINE, &m);
        do
            status = os2_send(p.inbox, OS2_F_DEADLINE, &(struct os2_message){0});
        while (status == OS2_E_WOULD_WAIT && os2_clock(NULL) < m.w[4]);
        if (status == OS2_OK)
            break;
        NEED_IS(puppet_finish(&p, NULL), OS2_E_TIMEOUT);
        NEED((ms *= 2) < HANG_MS);
    }
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
    os2_sleep_ms(ms + 3 * PAUSE_MS);
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
    CHECK_IS(os2_send(p.inbox, 0, &(struct os2_message){0}), OS2_OK);
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    puppet_drop(&p);
}

/* The peer ends during each kind of wait for it. */
static void peer_dies(void) {
    static const struct {
        enum os2_syscall number;
        uint64_t flags;
        enum os2_process_state state;
        bool taken;
    } waits[] = {
        {OS2_SYS_send, 0, OS2_STATE_SEND, false},
        {OS2_SYS_call, 0, OS2_STATE_SEND, false},
        {OS2_SYS_call, 0, OS2_STATE_CALL, true},
        {OS2_SYS_receive, OS2_F_FROM, OS2_STATE_RECEIVE, false},
        {OS2_SYS_reply_receive, OS2_F_FROM, OS2_STATE_RECEIVE, false},
    };
    for (size_t i = 0; i < COUNT(waits); i++) {
        for (unsigned way = 0; way < 3; way++) { /* killed, by its own exit, by a fault */
            struct puppet server, client;
            struct os2_message m = {0};
            struct os2_process_end end;
            unsigned handle;

            NEED(puppet_start(&server, 0, NULL));
            NEED(puppet_start(&client, 1, NULL));
            handle = puppet_connect(&client, &server, 1);
            if (waits[i].taken || way == 0)
                puppet_begin(&server, OS2_SYS_receive, waits[i].taken ? 0 : PUPPET_BOSS,
                             waits[i].taken ? 0 : OS2_F_FROM, NULL);
            puppet_begin(&client, waits[i].number, handle, waits[i].flags, &m);
            CHECK(puppet_stuck(&client, waits[i].state));
            if (waits[i].taken)
                CHECK_IS(puppet_finish(&server, NULL), OS2_OK);
            if (way == 0)
                CHECK_IS(os2_process_kill(server.child.control), OS2_OK);
            else if (way == 1)
                puppet_begin(&server, OS2_SYS_exit, 0, 0, NULL);
            else
                puppet_begin_op(&server, PUPPET_WRITE, 0, 0);
            CHECK_IS(puppet_finish(&client, &m), OS2_E_DIED);
            CHECK(m.label == 0 && m.w[0] == 0 && m.w[4] == 0 && m.caller == 0 && m.bits == 0);
            puppet_ended(&server, &end);
            puppet_drop(&client);
        }
    }
}

static void to_oneself(void) {
    unsigned self;
    struct os2_message m = {0};

    NEED_IS(os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_send(self, 0, &m), OS2_E_DEADLOCK);
    CHECK_IS(os2_call(self, 0, &m), OS2_E_DEADLOCK);
    m = (struct os2_message){0};
    CHECK_IS(os2_send(self, OS2_F_DEADLINE, &m), OS2_E_DEADLOCK);
    CHECK_IS(os2_receive_from(self, 0, &m), OS2_E_DEADLOCK);
    os2_handle_close(self);
}

/* Rings of processes: all but the last wait, the last is refused; then the ring comes apart. */
static void rings(void) {
    enum { MOST = 10 };
    static const unsigned sizes[] = {2, 3, MOST};
    static const enum os2_syscall kinds[] = {OS2_SYS_call, OS2_SYS_send};

    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t s = 0; s < COUNT(sizes); s++) {
            unsigned n = sizes[s], next[MOST], i;
            struct puppet p[MOST] = {0};
            struct os2_message m = {0};

            for (i = 0; i < n; i++)
                if (!puppet_start(&p[i], i, NULL))
                    goto out;
            for (i = 0; i < n; i++)
                next[i] = puppet_connect(&p[i], &p[(i + 1) % n], 1);
            for (i = 0; i + 1 < n; i++) {
                puppet_begin(&p[i], kinds[k], next[i], 0, NULL);
                CHECK(puppet_stuck(&p[i], OS2_STATE_SEND));
            }
            CHECK_IS(puppet_do(&p[n - 1], kinds[k], next[n - 1], 0, &m), OS2_E_DEADLOCK);
            CHECK_IS(puppet_do(&p[n - 1], OS2_SYS_call, next[n - 1], 0, &m), OS2_E_DEADLOCK);
            /* Nothing of the failed calls is left: the ring is undone from its end. */
            for (i = n - 1; i-- > 0;) {
                m = (struct os2_message){0};
                CHECK_IS(puppet_do(&p[i + 1], OS2_SYS_receive, 0, 0, &m), OS2_OK);
                if (kinds[k] == OS2_SYS_call) {
                    m = (struct os2_message){.caller = m.caller};
                    CHECK_IS(puppet_do(&p[i + 1], OS2_SYS_reply, 0, 0, &m), OS2_OK);
                }
                CHECK_IS(puppet_finish(&p[i], NULL), OS2_OK);
            }
out:
            for (i = 0; i < n; i++)
                puppet_drop(&p[i]);
        }
    }
}

/* Cycles with a receive from one process in them; and what looks like one but is a meeting. */
static void rings_of_receives(void) {
    struct puppet a, b;
    struct os2_message m = {0};
    unsigned to_b, to_a;

    NEED(puppet_start(&a, 0, NULL));
    NEED(puppet_start(&b, 1, NULL));
    to_b = puppet_connect(&a, &b, 1);
    to_a = puppet_connect(&b, &a, 1);
    /* a waits for b's answer, b for a message of a. */
    puppet_begin(&b, OS2_SYS_receive, 0, 0, NULL);
    CHECK(puppet_stuck(&b, OS2_STATE_RECEIVE));
    puppet_begin(&a, OS2_SYS_call, to_b, 0, NULL);
    CHECK_IS(puppet_finish(&b, &m), OS2_OK);
    CHECK(puppet_stuck(&a, OS2_STATE_CALL));
    uint64_t caller = m.caller;
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&b, OS2_SYS_receive, to_a, OS2_F_FROM, &m), OS2_E_DEADLOCK);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&b, OS2_SYS_receive, to_a, OS2_F_FROM | OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    CHECK_IS(puppet_do(&b, OS2_SYS_call, to_a, 0, &m), OS2_E_DEADLOCK);
    m = (struct os2_message){.caller = caller};
    CHECK_IS(puppet_do(&b, OS2_SYS_reply, 0, 0, &m), OS2_OK);
    CHECK_IS(puppet_finish(&a, NULL), OS2_OK);
    /* Both wait for a message of the other. */
    puppet_begin(&a, OS2_SYS_receive, to_b, OS2_F_FROM, NULL);
    CHECK(puppet_stuck(&a, OS2_STATE_RECEIVE));
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&b, OS2_SYS_receive, to_a, OS2_F_FROM, &m), OS2_E_DEADLOCK);
    /* A meeting: b sends to a, which waits for b. */
    m = (struct os2_message){.label = 7};
    CHECK_IS(puppet_do(&b, OS2_SYS_send, to_a, 0, &m), OS2_OK);
    CHECK_IS(puppet_finish(&a, &m), OS2_OK);
    CHECK_IS(m.label, 7);
    /* And the other way round: the sender is there first. */
    puppet_begin(&b, OS2_SYS_send, to_a, 0, NULL);
    CHECK(puppet_stuck(&b, OS2_STATE_SEND));
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&a, OS2_SYS_receive, to_b, OS2_F_FROM, &m), OS2_OK);
    CHECK_IS(puppet_finish(&b, NULL), OS2_OK);
    puppet_drop(&a);
    puppet_drop(&b);
}

/* A wait with a deadline closes a cycle like any other. */
static void ring_with_deadline(void) {
    struct puppet p;
    struct os2_message m = {.w = {[4] = os2_deadline_ms(HANG_MS)}}, back = {0};

    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, OS2_F_DEADLINE, &m);
    m = (struct os2_message){.w = {[4] = os2_deadline_ms(HANG_MS)}};
    NEED_IS(raw(OS2_SYS_receive, 0, OS2_F_DEADLINE | OS2_F_MASK, &m), OS2_OK);
    CHECK(m.caller != 0);
    back.w[4] = os2_deadline_ms(HANG_MS);
    CHECK_IS(raw(OS2_SYS_send, p.inbox, OS2_F_DEADLINE, &back), OS2_E_DEADLOCK);
    back = (struct os2_message){.caller = m.caller};
    CHECK_IS(raw(OS2_SYS_reply, 0, 0, &back), OS2_OK);
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    puppet_drop(&p);
}

/* OS2_CHAIN_MAX processes may wait one for the next; one more may not. The last one waits for its script. */
static void chains(void) {
    enum { N = OS2_CHAIN_MAX + 1 };
    static struct puppet p[N];
    static unsigned next[N];
    struct os2_message m = {0};
    unsigned i;

    memset(p, 0, sizeof(p));
    for (i = 0; i < N; i++)
        if (!puppet_start(&p[i], i, &(struct puppet_plan){.quota = 120}))
            goto out;
    for (i = 0; i + 1 < N; i++)
        next[i] = puppet_connect(&p[i], &p[i + 1], 1);
    if (!CHECK(puppet_stuck(&p[N - 1], OS2_STATE_RECEIVE))) /* on a slow core it may not have come so far yet */
        goto out;
    /* From the far end: each finds a chain that is one longer. */
    for (i = N - 1; i-- > 1;) {
        puppet_begin(&p[i], OS2_SYS_send, next[i], 0, NULL);
        CHECK(puppet_stuck(&p[i], OS2_STATE_SEND));
    }
    puppet_begin(&p[0], OS2_SYS_send, next[0], 0, NULL);
    CHECK_IS(puppet_finish_polling(&p[0], NULL), OS2_E_CHAIN);
    puppet_begin(&p[0], OS2_SYS_call, next[0], 0, NULL);
    CHECK_IS(puppet_finish_polling(&p[0], NULL), OS2_E_CHAIN);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&p[N - 1], OS2_SYS_receive, 0, 0, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p[N - 2], NULL), OS2_OK);
    /* One link less: it may wait. */
    puppet_begin(&p[0], OS2_SYS_send, next[0], 0, NULL);
    CHECK(puppet_stuck(&p[0], OS2_STATE_SEND));
out:
    for (i = 0; i < N; i++)
        puppet_drop(&p[i]);
}

static const struct test tests[] = {
    {"poll", "a poll finds nothing, or one that waits", polls},
    {"poll-call", "a call with deadline 0 is given, and its answer is late", poll_call},
    {"deadline deadline-past sleep timeout-results", "each kind of wait ends at its deadline", deadlines},
    {"deadline-order", "many deadlines in mixed order", many_deadlines},
    {"deadline-stale", "an old deadline does not hit a later wait", stale_deadline},
    {"wait-died call-died send-died from-died rr-died", "the peer ends during each kind of wait", peer_dies},
    {"self", "waiting for oneself is a deadlock", to_oneself},
    {"deadlock", "rings of 2, 3 and 10", rings},
    {"deadlock-from meeting", "rings with selective receives; meetings are none", rings_of_receives},
    {"deadlock-deadline", "a ring one of whose waits has a deadline", ring_with_deadline},
    {"chain", "a chain of 32 may wait, one of 33 may not", chains},
};
AREA(wait, tests);
