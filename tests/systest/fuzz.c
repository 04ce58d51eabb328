/* SPDX-License-Identifier: MIT */
/*
 * Random system calls: children that make thousands of them with registers half random and half plausible, several at
 * once, with handles to each other. They may end, fail, or be killed at the end of their time; the system goes on, and
 * every page comes back.
 *
 * What a fuzzer holds: handles to its neighbours and to this process, a machine handle that may only observe, and the
 * blocks and children that it gets. Not to be reached: power, the console's devices, the log's text.
 */
#include "systest.h"

#include "arch_user.h"
#include "lib/format.h"
#include "os2/string.h"
#include "os2/time.h"

#define FUZZERS 3u
#define CALLS 1500u
#define SEEDS 6u

/* ---- The child. ---- */

static uint64_t state;
static uint64_t blocks[16];

static uint64_t next(void) {
    return random_word(&state);
}

static uint64_t address(void) {
    static const uint64_t odd[] = {
        0, 8, OS2_PRIVATE_MIN, OS2_EXCHANGE_BASE, OS2_EXCHANGE_BASE * 2, ARCH_KERNEL_ADDRESS};
    switch (next() % 6) {
    case 0:
        return odd[next() % COUNT(odd)];
    case 1:
        return next();
    case 2:
        return (next() % (UINT64_C(1) << 36)) & ~UINT64_C(0xfff);
    default:
        return blocks[next() % COUNT(blocks)];
    }
}

static uint64_t word(void) {
    switch (next() % 5) {
    case 0:
        return next() % 16;
    case 1:
        return address();
    case 2:
        return UINT64_C(1) << next() % 64;
    case 3:
        return next() % 12 | (next() & 0xfff) << 16; /* a handle to give */
    default:
        return next();
    }
}

static bool waits(unsigned number) {
    return number == OS2_SYS_send || number == OS2_SYS_receive || number == OS2_SYS_call ||
           number == OS2_SYS_reply_receive;
}

static void one_call(uint64_t *caller) {
    unsigned number = (unsigned)(next() % (OS2_SYS_COUNT + 1)), handle = (unsigned)(next() % 12);
    uint64_t flags = next() & 0x3f7f00;
    struct os2_message m = {.label = word(), .w = {word(), word(), word(), word(), word()}, .caller = next()};
    uint64_t was = m.label;

    if (number == OS2_SYS_exit && next() % 64)
        number = OS2_SYS_tokens;
    if (number == OS2_SYS_log)
        m.label = 0; /* never text */
    if (number == OS2_SYS_firmware_console)
        m.label |= OS2_FIRMWARE_GET;
    if (number == OS2_SYS_block_alloc || number == OS2_SYS_process_create)
        m.label = next() % (number == OS2_SYS_block_alloc ? 12 : 200);
    if (number == OS2_SYS_process_create) {
        m.w[0] = next() % 64;
        m.w[1] = next() % (2 * OS2_WATCHDOG_DEFAULT_MS);
    }
    if (number == OS2_SYS_block_free || number == OS2_SYS_block_place || number == OS2_SYS_process_give)
        m.label = address();
    if (flags & OS2_F_BLOCK && next() % 4)
        m.w[3] = blocks[next() % COUNT(blocks)];
    if ((number == OS2_SYS_reply || number == OS2_SYS_reply_receive) && next() % 4)
        m.caller = *caller;
    if (waits(number)) {
        flags |= OS2_F_DEADLINE;
        m.w[4] = next() % 3 ? os2_clock(NULL) + next() % 20000 : 0;
    }
    was = m.label;
    int status = raw((enum os2_syscall)number, handle, flags, &m);
    if (status < 0)
        return;
    if (number == OS2_SYS_block_alloc)
        blocks[next() % COUNT(blocks)] = m.label;
    else if (number == OS2_SYS_block_place)
        for (unsigned i = 0; i < COUNT(blocks); i++)
            blocks[i] = blocks[i] == was ? m.label : blocks[i];
    else if ((number == OS2_SYS_receive || number == OS2_SYS_call || number == OS2_SYS_reply_receive) &&
             m.control & OS2_I_BLOCK)
        blocks[next() % COUNT(blocks)] = m.w[3];
    if ((number == OS2_SYS_receive || number == OS2_SYS_reply_receive) && m.caller)
        *caller = m.caller;
}

int fuzz_main(int argc, char **argv) {
    uint64_t caller = 0, calls;

    if (argc != 2 || !os2_string_number(argv[0], &state) || !os2_string_number(argv[1], &calls))
        return 1;
    for (uint64_t i = 0; i < calls; i++)
        one_call(&caller);
    return 0;
}

