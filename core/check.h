/* SPDX-License-Identifier: MIT */
/* What only the checking build does, by boot arguments: see core/check.c. Elsewhere all of it is nothing. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/syscall.h"

typedef int syscall_handler(struct core *, struct process *);

#if OS2_CHECKS
/* Read the boot arguments; once, before init is made. */
void check_boot(void);

/* A system call by the long way; with os2.faults, each of its allocations fails in turn first. */
int check_call(struct core *core, struct process *process, unsigned number, syscall_handler *handler);

/* Between two system calls; with os2.recount, now and then all cores stop and everything is counted. */
void check_moment(struct core *core);

/* An IPI has come, perhaps because another core counts: wait for the end of that. */
void check_ipi(void);
#else
static inline void check_boot(void) {}
static inline int check_call(struct core *core, struct process *process, unsigned number, syscall_handler *handler) {
    (void)number;
    return handler(core, process);
}
static inline void check_moment(struct core *core) {
    (void)core;
}
static inline void check_ipi(void) {}
#endif

#endif
