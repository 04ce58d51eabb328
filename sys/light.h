/* SPDX-License-Identifier: MIT */
/*
 * Light calls: system calls that the entry path makes without stopping the process; the contract is in arch/arch.h.
 *
 * A light call is one of which this is true nearly always: it needs CONTROL, LABEL, W0 and W1 at most, it gives back a
 * status and LABEL at most, and the same process goes on. To make NAME one, write light_NAME() and add NAME
 *
 *     to LIGHT_ONLY     if that is all of it: sys_NAME(), for the long way, then comes from sys/dispatch.c
 *     to LIGHT_FIRST    if it sometimes returns light_long(...): then sys_NAME() is written too, and does it all
 *
 * A handler finds its process by light_process(). Neither process->reg nor process->context holds anything of this
 * call, the process must stay the current one, and the turn must not end: whatever cannot promise that says
 * light_long() before it has changed anything.
 */
#ifndef SYS_LIGHT_H
#define SYS_LIGHT_H

#include "core/process.h"

#define LIGHT_ONLY(X)                                                                                                  \
    X(notify)                                                                                                          \
    X(watch)                                                                                                           \
    X(block_free)                                                                                                      \
    X(block_place)                                                                                                     \
    X(handle_mint)                                                                                                     \
    X(handle_close)                                                                                                    \
    X(process_give)                                                                                                    \
    X(process_grant)                                                                                                   \
    X(irq_bind)                                                                                                        \
    X(irq_ack)
#define LIGHT_FIRST(X) X(block_alloc)

#define LIGHT_DECLARE(name) light_handler light_##name;
LIGHT_ONLY(LIGHT_DECLARE)
LIGHT_FIRST(LIGHT_DECLARE)
#undef LIGHT_DECLARE

static inline struct process *light_process(void) {
    return arch_core()->current;
}

/* What a handler returns: a status alone, or with one result. */
static inline struct light light_status(int64_t status) {
    return (struct light){status, 0};
}
static inline struct light light_result(uint64_t label) {
    return (struct light){OS2_OK, label};
}

/* Leave it to the long way, with these arguments, which are those that the handler got. */
static inline struct light light_long(uint64_t control, uint64_t label, uint64_t w0, uint64_t w1) {
    uint64_t *reg = light_process()->reg;
    reg[OS2_R_CONTROL] = control;
    reg[OS2_R_LABEL] = label;
    reg[OS2_R_W0] = w0;
    reg[OS2_R_W1] = w1;
    return light_status(LIGHT_LONG);
}

/* The handle that CONTROL names, if it is of this kind; else NULL. */
static inline struct handle *light_handle(struct process *process, uint64_t control, unsigned kind) {
    struct handle *h = handle_get(process->handles, control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
    return h && handle_kind(h->target) == kind ? h : NULL;
}

#endif
