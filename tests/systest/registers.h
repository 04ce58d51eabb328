/* SPDX-License-Identifier: MIT */
/*
 * All registers of a process around a system call, and those of a fresh one: what each port's registers.S has. Which
 * index is which register, each port's arch_test.h says.
 */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

/* Loads every register from `in` that may be loaded, makes the system call that is in them, and stores every register
 * to `out`. */
void arch_registers(const uint64_t *in, uint64_t *out);
extern const char arch_registers_return[]; /* the address behind that call */

/* The floating-point registers as they are, to their places in `out`; the program has used none itself, or it does not
 * matter. */
void arch_fp_look(uint64_t *out);

/* Code that a fresh process can run from a page of its own: stores all registers at its argument, a page, and makes two
 * system calls with that page as BLOCK, a call and a send of the page that was the answer, after it stored its thread
 * pointer again (ARCH_DUMP_TP); then it exits. The CONTROL of each call is at ARCH_DUMP_CONTROL. The thread pointer is
 * that of a structure whose first word points to itself. */
#define ARCH_DUMP_CONTROL 1024u
#define ARCH_DUMP_TP 1048u
extern const char arch_dump[], arch_dump_end[];

/* The same: computes for ever. */
extern const char arch_loop[], arch_loop_end[];

enum arch_role {
    ARCH_FIXED,    /* not loaded: the stack pointer, constants */
    ARCH_KEPT,     /* the same after a call */
    ARCH_SLOT,     /* carries arguments and results */
    ARCH_SCRUBBED, /* 0 after a call, or as it was */
    ARCH_RETURN,   /* the same, or the address behind the call */
    ARCH_LOST      /* not promised after a call; 0 after another process ran */
};

#endif
