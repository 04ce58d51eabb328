/* SPDX-License-Identifier: MIT */
/*
 * A client or a server is killed at each step of what they do with each other.
 *
 * Two clients and a server, each on a core of its own, act out a scene, call by call. The core that passes the k-th
 * ordered access of the kernel in it is stopped there, and init, on a fourth core, kills one of the three; or gets as
 * far as the j-th access of that, and is stopped while the first one goes on. Then all go on, and those who live act
 * out the rest. This is done for each k and j, each of the three, and each scene; and once with nobody killed.
 *
 * Checked: every invariant of host_check(), the recount among them; nobody waits who should not; a call ends well, or
 * says that the other one has ended, where that one was killed; who was killed has ended, and all it had is back.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/state.h"
#include "tests/unit/machine.h"

enum who { A, B, S, PARTIES };
static const char *const names[PARTIES] = {"the first client", "the second client", "the server"};

static struct process *party[PARTIES];
static struct slot *slots[PARTIES];
static uint64_t lives[PARTIES];
static unsigned control[PARTIES], to_server[PARTIES], to_client[PARTIES], bits_to_server[PARTIES];
static uint64_t page[PARTIES];
static enum who victim;
static bool killing, killed;
static const char *scene_name;
static uint64_t step, kill_step; /* k and j; j 0: the kill is not stopped */
static bool kill_stopped;

static void wrong(const char *what) {
    printf("Bail out! %s, %s killed at step %lu, %lu: %s\n", scene_name, names[victim], step, kill_step, what);
    fflush(stdout);
    abort();
}

static bool lives_on(enum who who) {
    return slot_generation(slots[who]) == lives[who] && !slot_doomed(slots[who]);
}

static void rest(void) {
    if (!come_to_rest())
        wrong("the machine does not come to rest");
}

/* Time passes, in which cores look for work, and init gives way. */
static void later(void) {
    for (unsigned i = 0; i < 20; i++) {
        host_clock += HOST_CLOCK_HZ / 100;
        rest();
        if (host_rest(0) == HOST_USER && cores[0]->current == init) {
            memset(init->reg, 0, sizeof init->reg);
            init->reg[OS2_R_CONTROL] = OS2_SYS_yield;
            host_syscall(0);
        }
    }
    rest();
}

/* The core that was stopped rests there while init kills the victim. */
static void kill_now(void) {
    killed = true;
    host_stop_in = kill_step;
    uint64_t *reg = init->reg;
    memset(reg, 0, OS2_R_COUNT * sizeof *reg);
    reg[OS2_R_CONTROL] = OS2_SYS_process_kill | HANDLE(control[victim]);
    host_syscall(0);
    kill_stopped = kill_step && host_stop_in == 0;
    host_stop_in = 0;
}

/* Who makes a call, and waits for nobody else meanwhile; false: it has ended, or waits. */
static bool act(enum who who, uint64_t number, const uint64_t *arguments) {
    rest();
    if (!lives_on(who))
        return false;
    unsigned core = 1;
    while (core < machine.core_count && (host_rest(core) != HOST_USER || cores[core]->current != party[who]))
        core++;
    if (core == machine.core_count && !killed)
        wrong("somebody waits who should act");
    if (core == machine.core_count)
        return false;
    uint64_t *reg = party[who]->reg;
    memcpy(reg, arguments, OS2_R_COUNT * sizeof *reg);
    reg[OS2_R_CONTROL] = number;
    uint64_t before = host_stop_in;
    host_syscall(core);
    if (killing && !killed && before && !host_stop_in)
        kill_now();
    rest();
    return true;
}
#define ACT(who, number, ...) act(who, number, (const uint64_t[OS2_R_COUNT]){0, __VA_ARGS__})

/* How the latest call of somebody ended that depends on `other`, PARTIES: on nobody. It may wait still. */
static void expect(enum who who, enum who other, int64_t also) {
    rest();
    if (!killed && state_waits(slots[who]->word) && who != S)
        wrong("a client waits that nobody makes wait");
    if (!lives_on(who) || state_waits(slots[who]->word))
        return;
    int64_t status = STATUS(party[who]);
    bool gone = other != PARTIES && !lives_on(other);
    if (status < 0 && status != also && !(gone && (status == OS2_E_DIED || status == OS2_E_NOT_WAITING)))
        wrong("a call ended with a status that nothing explains");
}

