/* SPDX-License-Identifier: MIT */
/*
 * Dispatch of system calls, and the end of a turn.
 *
 * Every call costs one token, counted here. When the handler is done and the turn has no tokens left, whoever is
 * current goes to the tail: the caller, or the process that the turn was switched to.
 */
#include "core/syscall.h"

#include "core/ipc.h"
#include "core/log.h"
#include "core/turn.h"

typedef int syscall_handler(struct core *, struct process *);

static syscall_handler *const handlers[] = {
#define SYSCALL_ENTRY(number, name, summary) [number] = sys_##name,
    OS2_SYSCALLS(SYSCALL_ENTRY)
#undef SYSCALL_ENTRY
};

static void set_results(struct process *process, int outcome) {
    process->reg[OS2_R_CONTROL] = outcome < 0 ? (uint64_t)(int64_t)outcome : OS2_OK;
    for (int i = outcome < 0 ? OS2_R_LABEL : OS2_R_LABEL + outcome; i < OS2_R_COUNT; i++)
        process->reg[i] = 0;
}

/* Returns when the process that made the call goes on at once; else goes to whoever does. */
void syscall_dispatch(struct core *core) {
    struct process *process = core->current;
    uint64_t number = process->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK;
    core->tokens--;
    int outcome = number < OS2_SYS_COUNT ? handlers[number](core, process) : OS2_E_CALL;
    if (outcome == SYSCALL_AGAIN)
        arch_context_restart(&process->context);
    else if (outcome != SYSCALL_STOPPED)
        set_results(process, outcome);

    uint16_t reader;
    uint64_t generation, bits;
    if (log_wants_reader(&reader, &generation, &bits))
        notify_slot(core, &machine.slot[reader], generation, bits, false);

    if (core->current && core->tokens > 0) {
        if (core->current == process)
            return;
        arch_enter(core, &core->current->context);
    }
    if (core->current) {
        struct process *spent = core->current;
        turn_park(core, spent);
        core->current = NULL;
        turn_ready(core, spent->slot);
    }
    turn_dispatch(core);
}

int sys_yield(struct core *core, struct process *process) {
    (void)process;
    turn_account(core); /* what is left of the turn is not spent */
    core->tokens = 0;
    core->tokens_marked = 0;
    return 0;
}

int sys_tokens(struct core *core, struct process *process) {
    process->reg[OS2_R_LABEL] = (uint64_t)(core->tokens > 0 ? core->tokens : 0);
    return 1;
}

int sys_clock(struct core *core, struct process *process) {
    (void)core;
    process->reg[OS2_R_LABEL] = arch_clock() - machine.boot_time;
    process->reg[OS2_R_W0] = machine.clock_hz;
    return 2;
}