/* ---- The test. ---- */

static bool start(struct os2_child *child, unsigned number, uint64_t seed) {
    struct os2_child_plan plan = {
        .image = image,
        .image_size = image_size,
        .process = {.quota = 1500,
                    .quantum = 50,
                    .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS,
                    .end_bits = UINT64_C(1) << number,
                    .name = "fuzz"},
    };
    return CHECK_IS(os2_child_create(&plan, child, NULL), OS2_OK) &&
           CHECK_IS(os2_child_grant(child, "machine", machine, OS2_RIGHT_OBSERVE | OS2_RIGHT_GIVE), OS2_OK) &&
           seed != 0;
}

/* Everybody gets handles to everybody, and to this process. */
static bool connect(struct os2_child *children) {
    for (unsigned i = 0; i < FUZZERS; i++) {
        for (unsigned j = 0; j <= FUZZERS; j++) {
            for (unsigned kind = OS2_HANDLE_INBOX; kind <= OS2_HANDLE_NOTIFY; kind++) {
                unsigned handle;
                uint64_t badge = kind == OS2_HANDLE_NOTIFY ? (j < FUZZERS ? UINT64_MAX : 0) : i;
                int status = os2_handle_mint(j < FUZZERS ? children[j].control : 0, (enum os2_handle_kind)kind, badge,
                                             OS2_RIGHTS_ALL & ~OS2_RIGHT_MINT, &handle);
                if (!CHECK_IS(status, OS2_OK))
                    return false;
                status = os2_process_grant(children[i].control, handle, OS2_RIGHTS_ALL, 0, NULL);
                os2_handle_close(handle);
                if (!CHECK_IS(status, OS2_OK))
                    return false;
            }
        }
    }
    return true;
}

static void round_of(uint64_t seed) {
    struct os2_child children[FUZZERS] = {0};
    uint64_t running = 0, limit;
    char text[2][24];
    const char *argv[] = {"systest", "fuzz", text[0], text[1]};
    unsigned i;

    for (i = 0; i < FUZZERS; i++)
        if (!start(&children[i], i, seed))
            goto out;
    if (!connect(children))
        goto out;
    format(text[1], sizeof(text[1]), "%u", CALLS);
    for (i = 0; i < FUZZERS; i++) {
        format(text[0], sizeof(text[0]), "%lu", seed * FUZZERS + i);
        if (!CHECK_IS(os2_child_start(&children[i], COUNT(argv), argv), OS2_OK))
            goto out;
        running |= UINT64_C(1) << i;
    }
    limit = os2_deadline_ms(3000);
    while (running && os2_clock(NULL) < limit) {
        struct os2_message m = {.w = {running, 0, 0, 0, limit}};
        int status = os2_receive(OS2_F_MASK | OS2_F_DEADLINE | OS2_ACCEPT(3) | OS2_F_ACCEPT_HANDLE, &m);
        if (status < 0)
            continue;
        if (m.control & OS2_I_BITS)
            running &= ~m.bits;
        if (m.control & OS2_I_BLOCK)
            os2_block_free(os2_message_block(&m));
        if (m.control & OS2_I_HANDLE)
            os2_handle_close((unsigned)m.w[2]);
        if (m.control & OS2_I_MESSAGE && m.caller) {
            struct os2_message answer = {.caller = m.caller, .label = seed};
            os2_reply(0, &answer);
        }
    }
    for (i = 0; i < FUZZERS; i++) {
        struct os2_process_end end;
        if (running >> i & 1 || os2_process_end(children[i].control, 0, &end) < 0)
            continue;
        CHECK(end.reason == OS2_END_EXIT || end.reason == OS2_END_FAULT);
    }
out:
    for (i = 0; i < FUZZERS; i++)
        os2_child_drop(&children[i]);
}

static void fuzz(void) {
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct os2_process_facts before, after;
        CHECK_IS(os2_process_facts(0, 0, &before), OS2_OK);
        round_of(seed);
        for (unsigned i = 0; i < HANG_MS / 10; i++) {
            CHECK_IS(os2_process_facts(0, 0, &after), OS2_OK);
            if (after.quota == before.quota)
                break;
            os2_sleep_ms(10);
        }
        CHECK_IS(after.quota, before.quota);
    }
}

static const struct test tests[] = {
    {"fuzz failed-nothing", "thousands of random calls: the system goes on, no page is lost", fuzz},
};
AREA(fuzz, tests);
