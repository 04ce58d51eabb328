/* SPDX-License-Identifier: MIT */
/* What the files of the host port share and no test uses. */
#ifndef TESTS_HOST_INTERNAL_H
#define TESTS_HOST_INTERNAL_H

#include "tests/host/host.h"

/* ---- tlb.c: the hardware. ---- */

struct tlb_kind {
    bool caches_invalid; /* entries that are not valid are kept too */
    bool late_walks;     /* loading a root does not end a walk at the old one */
    bool sets_accessed;  /* the walker sets accessed bits, in pointers too */
    bool quiet;          /* no walks but by tlb_touch() */
    bool only_all;       /* an erratum: any fence but one of everything does nothing */
};

enum tlb_fence {
    TLB_ALL,     /* everything */
    TLB_ASID,    /* what is kept under one number */
    TLB_ADDRESS, /* leaves and invalid entries under one number, for one address */
    TLB_PAGE     /* the same, and all pointers under that number: INVLPG */
};

void tlb_reset(uint64_t seed, const struct tlb_kind *kind);

/* The instructions. Root 0 is the kernel's, which no walk enters. */
void tlb_load(unsigned core, uint64_t root, uint64_t asid);
uint64_t tlb_root(unsigned core);
void tlb_fence(unsigned core, enum tlb_fence which, uint64_t va, uint64_t asid);

/* What hardware does by itself: a core's walks; those of any cores, while one is in the kernel. */
void tlb_walk(unsigned core);
void tlb_walk_anywhere(void);

/* NULL, or what this core, in user mode, could reach and its process does not have. */
const char *tlb_check(unsigned core);

/* entry.c: the system call of the current process. May leave for the idle loop or another process. */
void entry_path(struct core *core);

/* ---- The address spaces: space.c, or a port's own mmu.c by ports/. ---- */

/* Get ready for a machine of this kind; what it needs of the hardware. */
struct tlb_kind space_reset(enum host_mmu mmu);

/* A core is about to go to user mode as the process whose space this is. */
void space_entered(struct core *core, const struct arch_context *context, struct arch_space *space);

/* check.c: the pages that all processes and the heap have together, which never changes. */
void check_reset(void);

#endif
