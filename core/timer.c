/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: a binary heap for each core, over nodes that lie in the slots.
 *
 * A wait arms the node of the core it begins on. When the wait ends, wherever, nobody touches the node: it is
 * recognised as stale when it fires, because the slot's sequence number has moved on, or it is armed anew by the slot's
 * next wait on this core. So a node is written by one core only, arming allocates nothing, and the heap never holds
 * more entries than there are slots. Insert and remove are O(log n).
 *
 * Rejected: removing the entry when the wait ends (another core's structure, so a lock on the fast path); a timer wheel
 * (a tick, or a search for the next event).
 */
#include "core/timer.h"

#include "core/process.h"

static struct timer_node *node(const struct core *core, uint32_t i) {
    return &machine.slot[core->timers.heap[i]].timer[core->index];
}

static void place(struct core *core, uint32_t i, uint16_t slot) {
    core->timers.heap[i] = slot;
    machine.slot[slot].timer[core->index].position = i + 1;
}

static void sift_up(struct core *core, uint32_t i) {
    uint16_t moving = core->timers.heap[i];
    uint64_t time = node(core, i)->time;
    while (i > 0 && node(core, (i - 1) / 2)->time > time) {
        place(core, i, core->timers.heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(core, i, moving);
}

static void sift_down(struct core *core, uint32_t i) {
    uint16_t moving = core->timers.heap[i];
    uint64_t time = node(core, i)->time;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= core->timers.count)
            break;
        if (child + 1 < core->timers.count && node(core, child + 1)->time < node(core, child)->time)
            child++;
        if (node(core, child)->time >= time)
            break;
        place(core, i, core->timers.heap[child]);
        i = child;
    }
    place(core, i, moving);
}

void timer_init(struct timers *timers) {
    *timers = (struct timers){
        .heap = machine_memory_dirty(machine.slot_count * sizeof(uint16_t), "a core's timers"),
        .tick = TIMER_NEVER,
        .nap = TIMER_NEVER,
        .irq = TIMER_NEVER,
        .breath = TIMER_NEVER,
        .armed = TIMER_NEVER,
    };
}

void timer_arm(struct core *core, struct slot *slot, uint64_t seq, uint64_t time) {
    struct timer_node *n = &slot->timer[core->index];
    uint64_t before = n->time;
    n->time = time;
    n->seq = seq;
    if (n->position == 0) {
        uint32_t i = core->timers.count++;
        place(core, i, slot->index);
        sift_up(core, i);
    } else if (time < before) {
        sift_up(core, n->position - 1);
    } else if (time > before) {
        sift_down(core, n->position - 1);
    }
    if (time < core->timers.armed)
        timer_program(core);
}

void timer_program(struct core *core) {
    struct timers *t = &core->timers;
    uint64_t when = t->count ? node(core, 0)->time : TIMER_NEVER;
    when = t->tick < when ? t->tick : when;
    when = t->nap < when ? t->nap : when;
    when = t->irq < when ? t->irq : when;
    when = t->breath != TIMER_NEVER ? t->breath : when;
    if (when == t->armed)
        return;
    t->armed = when;
    arch_timer_set(core, when);
}

struct slot *timer_due(struct core *core, uint64_t now, uint64_t *ret_seq) {
    if (!core->timers.count || node(core, 0)->time > now)
        return NULL;
    *ret_seq = node(core, 0)->seq;
    return &machine.slot[core->timers.heap[0]];
}

void timer_done(struct core *core) {
    node(core, 0)->position = 0;
    uint32_t last = --core->timers.count;
    if (last > 0) {
        place(core, 0, core->timers.heap[last]);
        sift_down(core, 0);
    }
}

void timer_later(struct core *core, uint64_t time) {
    node(core, 0)->time = time;
    sift_down(core, 0);
}
