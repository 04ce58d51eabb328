/* SPDX-License-Identifier: MIT */
/*
 * What the run queues need of a port, for threads of the host under ThreadSanitizer. That tool knows atomics but not
 * fences, so a release fence here marks what the following relaxed store publishes as released: by an atomic add of 0
 * to a word of the thread's own making, the order would not be seen; instead the fence is C11's, and the run queues are
 * compiled with relaxed stores after it turned into release stores (see stress.c).
 */
#ifndef TESTS_STRESS_PORT_H
#define TESTS_STRESS_PORT_H
#endif
