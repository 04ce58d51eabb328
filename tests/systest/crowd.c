/* SPDX-License-Identifier: MIT */
/*
 * A crowd: processes that call, send, answer, notify, and give each other blocks and handles, at random, while some are
 * killed and others started in their slots, on all cores at once. What one of them sees is held against what must be:
 *
 *     an answer is that of the call: its word follows from the call's, also where the server failed it
 *     a message comes to the process that its handle was made for, never to a later one in the slot: its badge says so
 *     a block that comes holds what its address says; a fresh one is 0; what was not taken is there as it was
 *     a deadline does not pass early, and no bits come that were not asked for
 *
 * A member ends with the line here that saw something else, or is killed. The suite sees that nobody ends in another
 * way, that the crowd never stands still, and that all comes back in the end.
 */
#include "systest.h"

#include "lib/format.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"

#define LASTS_MS 3000u
#define ROUNDS_LEAST 4u  /* also on a slow host */
#define ROUNDS_MOST 400u /* also where an instruction is a nanosecond, which makes 3 s long */
#define CROWD 120u
#define MEMBER_PAGES 60u /* of quota beside the least */
#define PEERS 6u
#define CALLERS 4u
#define BLOCKS 6u
#define ORDERS 4u
#define MOST_MS 20u /* no member waits longer, unless it is woken */

static uint64_t seed, identity, rate;

static uint64_t any(uint64_t below) {
    return random_word(&seed) % below;
}

/* ---- A member. ---- */

static unsigned peer[PEERS], peers;
static struct { uint64_t caller, word; } held[CALLERS];
static struct {
    uint64_t address;
    unsigned order;
} own[BLOCKS];
static unsigned owned;

#define MUST(x)                                                                                                        \
    do {                                                                                                               \
        if (!(x))                                                                                                      \
            os2_exit(__LINE__);                                                                                        \
    } while (0)

/* The answer to a call with this word. */
static uint64_t answer_to(uint64_t word) {
    uint64_t state = word;
    return random_word(&state);
}

/* The first and the last word of each page of a block. */
static void block_mark(uint64_t address, unsigned order) {
    for (uint64_t at = address; at < address + (OS2_PAGE_SIZE << order); at += OS2_PAGE_SIZE) {
        uint64_t *word = (uint64_t *)(uintptr_t)at;
        word[0] = ~at;
        word[OS2_PAGE_SIZE / 8 - 1] = at;
    }
}

static bool block_marked(uint64_t address, unsigned order) {
    bool good = true;
    for (uint64_t at = address; at < address + (OS2_PAGE_SIZE << order); at += OS2_PAGE_SIZE) {
        const uint64_t *word = (const uint64_t *)(uintptr_t)at;
        good = good && word[0] == ~at && word[OS2_PAGE_SIZE / 8 - 1] == at;
    }
    return good;
}

static void fresh_block(void) {
    unsigned order = (unsigned)any(ORDERS);
    void *memory;
    if (owned == BLOCKS || os2_block_alloc(order, &memory) < 0)
        return;
    const uint64_t *word = memory;
    for (uint64_t i = 0; i < (OS2_PAGE_SIZE << order) / 8; i++)
        MUST(word[i] == 0);
    own[owned].address = (uintptr_t)memory;
    own[owned].order = order;
    block_mark(own[owned].address, order);
    owned++;
}

static void drop_block(void) {
    if (!owned)
        return;
    unsigned i = (unsigned)any(owned);
    MUST(block_marked(own[i].address, own[i].order));
    MUST(os2_block_free((void *)(uintptr_t)own[i].address) == OS2_OK);
    own[i] = own[--owned];
}

/* Something to give with a message, perhaps; *ret_block: which block, BLOCKS for none. */
static uint64_t load(struct os2_message *m, unsigned *ret_block) {
    uint64_t flags = 0;
    *ret_block = BLOCKS;
    if (owned && any(3) == 0) {
        *ret_block = (unsigned)any(owned);
        m->w[3] = own[*ret_block].address;
        flags |= OS2_F_BLOCK;
    }
    if (peers && any(3) == 0) {
        m->w[2] = peer[any(peers)] | OS2_RIGHTS_ALL << 16;
        flags |= OS2_F_HANDLE;
    }
    return flags;
}

