/* SPDX-License-Identifier: MIT */
/*
 * The kernel's state: each core's own, the little that a core shows to others, and the one machine.
 *
 * `cores` and `machine` are the kernel's only mutable statics outside a port. Keys at the fields:
 *   (i) immutable after boot          (c) own core only           (a) atomic, partner named
 *   (p) the slot's lock               (o) the core that holds the process (its word says RUN, CLM or END with it)
 */
#ifndef CORE_MACHINE_H
#define CORE_MACHINE_H

#include "arch/arch.h"
#include "core/breath.h"
#include "core/log_ring.h"
#include "core/runqueue.h"
#include "core/timer.h"
#include "mm/block.h"
#include "mm/heap.h"

struct process;
struct slot;

/* What other cores may touch of a core. */
struct core_shared {
    struct runqueue queue;
    uint32_t online; /* (a) 1: set once by the core itself */
    uint32_t robbed; /* (a) 1: a thief has had one of its processes; set by thieves, reset by the core, a hint */
    uint32_t stuck;  /* (a) 1: its process made no call between two ticks; set by its own tick, a hint */
} __attribute__((aligned(CACHE_LINE)));

/* A core's own state, reached through arch_core(). The port's part is first: entry code knows its offsets. */
struct core {
    struct arch_core arch;
    int64_t tokens; /* (c) left in this turn */
    /* (c) Whose tables are in satp (CR3); NULL: the kernel's. Others read it (a): pairs with roots_left() of end.c. */
    struct process *current;
    struct slot *slots;            /* (i) machine.slot, for the entry path */
    uint64_t run_word, ready_word; /* (i) RUN and RDY with this core */
    struct slot *turn_slot;        /* (c) whose turn it is: the one that was dispatched; slot 0: nobody's */
    uint64_t turn_life;            /* (c) its life word then */
    uint64_t turns;                /* (c) turns given */
    uint32_t turn_quantum;         /* (c) of this turn */
    bool running;                  /* (c) current is this core's and goes on; else it waits, is queued, or has ended */
    bool yields;                   /* (c) the turn ends by a yield, and the next one is to be like it: core/loan.c */
    bool was_front;                /* (c) the last turn came from the queue's front place */
    uint32_t index;                /* (i) in cores[] */
    int64_t tokens_marked;         /* (c) tokens when they were last counted: see turn_account() */
    struct core_shared shared;     /* what other cores may touch */
    uint64_t dooms_seen;           /* (c) machine.dooms when this core last began to look for doomed processes */
    uint32_t collect_left;         /* (c) how many slots are still to be looked at */
    uint32_t collect_next;         /* (c) */
    bool hands_over;               /* (c) who makes one ready here waits soon: core/steal.c */
    uint64_t offered_at;           /* (c) when one was last offered to idle cores; 0: not in this turn */
    uint64_t next_look;            /* (c) when a busy core with an empty queue may look at the others' again */
    uint64_t watch_since;          /* (c) watchdog: when its process was first seen without a new system call */
    uint64_t watch_calls;          /* (c) watchdog: turns and tokens at that time */
    struct process *watch_process; /* (c) */
    uint64_t watch_turn;           /* (c) watchdog: the turn, as `turns` counts it, that was seen last */
    uint64_t watch_turn_since;     /* (c) watchdog: when it was first seen */
    uint64_t fault_address;        /* (c) of the last fault that a fence was to settle */
    uint64_t fault_calls;          /* (c) turns and tokens at that time */
    struct timers timers;          /* (c) */
    struct breath breath;          /* (c) */
    uint16_t irqs_held;            /* irq_lock: sources that come again at timers.irq, through their next; 0: none */
    struct magazines magazines;    /* (c) */
    /* Statistics: written by the core, read by machine_info() of anyone, each a single load (a). */
    uint64_t steals, stolen, idle_ticks, interrupts;
    uint64_t idle_since; /* 0: not idle */
};

/* Is this process the one that runs on this core? */
static inline bool core_runs(const struct core *core, const struct process *process) {
    return core->running && core->current == process;
}

#define SLOTS_MOST 32768

#define IRQ_MAX 1024
struct irq {
    uint64_t life;  /* generation the binding is good for */
    uint64_t bits;  /* 0: not bound */
    uint64_t since; /* clock: from when on `fired` counts */
    uint32_t fired;
    uint16_t slot;
    uint16_t next; /* while held: in irqs_held of a core; 0: the last */
    bool held;     /* it has fired too often, and its driver's acknowledge does not let it in */
};

/* The checking build: see tests/checks/stop.c. */
struct checks {
    bool recount, faults;          /* (i) what the boot arguments ask for */
    uint32_t stop, stopped;        /* (a) whether a core counts; so many others wait for it */
    uint64_t calls[CORES_MAX];     /* (c) */
    uint64_t quota, pages, counts; /* whoever stopped the others */
    uint64_t refused;              /* a hint */
};

struct machine {
    struct boot_info *boot; /* (i) valid until init runs */
    uint32_t core_count;    /* (i) */
    uint64_t clock_hz;      /* (i) */
    uint64_t boot_time;     /* (i) clock at kernel_main() */
    struct heap heap;
    struct device_table devices;
    struct slot *slot;   /* (i) array of slot_count */
    uint32_t slot_count; /* (i) */
    uint32_t slot_made;  /* (a) those from here on have never been used, and are as their memory was left */
    uint32_t slot_pages; /* (i) quota that a slot costs its supervisor: see core/process.c */
    uint32_t slot_high;  /* (a) slots at and above this are free; changed under slot_lock */
    struct lock slot_lock;
    uint32_t slot_low;                   /* slot_lock: no word of slot_free below this one has a bit */
    uint64_t dooms;                      /* (a) how often a core was sent for to look for doomed ones: end_collect() */
    uint64_t slot_free[SLOTS_MOST / 64]; /* slot_lock: a bit for each slot that is free */
    /* (a) cores in their idle loop, two bits each: see core/steal.c. Alone in its line: every dispatch reads it. */
    uint64_t idle_mask __attribute__((aligned(CACHE_LINE)));
    struct lock irq_lock __attribute__((aligned(CACHE_LINE)));
    struct irq irq[IRQ_MAX]; /* irq_lock */
    uint64_t panicked;       /* (a) 1 + index of the core whose panic ends the machine; 0: none */
    bool panic_restarts;     /* (i) the machine starts again after a panic */
    struct log log;
#if OS2_CHECKS
    struct checks checks;
#endif
};

extern struct core *cores[CORES_MAX]; /* (i) */
extern struct machine machine;

/* Memory of the kernel's own, for good: whole pages, cleared. Where there is none, a panic says what it was for. */
void *machine_memory(size_t bytes, const char *what);
/* The same, as it was left. */
void *machine_memory_dirty(size_t bytes, const char *what);

#endif
