/* SPDX-License-Identifier: MIT */
/*
 * Ends: by exit, by a fault, by the watchdog, by the supervisor, by the supervisor's own end.
 *
 * A process that ends takes itself apart. Its word becomes END|c, and its core puts it into the run queue's list of
 * those that end. In each of its turns the core takes one bounded step (end_step()). The stages:
 *
 *     STALE     its generation goes up, so every handle to it is dead; it watches nobody any more
 *     WAITERS   those who wait for it alone are told that it died (ipc/queue.h)
 *     CHILDREN  its children are doomed
 *     ORPHANS   it waits, as CHD, until their slots are free: their quota comes back to it, and with it goes on
 *     LEFT      it stays here until no core's satp (CR3) names its tables
 *     HOLD      if it had a device it stops here and keeps its memory, see below; else it goes on at once
 *     MEMORY    its blocks go back to the heap, then its tables
 *     OBJECTS   so do its object and its handle table; its quota goes to its supervisor
 *     WATCHERS  those who watch it get their bits, if they did not at HOLD
 *     TELL      its slot becomes DEAD, and its supervisor gets the bits that it asked for
 *
 * A slot that is DEAD keeps only how the process ended. It becomes free when the supervisor closes its control handle,
 * or at once if the supervisor has ended too. Then the supervisor gets back what the slot cost it (core/process.c).
 *
 * Killing. Somebody who wants a process ended dooms it: one bit beside the generation, set by a compare-exchange from
 * that generation, so that a late killer cannot hit the next process of the slot. Then the killer looks at the word:
 *
 *     the process waits, or is not started       the killer claims it and begins its end here
 *     it is ready                                its end begins when a core takes it from a queue
 *     it is held by another core (RUN or CLM)    that core is told by an IPI, and looks for doomed ones (end_collect())
 *
 * Everyone who acquires a process looks at the bit, in dispatch and in a direct switch.
 *
 * Bus masters. A device may go on writing into a driver's memory after the driver has ended. So a process that ever had
 * a device's registers or ports stops at HOLD. Its supervisor and those who watch it are told, and it waits as
 * HELD, with all its memory and its quota. The supervisor resets the device and closes the control handle. That marks
 * the process as abandoned, and lets it go on.
 *
 *     A supervisor that ends before has not dealt with the device. Then it becomes HELD itself, for its own supervisor,
 *     and keeps what it holds. When it is let go on, it comes by CHILDREN again, and lets those go on.
 *
 *     If the supervisor closes the control handle while the driver lives, nothing is held: it has said that it need
 *     not be.
 *
 * Rejected: to give the blocks to the supervisor (it may have no quota for them, and no room in its tables; and it
 * would have to sort them from its own); to let a claim say whether the device is a bus master (forgotten once, memory
 * is corrupted; the price of asking nobody is a quota that comes back one call later).
 */
#include "ipc/end.h"

#include "core/state.h"
#include "core/turn.h"
#include "ipc/notify.h"
#include "ipc/queue.h"
#include "ipc/wait.h"
#include "ipc/watch.h"

enum stage {
    STAGE_STALE,
    STAGE_WAITERS,
    STAGE_CHILDREN,
    STAGE_ORPHANS,
    STAGE_LEFT,
    STAGE_HOLD,
    STAGE_MEMORY,
    STAGE_OBJECTS,
    STAGE_WATCHERS,
    STAGE_TELL
};

/* Work of one step. */
#define STEP_WOKEN 32 /* processes that the step wakes, ends or frees */
#define STEP_BLOCKS 16
#define COLLECT_WORK 256  /* slots looked at in one IPI */
#define COLLECT_CHASED 16 /* one that is chased counts as so many */

void end_begin(struct core *core, struct slot *slot, unsigned reason, uint64_t value, uint64_t pc, uint64_t address) {
    if (slot->parent == SLOT_NONE)
        panic("init ended: reason %u, value %lu, pc %lx, address %lx", reason, value, pc, address);
    slot->end_reason = (uint8_t)reason;
    slot->end_value = value;
    slot->end_pc = pc;
    slot->end_address = address;
    turn_ending(core, slot);
}

void end_current(struct core *core, unsigned reason, uint64_t value, uint64_t pc, uint64_t address) {
    struct process *p = core->current;
    turn_park(p);
    turn_leave_space(core);
    end_begin(core, p->slot, reason, value, pc, address);
}

void end_begin_doomed(struct core *core, struct slot *slot) {
    end_begin(core, slot, slot_doom_reason(slot), 0, slot->process->context.pc, 0);
}

