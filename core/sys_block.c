/* SPDX-License-Identifier: MIT */
/* System calls on the caller's own memory: see mm/block.c. */
#include "core/syscall.h"

/* Above this order a block is cleared in several entries. */
#define LIGHT_ORDER_MAX 9u
_Static_assert(1u << LIGHT_ORDER_MAX == BLOCK_CLEAR_PAGES, "a block of this order is cleared in one entry");

struct light light_block_alloc(uint64_t control, uint64_t order, uint64_t w0, uint64_t w1) {
    struct space *space = &light_process()->space;
    uint64_t va;
    if (order > LIGHT_ORDER_MAX || space->clearing != FRAME_NONE)
        return light_long(control, order, w0, w1);
    int status = block_alloc(space, (unsigned)order, &va);
    return status < 0 ? light_status(status) : light_result(va);
}

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

struct light light_block_free(uint64_t control, uint64_t va, uint64_t w0, uint64_t w1) {
    (void)control;
    (void)w0;
    (void)w1;
    return light_status(block_free(&light_process()->space, va));
}

struct light light_block_place(uint64_t control, uint64_t va, uint64_t to, uint64_t prot) {
    (void)control;
    uint64_t new_va;
    if (!block_prot_valid(prot))
        return light_status(OS2_E_INVALID);
    enum os2_status status = block_place(&light_process()->space, va, to, (unsigned)prot, &new_va);
    return status < 0 ? light_status(status) : light_result(new_va);
}
