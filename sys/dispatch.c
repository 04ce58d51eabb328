/* SPDX-License-Identifier: MIT */
/*
 * Dispatch of system calls, and the end of a turn.
 *
 * Every call costs one token, counted here. When the handler is done and the turn has no tokens left, whoever is
 * current goes to the tail: the caller, or the process that the turn was switched to.
 */
#include "sys/dispatch.h"

#include "core/check.h"
#include "mm/clamp.h"
#include "sys/loop.h"

static syscall_handler *const handlers[] = {
#define SYSCALL_ENTRY(number, name, summary) [number] = sys_##name,
    OS2_SYSCALLS(SYSCALL_ENTRY)
#undef SYSCALL_ENTRY
};

light_handler *const light_handlers[OS2_SYS_COUNT] = {
#define LIGHT_ENTRY(name) [OS2_SYS_##name] = light_##name,
    LIGHT_ONLY(LIGHT_ENTRY) LIGHT_FIRST(LIGHT_ENTRY)
#undef LIGHT_ENTRY
};

/* The long way of a light call: its handler, with arguments and results in the registers. */
static __attribute__((noinline)) int call_light(struct process *process, light_handler *handler) {
    uint64_t *r = process->reg;
    struct light result = handler(r[OS2_R_CONTROL], r[OS2_R_LABEL], r[OS2_R_W0], r[OS2_R_W1]);
    r[OS2_R_LABEL] = result.label;
    return result.status < 0 ? (int)result.status : 1;
}

#define LIGHT_LONG_WAY(name)                                                                                           \
    int sys_##name(struct core *core, struct process *process) {                                                       \
        return call_light(process, light_##name);                                                                      \
    }
LIGHT_ONLY(LIGHT_LONG_WAY)
#undef LIGHT_LONG_WAY

/* The status, and 0 in every slot that has no result. */
static void set_results(struct process *process, int outcome) {
    uint64_t *r = process->reg;
    r[OS2_R_CONTROL] = outcome < 0 ? (uint64_t)(int64_t)outcome : OS2_OK;
    switch (outcome) {
    default:
        r[OS2_R_LABEL] = 0;
        /* fall through */
    case 1:
        r[OS2_R_W0] = 0;
        /* fall through */
    case 2:
        r[OS2_R_W1] = 0;
        /* fall through */
    case 3:
        r[OS2_R_W2] = 0;
        /* fall through */
    case 4:
        r[OS2_R_W3] = 0;
        /* fall through */
    case 5:
        r[OS2_R_W4] = 0;
        /* fall through */
    case 6:
        r[OS2_R_CALLER] = 0;
        /* fall through */
    case 7:
        r[OS2_R_BADGE] = 0;
        /* fall through */
    case 8:
        r[OS2_R_BITS] = 0;
        /* fall through */
    case 9:
        return;
    }
}

/* Returns when the process that made the call goes on at once; else goes to whoever does. */
void syscall_dispatch(struct core *core) {
    struct process *process = core->current;
    uint64_t number = process->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK;
    core->tokens--;
    int outcome = OS2_E_CALL;
    if (number < OS2_SYS_COUNT)
        outcome = check_call(core, process, (unsigned)number, handlers[clamp_index(number, OS2_SYS_COUNT)]);
    if (outcome == SYSCALL_AGAIN)
        arch_context_restart(&process->context);
    else if (outcome != TURN_STOPPED)
        set_results(process, outcome);

    check_moment(core);
    if (core->running && core->current == process && core->tokens > 0)
        return;
    syscall_leave(core);
}

void syscall_leave(struct core *core) {
    if (core->running) {
        if (core->tokens > 0)
            arch_enter(core, &core->current->context, &core->current->space.arch);
        turn_spent(core);
    }
    loop_next(core);
}

void message_looked_at_late(struct core *core, uint64_t word, struct process *caller) {
    message_look_again(core, word, caller);
    syscall_leave(core);
}

int sys_yield(struct core *core, struct process *process) {
    if (runqueue_hint(&core->shared.queue) == 0)
        return 0; /* nobody else is ready: the turn goes on */
    core->yields = turn_is_own(core, process);
    turn_account(core); /* what is left of the turn is not spent */
    core->tokens = core->tokens_marked = 0;
    return 0;
}

int sys_tokens(struct core *core, struct process *process) {
    process->reg[OS2_R_LABEL] = (uint64_t)(core->tokens > 0 ? core->tokens : 0);
    return 1;
}

int sys_clock(struct core *core, struct process *process) {
    process->reg[OS2_R_LABEL] = arch_clock() - machine.boot_time;
    process->reg[OS2_R_W0] = machine.clock_hz;
    return 2;
}
