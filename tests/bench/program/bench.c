/* SPDX-License-Identifier: MIT */
/*
 * bench: what the system's operations cost, in instructions, counted where a program stands.
 *
 *     bench            all counts
 *     bench NAME...    those whose name begins with one of these
 *     bench --several  what tests/bench/several.py counts on several processors, from outside
 *     bench --lines    what tests/bench/marks.py counts: cache lines
 *     bench --marked NAME...  likewise: the instructions of all processors together
 *
 * It needs a machine that counts instructions and nothing else: QEMU with -icount shift=0 and one processor. Where two
 * reads of the counter in a row differ by more than the read itself, it refuses.
 *
 * What is counted. Each operation stands in a loop of the shape
 *
 *     for (; rounds; rounds--)
 *         if (stub(...) < 0)
 *             fail
 *
 * and a count is all instructions of the machine between two reads of the counter around the loop, in user mode and in
 * the kernel, of this process and of its peer, divided by the rounds: the loads of the arguments, the ecall, the
 * kernel, the way back, the look at the status. Subtracted is what the same loop without a call costs: two
 * instructions a round and the reads of the counter. So the counts are gross, as a program sees them; what else is
 * taken off is said in the text beside a count. The stubs (arch_stub.h) set only the registers that the call reads.
 *
 * A loop runs once to warm up, then BATCHES times. The value is the mean of all rounds. If the means of the cheapest
 * and of the dearest batch differ by more than 4 instructions and 1 in 1000, the output says so. The timer's tick (ten
 * a second, of 10^8 instructions) falls into a batch now and then, and is left in.
 *
 * What it prints, a line each:
 *
 *     bench NAME VALUE                       rounded to the nearest
 *     bench-note NAME TEXT                   what was counted, what was subtracted, thousandths, rounds
 *     bench-spread NAME LEAST MOST           only where the batches differ too much
 *     bench-skip NAME WHY                    not measured
 *     bench-marked NAME FIRST BATCHES ROUNDS only with --marked, and instead of a value: each batch is between two
 *                                            marks for a plugin; that before the first is of an empty loop
 *
 * The peers, which the other side of a measurement needs, are this program again (roles.c).
 */
#include "bench.h"

#include "arch_user.h"
#include "os2/call.h"
#include "os2/devices.h"
#include "os2/file.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"

#include "arch_stub.h"

#define BATCHES 10u
#define READS 16u
#define PAUSE_MS 3u

static char **wanted;
static int wanted_count;
static bool marked;      /* a plugin counts */
static uint64_t batches; /* so far */

bool bench_wanted(const char *name) {
    for (int i = 0; i < wanted_count; i++)
        if (strncmp(name, wanted[i], strlen(wanted[i])) == 0)
            return true;
    return wanted_count == 0;
}

void bench_fail(const char *what, int64_t status) {
    os2_error("%s: %s", what, os2_status_text((int)status));
    os2_out_end();
    os2_exit(1);
}

static void empty_loop(struct bench_context *context, uint64_t rounds) {
    (void)context;
    arch_stub_count(rounds);
}

static __attribute__((noinline)) uint64_t batch(bench_loop *loop, struct bench_context *context, uint64_t rounds) {
    uint64_t start;

    batches++;
    arch_stub_mark(1);
    start = arch_instructions();
    loop(context, rounds);
    start = arch_instructions() - start;
    arch_stub_mark(0);
    return start;
}

struct bench_count bench_measure(bench_loop *loop, struct bench_context *context, uint64_t rounds) {
    uint64_t empty, first, total = 0, least = UINT64_MAX, most = 0;