/* After a message with block `i`: gone if it was taken, and else there as it was; `taken` below 0: only the kernel
 * knows. */
static void unload(unsigned i, int taken) {
    uint64_t where;
    if (i == BLOCKS)
        return;
    int status = os2_block_place((void *)(uintptr_t)own[i].address, 0, OS2_PROT_READ | OS2_PROT_WRITE, &where);
    MUST(status == OS2_OK || status == OS2_E_OWNER);
    MUST(taken < 0 || taken == (status == OS2_E_OWNER));
    if (status == OS2_E_OWNER)
        own[i] = own[--owned];
    else
        MUST(block_marked(own[i].address, own[i].order));
}

/* The same where something may have come: if it is that block, it went and came back at once. */
static void unload_or_back(unsigned i, int taken, int status, const struct os2_message *m) {
    if (i < BLOCKS && status >= 0 && m->control & OS2_I_BLOCK && m->w[3] == own[i].address)
        own[i] = own[--owned];
    else
        unload(i, taken);
}

static uint64_t accept(void) {
    return (owned < BLOCKS && any(3) ? OS2_ACCEPT(any(ORDERS)) : 0) | (any(3) ? OS2_F_ACCEPT_HANDLE : 0);
}

/* Keep what came with a message. */
static void keep(const struct os2_message *m) {
    if (m->control & OS2_I_BLOCK) {
        MUST(owned < BLOCKS && block_marked(m->w[3], os2_message_order(m)));
        own[owned].address = m->w[3];
        own[owned++].order = os2_message_order(m);
    }
    if (m->control & OS2_I_HANDLE) {
        unsigned i = (unsigned)any(PEERS);
        if (i < peers)
            MUST(os2_handle_close(peer[i]) == OS2_OK);
        else
            i = peers++;
        peer[i] = (unsigned)m->w[2];
    }
}

/* Fail a call, so that its client can tell which of its calls it was. */
static void fail(uint64_t caller, uint64_t word) {
    struct os2_message m = {.caller = caller, .label = ~answer_to(word)};
    os2_reply(OS2_F_FAIL, &m);
}

static void received(const struct os2_message *m, uint64_t mask) {
    MUST(!(m->control & OS2_I_BITS) || (m->bits && !(m->bits & ~mask)));
    keep(m);
    if (!(m->control & OS2_I_MESSAGE))
        return;
    MUST(m->badge == identity);
    if (!m->caller)
        return;
    unsigned i = (unsigned)any(CALLERS);
    if (held[i].caller)
        fail(held[i].caller, held[i].word);
    held[i].caller = m->caller;
    held[i].word = m->w[0];
}

/* A deadline: none to speak of, in the past, soon, or later. */
static uint64_t deadline(void) {
    uint64_t now = os2_clock(NULL);
    switch (any(5)) {
    case 0:
        return 0;
    case 1:
        return now - any(1000);
    case 2:
        return now + any(rate / 10000);
    default:
        return now + any(rate / 1000 * MOST_MS);
    }
}

static void make_call(void) {
    uint64_t word = random_word(&seed);
    struct os2_message m = {.w = {word}};
    unsigned given;
    if (!peers)
        return;
    uint64_t flags = load(&m, &given) | accept();
    if (any(4)) {
        flags |= OS2_F_DEADLINE;
        m.w[4] = deadline();
    } else if (any(2)) {
        flags &= ~(uint64_t)(OS2_F_HANDLE | OS2_F_ACCEPT_HANDLE); /* the entry path's */
    }
    int status = os2_call(peer[any(peers)], flags, &m);
    bool told = status != OS2_E_TIMEOUT && status != OS2_E_DIED;
    unload_or_back(given, told ? status >= 0 || status == OS2_E_FAILED : -1, status, &m);
    MUST(status < 0 || (m.control & OS2_I_MESSAGE && m.label == answer_to(word)));
    MUST(status != OS2_E_FAILED || m.label == ~answer_to(word));
    if (status >= 0)
        keep(&m);
}

