/* SPDX-License-Identifier: MIT */
/*
 * System calls on processes: the caller's own end, and its children. Making a child is a row of moves: create an empty
 * process with part of the own quota, give it blocks at the addresses its program asks for, grant it handles, start it.
 */
#include "core/state.h"
#include "core/turn.h"
#include "ipc/end.h"
#include "ipc/parcel.h"
#include "lib/string.h"
#include "mm/clamp.h"
#include "sys/dispatch.h"

/* Least quota: object, handle table, root table. */
#define QUOTA_LEAST 3

/* The child that CONTROL names and that has not ended. */
static enum os2_status child(struct process *process, uint64_t control, struct slot **ret_slot) {
    const struct handle *h = light_handle(process, control, OS2_HANDLE_CONTROL);
    if (!h)
        return OS2_E_HANDLE;
    *ret_slot = &machine.slot[handle_slot(h->target)];
    return slot_generation(*ret_slot) == handle_generation(h->target) ? OS2_OK : OS2_E_DIED;
}

/* The same, for calls on a child that has not started: nobody else touches it then. */
static enum os2_status new_child(struct process *process, uint64_t control, struct slot **ret_slot) {
    enum os2_status status = child(process, control, ret_slot);
    return status == OS2_OK && state_kind(slot_word(*ret_slot)) != KIND_NEW ? OS2_E_BUSY : status;
}

int sys_exit(struct core *core, struct process *process) {
    turn_stop(core);
    end_begin(core, process->slot, OS2_END_EXIT, process->reg[OS2_R_LABEL], process->context.pc, 0);
    return TURN_STOPPED;
}

int sys_process_create(struct core *core, struct process *process) {
    const uint64_t *r = process->reg;
    uint64_t quota = r[OS2_R_LABEL], quantum = r[OS2_R_W0], limit_ms = r[OS2_R_W1];
    if (quota < QUOTA_LEAST || quantum < 1 || quantum > OS2_QUANTUM_MAX || limit_ms > UINT32_MAX)
        return OS2_E_INVALID;
    /* Rounded up, so that no limit becomes none, and the caller's own may be handed down. */
    uint64_t watchdog = (limit_ms * machine.clock_hz + 999) / 1000;
    if (quantum > process->quantum || (process->watchdog && (!watchdog || watchdog > process->watchdog)))
        return OS2_E_RIGHTS;
    uint64_t price = quota + machine.slot_pages;
    if (quota > UINT32_MAX || !space_affords(&process->space, price))
        return OS2_E_QUOTA;
    if (!handle_room(process->handles))
        return OS2_E_FULL;
    struct process_request request = {
        .quota = quota,
        .quantum = (uint32_t)quantum,
        .watchdog = watchdog,
        .notify_bits = r[OS2_R_W2],
        .name = {r[OS2_R_W3], r[OS2_R_W4]},
    };
    struct slot *slot;
    enum os2_status status = process_make(process->slot, &request, &slot);
    if (status != OS2_OK)
        return status;
    __atomic_fetch_sub(&process->space.quota, price, __ATOMIC_RELAXED);
    uint64_t target = handle_target(OS2_HANDLE_CONTROL, 0, slot->index, slot_generation(slot));
    process->reg[OS2_R_LABEL] = handle_put(process->handles, target, 0);
    process->reg[OS2_R_W0] = slot_identity(slot);
    return 2;
}

struct light light_process_give(uint64_t control, uint64_t va, uint64_t to, uint64_t prot) {
    struct process *process = light_process();
    struct slot *slot;
    struct block block;
    enum os2_status status = new_child(process, control, &slot);
    if (status != OS2_OK)
        return light_status(status);
    if (!block_prot_valid(prot))
        return light_status(OS2_E_INVALID);
    status = block_find(&process->space, va, &block);
    if (status != OS2_OK)
        return light_status(status);
    if (block.device && prot & OS2_PROT_EXEC)
        return light_status(OS2_E_INVALID);
    struct space *space = &slot->process->space;
    status = parcel_room(space, &block, to);
    if (status == OS2_OK)
        block_move(&process->space, space, &block, to, (unsigned)prot);
    return light_status(status);
}

struct light light_process_grant(uint64_t control, uint64_t index, uint64_t rights, uint64_t pages) {
    struct process *process = light_process();
    struct slot *slot;
    enum os2_status status = child(process, control, &slot);
    if (status != OS2_OK)
        return light_status(status);
    const struct handle *h = NULL;
    if (index) {
        h = handle_get(process->handles, index);
        if (!h)
            return light_status(OS2_E_HANDLE);
        if (!(handle_rights(h->target) & OS2_RIGHT_GIVE) || handle_kind(h->target) == OS2_HANDLE_CONTROL)
            return light_status(OS2_E_RIGHTS);
        if (state_kind(slot_word(slot)) != KIND_NEW)
            return light_status(OS2_E_BUSY);
        if (!handle_room(slot->process->handles))
            return light_status(OS2_E_FULL);
    }
    if (pages > UINT32_MAX || !space_affords(&process->space, pages))
        return light_status(OS2_E_QUOTA);
    if (pages) {
        /* The child may run, or just be ending: its object is looked at under its lock. */
        lock_acquire(&slot->lock);
        if (slot->process == PROCESS_NONE) {
            lock_release(&slot->lock);
            return light_status(OS2_E_DIED);
        }
        __atomic_fetch_add(&slot->process->space.quota, pages, __ATOMIC_RELAXED);
        lock_release(&slot->lock);
        __atomic_fetch_sub(&process->space.quota, pages, __ATOMIC_RELAXED);
    }
    if (!h)
        return light_status(OS2_OK);
    uint64_t target = handle_narrow(h->target, rights & OS2_RIGHTS_ALL);
    return light_result(handle_put(slot->process->handles, target, h->badge));
}

