/* SPDX-License-Identifier: MIT */
/*
 * The host port as the stress tests see it: the same types, but ordering that ThreadSanitizer understands.
 *
 * That tool follows atomics and knows nothing of fences. In the kernel a release fence stands directly before the
 * relaxed store that it is for, so here the fence is noted, and the thread's next atomic store is made a release store.
 * Nothing else is made stronger than it is written: a missing fence or acquire is a data race to the tool.
 */
#ifndef TESTS_STRESS_PORT_H
#define TESTS_STRESS_PORT_H

#define arch_fence_release host_fence_release
#define arch_relax host_relax
#include "tests/host/port.h"
#undef arch_fence_release
#undef arch_relax
#undef arch_store_relaxed

extern _Thread_local bool stress_fenced;
void stress_relax(void);

static inline void arch_fence_release(void) {
    stress_fenced = true;
}
static inline void arch_relax(void) {
    stress_relax();
}
#define arch_store_relaxed(p, v)                                                                                       \
    (stress_fenced ? (stress_fenced = false, __atomic_store_n(p, v, __ATOMIC_RELEASE))                                 \
                   : __atomic_store_n(p, v, __ATOMIC_RELAXED))

#endif
