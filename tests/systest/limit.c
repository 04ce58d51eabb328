/* SPDX-License-Identifier: MIT */
/* Crowds and storms: many at once, and all pages back. */
#include "systest.h"

#include "arch_test.h"
#include "os2/time.h"

#define DEVICE_BIT (UINT64_C(1) << 50)

/* Many clients call one server at once; each gets its own answer. */
static void crowd(void) {
    enum { N = 12, CALLS = 25 };
    static struct puppet client[N];
    struct puppet server;
    unsigned handle[N], i;

    NEED(puppet_start(&server, 0, NULL));
    puppet_begin_op(&server, PUPPET_ECHO, N * CALLS, 0);
    for (i = 0; i < N; i++) {
        if (!puppet_start(&client[i], i + 1, NULL))
            goto out;
        CHECK_IS(puppet_handle(&client[i], server.inbox, OS2_RIGHTS_ALL), PUPPET_BOSS + 1);
        handle[i] = PUPPET_BOSS + 1;
    }
    for (unsigned round = 0; round < CALLS; round++) {
        struct os2_message m;
        for (i = 0; i < N; i++) {
            m = (struct os2_message){.label = round, .w = {i}};
            puppet_begin(&client[i], OS2_SYS_call, handle[i], 0, &m);
        }
        for (i = 0; i < N; i++) {
            CHECK_IS(puppet_finish(&client[i], &m), OS2_OK);
            CHECK(m.label == round && m.w[0] == i);
        }
    }
    CHECK(puppet_finish_op(&server));
out:
    for (i = 0; i < N; i++)
        puppet_drop(&client[i]);
    puppet_drop(&server);
}

/* Processes made, started and ended in a row. */
static void life_after_life(void) {
    struct puppet p;
    struct os2_process_end end;
    for (unsigned i = 0; i < 40; i++) {
        NEED(puppet_start(&p, 0, NULL));
        puppet_begin(&p, OS2_SYS_exit, 0, 0, &(struct os2_message){.label = i});
        if (puppet_ended(&p, &end))
            CHECK_IS(end.value, i);
    }
}

/* A process is killed at a random moment of its calls to another; neither is harmed by it. */
static void killed_anywhere(void) {
    uint64_t random = 12345;
    for (unsigned i = 0; i < 40; i++) {
        struct puppet server, client;
        unsigned handle;
        NEED(puppet_start(&server, 0, NULL));
        NEED(puppet_start(&client, 1, NULL));
        handle = puppet_connect(&client, &server, 1);
        puppet_begin_op(&server, PUPPET_ECHO, 1000, 0);
        puppet_begin(&client, OS2_SYS_call, handle, 0, NULL);
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        for (unsigned n = random >> 60; n > 0; n--)
            os2_yield();
        CHECK_IS(os2_process_kill(i & 1 ? server.child.control : client.child.control), OS2_OK);
        if (i & 1) {
            int status = puppet_finish(&client, NULL);
            CHECK(status == OS2_OK || status == OS2_E_DIED);
        }
        puppet_drop(&client);
        puppet_drop(&server);
    }
}

/* A block goes round a ring of processes; each adds one to its first word by being told to. */
static void round_trip(void) {
    enum { N = 5, ROUNDS = 10 };
    struct puppet p[N] = {0};
    unsigned handle[N], i;
    struct os2_message m;
    uint64_t *b = block(0);

    NEED(b != NULL);
    for (i = 0; i < N; i++)
        if (!puppet_start(&p[i], i, NULL))
            goto out;
    for (i = 0; i < N; i++)
        handle[i] = puppet_connect(&p[i], &p[(i + 1) % N], 1);
    puppet_begin(&p[0], OS2_SYS_receive, 0, OS2_ACCEPT(0), NULL);
    m = (struct os2_message){.w = {[3] = (uintptr_t)b}};
    CHECK_IS(os2_send(p[0].inbox, OS2_F_BLOCK, &m), OS2_OK);
    CHECK_IS(puppet_finish(&p[0], NULL), OS2_OK);
    for (unsigned n = 0; n < N * ROUNDS; n++) {
        struct puppet *from = &p[n % N], *to = &p[(n + 1) % N];
        CHECK(puppet_run(from, PUPPET_READ, (uintptr_t)b, 0) && CHECK_IS(from->script->out[0], n));
        CHECK(puppet_run(from, PUPPET_WRITE, (uintptr_t)b, n + 1) != NULL);
        puppet_begin(to, OS2_SYS_receive, 0, OS2_ACCEPT(0), NULL);
        m = (struct os2_message){.w = {[3] = (uintptr_t)b}};
        CHECK_IS(puppet_do(from, OS2_SYS_send, handle[n % N], OS2_F_BLOCK, &m), OS2_OK);
        CHECK_IS(puppet_finish(to, &m), OS2_OK);
        CHECK_IS(m.w[3], (uintptr_t)b);
    }
out:
    for (i = 0; i < N; i++)
        puppet_drop(&p[i]);
}

