/* SPDX-License-Identifier: MIT */
/*
 * bench: system calls, messages, notifications and turns.
 */
#include "arch_stub.h"
#include "bench.h"
#include "os2/call.h"

#define ROUNDS 1000u

static void loop_null(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--)
        arch_stub_plain(OS2_SYS_tokens);
}

static void loop_poll(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control;
    for (; rounds; rounds--)
        if (arch_stub_deadline(control, 0, 0) >= 0)
            bench_fail("a poll that should find nothing", OS2_OK);
}

void bench_loop_call(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control;
    for (; rounds; rounds--) {
        uint64_t label = BENCH_LABEL;
        int64_t status = arch_stub_label(control, &label);
        if (status < 0)
            bench_fail("call", status);
    }
}

static void loop_call_words(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control;
    for (; rounds; rounds--) {
        int64_t status = arch_stub_words(control, BENCH_LABEL, 1, 2, 3, 4);
        if (status < 0)
            bench_fail("call with words", status);
    }
}

static void loop_call_fp(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control;
    for (; rounds; rounds--) {
        uint64_t label = BENCH_LABEL;
        int64_t status;
        arch_stub_fp_touch();
        status = arch_stub_label(control, &label);
        if (status < 0)
            bench_fail("call with floating point", status);
    }
}

static void loop_notify(struct bench_context *c, uint64_t rounds) {
    uint64_t notify = c->control, receive = c->control2;
    for (; rounds; rounds--) {
        uint64_t bits = 1;
        int64_t status = arch_stub_label(notify, &bits);
        if (status < 0)
            bench_fail("notify", status);
        status = arch_stub_plain(receive);
        if (status < 0)
            bench_fail("receive of bits", status);
    }
}

static void loop_send_yield(struct bench_context *c, uint64_t rounds) {
    uint64_t send = c->control;
    for (; rounds; rounds--) {
        uint64_t label = BENCH_LABEL;
        int64_t status = arch_stub_label(send, &label);
        if (status < 0)
            bench_fail("send", status);
        arch_stub_plain(OS2_SYS_yield);
    }
}

static void loop_yield(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--)
        arch_stub_plain(OS2_SYS_yield);
}

void bench_peer_count(const char *name, bench_loop *loop, const char *role, enum os2_syscall number, uint64_t flags,
                      uint64_t value, const char *text) {
    struct bench_peer peer;
    struct bench_context context = {.value = value};
    struct bench_count count;

    if (!bench_wanted(name))
        return;
    bench_peer_start(&peer, role, 0, 0);
    context.control = bench_control(number, flags, peer.inbox);
    count = bench_measure(loop, &context, ROUNDS);
    bench_peer_end(&peer);
    bench_result(name, count.mean, &count, text);
}

uint64_t bench_call_reply(void) {
    static uint64_t known;
    struct bench_peer peer;
    struct bench_context context = {0};

    if (!known) {
        bench_peer_start(&peer, "echo", 0, 0);
        context.control = bench_control(OS2_SYS_call, 0, peer.inbox);
        known = bench_measure(bench_loop_call, &context, ROUNDS).mean;
        bench_peer_end(&peer);
    }
    return known;
}

static void calls_alone(const char *name, bench_loop *loop, uint64_t control, const char *text) {
    struct bench_context context = {.control = control};
    struct bench_count count;

    if (!bench_wanted(name))
        return;
    count = bench_measure(loop, &context, ROUNDS);
    bench_result(name, count.mean, &count, text);
}

static void calls_notify(void) {
    struct bench_peer peer;
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted("notify_roundtrip"))
        return;
    bench_peer_start(&peer, "notify", 0, 0);
    context.control = bench_control(OS2_SYS_notify, 0, peer.notify);
    context.control2 = bench_control(OS2_SYS_receive, 0, 0);
    count = bench_measure(loop_notify, &context, ROUNDS);
    bench_peer_end(&peer);
    bench_result("notify_roundtrip", count.mean, &count,
                 "notify, receive, and the same in the other process: 4 calls, 2 switches; the loop subtracted");
}

static void calls_yield_switch(void) {
    struct bench_peer peer;
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted("yield_switch"))
        return;
    bench_peer_start(&peer, "yield", 0, 0);
    count = bench_measure(loop_yield, &context, ROUNDS);
    bench_peer_end(&peer);
    bench_result("yield_switch", count.mean / 2, &count,
                 "half of: yield to the other process, which yields back; the loop of this side subtracted");
}

void bench_calls(void) {
    uint64_t poll = bench_control(OS2_SYS_receive, OS2_F_DEADLINE, 0);

    calls_alone("null_call", loop_null, 0, "tokens; the loop subtracted");
    calls_alone("poll_empty", loop_poll, poll, "receive with deadline 0 that finds nothing; the loop subtracted");
    calls_alone("yield_alone", loop_yield, 0, "yield with no other process ready; the loop subtracted");
    calls_yield_switch();
    bench_peer_count(
        "call_reply", bench_loop_call, "echo", OS2_SYS_call, 0, 0,
        "call and reply_receive, label only, both check the status, the server the badge; the loop subtracted");
    bench_peer_count("call_reply_4w", loop_call_words, "echo", OS2_SYS_call, 0, 0,
                     "as call_reply, with 4 words there and back; the loop subtracted");
    calls_notify();
    bench_peer_count("send_receive", loop_send_yield, "receive", OS2_SYS_send, 0, 0,
                     "send to a waiting process and yield to it, its receive, and back; the loop subtracted");
    bench_peer_count("send_stream", bench_loop_call, "receive", OS2_SYS_send, 0, 0,
                     "sends as fast as they are taken, each with its receive; the loop subtracted");
}

void bench_fp(void) {
    bench_peer_count("call_reply_fp", loop_call_fp, "echo-fp", OS2_SYS_call, 0, 0,
                     "as call_reply, with one floating-point instruction on each side; the loop subtracted");
}
