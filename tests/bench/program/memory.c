/* SPDX-License-Identifier: MIT */
/*
 * bench: getting and giving back memory.
 *
 * Blocks come cleared, and the clearing of large ones is nearly all they cost. What one more 2 MiB costs is half of the
 * difference between orders 11 and 10. The kernel clears at most 2 MiB an entry, so that holds one entry more, by the
 * long way, which is taken off as a `clock`, and one leaf of 2 MiB more, which is left in with what a restart does
 * beside entering: block_clear comes out about a hundred instructions in 300 000 too dear. (Orders 8 and 9 would not
 * do: order 8 has 256 leaves, and order 9 a shorter way.)
 *
 * So buddy_order9_alloc_free does not use it: what it takes off is what this program needs to clear the same 2 MiB with
 * the same loop of stores, and nothing else. A kernel that cleared in a worse way would show it there.
 *
 * block_alloc_free gets and gives back a page a few times after an idle pause, in which the kernel may clear pages
 * ahead. block_alloc_free_gross is the same in a long loop, where every page must be cleared. If the pause saves less
 * than half a block_clear, the pages were cleared in the count after all, and block_clear is subtracted; the text says
 * whether it was. page_gross_4096 gets and writes 4096 pages, and only then gives all of them back.
 */
#include "arch_stub.h"
#include "bench.h"
#include "os2/call.h"
#include "os2/time.h"

#define BURST 8u
#define PAUSE_MS 5u
#define HELD 4096u

static void loop_alloc_free(struct bench_context *c, uint64_t rounds) {
    uint64_t order = c->value;
    for (; rounds; rounds--) {
        uint64_t block = order;
        int64_t status = arch_stub_label(OS2_SYS_block_alloc, &block);
        if (status < 0)
            bench_fail("block_alloc", status);
        status = arch_stub_label(OS2_SYS_block_free, &block);
        if (status < 0)
            bench_fail("block_free", status);
    }
}

/* Each page holds the address of the one that came before. */
static void loop_held(struct bench_context *c, uint64_t rounds) {
    uint64_t last = 0;

    (void)c;
    for (; rounds; rounds--) {
        uint64_t block = 0;
        int64_t status = arch_stub_label(OS2_SYS_block_alloc, &block);
        if (status < 0)
            bench_fail("block_alloc", status);
        *(uint64_t *)block = last;
        last = block;
    }
    while (last) {
        uint64_t block = last;
        int64_t status;
        last = *(uint64_t *)block;
        status = arch_stub_label(OS2_SYS_block_free, &block);
        if (status < 0)
            bench_fail("block_free", status);
    }
}

void bench_held(void) {
    static const char name[] = "page_gross_4096";
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted(name))
        return;
    if (os2_quota_left() < HELD + HELD / 64) {
        bench_skip(name, "needs more memory: start QEMU with more");
        return;
    }
    count = bench_measure(loop_held, &context, HELD);
    bench_result(name, count.mean, &count,
                 "block_alloc of 4096 pages, a word written in each, then block_free of all; the loop subtracted");
}

static struct bench_count memory_count(unsigned order, uint64_t rounds) {
    struct bench_context context = {.value = order};
    return bench_measure(loop_alloc_free, &context, rounds);
}

static void loop_clear(struct bench_context *c, uint64_t rounds) {
    uint64_t *block = (uint64_t *)c->value;
    for (; rounds; rounds--)
        for (uint64_t *at = block, *end = at + (UINT64_C(2) << 20) / sizeof *at; at < end; at += 16) {
            at[0] = at[1] = at[2] = at[3] = at[4] = at[5] = at[6] = at[7] = 0;
            at[8] = at[9] = at[10] = at[11] = at[12] = at[13] = at[14] = at[15] = 0;
            __asm__ volatile("" : "+r"(at)::"memory"); /* or gcc makes it a call of memset */
        }
}

/* What clearing 2 MiB takes here. */
static struct bench_count clear_count(void) {
    struct bench_context context = {0};
    struct bench_count count;
    void *block;
    int status = os2_block_alloc(9, &block);
    if (status < 0)
        bench_fail("2 MiB to clear", status);
    context.value = (uint64_t)block;
    count = bench_measure(loop_clear, &context, 2);
    os2_block_free(block);
    return count;
}

static void loop_clock(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--)
        arch_stub_plain(OS2_SYS_clock);
}

static void memory_pause(void) {
    os2_sleep_ms(PAUSE_MS);
}

void bench_memory(void) {
    struct bench_count clock, page, gross, order9, order10, order11, cleared_here;
    struct bench_context none = {0}, burst = {.before = memory_pause};
    uint64_t clear, region; /* thousandths, a page and 2 MiB */
    bool cleared;

    if (!bench_wanted("block_alloc_free") && !bench_wanted("block_clear") && !bench_wanted("buddy_order9_alloc_free"))
        return;
    clock = bench_measure(loop_clock, &none, 100);
    order9 = memory_count(9, 2);
    order10 = memory_count(10, 2);
    order11 = memory_count(11, 2);
    region = (order11.mean - order10.mean) / 2 - clock.mean;
    clear = region / 512;
    bench_result("block_clear", clear, &order10,
                 "the clearing of a page: ((order 11 - order 10) / 2 - clock) / 512, each alloc and free");
    cleared_here = clear_count();
    bench_result("buddy_order9_alloc_free", order9.mean - cleared_here.mean, &order9,
                 "block_alloc and block_free of 2 MiB; clearing 2 MiB in this program, and the loop, subtracted");

    gross = memory_count(0, 500);
    bench_result("block_alloc_free_gross", gross.mean, &gross,
                 "block_alloc and block_free of a page; the loop subtracted");
    page = bench_measure(loop_alloc_free, &burst, BURST);
    cleared = page.mean + clear / 2 > gross.mean;
    bench_result("block_alloc_free", cleared ? page.mean - clear : page.mean, &page,
                 cleared ? "block_alloc and block_free of a page; block_clear and the loop subtracted"
                         : "block_alloc and block_free of a page, which was not cleared in it; the loop subtracted");
}
