/* SPDX-License-Identifier: MIT */
/* Notification bits: notify, masks, bits beside messages, watch. */
#include "systest.h"

#include "os2/time.h"

/* A handle to the puppet's bits. */
static unsigned bits_of(const struct puppet *p, uint64_t mask) {
    unsigned handle = 0;
    CHECK_IS(os2_handle_mint(p->inbox, OS2_HANDLE_NOTIFY, mask, OS2_RIGHTS_ALL, &handle), OS2_OK);
    return handle;
}

static int poll(uint64_t flags, uint64_t mask, struct os2_message *m) {
    *m = (struct os2_message){.w = {mask}};
    return os2_receive(OS2_F_DEADLINE | flags, m);
}

static void sticky(void) {
    unsigned self;
    struct os2_message m;

    NEED_IS(os2_handle_mint(0, OS2_HANDLE_NOTIFY, UINT64_MAX, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_notify(self, 1), OS2_OK);
    CHECK_IS(os2_notify(self, 1), OS2_OK);
    CHECK_IS(os2_notify(self, UINT64_C(1) << 63), OS2_OK);
    CHECK_IS(os2_notify(self, 0), OS2_OK);
    CHECK_IS(poll(0, 0, &m), OS2_OK);
    CHECK_IS(m.control, OS2_I_BITS);
    CHECK_IS(m.bits, UINT64_C(1) << 63 | 1);
    CHECK_IS(poll(0, 0, &m), OS2_E_WOULD_WAIT);
    os2_handle_close(self);
}

static void masks(void) {
    unsigned self;
    struct os2_message m;

    NEED_IS(os2_handle_mint(0, OS2_HANDLE_NOTIFY, 0xff, OS2_RIGHTS_ALL, &self), OS2_OK);
    CHECK_IS(os2_notify(self, 0x100), OS2_E_RIGHTS);
    CHECK_IS(os2_notify(self, 0x101), OS2_E_RIGHTS);
    CHECK_IS(poll(0, 0, &m), OS2_E_WOULD_WAIT); /* nothing of it was set */
    CHECK_IS(os2_notify(self, 0x0f), OS2_OK);
    CHECK_IS(poll(OS2_F_MASK, 0xf0, &m), OS2_E_WOULD_WAIT);
    CHECK_IS(poll(OS2_F_MASK, 0x03, &m), OS2_OK);
    CHECK_IS(m.bits, 0x03);
    CHECK_IS(poll(OS2_F_MASK, 0, &m), OS2_E_WOULD_WAIT);
    CHECK_IS(poll(0, 0, &m), OS2_OK);
    CHECK_IS(m.bits, 0x0c);
    os2_handle_close(self);
}

/* Bits outside its mask do not wake a receive; bits inside do, at once. */
static void waking(void) {
    struct puppet p;
    unsigned bits;
    struct os2_message m = {.w = {2}};

    NEED(puppet_start(&p, 0, NULL));
    bits = bits_of(&p, UINT64_MAX);
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_F_MASK, &m);
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
    CHECK_IS(os2_notify(bits, 1), OS2_OK);
    CHECK(puppet_stuck(&p, OS2_STATE_RECEIVE));
    CHECK_IS(os2_notify(bits, 2), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.control, OS2_I_BITS);
    CHECK_IS(m.bits, 2);
    CHECK(m.label == 0 && m.w[0] == 0 && m.w[4] == 0 && m.caller == 0 && m.badge == 0);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&p, OS2_SYS_receive, 0, OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(m.bits, 1);
    os2_handle_close(bits);
    puppet_drop(&p);
}

/* Neither starves the other: both are taken at once. */
static void beside_message(void) {
    struct puppet p;
    unsigned self;
    struct os2_message m = {.label = 6};

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_handle_mint(0, OS2_HANDLE_NOTIFY, 1 << 4, OS2_RIGHTS_ALL, &self), OS2_OK);
    puppet_begin(&p, OS2_SYS_send, PUPPET_BOSS, 0, &m);
    CHECK(puppet_waits(&p, OS2_STATE_SEND));
    CHECK_IS(os2_notify(self, 1 << 4), OS2_OK);
    m = (struct os2_message){.w = {[4] = os2_deadline_ms(HANG_MS)}};
    CHECK_IS(os2_receive(OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(m.control & (OS2_I_MESSAGE | OS2_I_BITS), OS2_I_MESSAGE | OS2_I_BITS);
    CHECK_IS(m.bits, 1 << 4);
    CHECK_IS(m.label, 6);
    CHECK_IS(puppet_finish(&p, NULL), OS2_OK);
    os2_handle_close(self);
    puppet_drop(&p);
}

/* Bits that come while a process runs, or waits for something else, stay for later. */
static void for_later(void) {
    struct puppet p;
    unsigned bits;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    bits = bits_of(&p, UINT64_MAX);
    m = (struct os2_message){.w = {[4] = os2_deadline_ms(PAUSE_MS)}};
    puppet_begin(&p, OS2_SYS_receive, 0, OS2_F_FROM | OS2_F_DEADLINE, &m); /* sleeps */
    CHECK_IS(os2_notify(bits, 8), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.control, OS2_OK);
    CHECK_IS(m.bits, 0);
    m = (struct os2_message){0};
    CHECK_IS(puppet_do(&p, OS2_SYS_receive, 0, OS2_F_DEADLINE, &m), OS2_OK);
    CHECK_IS(m.bits, 8);
    os2_handle_close(bits);
    puppet_drop(&p);
}

static void watching(void) {
    struct puppet p;
    uint64_t before = pages_in_hand();

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_watch(p.inbox, 1 << 20), OS2_OK);
    CHECK_IS(os2_watch(p.inbox, 1 << 21), OS2_OK); /* instead of the bits before */
    puppet_begin(&p, OS2_SYS_exit, 0, 0, NULL);
    CHECK(take_bits(1 << 21));
    /* Its pages are back when the bits come. */
    CHECK_IS(pages_in_hand(), before);
    CHECK(take_bits(p.end_bit));
    struct os2_message m = {.w = {1 << 20 | 1 << 21}};
    CHECK_IS(os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    puppet_drop(&p);
}

static void withdrawn(void) {
    struct puppet p;
    struct os2_message m = {.w = {1 << 20}};

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(os2_watch(p.inbox, 0), OS2_OK); /* there was nothing to withdraw */
    CHECK_IS(os2_watch(p.inbox, 1 << 20), OS2_OK);
    CHECK_IS(os2_watch(p.inbox, 0), OS2_OK);
    puppet_begin(&p, OS2_SYS_exit, 0, 0, NULL);
    CHECK(take_bits(p.end_bit));
    CHECK_IS(os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m), OS2_E_WOULD_WAIT);
    puppet_drop(&p);
}