void end_doomed(struct core *core) {
    struct process *p = core->current;
    end_current(core, slot_doom_reason(p->slot), 0, p->context.pc, 0);
}

/* ---- Killing. ---- */

/* Let another core look for doomed processes. */
static void send_for(uint32_t index) {
    __atomic_fetch_add(&machine.dooms, 1, __ATOMIC_SEQ_CST); /* pairs with end_collect() */
    arch_ipi_send(cores[index]);
}

/* The process of this life (doomed) in `slot`: end it where it waits; the core that holds it is told, unless it is
 * ready, since who takes it out of a queue looks at its doom. To send for those too would never end where cores have
 * doomed ones ready: each that is sent for looks, and would send for the others'. */
static void chase(struct core *core, struct slot *slot, uint64_t life) {
    for (;;) {
        uint64_t word = slot_word(slot);
        enum kind kind = state_kind(word);
        /* It may have ended since it was doomed, and if nobody asks how, the slot may be another's: then the word may
         * be that one's wait, or its beginning. Those are numbered, so a word read before the doom was seen to
         * stand is the doomed one's. */
        if (__atomic_load_n(&slot->life, __ATOMIC_ACQUIRE) != life)
            return;
        if (state_waits(word) || kind == KIND_NEW) {
            if (!arch_cas_full(&slot->word, word, state(KIND_END, core->index, 0)))
                continue;
            queue_leave(slot);
            end_begin_doomed(core, slot);
        } else if ((kind == KIND_RUN || kind == KIND_CLM) && state_peer(word) != core->index) {
            send_for(state_peer(word));
        }
        return;
    }
}

/* The first who wants to doom this generation says why. Another of its killers finds a reason of the same generation;
 * one who comes late, to a generation that has ended, finds a later one's or replaces an earlier one's. So nobody
 * changes what is said of a process that is doomed. */
static void give_reason(struct slot *slot, uint64_t generation, unsigned reason) {
    uint64_t seen = __atomic_load_n(&slot->doom, __ATOMIC_RELAXED);
    while (seen >> DOOM_GENERATION_SHIFT < generation &&
           !arch_cas_full(&slot->doom, seen, generation << DOOM_GENERATION_SHIFT | reason))
        seen = __atomic_load_n(&slot->doom, __ATOMIC_RELAXED);
}

void end_kill(struct core *core, struct slot *slot, uint64_t generation, unsigned reason) {
    give_reason(slot, generation, reason); /* before the doom: pairs with slot_doom_reason() */
    if (!arch_cas_full(&slot->life, generation << 1, generation << 1 | 1))
        return; /* doomed already, or ended */
    /* The doom before the look at the word: pairs with those of who acquires, in loop_next(), publish_caller(). */
    arch_fence();
    chase(core, slot, generation << 1 | 1);
}

/*
 * Each time that a core is sent for it goes through all slots. It does so in bounded pieces: what is left it does in
 * the next IPI, which it sends itself. A doomed process may go from core to core meanwhile, and the entry path's answer
 * does not look at its client's doom. So where another core holds the process by now, this core sends for that one.
 */
void end_collect(struct core *core) {
    uint64_t dooms = __atomic_load_n(&machine.dooms, __ATOMIC_ACQUIRE);
    uint32_t high = __atomic_load_n(&machine.slot_high, __ATOMIC_RELAXED);
    if (dooms != core->dooms_seen) {
        core->dooms_seen = dooms;
        core->collect_left = high;
    }
    for (unsigned work = 0; core->collect_left && work < COLLECT_WORK; work++) {
        core->collect_left--;
        core->collect_next = core->collect_next + 1 < high ? core->collect_next + 1 : 0;
        struct slot *slot = &machine.slot[core->collect_next];
        uint64_t life = slot_life(slot);
        if (life_doomed(life)) {
            chase(core, slot, life);
            work += COLLECT_CHASED;
        }
    }
    if (core->collect_left)
        arch_ipi_send(core);
}

/* One child less to wait for. */
static void child_gone(struct core *core, struct slot *parent) {
    if (__atomic_sub_fetch(&parent->children, 1, __ATOMIC_SEQ_CST) != 0)
        return;
    arch_fence(); /* pairs with the swap in wait_for_children() */
    uint64_t word = slot_word(parent);
    if (state_kind(word) == KIND_CHD && arch_cas_full(&parent->word, word, state(KIND_END, core->index, 0)))
        turn_ending(core, parent);
}

/* A dead slot was claimed (DEAD -> FREE) by the caller: free it, give back what it cost, and wake a parent that waits
 * for its last child. */