int sys_process_start(struct core *core, struct process *process) {
    const uint64_t *r = process->reg;
    struct slot *slot;
    enum os2_status status = new_child(process, process->reg[OS2_R_CONTROL], &slot);
    if (status != OS2_OK)
        return status;
    if (r[OS2_R_LABEL] >= ARCH_USER_END || r[OS2_R_W0] >= ARCH_USER_END || r[OS2_R_W3] >= ARCH_USER_END)
        return OS2_E_INVALID;
    struct process *p = slot->process;
    arch_context_init(&p->context, r[OS2_R_LABEL], r[OS2_R_W0], r[OS2_R_W2], r[OS2_R_W3]);
    arch_context_argument(p->reg, r[OS2_R_W1]);
    turn_ready(core, slot);
    return 0;
}

int sys_process_kill(struct core *core, struct process *process) {
    struct slot *slot;
    enum os2_status status = child(process, process->reg[OS2_R_CONTROL], &slot);
    if (status != OS2_OK)
        return status;
    end_kill(core, slot, slot->generation, OS2_END_KILLED);
    return 0;
}

/* ---- process_info. ---- */

static unsigned state_for_program(uint64_t word) {
    static const uint8_t states[16] = {
        [KIND_FREE] = OS2_STATE_FREE,  [KIND_NEW] = OS2_STATE_NEW,    [KIND_RUN] = OS2_STATE_RUNNING,
        [KIND_RDY] = OS2_STATE_READY,  [KIND_CLM] = OS2_STATE_READY,  [KIND_RCV] = OS2_STATE_RECEIVE,
        [KIND_SND] = OS2_STATE_SEND,   [KIND_CAL] = OS2_STATE_CALL,   [KIND_END] = OS2_STATE_ENDING,
        [KIND_CHD] = OS2_STATE_ENDING, [KIND_HELD] = OS2_STATE_ENDED, [KIND_DEAD] = OS2_STATE_ENDED,
    };
    bool sleeps = state_kind(word) == KIND_RCV && state_peer(word) == SLOT_NOBODY;
    return sleeps ? OS2_STATE_SLEEP : states[state_kind(word)];
}

static int state_facts(struct core *core, uint64_t *r, struct slot *slot) {
    lock_acquire(&slot->lock); /* the object is taken away under it */
    uint64_t word = slot_word(slot);
    const struct process *p = slot->process == PROCESS_NONE ? NULL : slot->process;
    if (state_kind(word) == KIND_FREE) {
        lock_release(&slot->lock);
        return OS2_E_DIED;
    }
    unsigned state = state_for_program(word);
    unsigned where = state == OS2_STATE_RUNNING || state == OS2_STATE_READY ? state_peer(word) : 0;
    const struct slot *parent = slot->parent == SLOT_NONE ? NULL : &machine.slot[slot->parent];
    r[OS2_R_LABEL] = slot_identity(slot);
    r[OS2_R_W0] = state | (uint64_t)where << 8 | (uint64_t)(p ? p->quantum : 0) << 32;
    r[OS2_R_W1] = p ? space_owned(&p->space) | __atomic_load_n(&p->space.quota, __ATOMIC_RELAXED) << 32 : 0;
    r[OS2_R_W2] = p ? p->space.tables | (uint64_t)p->space.objects << 32 : 0;
    r[OS2_R_W3] = __atomic_load_n(&slot->spent, __ATOMIC_RELAXED) + turn_uncounted(core, slot);
    r[OS2_R_W4] = p ? p->turns : slot->end_turns;
    r[OS2_R_CALLER] = parent ? parent->index | slot->parent_life << OS2_ID_GENERATION_SHIFT : 0;
    r[OS2_R_BADGE] = p ? p->name[0] : slot->end_name[0];
    r[OS2_R_BITS] = p ? p->name[1] : slot->end_name[1];
    lock_release(&slot->lock);
    return 9;
}

static int end_facts(uint64_t *r, const struct slot *slot) {
    uint64_t word = slot_word(slot);
    enum kind kind = state_kind(word);
    if (kind != KIND_DEAD && kind != KIND_HELD)
        return kind == KIND_FREE ? OS2_E_DIED : OS2_E_BUSY;
    uint64_t facts[] = {slot_identity(slot), slot->end_reason, slot->end_value, slot->end_pc, slot->end_address};
    arch_fence(); /* the facts, then the word again */
    if (slot_word(slot) != word)
        return OS2_E_DIED; /* an observer's: its supervisor let go of it meanwhile, and the facts may be another's */
    memcpy(&r[OS2_R_LABEL], facts, sizeof facts);
    return 5;
}

int sys_process_info(struct core *core, struct process *process) {
    uint64_t index = process->reg[OS2_R_CONTROL] >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK;
    uint64_t page = process->reg[OS2_R_W0];
    struct slot *slot = process->slot;
    if (index) {
        /* A child's slot is its own until the handle is closed, whether it has ended or not. */
        if (child(process, process->reg[OS2_R_CONTROL], &slot) == OS2_E_HANDLE) {
            enum os2_status status = syscall_machine(process, OS2_RIGHT_OBSERVE);
            if (status != OS2_OK)
                return status;
            if (process->reg[OS2_R_LABEL] >= machine.slot_count)
                return OS2_E_INVALID;
            uint32_t made = slot_made();
            if (process->reg[OS2_R_LABEL] >= made)
                return OS2_E_DIED;
            slot = &machine.slot[clamp_index(process->reg[OS2_R_LABEL], made)];
        }
    }
    if (page == OS2_INFO_STATE)
        return state_facts(core, process->reg, slot);
    return page == OS2_INFO_END ? end_facts(process->reg, slot) : OS2_E_INVALID;
}
