/* SPDX-License-Identifier: MIT */
/* System calls on the caller's own memory: see mm/block.c. */
#include "core/syscall.h"

int sys_block_alloc(struct core *core, struct process *process) {
    (void)core;
    uint64_t va, order = process->reg[OS2_R_LABEL];
    if (order > OS2_ORDER_MAX)
        return OS2_E_INVALID;
    int status = block_alloc(&process->space, (unsigned)order, &va);
    if (status == BLOCK_AGAIN)
        return SYSCALL_AGAIN;
    if (status != OS2_OK)
        return status;
    process->reg[OS2_R_LABEL] = va;
    return 1;
}

int sys_block_free(struct core *core, struct process *process) {
    (void)core;
    return block_free(&process->space, process->reg[OS2_R_LABEL]);
}

int sys_block_place(struct core *core, struct process *process) {
    (void)core;
    uint64_t va, prot = process->reg[OS2_R_W1];
    if (!block_prot_valid(prot))
        return OS2_E_INVALID;
    enum os2_status status =
        block_place(&process->space, process->reg[OS2_R_LABEL], process->reg[OS2_R_W0], (unsigned)prot, &va);
    if (status != OS2_OK)
        return status;
    process->reg[OS2_R_LABEL] = va;
    return 1;
}
