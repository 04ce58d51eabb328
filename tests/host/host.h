/* SPDX-License-Identifier: MIT */
/*
 * What a test does with the host port: make a machine, boot the kernel on it, and be its processor and its programs.
 *
 * One thread plays all cores. Each simulated core has a stack of its own, on which the kernel runs until it comes to
 * rest: in arch_enter(), with core->current as the process in user mode; in arch_idle(), waiting for an interrupt;
 * or, where switching inside the kernel is on, at one of the points of tests/host/port.h. Then the test decides what
 * happens next: it fills in core->current->reg[] and lets the process make its system call, lets an interrupt arrive,
 * or lets a core that was stopped inside the kernel go on.
 *
 * No program exists: a process is what the test does in its name.
 */
#ifndef TESTS_HOST_HOST_H
#define TESTS_HOST_HOST_H

#include <setjmp.h>

#include "core/process.h"

#define HOST_CLOCK_HZ UINT64_C(1000000)
#define HOST_RAM_BASE UINT64_C(0x80000000)

/* How the machine translates, and how its port is told to fence: for the ports that have such modes. */
enum host_mmu {
    HOST_MMU_ASIDS,     /* few address-space numbers, so that they run out all the time */
    HOST_MMU_NO_ASIDS,  /* none */
    HOST_MMU_GLOBAL,    /* os2.fences=global: numbers, but no fence does anything unless it is one of all */
    HOST_MMU_ERRATUM,   /* neither numbers nor any fence but that of all */
    HOST_MMU_IMPOSSIBLE /* loads of the root order nothing, and walks write: no supported machine is so */
};

struct host_config {
    unsigned cores;
    uint64_t ram_bytes;
    unsigned switch_one_in; /* at each point of the kernel, one time in so many another core goes on; 0: never */
    enum host_mmu mmu;
    bool quiet; /* hardware walks only where the test says so: tlb_touch() */
    uint64_t seed;
};

enum host_rest {
    HOST_OFF,    /* never started */
    HOST_IDLE,   /* in arch_idle() */
    HOST_USER,   /* core->current is in user mode */
    HOST_KERNEL, /* stopped inside the kernel */
    HOST_DOWN    /* the machine is off: see host_down */
};

/* ---- Memory alone, for tests below processes. ---- */

/* Back the physical addresses from `base` on with zeroed host memory, given up again by the next call. */
void host_memory(uint64_t base, uint64_t bytes);

/* ---- A whole machine. ---- */

/* Build memory, firmware's ranges, an archive and a tree, and run kernel_main() until every core rests. init is current
 * on core 0, or on one that stole it. */
void host_boot(const struct host_config *config);

extern struct boot_info host_boot_info;

/* Message-signalled interrupts: so many, behind the lines; the address has the core's index in it. */
#define HOST_IRQ_MESSAGES 4u
#define HOST_MESSAGE_ADDRESS UINT64_C(0x1000)

enum host_rest host_rest(unsigned core);

/* core->current makes the system call in its reg[]. */
void host_syscall(unsigned core);

/* Interrupts that are due arrive at this core: its timer, its IPI, and interrupt number `irq` if it is not 0. */
void host_interrupt(unsigned core, unsigned irq);
bool host_interrupt_due(unsigned core);

/* Interrupt number `irq` is pending where the kernel runs or rests: it is found when the kernel next looks. */
void host_interrupt_later(unsigned core, unsigned irq);

/* core->current makes a fault. */
void host_fault(unsigned core, unsigned fault, uint64_t pc, uint64_t address);

/* A core that rests in the kernel goes on, until it rests again. */
void host_continue(unsigned core);

/* At the so manyth point from now on the core that passes it is stopped; 0: none is. */
extern uint64_t host_stop_in;

/* All cores go on until none rests in the kernel. */
void host_settle(void);

/* What every structure says of itself, and what the frames add up to. NULL or what is wrong. Only where no core rests
 * in the kernel. */
const char *host_check(void);

/* The current process of a core in user mode makes an access that would fault by `fault` where it may not. NULL, or
 * what is wrong with how it went. */
const char *tlb_access(unsigned core, uint64_t va, unsigned fault);

/* A core's hardware walks down to `va` by the root that is loaded there, if one is, and keeps what it finds: as it may
 * at any time, whatever the core does. */
void tlb_touch(unsigned core, uint64_t va);

/* What hardware did since the machine was made: for tests that must not be empty. */
struct tlb_counts {
    uint64_t walks;     /* entries read */
    uint64_t late;      /* of those, by walks at a root that was left */
    uint64_t foreign;   /* of those, from frames that were no longer its tables */
    uint64_t accessed;  /* accessed bits set */
    uint64_t checked;   /* translations held against tables, at the way to user mode */
    uint64_t hits;      /* accesses by a cached translation */
    uint64_t spurious;  /* accesses that a cached invalid entry made fault */
    uint64_t fences[4]; /* by enum tlb_fence */
};
extern struct tlb_counts tlb_counts;

/* How often the entry path's short ways were taken. */
struct short_counts {
    uint64_t waits, calls, replies, blocks;
};
extern struct short_counts short_counts;

/* Is interrupt `irq` let in? */
bool host_irq_open(unsigned irq);

/* An interrupt source is broken, or very fast: it is pending so many times more after it was taken. */
extern unsigned host_irq_more;

/* What arch_power_off() or arch_restart() was told: code, or 256 for a restart. -1: the machine runs. */
extern int host_down;

/* How many allocations of the heap from now on succeed before each one fails; negative: all succeed. */
extern long host_heap_budget;

/* ---- Panics. ---- */

/* Does `statement` panic? The text is then in host_panic. Only for statements that do not run a core. */
#define HOST_PANICS(statement)                                                                                         \
    (setjmp(host_panic_jump) == 0                                                                                      \
         ? (host_panic_expected = true, (void)(statement), host_panic_expected = false, false)                         \
         : true)
extern void (*host_abort)(void); /* called before a panic of a core ends the test; NULL: nothing */
extern jmp_buf host_panic_jump;
extern bool host_panic_expected;
extern char host_panic[256];

/* Everything the kernel has written to the firmware's console. */
extern char host_console[8192];

/* ---- A random source, the same on every host. ---- */

struct host_random {
    uint64_t state;
};
uint64_t host_random(struct host_random *random);
static inline uint64_t host_below(struct host_random *random, uint64_t limit) {
    return host_random(random) % limit;
}

/* ---- The machine's image: tests/host/image.c. ---- */

/* Write a newc archive whose first file is a program with a text, a data and a zeroed page; returns its size. */
size_t host_image(uint8_t *to, size_t room);
#define HOST_INIT_ENTRY UINT64_C(0x10040)

#endif
