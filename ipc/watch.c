/* SPDX-License-Identifier: MIT */
/*
 * Watching: bits are set in a process when another one has ended.
 *
 * A watch is a node in the watcher's own object, so it costs the watcher alone. It has WATCHES of them, a bit each.
 * The nodes of all who watch one process are a list that begins in its slot. So however many others watch a process,
 * there is always room for one more, its supervisor's for example, and a watch needs no right; and nobody who watches
 * many takes anything from anybody. When the process ends it takes a few nodes from the list in each step.
 *
 * Who may touch a node. The watcher alone makes it, when it is free: `bits` is 0. From then on it is in the list, and
 * `bits`, `next` and `prev` belong to the lock of the watched slot, `slot` and `life` stay. Whoever takes it out under
 * that lock stores bits = 0 as his last touch; the watcher, who looks for a free node without the lock, pairs with
 * that.
 * A watcher that ends takes out its nodes before its object goes, so what a list leads to is always there. Nobody adds
 * to the list of a process that is stale, which is seen under the lock.
 *
 * Rejected: places in the slot of the watched one (four strangers took them all, and the supervisor got none); a right
 * to watch (who hands out handles would have to think of it each time, and those who have it could still use up what
 * there is); a look by the one that ends at all slots, for what they watch (slots times watches, for each end).
 */
#include "ipc/watch.h"

#include "core/state.h"
#include "ipc/notify.h"

#define TELL_STEP 32

static uint32_t reference_to(const struct process *watcher, const struct watch *watch) {
    return (uint32_t)watcher->slot->index << WATCH_PLACE_BITS | (uint32_t)(watch - watcher->watch + 1);
}

/* The lock of the watched slot is held. */
static void link_first(struct slot *slot, const struct process *watcher, struct watch *watch, uint64_t bits) {
    uint32_t reference = reference_to(watcher, watch);
    *watch = (struct watch){bits, slot_generation(slot), slot->watchers, 0, slot->index};
    if (slot->watchers)
        watch_node(slot->watchers)->prev = reference;
    slot->watchers = reference;
}

/* The same; the node may be another's at once. */
static void unlink_node(struct slot *slot, struct watch *watch) {
    if (watch->prev)
        watch_node(watch->prev)->next = watch->next;
    else
        slot->watchers = watch->next;
    if (watch->next)
        watch_node(watch->next)->prev = watch->prev;
    arch_store_release(&watch->bits, 0);
}

/* The caller's watch of this generation of a slot, or a free node, or NULL. One that is found may be told of just now:
 * then the generation has ended. */
static struct watch *find(struct process *process, const struct slot *slot, uint64_t generation, bool *ret_mine) {
    struct watch *spare = NULL;
    for (unsigned i = 0; i < process->watch_high; i++) {
        struct watch *w = &process->watch[i];
        bool used = __atomic_load_n(&w->bits, __ATOMIC_ACQUIRE) != 0;
        if (used && w->slot == slot->index && w->life == generation) {
            *ret_mine = true;
            return w;
        }
        if (!used && !spare)
            spare = w;
    }
    *ret_mine = false;
    return spare ? spare : process->watch_high < WATCHES ? &process->watch[process->watch_high] : NULL;
}

enum os2_status watch_set(struct process *process, struct slot *slot, uint64_t generation, uint64_t bits) {
    bool mine;
    struct watch *watch = find(process, slot, generation, &mine);
    enum os2_status status = OS2_OK;
    lock_acquire(&slot->lock);
    if (slot_generation(slot) != generation || slot_doomed(slot)) {
        status = OS2_E_DIED; /* or will, without serving anyone again */
    } else if (mine) {
        if (bits)
            watch->bits = bits;
        else
            unlink_node(slot, watch);
    } else if (bits) {
        if (watch) {
            process->watch_high += watch == &process->watch[process->watch_high];
            link_first(slot, process, watch, bits);
        } else {
            status = OS2_E_FULL;
        }
    }
    lock_release(&slot->lock);
    return status;
}

void watch_withdraw_all(struct process *process) {
    for (unsigned i = 0; i < process->watch_high; i++) {
        struct watch *w = &process->watch[i];
        if (!__atomic_load_n(&w->bits, __ATOMIC_ACQUIRE))
            continue;
        struct slot *slot = &machine.slot[w->slot];
        lock_acquire(&slot->lock);
        if (w->bits) /* it is not told of just now */
            unlink_node(slot, w);
        lock_release(&slot->lock);
    }
}

bool watch_tell(struct core *core, struct slot *slot) {
    for (unsigned n = 0; __atomic_load_n(&slot->watchers, __ATOMIC_RELAXED); n++) {
        if (n == TELL_STEP)
            return false;
        lock_acquire(&slot->lock);
        uint32_t reference = slot->watchers;
        if (!reference) { /* the last one has just withdrawn it */
            lock_release(&slot->lock);
            break;
        }
        struct watch *w = watch_node(reference);
        struct slot *watcher = &machine.slot[reference >> WATCH_PLACE_BITS];
        uint64_t bits = w->bits, life = watcher->generation; /* of the one whose node this is: it cannot go yet */
        unlink_node(slot, w);
        lock_release(&slot->lock);
        notify_slot(core, watcher, life, bits, false);
    }
    return true;
}