/* However many watch one, there is room for its supervisor; a notify handle is good for it too. */
static void watchers(void) {
    struct puppet target, p[5] = {0};
    unsigned handle[5], i;
    struct os2_message m;

    NEED(puppet_start(&target, 0, NULL));
    for (i = 0; i < 5; i++) {
        if (!puppet_start(&p[i], i + 1, NULL))
            goto out;
        handle[i] = puppet_connect(&p[i], &target, 0);
        m = (struct os2_message){.label = 2};
        CHECK_IS(puppet_do(&p[i], OS2_SYS_watch, handle[i], 0, &m), OS2_OK);
    }
    CHECK_IS(os2_watch(target.inbox, 1 << 20), OS2_OK);
    m = (struct os2_message){.label = 0};
    CHECK_IS(puppet_do(&p[4], OS2_SYS_watch, handle[4], 0, &m), OS2_OK);
    m = (struct os2_message){0};
    puppet_begin(&p[0], OS2_SYS_exit, 0, 0, &m);
    CHECK(take_bits(p[0].end_bit));
    m = (struct os2_message){.label = OS2_HANDLE_NOTIFY, .w = {1, OS2_RIGHTS_ALL}};
    CHECK_IS(puppet_do(&p[4], OS2_SYS_handle_mint, handle[4], 0, &m), OS2_OK);
    handle[4] = (unsigned)m.label;
    m = (struct os2_message){.label = 2};
    CHECK_IS(puppet_do(&p[4], OS2_SYS_watch, handle[4], 0, &m), OS2_OK);
    CHECK_IS(os2_process_kill(target.child.control), OS2_OK);
    CHECK(take_bits(target.end_bit | 1 << 20));
    for (i = 1; i < 5; i++) {
        m = (struct os2_message){.w = {2}};
        CHECK_IS(puppet_do(&p[i], OS2_SYS_receive, 0, OS2_F_MASK | OS2_F_DEADLINE, &m), OS2_OK);
        CHECK_IS(m.bits, 2);
    }
out:
    for (i = 0; i < 5; i++)
        puppet_drop(&p[i]);
    puppet_drop(&target);
}

/* A watcher has 64 watches, and one of them back when what it watches ends. */
static void watched(void) {
    enum { MOST = 64 };
    struct os2_process_plan plan = {.quota = 3, .quantum = 1, .end_bits = 1, .name = "watched"};
    unsigned control[MOST + 1], inbox[MOST + 1], n = 0;
    uint64_t id;

    for (; n <= MOST; n++) {
        if (!CHECK_IS(os2_process_create(&plan, &control[n], &id), OS2_OK))
            break;
        CHECK_IS(os2_handle_mint(control[n], OS2_HANDLE_INBOX, 0, 0, &inbox[n]), OS2_OK);
        CHECK_IS(os2_watch(inbox[n], UINT64_C(1) << (n ? 20 : 21)), n < MOST ? OS2_OK : OS2_E_FULL);
    }
    if (n > MOST) {
        CHECK_IS(os2_watch(inbox[MOST], 0), OS2_OK);                     /* withdrawing needs no room */
        CHECK_IS(os2_watch(inbox[MOST - 1], UINT64_C(1) << 22), OS2_OK); /* nor does replacing */
        os2_process_kill(control[0]);
        CHECK(take_bits(UINT64_C(1) << 21));
        CHECK_IS(os2_watch(inbox[MOST], UINT64_C(1) << 20), OS2_OK);
    }
    while (n) {
        os2_handle_close(control[--n]);
        os2_handle_close(inbox[n]);
    }
    CHECK(take_bits(UINT64_C(1) << 22));
}

static const struct test tests[] = {
    {"notify-sticky notify-count", "bits stay until they are taken, and are not counted", sticky},
    {"notify-rights receive-mask", "a notify handle sets its badge's bits only; a mask takes its own", masks},
    {"notify-wakes", "a receive wakes for bits of its mask", waking},
    {"bits-beside", "bits come together with a message", beside_message},
    {"notify-later sleep-bits", "bits that nobody takes stay for later", for_later},
    {"watch-end watch-replace watch-pages", "a watch tells of the end, with all pages back", watching},
    {"watch-withdraw", "a watch is withdrawn", withdrawn},
    {"watch-many watch-notify", "many watch one, and its supervisor can too", watchers},
    {"watch-full", "a watcher has 64 watches", watched},
};
AREA(notify, tests);
