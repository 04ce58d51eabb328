/* SPDX-License-Identifier: MIT */
/*
 * bench: what a block adds to a message.
 *
 * A call gives a block and its answer gives the block back, both accepting any order. From that round trip the round
 * trip without payload (call_reply) is subtracted, and the rest halved: two moves. Nothing is touched in between, so no
 * page fault, cache or TLB miss is in the count; a block is usable at once, because its leaf is in the table.
 */
#include "arch_stub.h"
#include "bench/bench.h"
#include "os2/call.h"
#include "os2/spawn.h"

#define ROUNDS 500u
#define LABEL 7u
#define SPARE_PAGES 64u /* tables of both sides, and slack */

static void loop_move(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control, block = c->value;
    for (; rounds; rounds--) {
        int64_t status = arch_stub_block(control, LABEL, &block);
        if (status < 0)
            bench_fail("call with a block", status);
    }
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
    bench_peer_start(&peer, "move", pages + SPARE_PAGES);
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
