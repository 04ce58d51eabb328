/* SPDX-License-Identifier: MIT */
/*
 * bench --lines: single rounds, marked for the plugin that counts the cache lines they touch (tests/bench/marks.py).
 *
 * The marks stand right around the calls, so beside the kernel's lines there are only those of the stub's instructions
 * and of the peer's loop. Series 1: call and answer; 2: notify and receive, and the same in the other process; 3: yield
 * there and back; 4: a call with a page, which comes back.
 */
#include "arch_stub.h"
#include "bench.h"
#include "os2/call.h"

#define ROUNDS 64u

static void lines_call(void) {
    struct bench_peer peer;
    uint64_t call;

    bench_peer_start(&peer, "echo", 0, 0);
    call = bench_control(OS2_SYS_call, 0, peer.inbox);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t label = BENCH_LABEL;
        int64_t status;
        arch_stub_mark(1);
        status = arch_stub_label(call, &label);
        arch_stub_mark(0);
        if (status < 0)
            bench_fail("call", status);
    }
    bench_peer_end(&peer);
}

static void lines_notify(void) {
    struct bench_peer peer;
    uint64_t notify;

    bench_peer_start(&peer, "notify", 0, 0);
    notify = bench_control(OS2_SYS_notify, 0, peer.notify);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t bits = BENCH_BIT_PEER;
        int64_t status, received;
        arch_stub_mark(2);
        status = arch_stub_label(notify, &bits);
        received = arch_stub_plain(OS2_SYS_receive);
        arch_stub_mark(0);
        if (status < 0 || received < 0)
            bench_fail("notify and receive", status < 0 ? status : received);
    }
    bench_peer_end(&peer);
}

static void lines_yield(void) {
    struct bench_peer peer;

    bench_peer_start(&peer, "yield", 0, 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        arch_stub_mark(3);
        arch_stub_plain(OS2_SYS_yield);
        arch_stub_mark(0);
    }
    bench_peer_end(&peer);
}

static void lines_move(void) {
    struct bench_peer peer;
    uint64_t call, moved;
    void *block;
    int64_t status = os2_block_alloc(0, &block);

    if (status < 0)
        bench_fail("a page to move", status);
    moved = (uintptr_t)block;
    bench_peer_start(&peer, "move", 4, 0);
    call = bench_control(OS2_SYS_call, OS2_F_BLOCK | OS2_ACCEPT(OS2_ORDER_MAX), peer.inbox);
    for (unsigned i = 0; i < ROUNDS; i++) {
        arch_stub_mark(4);
        status = arch_stub_block(call, BENCH_LABEL, &moved);
        arch_stub_mark(0);
        if (status < 0)
            bench_fail("call with a page", status);
    }
    bench_peer_end(&peer);
}

int bench_lines(void) {
    lines_call();
    lines_notify();
    lines_yield();
    lines_move();
    return 0;
}
