/* SPDX-License-Identifier: MIT */
/*
 * A ticket lock, for what is rarely contended: the heap's lists, a slot's queue and bits, a run queue that is shared,
 * interrupt sources, free slots, the log.
 *
 * Whoever comes takes a number and waits until it is served, so a core waits at most for each other core to hold the
 * lock once: programs that keep a lock busy from other cores (by sends to one process, by large blocks, by the log)
 * delay their victim by that, and do not starve it, as they can where whoever is nearest to the line gets it.
 *
 * Interrupts are off in the kernel, so a holder is never interrupted; no code holds two locks.
 *
 * Rejected: test-and-set (two instructions less, and no bound); a queue of waiters (the same bound, less traffic among
 * many who wait, more for one who does not: there are eight cores at most).
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include "arch/arch.h"

struct lock {
    uint32_t next;   /* (a) the number that whoever comes gets */
    uint32_t served; /* (a) whose turn it is; free: equal to next. Only the holder writes it */
};

/* Pairs with lock_release() of the previous holder. */
static inline void lock_acquire(struct lock *lock) {
    uint32_t mine = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&lock->served, __ATOMIC_ACQUIRE) != mine)
        arch_relax();
}

/* The same, if nobody holds it or waits for it. */
static inline bool lock_try(struct lock *lock) {
    uint32_t mine = __atomic_load_n(&lock->served, __ATOMIC_ACQUIRE);
    return __atomic_compare_exchange_n(&lock->next, &mine, mine + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void lock_release(struct lock *lock) {
    arch_fence_release(); /* gcc 12 would make a release store an atomic swap */
    arch_store_relaxed(&lock->served, lock->served + 1);
}

#endif