static void free_dead(struct core *core, struct slot *slot) {
    struct slot *parent = &machine.slot[slot->parent];
    slot_orphan(parent, slot);
    slot_put(slot); /* before the quota: who has that finds a slot */
    __atomic_fetch_add(&parent->process->space.quota, machine.slot_pages, __ATOMIC_RELAXED);
    child_gone(core, parent);
}

/* Nobody will ask any more how the child ended whose word, DEAD or HELD, was just seen. */
static void bury(struct core *core, struct slot *slot, uint64_t word) {
    if (state_kind(word) == KIND_DEAD) {
        if (arch_cas_full(&slot->word, word, state(KIND_FREE, 0, 0)))
            free_dead(core, slot);
    } else if (arch_cas_full(&slot->word, word, state(KIND_END, core->index, 0))) {
        struct slot *parent = &machine.slot[slot->parent];
        arch_store_relaxed(&slot->abandoned, 1);
        __atomic_fetch_add(&parent->children, 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_sub(&parent->held, 1, __ATOMIC_SEQ_CST);
        turn_ending(core, slot);
    }
}

void end_abandon(struct core *core, struct slot *slot, uint64_t generation) {
    /* The generation goes up when the end begins, so a dead child's slot has the next one; it cannot be a later one,
     * since the slot is not free before this. */
    arch_store_relaxed(&slot->abandoned, 1);
    arch_fence(); /* pairs with the swaps in tell() and hold() */
    uint64_t word = slot_word(slot);
    if (state_kind(word) == KIND_DEAD || state_kind(word) == KIND_HELD) {
        bury(core, slot, word);
        return;
    }
    end_kill(core, slot, generation, OS2_END_KILLED);
}

/* ---- The steps. ---- */

static void go_stale(struct slot *slot) {
    queue_leave(slot);
    lock_acquire(&slot->lock);
    __atomic_store_n(&slot->life, (slot_generation(slot) + 1) << 1, __ATOMIC_RELEASE);
    note_set(slot, 0);
    lock_release(&slot->lock);
    arch_fence(); /* pairs with the second looks of those who begin to wait for it */
    watch_withdraw_all(slot->process);
}

/* Tell a process that was claimed out of its wait that the peer has ended. */
static void tell_died(struct core *core, struct slot *slot) {
    wait_finish(slot->process, OS2_E_DIED);
    turn_ready(core, slot);
}

/* The client whose call it works for, who is in no list; false: there is none. */
static bool tell_client(struct core *core, struct slot *slot) {
    uint64_t lender = slot->process->lender, word = slot->process->called_word | (lender & STATE_SEQ_MASK);
    struct slot *y = &machine.slot[lender >> STATE_SEQ_BITS];
    if (!lender || !arch_cas_full(&y->word, word, state(KIND_RUN, core->index, 0)))
        return false;
    tell_died(core, y);
    return true;
}

/* All others who wait for it alone. */
static bool tell_waiters(struct core *core, struct slot *slot) {
    for (unsigned n = 0; n < STEP_WOKEN; n++) {
        lock_acquire(&slot->lock);
        uint32_t i = slot->queue_head != SLOT_NONE ? slot->queue_head : slot->waiters;
        if (i == SLOT_NONE) {
            lock_release(&slot->lock);
            return true;
        }
        struct slot *y = &machine.slot[i];
        queue_unlink(slot, y);
        uint64_t word = slot_word(y);
        bool mine = state_waits(word) && state_peer(word) == slot->index &&
                    arch_cas_full(&y->word, word, state(KIND_RUN, core->index, 0));
        lock_release(&slot->lock);
        if (mine)
            tell_died(core, y);
    }
    return false;
}

/* Begin to look at the children. One who leaves the list moves the cursor on, and nobody comes to it any more. */
static void look_at_children(struct slot *slot) {
    slot->end_stage = STAGE_CHILDREN;
    lock_acquire(&slot->lock);
    slot->end_cursor = slot->child;
    lock_release(&slot->lock);
}

/*
 * A child may end by itself meanwhile, see that its supervisor is stale, and free its slot; then another process, of
 * another supervisor, may be in the slot. So its generation and its word are read, in this order, while it is in the
 * list; both are this child's then, and whoever comes later has others. Doomed is who is still of that generation, and
 * a slot is freed only from the very word that was read.
 *
 * That the child is abandoned needs no mark: see tell(). One that is HELD is let go on only by a supervisor that was
 * let go on itself.
 */
static bool visit_children(struct core *core, struct slot *slot) {
    for (unsigned n = 0; n < STEP_WOKEN; n++) {
        lock_acquire(&slot->lock);
        struct slot *y = &machine.slot[slot->end_cursor];
        if (y->index == SLOT_NONE) {
            lock_release(&slot->lock);
            return true;
        }
        uint64_t generation = slot_generation(y);
        uint64_t word = slot_word(y); /* pairs with the swap in tell(), after the fence in go_stale() */
        slot->end_cursor = y->younger;
        lock_release(&slot->lock);
        enum kind kind = state_kind(word);
        if (kind == KIND_DEAD || (kind == KIND_HELD && __atomic_load_n(&slot->abandoned, __ATOMIC_RELAXED)))
            bury(core, y, word);
        else if (kind != KIND_HELD && kind != KIND_END && kind != KIND_CHD && kind != KIND_FREE)
            end_kill(core, y, generation, OS2_END_SUPERVISOR);
    }
    return false;
}

/* True: there is none left. False: the slot is published as CHD and no longer this core's. */
static bool wait_for_children(struct core *core, struct slot *slot) {
    if (__atomic_load_n(&slot->children, __ATOMIC_ACQUIRE) == 0)
        return true;
    uint64_t word = state(KIND_CHD, 0, wait_begin(slot));
    arch_swap_full(&slot->word, word); /* pairs with child_gone() */
    return __atomic_load_n(&slot->children, __ATOMIC_ACQUIRE) == 0 &&
           arch_cas_full(&slot->word, word, state(KIND_END, core->index, 0));
}

/*
 * Has every core left this process's tables? A core writes satp (CR3) before it stores `current`: in turn_switch() and
 * turn_leave_space(), where the simulation's TLBs hold it to that (tests/host/tlb.c), and on each short way of the
 * ports, where a lint does (tests/lint/roots.py). Once that store is seen, its core begins no walk at the old root.
 *
 * One that was begun before is over on x86_64, where a load of CR3 serializes; on RISC-V, where nothing orders it, it
 * may still read. Nor does an x86_64 core go on from a pointer to a table that it has cached: it uses what it has
 * cached only under the PCID that is in CR3 (SDM 3A, 4.10.1 and 4.10.3.2). A load with bit 63 drops nothing, but it is
 * a load of another PCID; that of these tables is loaded again only when it has been given to another space, by a load
 * without bit 63, which drops all under it. Without PCIDs every load drops all but what is global, which is the
 * kernel's.
 *
 * Hardware may also write what it walks, even where it only runs ahead, but finds nothing to set: A and
 * D are preset in leaves, and on x86_64 A in pointers too, which on RISC-V have none. (So a RISC-V core that sets A by
 * itself, Svadu, could spoil a page only by a walk that lasts from before its core's switch until the page has been
 * freed here, cleared, given out and filled by another process with what looks like a leaf.)
 *
 * What a walk finds, its core keeps under an ASID that is not used again before a fence: a fresh one is fenced before
 * its first use, and where there are none every switch fences all that is not the kernel's, after satp. And nobody is
 * about to enter these tables: whoever would holds the process, and that is this core.
 */
static bool roots_left(const struct slot *slot) {
    for (uint32_t i = 0; i < machine.core_count; i++)
        if (__atomic_load_n(&cores[i]->current, __ATOMIC_ACQUIRE) == slot->process)
            return false;
    return true;
}

static bool must_hold(const struct slot *slot) {
    return (slot->process->space.had_device || __atomic_load_n(&slot->held, __ATOMIC_SEQ_CST)) &&
           !__atomic_load_n(&slot->abandoned, __ATOMIC_RELAXED);
}

/* Wait, as HELD, until the supervisor has dealt with the device. Those who watch have been told. */
static void hold(struct core *core, struct slot *slot) {
    struct slot *parent = &machine.slot[slot->parent];
    uint64_t bits = slot->notify_bits, parent_life = slot->parent_life;
    look_at_children(slot);
    __atomic_fetch_add(&parent->held, 1, __ATOMIC_SEQ_CST); /* before it is one child less: must_hold() of the parent */
    uint64_t held = state(KIND_HELD, 0, wait_begin(slot));
    arch_swap_full(&slot->word, held); /* pairs with end_abandon() */
    bool abandoned = __atomic_load_n(&slot->abandoned, __ATOMIC_RELAXED);
    if (abandoned)
        bury(core, slot, held);
    else
        notify_slot(core, parent, parent_life, bits, false);
    child_gone(core, parent); /* last, since the parent's slot is the parent's until then */
}

static void give_objects(struct slot *slot) {
    struct process *p = slot->process;
    const struct slot *parent = &machine.slot[slot->parent];
    slot->end_turns = p->turns;
    slot->end_name[0] = p->name[0];
    slot->end_name[1] = p->name[1];
    lock_acquire(&slot->lock); /* process_info() and process_grant() look under it */
    slot->process = PROCESS_NONE;
    lock_release(&slot->lock);
    /* The pages before the quota, so that what is within quota is there. The parent's object lives as long as it has
     * children that are not free. */
    uint64_t quota = p->space.quota;
    process_unmake(p);
    __atomic_fetch_add(&parent->process->space.quota, quota, __ATOMIC_RELAXED);
}

static void tell(struct core *core, struct slot *slot) {
    struct slot *parent = &machine.slot[slot->parent];
    uint64_t bits = slot->notify_bits, parent_life = slot->parent_life;
    uint64_t dead = state(KIND_DEAD, 0, wait_begin(slot));
    arch_swap_full(&slot->word, dead); /* pairs with end_abandon() and visit_children() */
    /* A parent that ends has gone stale before it looks for children: either it sees DEAD, or this sees it stale. */
    bool abandoned = __atomic_load_n(&slot->abandoned, __ATOMIC_RELAXED) || slot_generation(parent) != parent_life;
    if (abandoned) {
        if (arch_cas_full(&slot->word, dead, state(KIND_FREE, 0, 0)))
            free_dead(core, slot);
        return;
    }
    notify_slot(core, parent, parent_life, bits, false);
}

/*
 * Most processes that end have few neighbours, nobody waits for them, and they have no children: their end is two
 * steps, up to LEFT and from MEMORY on. A stage that may have been long is the last of its step. Both halves say
 * whether the slot is still this core's.
 */

/* Up to LEFT: what others have to do with the process. */
static bool part(struct core *core, struct slot *slot) {
    bool alone;
    switch ((enum stage)slot->end_stage) {
    case STAGE_STALE:
        go_stale(slot);
        alone = !tell_client(core, slot);
        slot->end_stage = STAGE_WAITERS;
        if (!alone)
            break;
        /* fall through */
    case STAGE_WAITERS:
        alone = queue_empty(slot) && __atomic_load_n(&slot->waiters, __ATOMIC_RELAXED) == SLOT_NONE;
        if (!alone && !tell_waiters(core, slot))
            break;
        look_at_children(slot);
        if (!alone)
            break;
        /* fall through */
    case STAGE_CHILDREN:
        alone = __atomic_load_n(&slot->end_cursor, __ATOMIC_RELAXED) == SLOT_NONE;
        if (!alone && !visit_children(core, slot))
            break;
        slot->end_stage = STAGE_ORPHANS;
        if (!alone)
            break;
        /* fall through */
    case STAGE_ORPHANS:
        if (!wait_for_children(core, slot))
            return false;
        slot->end_stage = STAGE_LEFT;
        /* fall through */
    default:
        if (roots_left(slot))
            slot->end_stage = STAGE_HOLD;
    }
    return true;
}

/* From HOLD on: what the process has. */
static bool take_apart(struct core *core, struct slot *slot) {
    switch ((enum stage)slot->end_stage) {
    case STAGE_HOLD:
        if (must_hold(slot)) {
            space_release_devices(&slot->process->space); /* the supervisor will want to claim them */
            if (!watch_tell(core, slot))
                break;
            hold(core, slot);
            return false;
        }
        /* One that is not held lets go on what was held since it looked at its children. */
        if (__atomic_load_n(&slot->held, __ATOMIC_SEQ_CST)) {
            look_at_children(slot);
            break;
        }
        slot->end_stage = STAGE_MEMORY;
        /* fall through */
    case STAGE_MEMORY:
        if (!space_release(&slot->process->space, STEP_BLOCKS))
            break;
        slot->end_stage = STAGE_OBJECTS;
        /* fall through */
    case STAGE_OBJECTS:
        give_objects(slot);
        slot->end_stage = STAGE_WATCHERS;
        /* fall through */
    case STAGE_WATCHERS:
        if (!watch_tell(core, slot))
            break;
        slot->end_stage = STAGE_TELL;
        /* fall through */
    default:
        tell(core, slot);
        return false;
    }
    return true;
}

void end_step(struct core *core, struct slot *slot) {
    if (slot->end_stage <= STAGE_LEFT ? part(core, slot) : take_apart(core, slot))
        turn_ending(core, slot);
}
