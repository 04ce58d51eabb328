/* SPDX-License-Identifier: MIT */
/*
 * Tests of system calls, in the name of processes: make some, and let one of them make a call on core 0.
 *
 * The scheduler is the kernel's own: to make a call a process must be current, so the others yield until it is.
 */
#ifndef TESTS_UNIT_MACHINE_H
#define TESTS_UNIT_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/state.h"
#include "tests/host/host.h"

static struct process *init;

#define ALL OS2_RIGHTS_ALL
#define HANDLE(index) ((uint64_t)(index) << OS2_HANDLE_SHIFT)
#define ACCEPT(order) ((uint64_t)((order) + 1) << OS2_ACCEPT_SHIFT)
#define STATUS(process) ((int64_t)(process)->reg[OS2_R_CONTROL])
#define SLOT machine.slot_pages /* quota that a slot costs */
#define NOW (host_clock - machine.boot_time)

static inline void check(void) {
    host_settle();
    const char *wrong = host_check();
    if (wrong)
        fail_msg("%s", wrong);
}

static inline enum kind kind_of(const struct process *p) {
    return state_kind(p->slot->word);
}

/* Whoever is current yields, or goes on with what it does. What a test still looks at is not lost. */
static inline void let_go(void) {
    uint64_t reg[OS2_R_COUNT];
    struct process *p = cores[0]->current;
    if (p->context.again) {
        host_syscall(0);
        return;
    }
    memcpy(reg, p->reg, sizeof reg);
    p->reg[OS2_R_CONTROL] = OS2_SYS_yield;
    host_syscall(0);
    memcpy(p->reg, reg, sizeof reg);
}

/* Let p be current on core 0. */
static inline void run(const struct process *p) {
    for (unsigned i = 0; i < 1000 && (host_rest(0) != HOST_USER || cores[0]->current != p); i++) {
        if (host_rest(0) == HOST_USER)
            let_go();
        else
            host_interrupt(0, 0);
    }
    assert_int_equal(host_rest(0), HOST_USER);
    assert_ptr_equal(cores[0]->current, p);
}

/* p makes a call; registers from LABEL on. Its status, if it has returned by now. */
#define CALL(p, control, ...) call(p, control, (const uint64_t[OS2_R_COUNT]){0, __VA_ARGS__})
static inline int64_t call(struct process *p, uint64_t control, const uint64_t *reg) {
    run(p);
    memcpy(p->reg, reg, sizeof p->reg);
    p->reg[OS2_R_CONTROL] = control;
    do
        host_syscall(0);
    while (host_rest(0) == HOST_USER && cores[0]->current == p && p->context.again);
    check();
    return STATUS(p);
}

/* Let all who can run do so for a while, and ending processes end. */
static inline void settle(void) {
    for (unsigned i = 0; i < 100; i++)
        if (host_rest(0) == HOST_USER)
            let_go();
    check();
}

/* All that can happen without a further call happens, on all cores, core 0 the last. False: it does not end. */
static inline bool come_to_rest(void) {
    for (unsigned round = 0; round < 400; round++) {
        bool quiet = true;
        for (unsigned i = machine.core_count; i-- > 0;) {
            if (host_rest(i) == HOST_KERNEL) {
                host_continue(i);
                quiet = false;
            } else if (host_interrupt_due(i)) {
                host_interrupt(i, 0);
                quiet = false;
            } else if (cores[i]->arch.ipi && cores[i]->arch.held) { /* it comes after a breath: core/breath.c */
                if (host_clock < cores[i]->timers.breath)
                    host_clock = cores[i]->timers.breath;
                quiet = false;
            }
        }
        if (quiet)
            return true;
    }
    return false;
}

/* Time passes; what is due is done, also what has to wait for a breath (core/breath.c). */
static inline void pass(uint64_t ticks) {
    host_clock += ticks;
    while (host_rest(0) != HOST_OFF && (host_interrupt_due(0) || cores[0]->breath.held)) {
        if (!host_interrupt_due(0))
            host_clock = cores[0]->timers.breath;
        host_interrupt(0, 0);
    }
    check();
}

static inline void boot(uint64_t mib) {
    host_boot(&(struct host_config){.cores = 1, .ram_bytes = mib << 20, .seed = 1});
    init = cores[0]->current;
    check();
}

/* A child of `parent`, not started. *ret_control: its control handle in the parent. */
static inline struct process *make(struct process *parent, uint64_t quota, unsigned *ret_control) {
    assert_int_equal(CALL(parent, OS2_SYS_process_create, quota, 100, 0, UINT64_C(1) << 63, 'p', 0), OS2_OK);
    unsigned control = (unsigned)parent->reg[OS2_R_LABEL];
    if (ret_control)
        *ret_control = control;
    return machine.slot[handle_slot(parent->handles->entry[control].target)].process;
}

static inline struct process *spawn(struct process *parent, uint64_t quota, unsigned *ret_control) {
    unsigned control;
    struct process *p = make(parent, quota, &control);
    assert_int_equal(CALL(parent, OS2_SYS_process_start | HANDLE(control), 0x10000), OS2_OK);
    if (ret_control)
        *ret_control = control;
    return p;
}

/* A handle to `target` put into p's table, as if somebody had given it. */
static inline unsigned handle_to(struct process *p, const struct process *target, unsigned kind, unsigned rights,
                                 uint64_t badge) {
    uint64_t word = handle_target(kind, rights, target->slot->index, slot_generation(target->slot));
    return handle_put(p->handles, word, badge);
}

static inline uint64_t alloc(struct process *p, unsigned order) {
    assert_int_equal(CALL(p, OS2_SYS_block_alloc, order), OS2_OK);
    return p->reg[OS2_R_LABEL];
}

static inline void send_to(struct process *p, unsigned handle, uint64_t label) {
    CALL(p, OS2_SYS_send | HANDLE(handle), label, 2, 3, 4, 5, 6);
}

#endif