/* ---- Scenes. ---- */

static void scene_call(void) {
    ACT(S, OS2_SYS_receive | ACCEPT(0), 0);
    ACT(A, OS2_SYS_call | OS2_F_BLOCK | ACCEPT(0) | HANDLE(to_server[A]), 1, 2, 3, 4, page[A]);
    ACT(S, OS2_SYS_reply_receive | OS2_F_BLOCK | ACCEPT(0), 1, 2, 3, 4, page[A], 0, party[S]->reg[OS2_R_CALLER]);
    expect(A, S, 0);
    ACT(A, OS2_SYS_call | HANDLE(to_server[A]), 1, 2, 3, 4, 5);
    ACT(S, OS2_SYS_reply_receive, 1, 2, 3, 4, 5, 0, party[S]->reg[OS2_R_CALLER]);
    expect(A, S, 0);
    expect(S, A, 0);
}

static void scene_two_clients(void) {
    ACT(A, OS2_SYS_call | HANDLE(to_server[A]), 1);
    ACT(B, OS2_SYS_call | HANDLE(to_server[B]), 2);
    ACT(S, OS2_SYS_receive, 0);
    uint64_t first = party[S]->reg[OS2_R_CALLER];
    ACT(S, OS2_SYS_receive | OS2_F_DEADLINE, 0);
    uint64_t second = party[S]->reg[OS2_R_CALLER];
    if (lives_on(S)) {
        ACT(S, OS2_SYS_reply, 1, 2, 3, 4, 0, 0, second);
        expect(S, B, killed ? OS2_E_NOT_WAITING : 0);
        ACT(S, OS2_SYS_reply_receive, 1, 2, 3, 4, 0, 0, first);
    }
    expect(A, S, 0);
    expect(B, S, 0);
}

static void scene_send(void) {
    ACT(A, OS2_SYS_send | OS2_F_BLOCK | HANDLE(to_server[A]), 1, 0, 0, 0, page[A]);
    ACT(B, OS2_SYS_send | OS2_F_HANDLE | HANDLE(to_server[B]), 1, 0, 0, bits_to_server[B]);
    ACT(S, OS2_SYS_receive | ACCEPT(0) | OS2_F_ACCEPT_HANDLE, 0);
    ACT(S, OS2_SYS_receive | ACCEPT(0) | OS2_F_ACCEPT_HANDLE, 0);
    expect(A, S, 0);
    expect(B, S, 0);
    ACT(S, OS2_SYS_receive | OS2_F_FROM | HANDLE(to_client[B]), 0);
    ACT(B, OS2_SYS_send | HANDLE(to_server[B]), 9);
    expect(S, B, 0);
    expect(B, S, 0);
}

static void scene_notify(void) {
    ACT(S, OS2_SYS_receive, 0);
    ACT(A, OS2_SYS_notify | HANDLE(bits_to_server[A]), 1);
    expect(A, S, 0);
    ACT(B, OS2_SYS_notify | HANDLE(bits_to_server[B]), 2);
    expect(B, S, 0);
    ACT(S, OS2_SYS_receive, 0);
    expect(S, PARTIES, 0);
    ACT(S, OS2_SYS_receive | OS2_F_MASK, 0, 4);
    ACT(A, OS2_SYS_notify | HANDLE(bits_to_server[A]), 7);
    expect(A, S, 0);
    expect(S, PARTIES, 0);
}

static void scene_deadline(void) {
    uint64_t deadline = NOW + 1000;
    ACT(S, OS2_SYS_receive, 0);
    ACT(A, OS2_SYS_call | OS2_F_DEADLINE | HANDLE(to_server[A]), 1, 0, 0, 0, 0, deadline);
    uint64_t caller = party[S]->reg[OS2_R_CALLER];
    ACT(B, OS2_SYS_call | OS2_F_DEADLINE | HANDLE(to_server[B]), 1, 0, 0, 0, 0, deadline + 10);
    host_clock += 2000;
    rest();
    ACT(S, OS2_SYS_reply_receive | OS2_F_DEADLINE, 1, 2, 3, 4, 0, 0, caller);
    expect(A, S, OS2_E_TIMEOUT);
    expect(B, S, OS2_E_TIMEOUT);
    if (lives_on(S))
        expect(S, A, OS2_E_WOULD_WAIT);
}

