/* SPDX-License-Identifier: MIT */
/*
 * bench: what a block adds to a message.
 *
 * A call gives a block and its answer gives the block back, both accepting any order. From that round trip the round
 * trip without payload (call_reply) is subtracted, and the rest halved: two moves. Nothing is touched in between, so no
 * page fault, cache or TLB miss is in the count; a block is usable at once, because its leaf is in the table.
 *
 * move_scattered_N moves pages of N different 2 MiB regions in turn, each of which needs a page table of its own on the
 * side that has the page.
 */
#include "arch_stub.h"
#include "bench.h"
#include "os2/call.h"
#include "os2/spawn.h"

#define ROUNDS 500u
#define SPARE_PAGES 64u /* tables of both sides, and slack */
#define REGIONS_MAX 64u
#define REGION_PAGES 512u

static void loop_move(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control, block = c->value;
    for (; rounds; rounds--) {
        int64_t status = arch_stub_block(control, BENCH_LABEL, &block);
        if (status < 0)
            bench_fail("call with a block", status);
    }
}

static void loop_scattered(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control, *blocks = c->blocks, mask = c->count - 1;
    for (; rounds; rounds--) {
        int64_t status = arch_stub_block(control, BENCH_LABEL, &blocks[rounds & mask]);
        if (status < 0)
            bench_fail("call with a scattered block", status);
    }
}

static uint64_t page(void) {
    void *block;
    int status = os2_block_alloc(0, &block);
    if (status < 0)
        bench_fail("a page to move", status);
    return (uintptr_t)block;
}

static bool region_known(const uint64_t *blocks, unsigned count, uint64_t block) {
    for (unsigned i = 0; i < count; i++)
        if (blocks[i] >> 21 == block >> 21)
            return true;
    return false;
}

/* Gets pages until `count` of them are in different regions, then gives back the others, of which each holds the
 * address of the last. They come in order of their addresses, more or less, so nearly all of `count` regions are taken
 * meanwhile. */
static bool scatter(uint64_t *blocks, unsigned count) {
    uint64_t others = 0;
    unsigned found = 0, left = (count + 2) * REGION_PAGES;

    for (; found < count && left; left--) {
        uint64_t block = page();
        if (region_known(blocks, found, block)) {
            *(uint64_t *)block = others;
            others = block;
        } else {
            blocks[found++] = block;
        }
    }
    while (others) {
        uint64_t block = others;
        others = *(uint64_t *)block;
        os2_block_free((void *)block);
    }
    return found == count;
}

static void moves_scattered(const char *name, unsigned regions) {
    uint64_t blocks[REGIONS_MAX], base;
    struct bench_context context = {.blocks = blocks, .count = regions};
    struct bench_count count;
    struct bench_peer peer;

    if (!bench_wanted(name))
        return;
    if (os2_quota_left() < (regions + 4) * REGION_PAGES) {
        bench_skip(name, "needs more memory: start QEMU with more");
        return;
    }
    base = bench_call_reply();
    bench_peer_start(&peer, "move", regions + SPARE_PAGES, 0);
    if (scatter(blocks, regions)) {
        context.control = bench_control(OS2_SYS_call, OS2_F_BLOCK | OS2_ACCEPT(OS2_ORDER_MAX), peer.inbox);
        count = bench_measure(loop_scattered, &context, ROUNDS);
        bench_result(name, count.mean > base ? (count.mean - base) / 2 : 0, &count,
                     "half of: a round trip with a page of so many regions in turn, less call_reply; the loop "
                     "subtracted, its choice of the page (3 instructions a round) left in");
        for (unsigned i = 0; i < regions; i++)
            os2_block_free((void *)(uintptr_t)blocks[i]);
    } else {
        bench_skip(name, "no pages in enough regions");
    }
    bench_peer_end(&peer);
}

static void moves_one(const char *name, unsigned order) {
    uint64_t pages = UINT64_C(1) << order, base;
    struct bench_context context = {0};
    struct bench_count count;
    struct bench_peer peer;
    void *block;
    int status;

    if (!bench_wanted(name))
        return;
    if (os2_quota_left() < 2 * (pages + SPARE_PAGES)) {
        bench_skip(name, "needs more memory: start QEMU with more");
        return;
    }
    base = bench_call_reply();
    bench_peer_start(&peer, "move", pages + SPARE_PAGES, 0);
    status = os2_block_alloc(order, &block);
    if (status < 0)
        bench_fail("a block to move", status);
    context.control = bench_control(OS2_SYS_call, OS2_F_BLOCK | OS2_ACCEPT(OS2_ORDER_MAX), peer.inbox);
    context.value = (uintptr_t)block;
    count = bench_measure(loop_move, &context, ROUNDS);
    os2_block_free(block);
    bench_peer_end(&peer);
    bench_result(name, count.mean > base ? (count.mean - base) / 2 : 0, &count,
                 "half of: a round trip with the block there and back, less call_reply; the loop subtracted");
}

void bench_moves(void) {
    moves_one("move_4k", 0);
    moves_one("move_order8", 8);
    moves_one("move_2m", 9);
    moves_one("move_64m", 14);
    moves_one("move_order17", 17);
    moves_one("move_1g", 18);
}

void bench_scattered(void) {
    moves_scattered("move_scattered_2", 2);
    moves_scattered("move_scattered_8", 8);
    moves_scattered("move_scattered_16", 16);
    moves_scattered("move_scattered_64", 64);
}
