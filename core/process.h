/* SPDX-License-Identifier: MIT */
/*
 * Processes: the slot, which stays, and the object, which comes and goes.
 *
 * A slot is type-stable memory: it is never returned to the heap, so another core may look at its words at any time
 * without knowing whether the process still lives. Everything that is only touched by whoever holds the process is in
 * the object, one page charged to the process.
 *
 * The state word `word` is kind 4 | peer 16 | seq 44 and is the heart of the kernel. core/state.h has its diagram.
 */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include "core/handle.h"
#include "core/machine.h"
#include "mm/space.h"

#define SLOT_NONE 0u        /* slot 0 is never a process */
#define SLOT_ANY 0u         /* as a peer: any sender */
#define SLOT_NOBODY 0xffffu /* as a peer: sleep */

/* Is this the peer of a wait for one process? */
static inline bool slot_is_one(uint32_t peer) {
    return peer != SLOT_ANY && peer != SLOT_NOBODY;
}
#define SLOT_SIZE 512

/* A watch of another process's end, in the watcher's object: see ipc/watch.c, and there for who may touch it. */
#define WATCHES 64
struct watch {
    uint64_t bits; /* 0: none */
    uint64_t life; /* generation of the watched one */
    uint32_t next, prev;
    uint16_t slot; /* the watched one's */
};

struct slot {
    uint64_t word; /* (a) state word */
    uint64_t life; /* (a) generation << 1 | doomed */
    uint64_t note; /* (p) pending notification bits; read without the lock as a hint, (a) */
    uint64_t mask; /* (o) bits the current wait takes; published by the word */
    struct lock lock;
    uint16_t index;                                  /* (i) */
    uint16_t queue_head __attribute__((aligned(4))); /* (p) senders waiting, oldest first; (a) as a hint */
    uint16_t noted;                     /* (p) note is not 0; read with queue_head, as one word, by the entry path */
    uint16_t queue_tail;                /* (p) */
    uint16_t waiters;                   /* (p) who else waits for this one alone: see ipc/queue.h; (a) as a hint */
    uint16_t next, prev;                /* lock of the slot this one is queued at */
    uint16_t queued_at;                 /* the same: whose queue or waiters it is in, SLOT_NONE: not linked */
    uint16_t parent;                    /* (i) while in use: the supervisor's slot, SLOT_NONE: init */
    uint16_t child;                     /* (p) the first of the slots whose parent this is, until they are free */
    uint16_t elder, younger;            /* the parent's lock: neighbours in that list */
    uint32_t children;                  /* (a) slots whose parent this is and that are neither free nor HELD */
    uint8_t abandoned;                  /* (a) nobody will ask how it ended: see end.c */
    uint64_t seq;                       /* (o) of the latest wait; never reset */
    uint64_t spent;                     /* (a) tokens that its turns have spent */
    struct slot *run_next;              /* the lock of the run queue it is in */
    struct process *process;            /* (o) never NULL: see process_none */
    struct timer_node timer[CORES_MAX]; /* node c: core c only */
    /* How it ended; written before the word says DEAD. */
    uint64_t end_value, end_pc, end_address, end_turns;
    uint64_t end_name[2];
    uint8_t end_reason;
    uint32_t held; /* (a) slots whose parent this is and that are HELD */
    /* From creation. (i) */
    uint64_t generation;  /* its own, also once the life word is its successor's */
    uint64_t parent_life; /* the supervisor's generation */
    uint64_t born;        /* the generation it began with; `life` goes up when its end begins */
    uint64_t notify_bits; /* what the supervisor gets at the end */
    uint64_t doom;        /* (a) generation << 8 | why it was doomed: see end_kill() */
    uint64_t wait_life;   /* (o) generation that a receive from one process is for; published by the word */
    uint32_t watchers;    /* (p) those who watch its end, a list through their objects; 0: nobody */
    uint16_t end_cursor;  /* (p) the child that its end looks at next */
    uint8_t end_stage;    /* (o) */
} __attribute__((aligned(SLOT_SIZE)));
_Static_assert(sizeof(struct slot) == SLOT_SIZE, "handles hold the offset of a slot");

/*
 * What a wait was asked for. It is kept so that a receive can be made again after a delivery that failed
 * (ipc/message.c), and so that an answer is held against what the call accepts. Whenever its process is not in a wait,
 * all but control are as in WAIT_PLAIN: the entry path relies on it.
 */
#define WAIT_PLAIN(control_) ((struct wait){.control = (control_), .mask = ~UINT64_C(0), .deadline = TIMER_NEVER})
struct wait {
    uint64_t control;
    uint64_t mask;
    uint64_t deadline;
    uint16_t from;      /* SLOT_ANY, SLOT_NOBODY or a slot */
    uint64_t from_life; /* generation of that slot */
};

#define BLANK_BITS ((struct slot *)1)