/* A server that takes no more than a block of no order: refused, and its sender goes on. */
static void scene_refused(void) {
    ACT(S, OS2_SYS_receive, 0);
    ACT(A, OS2_SYS_call | OS2_F_BLOCK | HANDLE(to_server[A]), 1, 0, 0, 0, page[A]);
    expect(A, S, OS2_E_REFUSED);
    ACT(B, OS2_SYS_call | HANDLE(to_server[B]), 1);
    ACT(S, OS2_SYS_reply_receive, 1, 2, 3, 4, 0, 0, party[S]->reg[OS2_R_CALLER]);
    expect(B, S, 0);
}

static const struct scene {
    const char *name;
    void (*play)(void);
} scenes[] = {
    {"call with a block, and with words", scene_call}, {"two clients who wait", scene_two_clients},
    {"send of a block and of a handle", scene_send},   {"notify", scene_notify},
    {"call with a deadline", scene_deadline},          {"refused", scene_refused},
};

/* True: somebody was killed in it. */
static bool play(const struct scene *scene, enum who who, uint64_t at, uint64_t kill_at) {
    victim = who;
    step = at;
    kill_step = kill_at;
    killing = killed = kill_stopped = false;
    host_boot(&(struct host_config){.cores = 4, .ram_bytes = 8 << 20, .seed = 1});
    init = cores[0]->current;
    uint64_t free_before = heap_free_pages(&machine.heap), quota = init->space.quota;
    for (unsigned i = 0; i < PARTIES; i++) {
        party[i] = spawn(init, 40, &control[i]);
        slots[i] = party[i]->slot;
        lives[i] = slot_generation(slots[i]);
        rest();
    }
    for (unsigned i = 0; i < PARTIES; i++) {
        to_server[i] = handle_to(party[i], party[S], OS2_HANDLE_INBOX, ALL, i + 1);
        to_client[i] = handle_to(party[S], party[i], OS2_HANDLE_INBOX, ALL, i + 1);
        bits_to_server[i] = handle_to(party[i], party[S], OS2_HANDLE_NOTIFY, ALL, UINT64_MAX);
        if (!ACT(i, OS2_SYS_block_alloc, 0))
            wrong("a process is not where it should be");
        page[i] = party[i]->reg[OS2_R_LABEL];
    }
    killing = at != 0;
    host_stop_in = at;
    scene->play();
    bool done = killed;
    host_stop_in = 0;
    killing = false;
    rest();
    if (done && lives_on(who))
        wrong("the killed one lives");
    check();
    /* The rest end too, and all that was taken is back. */
    for (unsigned i = 0; i < PARTIES; i++) {
        memset(init->reg, 0, sizeof init->reg);
        init->reg[OS2_R_CONTROL] = OS2_SYS_handle_close | HANDLE(control[i]);
        host_syscall(0);
        rest();
    }
    later();
    check();
    for (unsigned i = 0; i < PARTIES; i++)
        if (state_kind(slots[i]->word) != KIND_FREE)
            wrong("somebody does not end");
    if (init->space.quota != quota)
        wrong("the quota is not back");
    if (heap_free_pages(&machine.heap) != free_before)
        wrong("pages are not back");
    return done;
}

int main(void) {
    unsigned number = 0;
    printf("1..%u\n", (unsigned)(sizeof scenes / sizeof *scenes * PARTIES));
    for (const struct scene *scene = scenes; scene < scenes + sizeof scenes / sizeof *scenes; scene++) {
        scene_name = scene->name;
        play(scene, A, 0, 0);
        for (enum who who = 0; who < PARTIES; who++) {
            uint64_t at = 1, plays = 0;
            for (; play(scene, who, at, 0); at++) {
                uint64_t kill_at = 1;
                while (play(scene, who, at, kill_at) && kill_stopped)
                    kill_at++;
                plays += kill_at;
            }
            printf("%sok %u - %s: %s killed at each of %lu steps, in %lu ways\n",
                   at > 20 && plays > 2 * at ? "" : "not ", ++number, scene->name, names[who], at - 1, plays);
        }
    }
    return 0;
}
