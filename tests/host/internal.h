/* SPDX-License-Identifier: MIT */
/* What the files of the host port share and no test uses. */
#ifndef TESTS_HOST_INTERNAL_H
#define TESTS_HOST_INTERNAL_H

#include "tests/host/host.h"

/* tlb.c */
void tlb_reset(uint64_t seed);
void tlb_walk(unsigned core);
const char *tlb_check(unsigned core);

/* check.c: the pages that all processes and the heap have together, which never changes. */
void check_reset(void);

#endif
