/* SPDX-License-Identifier: MIT */
/*
 * bench: what its files share. bench.c says what is counted.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "os2/abi.h"
#include "os2/spawn.h"

/* A measured loop: does the operation `rounds` times. It is called through a pointer, as the empty loop is that is
 * subtracted. A failed call ends the program through bench_fail(). */
struct bench_context {
    uint64_t control, control2; /* CONTROL of the calls it makes */
    uint64_t value;             /* a deadline, an order, bits, a handle: whatever it needs */
    uint64_t *blocks, count;    /* the blocks it moves, a power of two of them */
    const void *image;          /* the program it starts */
    uint64_t image_size;
    void (*before)(void); /* called before each batch, outside the count; may be null */
};
typedef void bench_loop(struct bench_context *context, uint64_t rounds);

/* Counts of one loop, in thousandths of an instruction per round, the empty loop subtracted. `first`: how many batches
 * ran before its own. */
struct bench_count {
    uint64_t mean, least, most;
    uint64_t rounds, first;
};

/* Runs the loop once to warm up, then a few times `rounds` rounds. */
struct bench_count bench_measure(bench_loop *loop, struct bench_context *context, uint64_t rounds);

/* Notes a result of `milli` thousandths. `text` says what was counted and subtracted; a spread
 * between the least and the most per round of more than this and a thousandth of the mean is noted too. */
#define BENCH_SPREAD_MILLI 4000u
void bench_result(const char *name, uint64_t milli, const struct bench_count *count, const char *text);

/* Notes that something could not be measured, and why. */
void bench_skip(const char *name, const char *why);

/* Is this count among those asked for? */
bool bench_wanted(const char *name);

/* Prints what failed and ends the program with status 1. */
_Noreturn void bench_fail(const char *what, int64_t status);

#define BENCH_CROWD 64u /* processes that one of the role `crowd` starts */

/* The other process of a measurement: this program again, in a role (roles.c). `quota` pages beside the least; 0: only
 * the least. `service`: an inbox handle that it gets under this name; 0: one of this process's inbox. Its own inbox
 * handle has the badge BENCH_BADGE. */
#define BENCH_BADGE UINT64_C(0x5eed)
#define BENCH_BIT_PEER UINT64_C(1)  /* set by a peer, or in one */
#define BENCH_BIT_ENDED UINT64_C(2) /* set when a child has ended */
struct bench_peer {
    struct os2_child child;
    unsigned inbox, notify;
};
void bench_peer_start(struct bench_peer *peer, const char *role, uint64_t quota, unsigned service);
void bench_peer_end(struct bench_peer *peer);

/* Waits until a child has ended. */
void bench_wait_ended(void);

/* The loop of the process that was started in this role; never returns to the caller's work. */
int bench_role(const char *role);

/* CONTROL of a call, in: */
static inline uint64_t bench_control(enum os2_syscall number, uint64_t flags, unsigned handle) {
    return number | flags | (uint64_t)handle << OS2_HANDLE_SHIFT;
}

/* The groups of counts, in the order in which they run. */
void bench_calls(void);
void bench_services(void);
void bench_moves(void);
void bench_memory(void);
void bench_processes(void);
void bench_queues(void);
void bench_library(void);
void bench_files(void);
/* What leaves something behind that later counts would pay for comes last: a heap in pieces, emptied tables, and a
 * process that has used floating point. */
void bench_held(void);
void bench_scattered(void);
void bench_fp(void);

/* Measures a loop of one peer in `role`, which it calls by CONTROL of `number` and `flags`, if `name` is wanted. */
void bench_peer_count(const char *name, bench_loop *loop, const char *role, enum os2_syscall number, uint64_t flags,
                      uint64_t value, const char *text);

/* A call of a label to that peer, which succeeds. */
bench_loop bench_loop_call;
#define BENCH_LABEL 7u

/* What a plugin of QEMU's counts (tests/bench/several.py, marks.py): no counts of its own. */
int bench_several(void);
int bench_lines(void);

/* The round trip without payload, in thousandths; moves are counted beside it. */
uint64_t bench_call_reply(void);

#endif