/* One page. The registers are first: entry code knows their offsets. */
struct process {
    uint64_t reg[OS2_R_COUNT]; /* (o) the ABI's ten: arguments of the call being made, or its results */
    /* (o) What is known of reg[]: its slot, and all ten are 0; BLANK_BITS, and all but CONTROL and BITS are; NULL. */
    struct slot *blank;
    struct arch_context context;  /* (o) */
    struct space space;           /* (o) */
    struct slot *slot;            /* (i) */
    uint64_t caller_word;         /* (i) slot << 44: with seq, whom a reply answers */
    uint64_t called_word;         /* (i) CAL | slot << 44: with seq, the word of one that waits for this one's answer */
    struct handle_table *handles; /* (o) */
    struct wait wait;             /* (o) */
    uint64_t badge;               /* (o) of the handle its waiting message came through */
    uint32_t quantum;             /* (i) tokens of its turns */
    uint32_t lent;                /* (o) quantum of its next turn, while it is ready */
    uint32_t lending;             /* (o) quantum of the turn in which it began to wait in a queue */
    uint64_t lender;              /* (o) the call it works for, by the name that an answer gives; loan.c has the rest */
    uint64_t loan_of;             /* (o) the lender whose quantum `loan` is */
    uint32_t loan;                /* (o) */
    uint64_t watchdog;            /* (i) limit in ticks, 0: none */
    uint64_t turns;               /* (o) */
    uint64_t name[2];             /* (i) */
    uint32_t last_core;           /* (o) index + 1 of the core it last ran on */
    uint32_t watch_high;          /* (o) so many of these were ever used: */
    struct watch watch[WATCHES];
};
_Static_assert(sizeof(struct process) <= OS2_PAGE_SIZE, "a process object is one page");

/* All ten registers become 0: stores in a row, where memset() would be a call. */
static inline void process_clear(struct process *process) {
#pragma GCC unroll 16
    for (unsigned i = 0; i < OS2_R_COUNT; i++)
        process->reg[i] = 0;
}

static inline uint64_t life_generation(uint64_t life) {
    return life >> 1;
}
static inline bool life_doomed(uint64_t life) {
    return life & 1;
}
static inline uint64_t slot_life(const struct slot *slot) {
    return __atomic_load_n(&slot->life, __ATOMIC_RELAXED);
}
static inline bool slot_doomed(const struct slot *slot) {
    return life_doomed(slot_life(slot));
}
/* Why the process in a slot is ended that this core holds and that is doomed. */
#define DOOM_GENERATION_SHIFT 8
static inline unsigned slot_doom_reason(const struct slot *slot) {
    (void)__atomic_load_n(&slot->life, __ATOMIC_ACQUIRE); /* the doom before its reason: pairs with end_kill() */
    return (uint8_t)__atomic_load_n(&slot->doom, __ATOMIC_RELAXED);
}
static inline uint64_t slot_generation(const struct slot *slot) {
    return life_generation(__atomic_load_n(&slot->life, __ATOMIC_ACQUIRE));
}
/* The same from its creation until the slot is free. */
static inline uint64_t slot_identity(const struct slot *slot) {
    return slot->index | slot->born << OS2_ID_GENERATION_SHIFT;
}

/*
 * What a slot without a process points to: a process that is not plain anywhere (arch_space_plain()), and that nobody
 * can write to.
 *
 * The short ways of call, reply and notify follow slot->process and read a few fields of what is there before they
 * claim it. In between, another core may end the process and make the slot another's. So the pointer always leads to
 * something that can be read: to the process, to this, or to a frame that was a process and is by now anything else.
 * What was read from there counts only if the claim succeeds, by the compare with the word that was seen before: then
 * nobody held the process in between. Until the claim nothing is written through the pointer, and nothing read through
 * it is given to an instruction that could trap.
 */
#define PROCESS_NONE_WORDS (offsetof(struct process, watch) / sizeof(uint64_t)) /* nobody reads the watches */
extern const uint64_t process_none[PROCESS_NONE_WORDS];
#define PROCESS_NONE ((struct process *)process_none)

/* Make the array of slots: room for all, of which each is made when it is first used. */
void process_table_init(void);

/* What a new process is to be, as the system call process_create says it. */
struct process_request {
    uint64_t quota;
    uint32_t quantum;
    uint64_t watchdog; /* ticks */
    uint64_t notify_bits;
    uint64_t name[2];
};

/* How many slots have been made: an index below is a slot's. */
static inline uint32_t slot_made(void) {
    return __atomic_load_n(&machine.slot_made, __ATOMIC_ACQUIRE);
}

/* A new process in state NEW; `parent` NULL for init. Its quota, and machine.slot_pages for its slot, are not taken
 * from the parent here. OS2_E_FULL, OS2_E_MEMORY, OS2_E_QUOTA: nothing is left. */
enum os2_status process_make(struct slot *parent, const struct process_request *request, struct slot **ret_slot);

/* Give back what process_make() took: the object and the handle table. The space is already released. */
void process_unmake(struct process *process);

/* Return a slot to the free ones. Its word is FREE, and it is no child any more. What it cost is given back by the
 * caller. */
void slot_put(struct slot *slot);

/* Take a slot out of the list of its parent's children. */
void slot_orphan(struct slot *parent, struct slot *slot);

/* NULL, or what is wrong with the set of free slots; nobody else uses it meanwhile. */
const char *slot_check(void);

#endif