/* The clearing of 1 GiB, 2 MiB an entry at most and a token for 64 KiB, delays nobody: meanwhile this process has as
 * many turns as it takes, and a device's interrupt comes through. */
static void great_block(void) {
    enum { ORDER = 18, QUANTUM = 4, STEPS = 1 << (ORDER - 9), TOKENS = 1 << (ORDER - 4) };
    struct puppet p;
    struct os2_message m;
    struct os2_process_facts before, after = {0};
    uint64_t at = 0, irq = 0, turns = 0, came = 0;

    if (cores > 1) /* beside another core nobody is delayed anyway */
        return skip("needs one core");
    if (os2_quota_left() < (UINT64_C(1) << ORDER) + 2000)
        return skip("needs more memory");
    NEED(arch_device_open(machine));
    if (ARCH_DEVICE_BASE)
        NEED_IS(os2_device_claim(machine, OS2_DEVICE_MEMORY, ARCH_DEVICE_BASE, 0, &at), OS2_OK);
    NEED_IS(os2_device_claim(machine, OS2_DEVICE_IRQ, ARCH_DEVICE_IRQ, 1, &irq), OS2_OK);
    CHECK_IS(os2_irq_bind((unsigned)irq, DEVICE_BIT), OS2_OK);
    NEED(puppet_start(&p, 0, &(struct puppet_plan){.quota = (UINT64_C(1) << ORDER) + 1000, .quantum = QUANTUM}));
    CHECK_IS(os2_process_facts(p.child.control, 0, &before), OS2_OK);
    puppet_begin(&p, OS2_SYS_block_alloc, 0, 0, &(struct os2_message){.label = ORDER});
    for (; after.pages < 1u << ORDER || after.tokens - before.tokens < TOKENS; turns++) {
        os2_yield();
        if (turns == 4)
            arch_device_fire(at);
        if (turns > 4 && !came) {
            m = (struct os2_message){.w = {DEVICE_BIT}};
            if (os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m) >= 0 && m.bits == DEVICE_BIT)
                came = turns;
        }
        if (!CHECK_IS(os2_process_facts(p.child.control, 0, &after), OS2_OK) ||
            (after.state == OS2_STATE_SEND && after.pages < 1u << ORDER))
            break;
    }
    int status = puppet_finish(&p, &m);
    if (status == OS2_E_MEMORY) {
        skip("the heap has no such block");
    } else {
        CHECK_IS(status, OS2_OK);
        CHECK(turns >= STEPS / QUANTUM / 2);
        CHECK(came > 0 && came < turns);
    }
    arch_device_quiet(at);
    do { /* it may have come once more before it was quiet */
        CHECK_IS(os2_irq_ack((unsigned)irq), OS2_OK);
        os2_sleep_ms(PAUSE_MS);
        m = (struct os2_message){.w = {DEVICE_BIT}};
    } while (os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m) >= 0);
    CHECK_IS(os2_irq_bind((unsigned)irq, 0), OS2_OK);
    os2_handle_close((unsigned)irq);
    if (at)
        CHECK_IS(os2_block_free((void *)(uintptr_t)at), OS2_OK);
    puppet_drop(&p);
}

static const struct test tests[] = {
    {"call-answer", "a crowd of clients, each with its own answers", crowd},
    {"identity exit-pages", "forty lives in a row", life_after_life},
    {"kill kill-waits", "killed anywhere in its calls", killed_anywhere},
    {"block-move block-gone", "a block goes round a ring", round_trip},
};
AREA(limit, tests);

/* Early in the suite: later ones take all memory page by page, and magazines then keep some of it in each 1 GiB. */
static const struct test great_tests[] = {
    {"alloc-tokens", "1 GiB is cleared in 512 entries, and delays nobody", great_block},
};
AREA(great, great_tests);
