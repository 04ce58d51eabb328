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
 *     fail     refuses each call
 *     handle   takes a handle with each call, closes it and answers
 *     echo-lib the same as echo, by the library's functions
 *     deadline, from  the same as echo, with a deadline; from `service` alone
 *     split    answers each call by reply, then receive; mask: which has a mask; poll: after a poll
 *     busy     answers each call after it has yielded
 *     client   calls `service` for ever
 *     notify-mask  the same as notify, with a mask
 *     hoard    gets single pages up to its quota, says so, and ends when it is told to
 *     crowd    starts BENCH_CROWD others that receive, says so, and receives too
 */
#include "arch_stub.h"
#include "arch_user.h"
#include "bench.h"
#include "os2/call.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/time.h"

#define HOUR_MS (UINT64_C(60) * 60 * 1000)

/* A function of its own: one that mentions a floating-point register saves it at its start, and a process that has used
 * floating point is switched to more slowly. */
static __attribute__((noinline)) void serve_fp(uint64_t receive, uint64_t answer) {
    arch_stub_serve_fp(receive, answer, BENCH_BADGE);
}

/* One call with all registers, as they came out of the last one. */
static inline bool service_call(uint64_t registers[OS2_R_COUNT], uint64_t control) {
    registers[OS2_R_CONTROL] = control;
    arch_syscall(registers);
    return (int64_t)registers[OS2_R_CONTROL] >= 0;
}

/* A server that answers by reply and receives by `receive`, with a mask; `between`, if any, is a call between the two
 * that finds nothing. */
static inline int serve_split(uint64_t between, uint64_t receive, uint64_t mask) {
    uint64_t registers[OS2_R_COUNT] = {0};

    for (;;) {
        registers[OS2_R_W0] = mask;
        if (!service_call(registers, receive) || registers[OS2_R_BADGE] != BENCH_BADGE ||
            !service_call(registers, OS2_SYS_reply))
            return 1;
        registers[OS2_R_DEADLINE] = 0;
        if (between && service_call(registers, between))
            return 1;
    }
}

/* A server that answers and receives by one call. `before`, if any, is a call that it makes before. */
static inline int serve_whole(uint64_t receive, uint64_t before, uint64_t answer, uint64_t deadline) {
    uint64_t registers[OS2_R_COUNT] = {0};
    bool good;

    registers[OS2_R_DEADLINE] = deadline;
    good = service_call(registers, receive);
    while (good && registers[OS2_R_BADGE] == BENCH_BADGE) {
        uint64_t caller = registers[OS2_R_CALLER], handle = registers[OS2_R_HANDLE];
        if (before == OS2_SYS_handle_close)
            good = service_call(registers, bench_control(before, 0, (unsigned)handle));
        else if (before)
            good = service_call(registers, before);
        registers[OS2_R_CALLER] = caller;
        registers[OS2_R_DEADLINE] = deadline;
        good = good && service_call(registers, answer);
    }
    return 1;
}

static int serve_lib(void) {
    struct os2_message m = {0};
    int status = os2_receive(0, &m);

    while (status >= 0 && m.badge == BENCH_BADGE)
        status = os2_reply_receive(0, &m);
    return 1;
}

static int notify_mask(uint64_t notify, uint64_t receive) {
    uint64_t registers[OS2_R_COUNT] = {0};

    do
        registers[OS2_R_W0] = BENCH_BIT_PEER;
    while (service_call(registers, receive) && (registers[OS2_R_LABEL] = BENCH_BIT_PEER, true) &&
           service_call(registers, notify));
    return 1;
}

static int role_service(const char *role) {
    uint64_t receive = OS2_SYS_receive, answer = OS2_SYS_reply_receive, handles = OS2_F_ACCEPT_HANDLE;
    unsigned service = os2_start_handle("service");
    uint64_t from = bench_control(0, OS2_F_FROM, service);

    if (strcmp(role, "fail") == 0)
        return serve_whole(receive, 0, answer | OS2_F_FAIL, 0);
    if (strcmp(role, "handle") == 0)
        return serve_whole(receive | handles, OS2_SYS_handle_close, answer | handles, 0);
    if (strcmp(role, "busy") == 0)
        return serve_whole(receive, OS2_SYS_yield, answer, 0);
    if (strcmp(role, "deadline") == 0)
        return serve_whole(receive | OS2_F_DEADLINE, 0, answer | OS2_F_DEADLINE, os2_deadline_ms(HOUR_MS));
    if (strcmp(role, "from") == 0)
        return serve_whole(receive | from, 0, answer | from, 0);
    if (strcmp(role, "echo-lib") == 0)
        return serve_lib();
    if (strcmp(role, "split") == 0)
        return serve_split(0, receive, 0);
    if (strcmp(role, "mask") == 0)
        return serve_split(0, receive | OS2_F_MASK, BENCH_BIT_PEER);
    if (strcmp(role, "poll") == 0)
        return serve_split(receive | OS2_F_DEADLINE, receive, 0);
    if (strcmp(role, "notify-mask") == 0)
        return notify_mask(bench_control(OS2_SYS_notify, 0, os2_start_handle("notify")), receive | OS2_F_MASK);
    if (strcmp(role, "client") == 0) {
        struct os2_message m = {0};
        while (os2_call(service, 0, &m) >= 0)
            continue;
    }
    return 1;
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
            bench_peer_start(&peer, "receive", 0, 0);
        os2_notify(os2_start_handle("notify"), BENCH_BIT_PEER);
        arch_stub_plain(receive);
    } else if (strcmp(role, "hoard") == 0) {
        void *page;
        while (os2_block_alloc(0, &page) == OS2_OK) {
        }
        os2_notify(os2_start_handle("notify"), BENCH_BIT_PEER);
        return arch_stub_plain(receive) < 0;
    }
    return role_service(role);
}
