/* SPDX-License-Identifier: MIT */
/* What only the checking build does, by boot arguments: see tests/checks/stop.c. Elsewhere all of it is nothing. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/process.h"

struct parcel;
typedef int syscall_handler(struct core *, struct process *);
typedef enum os2_status check_parcel(struct process *from, struct process *into, struct parcel *);

#if OS2_CHECKS
/* Read the boot arguments; once, before init is made. */
void check_boot(void);

/* A system call by the long way; with os2.faults, each of its allocations fails in turn first. */
int check_call(struct core *core, struct process *process, unsigned number, syscall_handler *handler);

/* A look at a delivery; with os2.faults, where it is not part of such a call, its allocations fail in turn first. */
enum os2_status check_delivery(struct process *from, struct process *into, check_parcel *look, struct parcel *parcel);

/* Between two system calls; with os2.recount, now and then all cores stop and everything is counted. */
void check_moment(struct core *core);

/* An IPI has come, perhaps because another core counts: wait for the end of that. */
void check_ipi(void);
#else
static inline void check_boot(void) {}
static inline int check_call(struct core *core, struct process *process, unsigned number, syscall_handler *handler) {
    return handler(core, process);
}
static inline enum os2_status check_delivery(struct process *from, struct process *into, check_parcel *look,
                                             struct parcel *parcel) {
    return look(from, into, parcel);
}
static inline void check_moment(struct core *core) {}
static inline void check_ipi(void) {}
#endif

#endif
