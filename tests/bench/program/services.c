/* SPDX-License-Identifier: MIT */
/*
 * bench: what services do all day beside the plain call: answers that fail, handles, deadlines, masks, queues.
 *
 * These loops make their calls by arch_syscall(), whose registers stay in registers here: what came out of one call
 * goes into the next, and only what a call must have anew is loaded. The servers are in roles.c.
 */
#include "arch_stub.h"
#include "arch_user.h"
#include "bench.h"
#include "os2/call.h"
#include "os2/time.h"

#define ROUNDS 1000u
#define HOUR_MS (UINT64_C(60) * 60 * 1000)
#define CLIENTS 3u /* at the busy server, beside this process */
#define PLACE UINT64_C(0x40000000)

static void loop_call_deadline(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control, deadline = c->value;
    for (; rounds; rounds--) {
        int64_t status = arch_stub_deadline(control, BENCH_LABEL, deadline);
        if (status < 0)
            bench_fail("call with a deadline", status);
    }
}

static void loop_call_failed(struct bench_context *c, uint64_t rounds) {
    uint64_t control = c->control;
    for (; rounds; rounds--) {
        uint64_t label = BENCH_LABEL;
        int64_t status = arch_stub_label(control, &label);
        if (status != OS2_E_FAILED)
            bench_fail("call that the server should refuse", status);
    }
}

static void loop_call_handle(struct bench_context *c, uint64_t rounds) {
    uint64_t registers[OS2_R_COUNT] = {0}, control = c->control, handle = c->value;
    for (; rounds; rounds--) {
        registers[OS2_R_CONTROL] = control;
        registers[OS2_R_HANDLE] = handle;
        arch_syscall(registers);
        if ((int64_t)registers[OS2_R_CONTROL] < 0)
            bench_fail("call with a handle", (int64_t)registers[OS2_R_CONTROL]);
    }
}

static void loop_call_lib(struct bench_context *c, uint64_t rounds) {
    unsigned handle = (unsigned)c->value;
    for (; rounds; rounds--) {
        struct os2_message m = {.label = BENCH_LABEL};
        int status = os2_call(handle, 0, &m);
        if (status < 0)
            bench_fail("call through the library", status);
    }
}

static void loop_notify_mask(struct bench_context *c, uint64_t rounds) {
    uint64_t registers[OS2_R_COUNT] = {0}, notify = c->control, receive = c->control2;
    for (; rounds; rounds--) {
        registers[OS2_R_CONTROL] = notify;
        registers[OS2_R_LABEL] = BENCH_BIT_PEER;
        arch_syscall(registers);
        if ((int64_t)registers[OS2_R_CONTROL] < 0)
            bench_fail("notify", (int64_t)registers[OS2_R_CONTROL]);
        registers[OS2_R_CONTROL] = receive;
        registers[OS2_R_W0] = BENCH_BIT_PEER;
        arch_syscall(registers);
        if ((int64_t)registers[OS2_R_CONTROL] < 0)
            bench_fail("receive of bits", (int64_t)registers[OS2_R_CONTROL]);
    }
}

static void loop_placed(struct bench_context *c, uint64_t rounds) {
    uint64_t registers[OS2_R_COUNT] = {0}, control = c->control, block = c->value;
    for (; rounds; rounds--) {
        registers[OS2_R_CONTROL] = OS2_SYS_block_place;
        registers[OS2_R_LABEL] = block;
        registers[OS2_R_W0] = PLACE;
        registers[OS2_R_W0 + 1] = OS2_PROT_READ | OS2_PROT_WRITE;
        arch_syscall(registers);
        if ((int64_t)registers[OS2_R_CONTROL] < 0)
            bench_fail("placing a page", (int64_t)registers[OS2_R_CONTROL]);
        registers[OS2_R_CONTROL] = control;
        registers[OS2_R_BLOCK] = PLACE;
        arch_syscall(registers);
        if ((int64_t)registers[OS2_R_CONTROL] < 0)
            bench_fail("call with a placed page", (int64_t)registers[OS2_R_CONTROL]);
        block = registers[OS2_R_BLOCK];
    }
    c->value = block;
}

static void services_handle(void) {
    struct bench_peer peer;
    struct bench_context context = {0};
    struct bench_count count;
    unsigned given;
    int status;

    if (!bench_wanted("call_handle"))
        return;
    bench_peer_start(&peer, "handle", 0, 0);
    status = os2_handle_mint(0, OS2_HANDLE_NOTIFY, BENCH_BIT_PEER, OS2_RIGHTS_ALL, &given);
    if (status < 0)
        bench_fail("a handle to give", status);
    context.control = bench_control(OS2_SYS_call, OS2_F_HANDLE, peer.inbox);
    context.value = given | (uint64_t)OS2_RIGHTS_ALL << 16;
    count = bench_measure(loop_call_handle, &context, ROUNDS);
    os2_handle_close(given);
    bench_peer_end(&peer);
    bench_result("call_handle", count.mean, &count,
                 "as call_reply, the call with a handle, which the server closes before it answers; the loop "
                 "subtracted");
}

