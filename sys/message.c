/* SPDX-License-Identifier: MIT */
/* System calls on messages: see ipc/message.c. */
#include "ipc/message.h"

#include "sys/dispatch.h"

int sys_receive(struct core *core, struct process *process) {
    return message_receive(core, process);
}

int sys_send(struct core *core, struct process *process) {
    return message_send(core, process, false);
}

int sys_call(struct core *core, struct process *process) {
    return message_send(core, process, true);
}

int sys_reply(struct core *core, struct process *process) {
    return message_reply(core, process);
}

int sys_reply_receive(struct core *core, struct process *process) {
    return message_reply_receive(core, process);
}

void message_looked_at_late(struct core *core, uint64_t word, struct process *caller) {
    message_look_again(core, word, caller);
    syscall_leave(core);
}