static void make_send(void) {
    struct os2_message m = {0};
    unsigned given;
    if (!peers)
        return;
    uint64_t flags = load(&m, &given);
    m.w[4] = deadline();
    unload(given, os2_send(peer[any(peers)], flags | OS2_F_DEADLINE, &m) == OS2_OK);
}

static void make_receive(void) {
    uint64_t until = deadline(), flags = accept() | OS2_F_DEADLINE, mask = any(4) ? ~UINT64_C(0) : random_word(&seed);
    struct os2_message m = {.w = {mask, 0, 0, 0, until}};
    bool one = peers && any(6) == 0;
    int status = one ? os2_receive_from(peer[any(peers)], flags, &m) : os2_receive(flags | OS2_F_MASK, &m);
    MUST(status != OS2_E_TIMEOUT || os2_clock(NULL) >= until);
    MUST(status != OS2_E_WOULD_WAIT || until == 0);
    if (status >= 0)
        received(&m, one ? 0 : mask);
}

/* Answer one of the calls that are held, if any; with some of the answers goes a receive. */
static void make_answer(void) {
    unsigned i = (unsigned)any(CALLERS), given;
    uint64_t caller = held[i].caller, word = held[i].word;
    struct os2_message m = {.caller = caller, .label = answer_to(word)};
    uint64_t flags = load(&m, &given);
    int status;

    held[i].caller = 0;
    if (any(2)) {
        status = os2_reply(flags, &m);
        unload(given, status == OS2_OK);
    } else {
        if (any(2)) {
            flags |= accept() | OS2_F_DEADLINE;
            m.w[4] = deadline();
        } else {
            flags &= ~(uint64_t)OS2_F_HANDLE; /* the entry path's */
        }
        status = os2_reply_receive(flags, &m);
        unload_or_back(given, -1, status, &m);
        if (status >= 0)
            received(&m, ~UINT64_C(0));
    }
    if (caller && (status == OS2_E_REFUSED || status == OS2_E_QUOTA || status == OS2_E_FULL))
        fail(caller, word);
}

static void make_notify(void) {
    unsigned handle;
    if (!peers || os2_handle_mint(peer[any(peers)], OS2_HANDLE_NOTIFY, UINT64_MAX, OS2_RIGHTS_ALL, &handle) < 0)
        return;
    os2_notify(handle, random_word(&seed));
    if (any(4) == 0)
        os2_watch(handle, random_word(&seed));
    MUST(os2_handle_close(handle) == OS2_OK);
}

/* A child that may never run, and goes with its parent. */
static void make_child(void) {
    struct os2_process_plan plan = {
        .quota = 4 + any(8), .quantum = 1, .watchdog_ms = 1 + any(OS2_WATCHDOG_DEFAULT_MS), .name = "crowd's"};
    unsigned control;
    uint64_t id;
    if (any(16) || os2_process_create(&plan, &control, &id) < 0)
        return;
    if (any(2))
        os2_process_start(control, OS2_PRIVATE_MIN, 0, 0);
    if (any(2))
        MUST(os2_handle_close(control) == OS2_OK);
}

int crowd_main(int argc, char **argv) {
    static void (*const acts[])(void) = {
        make_call,    make_call,    make_call,    make_call,   make_send,   make_receive,
        make_receive, make_receive, make_receive, make_answer, make_answer, make_answer,
        make_child,   make_notify,  fresh_block,  drop_block,  os2_yield,
    };
    uint64_t handles;

    if (argc != 3 || !os2_string_number(argv[0], &seed) || !os2_string_number(argv[1], &identity) ||
        !os2_string_number(argv[2], &handles))
        return __LINE__;
    os2_clock(&rate);
    while (peers < handles) { /* they are the first in its table */
        peer[peers] = peers + 1;
        peers++;
    }
    for (;;)
        acts[any(COUNT(acts))]();
}

/* ---- The suite's part. ---- */

static struct os2_child crowd[CROWD];

