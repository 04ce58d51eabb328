/* SPDX-License-Identifier: MIT */
/*
 * The state word of a slot: who may touch a process, in one atomic word.
 *
 *     kind 4 | peer 16 | seq 44
 *
 * seq numbers the wait: one counter for each slot, which starts again only after 2^43 waits, so that a word once seen
 * does not come back while anyone may still use it, be the slot another process's by then. NEW, CHD, HELD and DEAD are
 * numbered by it too. So whoever sees a word, then the generation he means, holds a word of that generation: his
 * exchange from it hits that process or none. A peer in a word is a slot alone; whose it is, is told by the generation
 * beside it: wait_life for a receive from one process. Who sends or calls is in the queue of a process, or waits for
 * its answer, that cannot end without waking it. The entry path completes no wait whose number has the highest bit,
 * STATE_SEQ_LONG: such are a receive with a mask or a deadline of its own; and, since the entry path only counts up,
 * the waits of one whose counter is to start again, which it does in ipc/ (wait_again()).
 *
 *              process_make                 process_start
 *     FREE ------------------> NEW --------------------------> RDY|c
 *
 *              dispatch                     direct switch: claimed RUN|c, then run
 *     RDY|c <----------> RUN|c
 *       (a thief takes RDY or END through the run queue, then stores it as its own: RDY|me, END|me)
 *
 *     RUN|c --> RCV|from|seq   receive                 by its own core: swap, full fence
 *     RUN|c --> SND|to|seq     send, call              by its own core, linked in to's queue, under to's lock
 *     RUN|c --> CAL|to|seq     call, taken at once     by its own core: store release
 *
 *     RCV --> RUN|c   claim: sender, notifier, timer, ender of the peer, itself      compare-exchange
 *     SND --> CLM|c   claim by the receiver, under its lock; then CLM --> CAL or RUN|c
 *     SND --> RUN|c   timer, ender, itself
 *     CAL --> RUN|c   reply, timer, ender; CAL --> CLM|c --> RUN|c or CAL for an answer with a block or handle
 *     CAL --> CLM|c --> CAL   parked by its server, which receives before it answers
 *
 *     RCV, SND, CAL, NEW --> END|c   kill
 *     RUN|c --> END|c                its own core: exit, fault, doom seen
 *     END|c --> CHD --> END|c'       waits until its children's slots are free, or HELD
 *     END|c --> HELD --> END|c'      keeps its memory until its supervisor has dealt with its device
 *     END|c --> DEAD --> FREE        the supervisor read how it ended, or nobody will
 *
 * Rules. RUN|c, RDY|c, CLM|c, END|c are changed by core c only. In RCV, SND, CAL, CHD, HELD, DEAD anyone may claim, by
 * one compare-exchange from the exact word seen. Publishing a wait is the last touch of a process by its core.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "core/process.h"

/* A word whose kind and peer are 0 receives from anyone: what the entry path looks for. */
enum kind {
    KIND_RCV,
    KIND_FREE,
    KIND_NEW,
    KIND_RUN,
    KIND_RDY,
    KIND_CLM,
    KIND_END,
    KIND_SND,
    KIND_CAL,
    KIND_CHD,
    KIND_HELD,
    KIND_DEAD
};

#define STATE_SEQ_BITS 44
#define STATE_KIND_SHIFT 60
#define STATE_SEQ_MASK ((UINT64_C(1) << STATE_SEQ_BITS) - 1)
#define STATE_SEQ_LONG (UINT64_C(1) << (STATE_SEQ_BITS - 1))

static inline uint64_t state(enum kind kind, uint32_t peer, uint64_t seq) {
    return (uint64_t)kind << STATE_KIND_SHIFT | (uint64_t)peer << STATE_SEQ_BITS | seq;
}
static inline enum kind state_kind(uint64_t word) {
    return (enum kind)(word >> 60);
}
static inline uint32_t state_peer(uint64_t word) {
    return word >> STATE_SEQ_BITS & 0xffff;
}
static inline uint64_t state_seq(uint64_t word) {
    return word & STATE_SEQ_MASK;
}
static inline bool state_waits(uint64_t word) {
    enum kind kind = state_kind(word);
    return kind == KIND_RCV || kind == KIND_SND || kind == KIND_CAL;
}

static inline uint64_t slot_word(const struct slot *slot) {
    return arch_load_acquire(&slot->word);
}

/* The number of a new wait, or of another numbered word, of a slot that this core holds. */
static inline uint64_t wait_begin(struct slot *slot) {
    return slot->seq = (slot->seq + 1) & (STATE_SEQ_LONG - 1);
}

/* Would the process in `slot`, seen in state `word`, take a message from `sender` now? One that waits for who had the
 * sender's slot before does not. What is read here is this wait's, if a claim from `word` succeeds. */
static inline bool state_accepts(const struct slot *slot, uint64_t word, const struct slot *sender) {
    return state_kind(word) == KIND_RCV &&
           (state_peer(word) == SLOT_ANY ||
            (state_peer(word) == sender->index &&
             __atomic_load_n(&slot->wait_life, __ATOMIC_RELAXED) == sender->generation));
}

#endif
