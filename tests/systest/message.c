/* SPDX-License-Identifier: MIT */
/* Send, receive, call: words, order, selection, the wait. */
#include "systest.h"

#include "os2/time.h"

/* Receives from anybody, with a deadline that is a hang. */
static int take(uint64_t flags, struct os2_message *m) {
    *m = (struct os2_message){.w = {[4] = os2_deadline_ms(HANG_MS)}};
    return os2_receive(flags | OS2_F_DEADLINE | OS2_F_MASK, m); /* mask 0: no bits */
}

/* All words, both ways round: the receiver waits first, the sender waits first. */
static void words(void) {
    struct puppet p;
    const struct os2_message sent = {.label = 1, .w = {2, 3, 4, 5, 6}, .caller = 7, .badge = 8, .bits = 9};
    struct os2_message m;

    NEED(puppet_start(&p, 3, NULL));
    for (unsigned i = 0; i < 2; i++) {
        puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
        if (i)
            CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
        m = sent;
        CHECK_IS(os2_send(p.inbox, 0, &m), OS2_OK);
        CHECK_IS(m.label | m.w[0] | m.w[1] | m.w[2] | m.w[3] | m.w[4] | m.caller | m.badge | m.bits, 0);
        CHECK_IS(puppet_finish(&p, &m), OS2_OK);
        CHECK_IS(m.control, OS2_I_MESSAGE);
        CHECK(m.label == 1 && m.w[0] == 2 && m.w[1] == 3 && m.w[2] == 4 && m.w[3] == 5 && m.w[4] == 6);
        CHECK(m.caller == 0 && m.badge == 1 && m.bits == 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        puppet_begin(&p, OS2_SYS_send, PUPPET_BOSS, 0, &sent);
        if (i)
            CHECK(puppet_waits(&p, OS2_STATE_SEND));
        CHECK_IS(take(0, &m), OS2_OK);
        CHECK_IS(m.control, OS2_I_MESSAGE);
        CHECK(m.label == 1 && m.w[0] == 2 && m.w[1] == 3 && m.w[2] == 4 && m.w[3] == 5 && m.w[4] == 6);
        CHECK(m.caller == 0 && m.badge == 3 && m.bits == 0);
        CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    }
    puppet_drop(&p);
}

/* Where the sender has its deadline, the receiver finds 0. */
static void deadline_word(void) {
    struct puppet p;
    struct os2_message m = {.w = {[4] = OS2_FOREVER}};

    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
    CHECK_IS(os2_send(p.inbox, OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.w[4], 0);
    puppet_drop(&p);
}

/* A send waits until it is taken, and the senders of one process wait in order. */
static void order(void) {
    struct puppet server, client[4] = {0};
    struct os2_message m;
    unsigned i;

    NEED(puppet_start(&server, 0, NULL));
    for (i = 0; i < 4; i++) {
        if (!puppet_start(&client[i], i + 1, NULL))
            goto out;
        m = (struct os2_message){.label = i};
        puppet_begin(&client[i], OS2_SYS_send, puppet_connect(&client[i], &server, i), 0, &m);
        CHECK(puppet_stuck(&client[i], OS2_STATE_SEND));
    }
    for (i = 0; i < 4; i++) {
        m = (struct os2_message){0};
        CHECK_IS(puppet_do(&server, OS2_SYS_receive, 0, 0, &m), OS2_OK);
        CHECK_IS(m.label, i);
        CHECK_IS(m.badge, i);
        CHECK_IS(puppet_finish(&client[i], NULL), OS2_OK);
    }
out:
    for (i = 0; i < 4; i++)
        puppet_drop(&client[i]);
    puppet_drop(&server);
}

/* Receive from one: the others stay where they are, in order; no bits come. */
static void selective(void) {
    struct puppet server, client[3] = {0};
    unsigned from[3], i, bits;
    struct os2_message m;

    NEED(puppet_start(&server, 0, NULL));
    for (i = 0; i < 3; i++) {
        if (!puppet_start(&client[i], i + 1, NULL))
            goto out;
        from[i] = puppet_connect(&server, &client[i], 0);
        m = (struct os2_message){.label = i};
        puppet_begin(&client[i], OS2_SYS_send, puppet_connect(&client[i], &server, i), 0, &m);
        CHECK(puppet_stuck(&client[i], OS2_STATE_SEND));
    }
    CHECK_IS(os2_handle_mint(server.inbox, OS2_HANDLE_NOTIFY, 4, OS2_RIGHTS_ALL, &bits), OS2_OK);
    CHECK_IS(os2_notify(bits, 4), OS2_OK);
    os2_handle_close(bits);
    static const unsigned wanted[] = {1, 0, 2};
    for (i = 0; i < 3; i++) {
        m = (struct os2_message){0};
        CHECK_IS(puppet_do(&server, OS2_SYS_receive, from[wanted[i]], OS2_F_FROM, &m), OS2_OK);
        CHECK_IS(m.control, OS2_I_MESSAGE);
        CHECK_IS(m.label, wanted[i]);
        CHECK_IS(m.bits, 0);
        CHECK_IS(puppet_finish(&client[wanted[i]], NULL), OS2_OK);
    }
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&server, OS2_SYS_receive, from[0], OS2_F_FROM | OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&server, OS2_SYS_receive, 0, OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(m.bits, 4);
    /* Waiting for one, it does not take another's message. */
    puppet_begin(&server, OS2_SYS_receive, from[0], OS2_F_FROM, NULL);
    CHECK(puppet_stuck(&server, OS2_STATE_RECEIVE));
    m = (struct os2_message){.label = 8};
    puppet_begin(&client[2], OS2_SYS_send, PUPPET_BOSS + 1, 0, &m);
    CHECK(puppet_stuck(&client[2], OS2_STATE_SEND));
    m = (struct os2_message){.label = 9};
    CHECK_IS(puppet_do(&client[0], OS2_SYS_send, PUPPET_BOSS + 1, 0, &m), OS2_OK);
    CHECK_IS(puppet_finish(&server, &m), OS2_OK);
    CHECK_IS(m.label, 9);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&server, OS2_SYS_receive, 0, 0, &m), OS2_OK);
    CHECK_IS(m.label, 8);
    CHECK_IS(puppet_finish(&client[2], NULL), OS2_OK);
out:
    for (i = 0; i < 3; i++)
        puppet_drop(&client[i]);
    puppet_drop(&server);
}