/* Starts a member that has handles to some of the others, whether or not they live. */
static int start(struct os2_child *child) {
    struct os2_child_plan plan = {
        .image = image,
        .image_size = image_size,
        .process = {.quantum = 1 + any(30), .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS, .end_bits = 1, .name = "crowd"},
    };
    char text[3][24];
    const char *argv[] = {"systest", "member", text[0], text[1], text[2]};
    unsigned handles = 0;

    int status = os2_child_least(image, image_size, 0, &plan.process.quota);
    plan.process.quota += MEMBER_PAGES;
    if (status >= 0)
        status = os2_child_create(&plan, child, NULL);
    for (unsigned i = 0; i < PEERS && status >= 0; i++) {
        const struct os2_child *other = &crowd[any(CROWD)];
        unsigned handle;
        if (!other->control)
            continue;
        status = os2_handle_mint(other->control, OS2_HANDLE_INBOX, other->id, OS2_RIGHTS_ALL, &handle);
        if (status >= 0) {
            status = os2_process_grant(child->control, handle, OS2_RIGHTS_ALL, 0, NULL);
            os2_handle_close(handle);
            handles++;
        }
    }
    format(text[0], sizeof(text[0]), "%lu", random_word(&seed));
    format(text[1], sizeof(text[1]), "%lu", child->id);
    format(text[2], sizeof(text[2]), "%u", handles);
    if (status >= 0)
        status = os2_child_start(child, COUNT(argv), argv);
    if (status < 0)
        os2_child_drop(child);
    return status;
}

/* Those who have ended, if any, have done so as they may. */
static void look(void) {
    for (unsigned i = 0; i < CROWD; i++) {
        struct os2_process_end end;
        if (!crowd[i].control || os2_process_end(crowd[i].control, 0, &end) < 0)
            continue;
        CHECK_IS(end.reason, OS2_END_KILLED);
        if (end.reason != OS2_END_KILLED)
            CHECK_IS(end.value, 0); /* the line in this file */
        os2_child_drop(&crowd[i]);
    }
}

/* A few, and now and then half of them at once. */
static void kill_some(void) {
    for (uint64_t n = any(4) ? any(4) : CROWD / 2; n; n--) {
        struct os2_child *child = &crowd[any(CROWD)];
        if (child->control && any(2))
            os2_process_kill(child->control);
        else
            os2_child_drop(child);
    }
}

/* Some may wait without a deadline. */
static void wake_some(void) {
    for (unsigned n = 0; n < 4; n++) {
        const struct os2_child *child = &crowd[any(CROWD)];
        unsigned handle;
        if (!child->control ||
            os2_handle_mint(child->control, OS2_HANDLE_NOTIFY, UINT64_MAX, OS2_RIGHTS_ALL, &handle) < 0)
            continue;
        os2_notify(handle, 1);
        os2_handle_close(handle);
    }
}

static void test_crowd(void) {
    struct os2_process_facts before, after;
    uint64_t until = os2_deadline_ms(LASTS_MS);
    unsigned rounds = 0;

    os2_clock(&rate);
    NEED_IS(os2_process_facts(0, 0, &before), OS2_OK);
    for (; rounds < ROUNDS_LEAST || (rounds < ROUNDS_MOST && os2_clock(NULL) < until); rounds++) {
        struct os2_message m = {.w = {[4] = os2_clock(NULL) + any(rate / 100)}};
        os2_receive(OS2_F_DEADLINE, &m);
        look();
        kill_some();
        wake_some();
        for (unsigned i = 0; i < CROWD; i++)
            if (!crowd[i].control && start(&crowd[i]) < 0)
                break; /* no quota for so many now */
    }
    os2_printf("# %u rounds\n", rounds);
    look();
    for (unsigned i = 0; i < CROWD; i++)
        os2_child_drop(&crowd[i]);
    for (unsigned i = 0; i < HANG_MS / 10; i++) {
        NEED_IS(os2_process_facts(0, 0, &after), OS2_OK);
        if (after.quota == before.quota)
            break;
        os2_sleep_ms(10);
    }
    CHECK_IS(after.quota, before.quota);
    CHECK_IS(after.pages, before.pages);
}

static const struct test tests[] = {
    {"crowd identity reply-late send-died", "a crowd that talks while some of it are killed and others come",
     test_crowd},
};
AREA(crowd, tests);
