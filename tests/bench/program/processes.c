/* SPDX-License-Identifier: MIT */
/*
 * bench: processes, and what the machine's memory is used for.
 *
 * spawn_exit is all of it: the ELF file read, the process made, its pages got, cleared, filled and given, the start,
 * its start-up code, main, its exit, the notification, the look at how it ended, and all of it given back. The file is
 * in memory before. The program is `true`, with this system's library as any program has it, and no handles.
 */
#include "arch_user.h"
#include "bench.h"
#include "os2/call.h"
#include "os2/file.h"
#include "os2/frames.h"
#include "os2/start.h"
#include "os2/stream.h"

#define ROUNDS 20u
#define CROWDS (4096u / BENCH_CROWD)
#define CROWD_PAGES 900000u /* for all of them, and the slots */
#define HOARD_PAGES 100000u
#define HOARD_REST 2000u /* for its tables, and for this process */

/* Reads the file of `true`: its image and size; the image is to be freed. */
static void load_true(struct bench_context *ret_context) {
    void *image;
    int status = os2_file_load("/boot/true", &image, &ret_context->image_size);

    if (status < 0)
        bench_fail("cannot load true", status);
    ret_context->image = image;
}

static void start_true(const struct bench_context *c, struct os2_child *ret_child) {
    static const char *const argv[] = {"true"};
    struct os2_child_plan plan = {
        .image = c->image,
        .image_size = c->image_size,
        .process = {.quantum = 1000, .end_bits = BENCH_BIT_ENDED, .name = "true"},
    };
    int status = os2_child_create(&plan, ret_child, NULL);

    if (status >= 0)
        status = os2_child_start(ret_child, 1, argv);
    if (status < 0)
        bench_fail("spawn", status);
}

static void loop_spawn(struct bench_context *c, uint64_t rounds) {
    for (; rounds; rounds--) {
        struct os2_child child;
        struct os2_process_end end;
        int status;

        start_true(c, &child);
        bench_wait_ended();
        status = os2_process_end(child.control, 0, &end);
        if (status < 0 || end.reason != OS2_END_EXIT || end.value)
            bench_fail("a spawned program's end", status);
        os2_child_drop(&child);
    }
}

static void spawn_count(const char *name, const char *text) {
    struct bench_context context = {0};
    struct bench_count count;

    load_true(&context);
    count = bench_measure(loop_spawn, &context, ROUNDS);
    os2_block_free((void *)(uintptr_t)context.image);
    bench_result(name, count.mean, &count, text);
}

static void processes_spawn(void) {
    if (bench_wanted("spawn_exit"))
        spawn_count("spawn_exit",
                    "spawn, exit and wait of `true`, its start-up, clearing and copying included; the loop subtracted");
}

/* What `true` owns when it is about to run its first instruction, as it would if it waited there for ever: its pages,
 * page tables and kernel objects. */
static void processes_pages(void) {
    struct bench_context context = {0};
    struct os2_process_facts facts;
    struct os2_child child;
    int status;

    if (!bench_wanted("process_pages"))
        return;
    load_true(&context);
    start_true(&context, &child);
    status = os2_process_facts(child.control, 0, &facts);
    if (status < 0)
        bench_fail("process_pages", status);
    bench_wait_ended();
    os2_child_drop(&child);
    os2_block_free((void *)(uintptr_t)context.image);
    os2_printf("bench process_pages %u\n", facts.pages + facts.tables + facts.objects);
    os2_printf("bench-note process_pages of `true`: %u in blocks, %u tables, %u kernel objects\n", facts.pages,
               facts.tables, facts.objects);
}

/* The same beside many who wait. Each that is started runs until it waits. */
static void processes_crowd(void) {
    struct bench_peer peer[CROWDS];

    if (!bench_wanted("spawn_exit_4096"))
        return;
    if (os2_quota_left() < CROWD_PAGES) {
        bench_skip("spawn_exit_4096", "needs 900 000 pages");
        return;
    }
    for (unsigned i = 0; i < CROWDS; i++) {
        struct os2_message m = {.w = {BENCH_BIT_PEER | BENCH_BIT_ENDED}};
        bench_peer_start(&peer[i], "crowd", CROWD_PAGES / (CROWDS + 1), 0);
        if (os2_receive(OS2_F_MASK, &m) != OS2_OK || m.bits != BENCH_BIT_PEER)
            bench_fail("a crowd", OS2_E_FAILED);
    }
    spawn_count("spawn_exit_4096", "the same beside 4096 processes that wait for a message");
    for (unsigned i = 0; i < CROWDS; i++)
        bench_peer_end(&peer[i]);
}

/* Waits for bits, at most for the time of a poll. */
static bool bits_came(uint64_t bits) {
    struct os2_message m = {.w = {bits}};
    return os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m) == OS2_OK;
}

/* The end of a process that owns many pages, and a neighbour that does nothing but yield meanwhile. */
static void processes_end(void) {
    struct bench_peer peer;
    struct bench_count gap = {.least = UINT64_MAX};

    if (!bench_wanted("exit_100k_gap"))
        return;
    if (os2_quota_left() < HOARD_PAGES + HOARD_REST) {
        bench_skip("exit_100k_gap", "needs 100 000 pages");
        return;
    }
    bench_peer_start(&peer, "hoard", HOARD_PAGES, 0);
    while (!bits_came(BENCH_BIT_PEER))
        os2_yield();
    os2_send(peer.inbox, 0, &(struct os2_message){0});
    do {
        uint64_t first = arch_instructions();
        os2_yield();
        first = (arch_instructions() - first) * 1000;
        gap.most = first > gap.most ? first : gap.most;
        gap.least = first < gap.least ? first : gap.least;
        gap.rounds++;
    } while (!bits_came(BENCH_BIT_ENDED));
    gap.mean = gap.least = gap.most;
    os2_handle_close(peer.notify);
    os2_handle_close(peer.inbox);
    os2_child_drop(&peer.child);
    bench_result("exit_100k_gap", gap.most, &gap,
                 "the longest of the yields that a neighbour made while a process with 100 000 pages ended");
}

/* Not counts of instructions; whoever runs bench with two sizes of RAM learns from them what a page costs. */
static void processes_frames(void) {
    unsigned machine = os2_start_handle("machine");
    struct os2_frames frames;
    struct os2_message facts;

    if (!bench_wanted("frames"))
        return;
    if (!machine || os2_frames_count(machine, &frames) < 0) {
        bench_skip("frames", "this process may not look at the machine");
        return;
    }
    if (os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &facts) < 0)
        bench_fail("machine_info", OS2_E_HANDLE);
    os2_printf("bench frames_slots %lu\n", facts.w[0]);
    os2_printf("bench frames_ram %lu\n", frames.ram);
    os2_printf("bench frames_kernel %lu\n", frames.pages[OS2_FRAME_KERNEL]);
}

void bench_processes(void) {
    processes_spawn();
    processes_pages();
    processes_crowd();
    processes_end();
    processes_frames();
}