/* A handle without the right to send is good for receiving from its process. */
static void from_without_right(void) {
    struct puppet p;
    struct os2_message m = {.label = 4};
    unsigned silent;

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(p.inbox, OS2_HANDLE_INBOX, 1, OS2_RIGHTS_ALL & ~OS2_RIGHT_SEND, &silent), OS2_OK);
    puppet_begin(&p, OS2_SYS_send, PUPPET_BOSS, 0, &m);
    m = (struct os2_message){0};
    CHECK_IS(os2_receive_from(silent, 0, &m), OS2_OK);
    CHECK_IS(m.label, 4);
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    os2_handle_close(silent);
    puppet_drop(&p);
}

/* A call is answered, whoever waits first; the server sees who called. */
static void calling(void) {
    struct puppet p;
    struct os2_message m, answer;

    NEED(puppet_start(&p, 2, NULL));
    for (unsigned i = 0; i < 2; i++) {
        const struct os2_message asked = {.label = 10, .w = {1, 2, 3, 4, 5}};
        puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, &asked);
        if (i)
            CHECK(puppet_waits(&p, OS2_STATE_SEND));
        CHECK_IS(take(0, &m), OS2_OK);
        CHECK(m.label == 10 && m.w[0] == 1 && m.w[4] == 5 && m.badge == 2);
        CHECK(m.caller != 0);
        CHECK(puppet_stuck(&p, OS2_STATE_CALL));
        const uint64_t caller = m.caller;
        answer = (struct os2_message){.label = 20, .w = {6, 7, 8, 9, 10}, .caller = m.caller};
        CHECK_IS(os2_reply(0, &answer), OS2_OK);
        CHECK_IS(puppet_finish(&p, &m), OS2_OK);
        CHECK_IS(m.control, OS2_I_MESSAGE);
        CHECK(m.label == 20 && m.w[0] == 6 && m.w[1] == 7 && m.w[2] == 8 && m.w[3] == 9 && m.w[4] == 10);
        CHECK((m.caller == 0 || m.caller == caller) && m.badge == 0 && m.bits == 0);
    }
    puppet_drop(&p);
}

