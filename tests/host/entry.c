/* SPDX-License-Identifier: MIT */
/* The entry path of the host port: light calls, and the short ways of ipc/short.c, which are counted here. */
#include <string.h>

#include "core/turn.h"
#include "sys/light.h"
#include "tests/host/internal.h"

struct short_counts short_counts;

static bool light(struct core *core, struct process *x, unsigned number) {
    uint64_t *reg = x->reg, a[4];
    memcpy(a, reg, sizeof a);
    memset(reg, 0xa5, OS2_R_COUNT * sizeof *reg); /* nothing of the call is there for the handler */
    core->tokens--;
    struct light result = light_handlers[number](a[0], a[1], a[2], a[3]);
    if (result.status == LIGHT_LONG) {
        core->tokens++;
        return false;
    }
    memset(reg, 0, OS2_R_COUNT * sizeof *reg);
    reg[OS2_R_CONTROL] = (uint64_t)result.status;
    reg[OS2_R_LABEL] = result.label;
    return true;
}

void entry_path(struct core *core) {
    struct process *x = core->current;
    uint64_t number = x->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK;
    bool block = x->reg[OS2_R_CONTROL] & OS2_F_BLOCK;
    x->blank = NULL;
    if (short_way(core)) {
        short_counts.calls += number == OS2_SYS_call;
        short_counts.replies += number == OS2_SYS_reply_receive;
        short_counts.blocks += block;
        return;
    }
    if (number < OS2_SYS_COUNT && light_handlers[number] && core->tokens > 1 && light(core, x, (unsigned)number))
        return;
    syscall_dispatch(core);
}

/* By it a receive leaves its short way. */
void __real_message_looked_at_late(struct core *core, uint64_t word, struct process *caller);
void __wrap_message_looked_at_late(struct core *core, uint64_t word, struct process *caller);
void __wrap_message_looked_at_late(struct core *core, uint64_t word, struct process *caller) {
    short_counts.waits += (core->current->wait.control & OS2_NUMBER_MASK) == OS2_SYS_receive;
    __real_message_looked_at_late(core, word, caller);
}
