/* SPDX-License-Identifier: MIT */
/*
 * bench: processes, and what the machine's memory is used for.
 *
 * spawn_exit is all of it: the ELF file read, the process made, its pages got, cleared, filled and given, the start,
 * its start-up code, main, its exit, the notification, the look at how it ended, and all of it given back. The file is
 * in memory before. The program is `true`, with this system's library as any program has it, and no handles.
 */
#include "bench/bench.h"
#include "os2/call.h"
#include "os2/file.h"
#include "os2/frames.h"
#include "os2/start.h"
#include "os2/stream.h"

#define ROUNDS 20u

static void loop_spawn(struct bench_context *c, uint64_t rounds) {
    static const char *const argv[] = {"true"};
    struct os2_child_plan plan = {
        .image = c->image,
        .image_size = c->image_size,
        .process = {.quantum = 1000, .end_bits = BENCH_BIT_ENDED, .name = "true"},
    };

    for (; rounds; rounds--) {
        struct os2_child child;
        struct os2_process_end end;
        int status = os2_child_create(&plan, &child, NULL);

        if (status >= 0)
            status = os2_child_start(&child, 1, argv);
        if (status < 0)
            bench_fail("spawn", status);
        bench_wait_ended();
        status = os2_process_end(child.control, 0, &end);
        if (status < 0 || end.reason != OS2_END_EXIT || end.value)
            bench_fail("a spawned program's end", status);
        os2_child_drop(&child);
    }
}

static void processes_spawn(void) {
    struct bench_context context = {0};
    struct bench_count count;
    void *image;
    int status;

    if (!bench_wanted("spawn_exit"))
        return;
    status = os2_file_load("true", &image, &context.image_size);
    if (status < 0)
        bench_fail("cannot load true", status);
    context.image = image;
    count = bench_measure(loop_spawn, &context, ROUNDS);
    os2_block_free(image);
    bench_result("spawn_exit", count.mean, &count,
                 "spawn, exit and wait of `true`, its start-up, clearing and copying included; the loop subtracted");
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
    processes_frames();
}