/* A call does not take bits, nor messages of others. */
static void call_takes_no_bits(void) {
    struct puppet p;
    unsigned bits;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    puppet_begin(&p, OS2_SYS_call, PUPPET_BOSS, 0, NULL);
    CHECK(puppet_waits(&p, OS2_STATE_SEND));
    CHECK_IS(os2_handle_mint(p.inbox, OS2_HANDLE_NOTIFY, 8 | 16, OS2_RIGHTS_ALL, &bits), OS2_OK);
    CHECK_IS(os2_notify(bits, 8), OS2_OK);
    CHECK_IS(take(0, &m), OS2_OK);
    CHECK(puppet_stuck(&p, OS2_STATE_CALL));
    CHECK_IS(os2_notify(bits, 16), OS2_OK);
    os2_handle_close(bits);
    m = (struct os2_message){.caller = m.caller};
    CHECK_IS(os2_reply(0, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.control, OS2_I_MESSAGE);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&p, OS2_SYS_receive, 0, OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(m.bits, 8 | 16);
    puppet_drop(&p);
}

static void to_the_dead(void) {
    struct puppet p;
    unsigned inbox, notify;
    struct os2_message m = {0};

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(p.inbox, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &inbox), OS2_OK);
    CHECK_IS(os2_handle_mint(p.inbox, OS2_HANDLE_NOTIFY, 1, OS2_RIGHTS_ALL, &notify), OS2_OK);
    CHECK_IS(os2_process_kill(p.child.control), OS2_OK);
    take_bits(p.end_bit);
    CHECK_IS(os2_send(inbox, 0, &m), OS2_E_DIED);
    CHECK_IS(os2_call(inbox, 0, &m), OS2_E_DIED);
    CHECK_IS(os2_receive_from(inbox, 0, &m), OS2_E_DIED);
    m.w[4] = 0;
    CHECK_IS(os2_receive_from(inbox, OS2_F_DEADLINE, &m), OS2_E_DIED);
    CHECK_IS(os2_notify(notify, 1), OS2_E_DIED);
    CHECK_IS(os2_watch(inbox, 1), OS2_E_DIED);
    puppet_drop(&p);
    CHECK_IS(os2_send(inbox, 0, &m), OS2_E_DIED);
    os2_handle_close(inbox);
    os2_handle_close(notify);
}

static enum os2_process_state state_of(const struct puppet *puppet) {
    struct os2_process_facts facts = {0};
    CHECK_IS(os2_process_facts(puppet->child.control, 0, &facts), OS2_OK);
    return facts.state;
}

/* What waits here from the next process in a slot is nobody's who receives from the one before. */
static void stranger(void) {
    struct puppet p, heir;
    struct os2_message m = {.label = 77};
    unsigned inbox;
    bool same = false;

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(p.inbox, OS2_HANDLE_INBOX, 0, 0, &inbox), OS2_OK);
    uint64_t slot = p.child.id & OS2_ID_SLOT_MASK;
    CHECK_IS(os2_process_kill(p.child.control), OS2_OK);
    take_bits(p.end_bit);
    puppet_drop(&p);
    for (unsigned i = 0; i < 20 && !same; i++) { /* others may be starting and ending */
        NEED(puppet_start(&heir, 0, NULL));
        same = (heir.child.id & OS2_ID_SLOT_MASK) == slot;
        if (!same)
            puppet_drop(&heir);
    }
    if (CHECK(same)) {
        puppet_begin(&heir, OS2_SYS_send, PUPPET_BOSS, 0, &m);
        for (unsigned i = 0; i < HANG_MS / PAUSE_MS && state_of(&heir) != OS2_STATE_SEND; i++)
            os2_sleep_ms(PAUSE_MS);
        m = (struct os2_message){0};
        CHECK_IS(os2_receive_from(inbox, OS2_F_DEADLINE, &m), OS2_E_DIED);
        CHECK_IS(os2_receive_from(inbox, 0, &m), OS2_E_DIED);
        CHECK_IS(state_of(&heir), OS2_STATE_SEND);
        CHECK_IS(os2_receive_from(heir.inbox, 0, &m), OS2_OK);
        CHECK_IS(m.label, 77);
        CHECK_IS(puppet_finish(&heir, NULL), OS2_OK);
        puppet_drop(&heir);
    }
    os2_handle_close(inbox);
}

static const struct test tests[] = {
    {"send-words send-result message-caller", "the words of a message arrive, whoever waits first", words},
    {"deadline-word", "where the sender had a deadline, the receiver finds 0", deadline_word},
    {"send-wait send-order", "a send waits until it is taken; senders wait in order", order},
    {"from from-bits", "receive from one leaves others and bits where they are", selective},
    {"from-right", "receiving from a process needs no right to send to it", from_without_right},
    {"call-answer call-caller call-words", "a call is answered, whoever waits first", calling},
    {"call-bits", "a call takes no bits", call_takes_no_bits},
    {"send-died call-died from-died notify-died watch-died", "a handle to an ended process is dead", to_the_dead},
    {"from-stranger", "nothing comes from the next one in its slot", stranger},
};
AREA(message, tests);