    batch(empty_loop, context, rounds);
    empty = batch(empty_loop, context, rounds);
    first = batches;
    for (unsigned i = 0; i <= BATCHES; i++) {
        uint64_t count;
        if (context->before)
            context->before();
        if (marked)
            os2_sleep_ms(PAUSE_MS); /* or all batches might be of one accidental order of the processors */
        count = batch(loop, context, rounds);
        if (i == 0)
            continue; /* that was the warm-up */
        count = count > empty ? count - empty : 0;
        total += count;
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    return (struct bench_count){.mean = total * 1000 / (BATCHES * rounds),
                                .least = least * 1000 / rounds,
                                .most = most * 1000 / rounds,
                                .rounds = BATCHES * rounds,
                                .first = first};
}

void bench_result(const char *name, uint64_t milli, const struct bench_count *count, const char *text) {
    if (marked) {
        os2_printf("bench-marked %s %lu %u %lu\n", name, count->first, BATCHES + 1, count->rounds / BATCHES);
        return;
    }
    os2_printf("bench %s %lu\n", name, (milli + 500) / 1000);
    os2_printf("bench-note %s %lu.%03lu over %lu rounds: %s\n", name, milli / 1000, milli % 1000, count->rounds, text);
    if (count->most - count->least > BENCH_SPREAD_MILLI + count->mean / 1000)
        os2_printf("bench-spread %s %lu.%03lu %lu.%03lu\n", name, count->least / 1000, count->least % 1000,
                   count->most / 1000, count->most % 1000);
}

void bench_skip(const char *name, const char *why) {
    os2_printf("bench-skip %s %s\n", name, why);
}

/* ---- Peers. ---- */

static void *image;
static uint64_t image_size;

/* Grants the peer a copy of `handle`, or one of this process of that kind, which is not kept. */
static int peer_grant(struct bench_peer *peer, const char *name, unsigned handle, enum os2_handle_kind kind) {
    int status = OS2_OK;
    unsigned own = 0;

    if (!handle) {
        status = os2_handle_mint(0, kind, BENCH_BIT_PEER, OS2_RIGHTS_ALL, &own);
        handle = own;
    }
    if (status >= 0)
        status = os2_child_grant(&peer->child, name, handle, OS2_RIGHTS_ALL);
    if (own)
        os2_handle_close(own);
    return status;
}

void bench_peer_start(struct bench_peer *peer, const char *role, uint64_t quota, unsigned service) {
    const char *argv[] = {"bench", "--role", role};
    struct os2_child_plan plan = {.process = {.end_bits = BENCH_BIT_ENDED, .name = "bench-peer"}};
    int status;

    if (!image) {
        status = os2_file_load("/boot/bench", &image, &image_size);
        if (status < 0)
            bench_fail("cannot load bench", status);
    }
    plan.image = image;
    plan.image_size = image_size;
    *peer = (struct bench_peer){0};
    status = os2_child_least(image, image_size, 0, &plan.process.quota);
    plan.process.quota += quota;
    if (status >= 0)
        status = os2_child_create(&plan, &peer->child, NULL);
    if (status >= 0)
        status = os2_handle_mint(peer->child.control, OS2_HANDLE_INBOX, BENCH_BADGE, OS2_RIGHTS_ALL, &peer->inbox);
    if (status >= 0)
        status = os2_handle_mint(peer->child.control, OS2_HANDLE_NOTIFY, BENCH_BIT_PEER, OS2_RIGHTS_ALL, &peer->notify);
    if (status >= 0)
        status = peer_grant(peer, "notify", 0, OS2_HANDLE_NOTIFY);
    if (status >= 0)
        status = peer_grant(peer, "service", service, OS2_HANDLE_INBOX);
    if (status >= 0 && strcmp(role, "crowd") == 0) /* it reads its own program */
        status = os2_child_grant(&peer->child, "names", os2_start_handle("names"), OS2_RIGHTS_ALL);
    if (status >= 0)
        status = os2_child_start(&peer->child, 3, argv);
    if (status < 0)
        bench_fail("cannot start a peer", status);
    os2_yield(); /* it runs up to its first wait */
}

void bench_wait_ended(void) {
    struct os2_message m = {.w = {BENCH_BIT_ENDED}};
    int status = os2_receive(OS2_F_MASK, &m);
    if (status < 0)
        bench_fail("waiting for an end", status);
}

void bench_peer_end(struct bench_peer *peer) {
    os2_process_kill(peer->child.control);
    bench_wait_ended(); /* its quota is back */
    os2_handle_close(peer->notify);
    os2_handle_close(peer->inbox);
    os2_child_drop(&peer->child);
}

/* Does the counter count instructions? */
static bool counter_counts(void) {
    for (unsigned i = 0; i < READS; i++) {
        uint64_t first = arch_instructions(), second = arch_instructions();
        if (second <= first || second - first > ARCH_INSTRUCTIONS_READ + 1)
            return false;
    }
    return true;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--role") == 0)
        return bench_role(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--several") == 0)
        return bench_several();
    if (argc == 2 && strcmp(argv[1], "--lines") == 0)
        return bench_lines();
    marked = argc > 1 && strcmp(argv[1], "--marked") == 0;
    if (!marked && !counter_counts()) {
        os2_error("this machine's counter does not count instructions: two reads in a row differ by more than a read. "
                  "QEMU needs -icount shift=0 (`./os2 bench` gives it)");
        return 2;
    }
    wanted = argv + 1 + marked;
    wanted_count = argc - 1 - marked;
    os2_devices_wait(os2_start_handle("names")); /* what drivers do as they start is not to be counted */
    bench_calls();
    bench_services();
    bench_moves();
    bench_memory();
    bench_processes();
    bench_queues();
    bench_library();
    bench_files();
    bench_held();
    bench_scattered();
    bench_fp();
    return 0;
}