static void services_lib(void) {
    struct bench_peer peer;
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted("call_lib"))
        return;
    bench_peer_start(&peer, "echo-lib", 0, 0);
    context.value = peer.inbox;
    count = bench_measure(loop_call_lib, &context, ROUNDS);
    bench_peer_end(&peer);
    bench_result("call_lib", count.mean, &count,
                 "as call_reply, by os2_call() and os2_reply_receive() of the library; the loop subtracted");
}

/* The server lets others run before it answers, so that all clients but the one it answers wait in its queue. Each of
 * them gets an answer a round. */
static void services_busy(void) {
    struct bench_peer server, clients[CLIENTS];
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted("busy_server"))
        return;
    bench_peer_start(&server, "busy", 0, 0);
    for (unsigned i = 0; i < CLIENTS; i++)
        bench_peer_start(&clients[i], "client", 0, server.inbox);
    context.control = bench_control(OS2_SYS_call, 0, server.inbox);
    count = bench_measure(bench_loop_call, &context, ROUNDS);
    for (unsigned i = 0; i < CLIENTS; i++)
        bench_peer_end(&clients[i]);
    bench_peer_end(&server);
    bench_result("busy_server", count.mean / (CLIENTS + 1), &count,
                 "a fourth of: a round of 4 clients, whose calls wait in the queue of a server that yields before each "
                 "answer; the loop of this one subtracted");
}

static void services_notify_mask(void) {
    struct bench_peer peer;
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted("notify_mask"))
        return;
    bench_peer_start(&peer, "notify-mask", 0, 0);
    context.control = bench_control(OS2_SYS_notify, 0, peer.notify);
    context.control2 = bench_control(OS2_SYS_receive, OS2_F_MASK, 0);
    count = bench_measure(loop_notify_mask, &context, ROUNDS);
    bench_peer_end(&peer);
    bench_result("notify_mask", count.mean, &count,
                 "as notify_roundtrip, both receive with a mask; the loop subtracted");
}

static void services_placed(void) {
    struct bench_peer peer;
    struct bench_context context = {0};
    struct bench_count count;
    void *block;
    int status;

    if (!bench_wanted("placed_block"))
        return;
    bench_peer_start(&peer, "move", 4, 0);
    status = os2_block_alloc(0, &block);
    if (status < 0)
        bench_fail("a page to place", status);
    context.control = bench_control(OS2_SYS_call, OS2_F_BLOCK | OS2_ACCEPT(OS2_ORDER_MAX), peer.inbox);
    context.value = (uintptr_t)block;
    count = bench_measure(loop_placed, &context, ROUNDS);
    os2_block_free((void *)(uintptr_t)context.value);
    bench_peer_end(&peer);
    bench_result("placed_block", count.mean, &count,
                 "a page placed, given by a call from there, and given back by the answer; the loop subtracted");
}

void bench_services(void) {
    bench_peer_count("call_deadline", loop_call_deadline, "echo", OS2_SYS_call, OS2_F_DEADLINE,
                     os2_deadline_ms(HOUR_MS),
                     "as call_reply, the call with a deadline in an hour; the loop subtracted");
    bench_peer_count("call_fail", loop_call_failed, "fail", OS2_SYS_call, 0, 0,
                     "as call_reply, the answer with OS2_F_FAIL; the loop subtracted");
    services_handle();
    services_lib();
    bench_peer_count("reply_then_receive", bench_loop_call, "split", OS2_SYS_call, 0, 0,
                     "as call_reply, the server by reply and receive; the loop subtracted");
    bench_peer_count("server_deadline", bench_loop_call, "deadline", OS2_SYS_call, 0, 0,
                     "as call_reply, the server's reply_receive with a deadline in an hour; the loop subtracted");
    bench_peer_count("server_mask", bench_loop_call, "mask", OS2_SYS_call, 0, 0,
                     "as reply_then_receive, the receive with a mask; the loop subtracted");
    bench_peer_count("server_from", bench_loop_call, "from", OS2_SYS_call, 0, 0,
                     "as call_reply, the server's reply_receive from this process alone; the loop subtracted");
    bench_peer_count("server_polls", bench_loop_call, "poll", OS2_SYS_call, 0, 0,
                     "as reply_then_receive, with a poll that finds nothing between the two; the loop subtracted");
    services_busy();
    services_notify_mask();
    services_placed();
}
