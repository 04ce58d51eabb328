/* SPDX-License-Identifier: MIT */
/*
 * System calls on the caller's own memory: see mm/block.c.
 *
 * Clearing is the one thing here whose cost a program chooses, so it is paid by size: a token for each
 * BLOCK_TOKEN_PAGES, at least one. What the turn cannot pay is cleared in the next ones. So a turn of N tokens is
 * bounded in time by N times what a token may cost, whatever calls it is spent on.
 */
#include "mm/fast.h"
#include "sys/dispatch.h"

/* Above this order a block is cleared in several entries. */
#define LIGHT_ORDER_MAX 9u
_Static_assert(1u << LIGHT_ORDER_MAX == BLOCK_CLEAR_PAGES, "a block of this order is cleared in one entry");

/* The tokens for clearing so many pages, beside that of the call. */
static int64_t more_tokens(uint32_t pages) {
    return (pages + BLOCK_TOKEN_PAGES - 1) / BLOCK_TOKEN_PAGES - 1;
}

/* The light calls' ways that are not short are functions of their own, so that the short ones need no stack. */
static __attribute__((noinline)) struct light alloc_other(uint64_t control, uint64_t order, uint64_t w0, uint64_t w1) {
    struct core *core = arch_core();
    struct space *space = &core->current->space;
    uint64_t va;
    if (order == 0 && fast_prepare(space, &core->magazines))
        return light_block_alloc(control, order, w0, w1); /* it comes here no second time */
    if (order > LIGHT_ORDER_MAX || space->clearing != FRAME_NONE || core->tokens <= more_tokens(1u << order))
        return light_long(control, order, w0, w1);
    int status = block_alloc(space, (unsigned)order, &va);
    if (status == BLOCK_AGAIN)
        return light_long(control, order, w0, w1);
    if (status < 0)
        return light_status(status);
    core->tokens -= more_tokens(1u << order);
    return light_result(va);
}

struct light light_block_alloc(uint64_t control, uint64_t order, uint64_t w0, uint64_t w1) {
    struct core *core = arch_core();
    struct space *space = &core->current->space;
    uint64_t va = 0;
    if (order == 0)
        va = fast_get(space, &core->magazines);
    else if (order == LIGHT_ORDER_MAX && core->tokens > more_tokens(BLOCK_CLEAR_PAGES) &&
             space->clearing == FRAME_NONE) {
        va = fast_get_large(space);
        core->tokens -= va ? more_tokens(BLOCK_CLEAR_PAGES) : 0;
    }
    return __builtin_expect(va != 0, 1) ? light_result(va) : alloc_other(control, order, w0, w1);
}

int sys_block_alloc(struct core *core, struct process *process) {
    struct space *space = &process->space;
    uint64_t va, order = process->reg[OS2_R_LABEL];
    if (order > OS2_ORDER_MAX)
        return OS2_E_INVALID;
    /* As much as the turn can pay, the token of this call among it. */
    int64_t most = core->tokens < 0 ? 1 : core->tokens + 1;
    uint32_t pages =
        most < BLOCK_CLEAR_PAGES / BLOCK_TOKEN_PAGES ? (uint32_t)most * BLOCK_TOKEN_PAGES : BLOCK_CLEAR_PAGES;
    uint32_t before = space->clearing == FRAME_NONE ? 0 : space->cleared;
    int status = block_alloc_step(space, (unsigned)order, pages, &va);
    if (status >= 0 && space->cleared > before)
        core->tokens -= more_tokens(space->cleared - before);
    if (status == BLOCK_AGAIN)
        return SYSCALL_AGAIN;
    if (status != OS2_OK)
        return status;
    process->reg[OS2_R_LABEL] = va;
    return 1;
}

static __attribute__((noinline)) struct light free_other(uint64_t va) {
    struct core *core = arch_core();
    struct space *space = &core->current->space;
    if (arch_space_plain(core, &space->arch) && fast_put_large(space, va))
        return light_status(OS2_OK);
    return light_status(block_free(space, va));
}

struct light light_block_free(uint64_t control, uint64_t va, uint64_t w0, uint64_t w1) {
    (void)control;
    (void)w0;
    (void)w1;
    struct core *core = arch_core();
    struct space *space = &core->current->space;
    if (arch_space_plain(core, &space->arch) && fast_put(space, &core->magazines, va))
        return light_status(OS2_OK);
    return free_other(va);
}

struct light light_block_place(uint64_t control, uint64_t va, uint64_t to, uint64_t prot) {
    (void)control;
    uint64_t new_va;
    if (!block_prot_valid(prot))
        return light_status(OS2_E_INVALID);
    enum os2_status status = block_place(&light_process()->space, va, to, (unsigned)prot, &new_va);
    return status < 0 ? light_status(status) : light_result(new_va);
}
