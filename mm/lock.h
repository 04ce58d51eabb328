/* SPDX-License-Identifier: MIT */
/*
 * A test-and-set spin lock, for what is rarely contended: the heap's shared part, a slot's sender queue, boot.
 *
 * Interrupts are off in the kernel, so a holder is never interrupted; no code holds two locks. Fair locks were
 * rejected: a ticket costs the uncontended path more, and no lock here is on a path where fairness shows.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include "arch/arch.h"

struct lock {
    uint32_t held; /* (a) */
};

/* Pairs with lock_release() of the previous holder. */
static inline void lock_acquire(struct lock *lock) {
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
            arch_relax();
}

static inline void lock_release(struct lock *lock) {
    arch_fence_release(); /* gcc 12 would make a release store an atomic swap */
    arch_store_relaxed(&lock->held, 0);
}

#endif
