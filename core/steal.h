/* SPDX-License-Identifier: MIT */
/* Idle cores and those that have work for them; theory in core/steal.c. */
#ifndef CORE_STEAL_H
#define CORE_STEAL_H

#include "core/process.h"

/* Wait until this core's queue has something in it. */
void steal_wait(struct core *core);

/* While a core looks for work, let it at what this one does not run at once, and call one that sleeps. */
void steal_invite_now(struct core *core);
static inline bool steal_looked_for(void) {
    return __atomic_load_n(&machine.idle_mask, __ATOMIC_RELAXED) != 0;
}
static inline void steal_invite(struct core *core) {
    if (steal_looked_for() && runqueue_hint(&core->shared.queue) != 0)
        steal_invite_now(core);
}

/* Is who waits for this core, the only one if `length` does, left for it, and not offered? Where the turn of the last
 * who made one ready ended soon after. */
static inline bool steal_keeps(const struct core *core, uint32_t length) {
    return core->hands_over && runqueue_hint(&core->shared.queue) == length &&
           !__atomic_load_n(&core->shared.robbed, __ATOMIC_RELAXED);
}

/* One that was made ready is not left for this core: invite others. What comes of it is told by who runs next here. */
void steal_offer(struct core *core);
void steal_offered(struct core *core);
static inline void steal_look_back(struct core *core) {
    if (core->offered_at)
        steal_offered(core);
}

/* A core that is busy with one process has nobody waiting, and may take from one whose queue is long, or stuck behind a
 * process that makes no call. It looks at the tick, and after each eighth turn, at most a thousand times a second:
 * where firmware reads the clock, that is as dear as a turn. */
void steal_look(struct core *core, uint64_t now);
static inline bool steal_alone(const struct core *core) {
    return machine.core_count != 1 && !core->shared.stuck && runqueue_hint(&core->shared.queue) == 0;
}
static inline void steal_look_around(struct core *core) {
    if (core->turns % 8 == 0 && steal_alone(core))
        steal_look(core, arch_clock());
}

/* At the tick of a core whose process has made no call since the last: those who wait behind it must not wait for the
 * watchdog. Of the cores that are not so themselves, whoever has the least to do is called, busy or not. The mark
 * stands whether or not somebody waits here, and a core that has it takes no work: else two such cores, which always
 * have the shortest queues, hand a process to each other for ever. */
void steal_call_for_help(struct core *core);

/* The other side: take from a core that is stuck. */
void steal_help(struct core *core);

#endif
