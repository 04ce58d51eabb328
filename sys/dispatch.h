/* SPDX-License-Identifier: MIT */
/* System calls: what a handler is and returns; dispatch is in sys/dispatch.c. */
#ifndef SYS_DISPATCH_H
#define SYS_DISPATCH_H

#include "core/turn.h"
#include "ipc/message.h"
#include "sys/light.h"

/*
 * A handler reads its arguments from process->reg[], the ten slots of the ABI, and returns
 *   a negative status        nothing has changed; the results are all 0
 *   n >= 0                   good: it has set n results, reg[LABEL] onward; the rest becomes 0
 *   TURN_STOPPED             the registers are as they should be, and core->current tells who goes on: core/turn.h
 *   SYSCALL_AGAIN            the process is to make the same call again: long work, done in steps
 */
#define SYSCALL_AGAIN 101

/* Those on messages are the protocol itself, and all in ipc/message.c. */
#define sys_receive message_receive
#define sys_send message_send
#define sys_call message_send
#define sys_reply message_reply
#define sys_reply_receive message_reply_receive

#define SYSCALL_DECLARE(number, name, summary) int sys_##name(struct core *core, struct process *process);
OS2_SYSCALLS(SYSCALL_DECLARE)
#undef SYSCALL_DECLARE

/* A system call is done and the caller does not simply go on: go to whoever does. */
_Noreturn void syscall_leave(struct core *core);

/* The handle that CONTROL names, if it is of this kind; else NULL. */
static inline struct handle *syscall_handle(struct process *process, unsigned kind) {
    return light_handle(process, process->reg[OS2_R_CONTROL], kind);
}

/* The machine handle with a right, among those CONTROL names: OS2_OK, OS2_E_HANDLE, OS2_E_RIGHTS. */
static inline enum os2_status syscall_machine(struct process *process, unsigned right) {
    const struct handle *h = syscall_handle(process, OS2_HANDLE_MACHINE);
    return !h ? OS2_E_HANDLE : handle_rights(h->target) & right ? OS2_OK : OS2_E_RIGHTS;
}

#endif
