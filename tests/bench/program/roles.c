/* SPDX-License-Identifier: MIT */
/*
 * bench's peers: what the other process of a measurement does, for ever, until it is ended.
 *
 *     echo     answers each call with its label and words; checks status and badge
 *     echo-fp  the same, with a floating-point instruction between two calls
 *     move     answers each call with its block, whatever the order
 *     pulled   the same as echo, but goes on after bits have come
 *     yield    yields
 *     receive  takes messages and throws them away
 *     notify   waits for bits and sets bits in its supervisor
 *     hoard    gets single pages up to its quota, says so, and ends when it is told to
 *     crowd    starts BENCH_CROWD others that receive, says so, and receives too
 */
#include "arch_stub.h"
#include "bench.h"
#include "os2/call.h"
#include "os2/start.h"
#include "os2/string.h"

/* A function of its own: one that mentions a floating-point register saves it at its start, and a process that has used
 * floating point is switched to more slowly. */
static __attribute__((noinline)) void serve_fp(uint64_t receive, uint64_t answer) {
    arch_stub_serve_fp(receive, answer, BENCH_BADGE);
}

int bench_role(const char *role) {
    uint64_t accept = OS2_ACCEPT(OS2_ORDER_MAX);
    uint64_t receive = bench_control(OS2_SYS_receive, 0, 0);
    uint64_t answer = bench_control(OS2_SYS_reply_receive, 0, 0);

    if (strcmp(role, "echo") == 0) {
        arch_stub_serve(receive, answer, BENCH_BADGE);
    } else if (strcmp(role, "pulled") == 0) {
        for (;;)
            arch_stub_serve(receive, answer, BENCH_BADGE);
    } else if (strcmp(role, "echo-fp") == 0) {
        serve_fp(receive, answer);
    } else if (strcmp(role, "move") == 0) {
        arch_stub_serve(receive | accept, answer | accept | OS2_F_BLOCK, BENCH_BADGE);
    } else if (strcmp(role, "yield") == 0) {
        while (arch_stub_plain(OS2_SYS_yield) >= 0) {
        }
    } else if (strcmp(role, "receive") == 0) {
        while (arch_stub_plain(receive) >= 0) {
        }
    } else if (strcmp(role, "notify") == 0) {
        uint64_t notify = bench_control(OS2_SYS_notify, 0, os2_start_handle("notify")), bits = 1;
        while (arch_stub_plain(receive) >= 0 && arch_stub_label(notify, &bits) >= 0)
            bits = 1;
    } else if (strcmp(role, "crowd") == 0) {
        struct bench_peer peer;
        for (unsigned i = 0; i < BENCH_CROWD; i++)
            bench_peer_start(&peer, "receive", 0);
        os2_notify(os2_start_handle("notify"), BENCH_BIT_PEER);
        arch_stub_plain(receive);
    } else if (strcmp(role, "hoard") == 0) {
        void *page;
        while (os2_block_alloc(0, &page) == OS2_OK) {
        }
        os2_notify(os2_start_handle("notify"), BENCH_BIT_PEER);
        return arch_stub_plain(receive) < 0;
    }
    return 1;
}
