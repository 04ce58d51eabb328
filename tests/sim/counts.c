/* SPDX-License-Identifier: MIT */
/* How often what a simulation is there for has happened: calls that come from several cores. */
#include <string.h>

#include "core/state.h"
#include "tests/sim/program.h"

#define SLOTS 256u

struct program_counts program_counts;
static unsigned last_core[SLOTS];   /* where it made its latest call, + 1 */
static unsigned calling[CORES_MAX]; /* the slot that a core's process is about to call, 0: none */

void counts_reset(void) {
    memset(last_core, 0, sizeof last_core);
    memset(calling, 0, sizeof calling);
    program_counts = (struct program_counts){0};
}

void counts_call(unsigned core, const struct process *p) {
    uint64_t control = p->reg[OS2_R_CONTROL];
    const struct handle *h = handle_get(p->handles, control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
    last_core[p->slot->index % SLOTS] = core + 1;
    if ((control & OS2_NUMBER_MASK) == OS2_SYS_call && h && handle_kind(h->target) == OS2_HANDLE_INBOX)
        calling[core] = (unsigned)handle_slot(h->target);
}

void counts_stepped(unsigned core) {
    if (host_rest(core) != HOST_KERNEL)
        calling[core] = 0;
    for (unsigned i = 0; calling[core] && i < CORES_MAX; i++)
        program_counts.raced += i != core && calling[i] == calling[core];
}

void counts_settled(void) {
    unsigned first[SLOTS] = {0}; /* the core of the last one found that waits for this server, + 1 */
    for (uint32_t i = 1; i < machine.slot_high; i++) {
        uint64_t word = machine.slot[i].word;
        if (state_kind(word) != KIND_CAL && state_kind(word) != KIND_SND)
            continue;
        unsigned core = last_core[i % SLOTS], *found = &first[state_peer(word) % SLOTS];
        program_counts.met += *found && *found != core;
        *found = core;
    }
}

void counts_returned(unsigned core, const struct process *p) {
    uint32_t caller = (uint32_t)(p->reg[OS2_R_CALLER] >> STATE_SEQ_BITS);
    if (caller && caller < SLOTS && last_core[p->slot->index % SLOTS] != core + 1 && last_core[caller] == core + 1 &&
        state_kind(machine.slot[caller].word) == KIND_CAL && state_peer(machine.slot[caller].word) == p->slot->index)
        program_counts.pulled++;
}
