/* SPDX-License-Identifier: MIT */
/*
 * bench --several: what happens between two processors, marked for the plugin that counts it (tests/bench/several.py).
 *
 * In each round a server that waits is woken by bits. This process makes calls and never waits, so the server becomes
 * ready behind it, and the idle processor steals it (`steal`), takes the bits there, and waits again. Then this process
 * calls it: the server last ran on the other processor, and is pulled to this one (PULLED). The call after that finds
 * it where it is (NEAR), as in call_reply.
 *
 * A round that the host disturbed, or in which the turn of this process ended and the server ran here, counts
 * something else, mostly more: tests/bench/several.py says what is taken of the rounds.
 */
#include "arch_stub.h"
#include "bench.h"
#include "os2/call.h"

#define ROUNDS 400u
#define WAIT_HZ 2000u /* 500 us for the other processor */
#define PULLED 1
#define NEAR 2

/* Some microseconds without a call, so that the turn of this process does not end. */
static void compute(void) {
    for (volatile unsigned i = 0; i < 5000; i++)
        continue;
}

int bench_several(void) {
    struct bench_peer peer;
    uint64_t call, rate;

    bench_peer_start(&peer, "pulled", 0, 0);
    call = bench_control(OS2_SYS_call, 0, peer.inbox);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t label = i;
        int64_t status = os2_notify(peer.notify, BENCH_BIT_PEER);
        for (uint64_t start = os2_clock(&rate); os2_clock(NULL) - start < rate / WAIT_HZ;)
            compute();
        if (status >= 0) {
            arch_stub_mark(PULLED);
            status = arch_stub_label(call, &label);
            arch_stub_mark(0);
        }
        if (status >= 0) {
            arch_stub_mark(NEAR);
            status = arch_stub_label(call, &label);
            arch_stub_mark(0);
        }
        if (status < 0)
            bench_fail("calling a server that another processor has", status);
    }
    bench_peer_end(&peer);
    return 0;
}
