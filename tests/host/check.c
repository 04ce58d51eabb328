/* SPDX-License-Identifier: MIT */
/*
 * The invariants of the whole machine, when no core is inside the kernel.
 *
 * Frames: each is in exactly one block, each block in one state, and what the owners' books say is what the descriptors
 * say. Pages: free and charged ones are always as many, and so is the sum of all quotas. Processes: each is where its
 * word says. Waits: nobody waits for what has happened already, for one who has ended, or in a circle.
 */
#include "tests/host/internal.h"

#include <stdio.h>

#include "core/loan.h"
#include "core/state.h"
#include "ipc/watch.h"

long host_heap_budget = -1;

/* The heap's two ways in, by the linker's --wrap: an allocation fails when the budget says so. */
uint32_t __real_heap_alloc(struct heap *heap, unsigned order, unsigned state, uint16_t owner);
uint32_t __wrap_heap_alloc(struct heap *heap, unsigned order, unsigned state, uint16_t owner);
uint32_t __real_heap_alloc_cleared(struct heap *heap, unsigned state, uint16_t owner);
uint32_t __wrap_heap_alloc_cleared(struct heap *heap, unsigned state, uint16_t owner);

static bool refused(void) {
    return host_heap_budget >= 0 && host_heap_budget-- == 0 && (host_heap_budget = 0, true);
}
uint32_t __wrap_heap_alloc(struct heap *heap, unsigned order, unsigned state, uint16_t owner) {
    return refused() ? FRAME_NONE : __real_heap_alloc(heap, order, state, owner);
}
uint32_t __wrap_heap_alloc_cleared(struct heap *heap, unsigned state, uint16_t owner) {
    return refused() ? FRAME_NONE : __real_heap_alloc_cleared(heap, state, owner);
}

static uint64_t total_pages, total_quota;
static char wrong[200];

#define WRONG(...) (snprintf(wrong, sizeof wrong, __VA_ARGS__), wrong)

static const char *check_frames(uint64_t *ret_free) {
    static uint64_t count[0x10000][3]; /* by owner: owned and in flight, tables, objects */
    const struct heap *heap = &machine.heap;
    *ret_free = 0;
    for (uint32_t i = 0; i < machine.slot_made; i++)
        count[i][0] = count[i][1] = count[i][2] = 0;
    for (uint32_t n = heap->first; n < heap->end;) {
        const struct frame *f = heap_frame(heap, n);
        uint32_t pages = 1u << f->order;
        switch (f->state) {
        case OS2_FRAME_RESERVED:
            n++;
            continue;
        case OS2_FRAME_TAIL:
            return WRONG("frame %x is in no block", n);
        case OS2_FRAME_FREE:
        case OS2_FRAME_MAGAZINE:
            *ret_free += pages;
            break;
        case OS2_FRAME_OWNED:
        case OS2_FRAME_PLACED:
        case OS2_FRAME_FLIGHT:
            count[f->owner][0] += pages;
            break;
        case OS2_FRAME_TABLE:
            count[f->owner][1]++;
            break;
        case OS2_FRAME_OBJECT:
            count[f->owner][2]++;
            break;
        case OS2_FRAME_KERNEL:
            break;
        default:
            return WRONG("frame %x is in state %u", n, f->state);
        }
        for (uint32_t i = 1; i < pages; i++)
            if (f[i].state != OS2_FRAME_TAIL)
                return WRONG("frame %x, inside the block at %x, is in state %u", n + i, n, f[i].state);
        n += pages;
    }
    for (uint32_t i = 1; i < machine.slot_made; i++) {
        const struct process *p = machine.slot[i].process;
        uint64_t owned = p ? space_owned(&p->space) : 0, tables = p ? p->space.tables : 0,
                 objects = p ? p->space.objects : 0;
        if (count[i][0] != owned || count[i][1] != tables || count[i][2] != objects)
            return WRONG("slot %u: books %lu + %lu + %lu, frames %lu + %lu + %lu", i, owned, tables, objects,
                         count[i][0], count[i][1], count[i][2]);
    }
    return NULL;
}

static const char *check_pages(void) {
    uint64_t free, charged = 0, quota = 0;
    const char *why = check_frames(&free);
    if (why)
        return why;
    for (uint32_t i = 1; i < machine.slot_made; i++) {
        struct process *p = machine.slot[i].process;
        if (state_kind(machine.slot[i].word) != KIND_FREE && machine.slot[i].parent != SLOT_NONE)
            quota += machine.slot_pages; /* its supervisor's, until the slot is free */
        if (p == PROCESS_NONE)
            continue;
        charged += p->space.charged;
        quota += p->space.quota;
        /* While it is taken apart, tables name blocks that are free already. */
        enum kind kind = state_kind(machine.slot[i].word);
        if (kind != KIND_END && kind != KIND_CHD && (why = space_check(&p->space)))
            return WRONG("slot %u: %s", i, why);
    }
    if (!total_quota) {
        total_quota = quota;
        total_pages = free + charged;
    }
    if (quota != total_quota)
        return WRONG("all quotas and slots are %lu pages, they were %lu", quota, total_quota);
    if (free + charged != total_pages)
        return WRONG("free and charged pages are %lu, they were %lu", free + charged, total_pages);
    return NULL;
}

void check_reset(void) {
    total_quota = 0;
}

static bool ipi_pending(void) {
    for (uint32_t i = 0; i < machine.core_count; i++)
        if (cores[i]->arch.ipi)
            return true;
    return false;
}

static uint32_t peer_of(uint64_t word) {
    return state_waits(word) && slot_is_one(state_peer(word)) ? state_peer(word) : SLOT_NONE;
}

/* A process that waits: for something that can still come? */
static const char *check_wait(const struct slot *s) {
    uint64_t word = s->word;
    enum kind kind = state_kind(word);
    const struct process *p = s->process;
    if (slot_doomed(s) && !ipi_pending())
        return WRONG("slot %u waits, though it is doomed", s->index);
    if (kind == KIND_RCV && state_peer(word) == SLOT_ANY && (s->note & s->mask))
        return WRONG("slot %u waits, though bits %lx are set", s->index, s->note & s->mask);
    if (kind == KIND_RCV && state_peer(word) == SLOT_ANY && s->queue_head != SLOT_NONE)
        return WRONG("slot %u waits, though slot %u sends to it", s->index, s->queue_head);
    if (kind == KIND_SND && s->queued_at != state_peer(word))
        return WRONG("slot %u sends to slot %u and is not in its queue", s->index, state_peer(word));
    if (kind == KIND_RCV && s->queued_at != (slot_is_one(state_peer(word)) ? state_peer(word) : SLOT_NONE))
        return WRONG("slot %u receives from slot %u and is in slot %u's list", s->index, state_peer(word),
                     s->queued_at);
    if (kind == KIND_CAL && s->queued_at != state_peer(word)) {
        const struct process *server = machine.slot[state_peer(word)].process;
        if (server->lender != loan_name(s))
            return WRONG("slot %u waits for the answer of slot %u, which does not know it", s->index, state_peer(word));
    }

    uint64_t deadline = kind == KIND_RCV                         ? p->wait.deadline
                        : p->reg[OS2_R_CONTROL] & OS2_F_DEADLINE ? p->reg[OS2_R_DEADLINE]
                                                                 : UINT64_MAX;
    if (deadline < UINT64_MAX - machine.boot_time) {
        bool armed = false;
        for (uint32_t i = 0; i < machine.core_count; i++)
            armed |= s->timer[i].position && s->timer[i].seq == state_seq(word) &&
                     (s->timer[i].time == deadline + machine.boot_time || s->timer[i].time <= host_clock + 100);
        if (!armed)
            return WRONG("slot %u waits until %lu, and no core knows", s->index, deadline);
    }

    uint32_t peer = peer_of(word);
    if (peer == SLOT_NONE)
        return NULL;
    const struct slot *t = &machine.slot[peer];
    enum kind theirs = state_kind(t->word);
    if (theirs == KIND_FREE || theirs == KIND_DEAD || theirs == KIND_CHD || theirs == KIND_HELD)
        return WRONG("slot %u (kind %u) waits for slot %u, which has ended", s->index, kind, peer);
    if (kind == KIND_RCV && state_kind(t->word) == KIND_SND && state_peer(t->word) == s->index)
        return WRONG("slots %u and %u have met and both wait", s->index, peer);
    if (kind == KIND_SND && theirs == KIND_RCV && (state_peer(t->word) == SLOT_ANY || state_peer(t->word) == s->index))
        return WRONG("slot %u sends to slot %u, which waits for it", s->index, peer);
    uint32_t at = peer;
    for (unsigned n = 0; at != SLOT_NONE && n <= machine.slot_count; n++) {
        if (slot_doomed(&machine.slot[at]))
            return NULL; /* wait_walk() leaves a circle to him who is about to end */
        if (at == s->index)
            return WRONG("slot %u waits in a circle", s->index);
        at = peer_of(machine.slot[at].word);
    }
    return NULL;
}

static const char *check_queue(const struct slot *s) {
    uint16_t prev = SLOT_NONE;
    unsigned n = 0;
    for (uint16_t i = s->queue_head; i != SLOT_NONE; prev = i, i = machine.slot[i].next) {
        const struct slot *y = &machine.slot[i];
        if (y->queued_at != s->index || y->prev != prev || ++n > machine.slot_count)
            return WRONG("slot %u's queue is broken at slot %u", s->index, i);
        if (state_kind(y->word) != KIND_SND || state_peer(y->word) != s->index)
            return WRONG("slot %u is in slot %u's queue and does not send to it", i, s->index);
    }
    if (s->queue_tail != prev)
        return WRONG("slot %u's queue ends at another slot", s->index);
    prev = SLOT_NONE;
    for (uint16_t i = s->waiters; i != SLOT_NONE; prev = i, i = machine.slot[i].next) {
        const struct slot *y = &machine.slot[i]; /* which may wait no more: ipc/queue.c */
        if (y->queued_at != s->index || y->prev != prev || ++n > machine.slot_count)
            return WRONG("slot %u's list of waiters is broken at slot %u", s->index, i);
    }
    return NULL;
}

/* The list of the children of the process in a slot, which are so many. */
static const char *check_children(const struct slot *s, uint32_t count) {
    uint16_t elder = SLOT_NONE;
    for (uint16_t i = s->child; i != SLOT_NONE; elder = i, i = machine.slot[i].younger) {
        const struct slot *y = &machine.slot[i];
        if (y->parent != s->index || y->elder != elder || state_kind(y->word) == KIND_FREE || count-- == 0)
            return WRONG("slot %u's list of children is broken at slot %u", s->index, i);
    }
    return count ? WRONG("slot %u has %u children that are in no list", s->index, count) : NULL;
}

/* The list of those who watch the process in a slot. */
static const char *check_watches(const struct slot *s) {
    uint32_t prev = 0, count = 0, linked = 0;
    for (uint32_t r = s->watchers; r; prev = r, r = watch_node(r)->next) {
        const struct watch *w = watch_node(r);
        if (!w->bits || w->prev != prev || w->slot != s->index || ++count > machine.slot_count)
            return WRONG("slot %u: the list of those who watch it is broken", s->index);
    }
    for (uint32_t i = 1; i < machine.slot_high; i++) {
        const struct process *p = machine.slot[i].process;
        for (unsigned n = 0; p && n < p->watch_high; n++)
            linked += p->watch[n].bits && p->watch[n].slot == s->index;
    }
    return linked == count ? NULL : WRONG("slot %u: a watch is in no list", s->index);
}

static const char *check_timers(const struct core *core) {
    const struct timers *t = &core->timers;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct timer_node *n = &machine.slot[t->heap[i]].timer[core->index];
        if (n->position != i + 1)
            return "a timer node does not know its place in the heap";
        if (i > 0 && machine.slot[t->heap[(i - 1) / 2]].timer[core->index].time > n->time)
            return "a timer heap is out of order";
    }
    return NULL;
}

static const char *check_slots(void) {
    uint32_t queued[CORES_MAX] = {0};
    for (uint32_t i = 1; i < machine.slot_made; i++) {
        const struct slot *s = &machine.slot[i];
        uint64_t word = s->word;
        enum kind kind = state_kind(word);
        uint32_t core = state_peer(word), children = 0, held = 0;
        const char *why = NULL;
        if (s->lock.next != s->lock.served)
            return WRONG("slot %u's lock is held", i);
        if (kind == KIND_CLM)
            return WRONG("slot %u is still claimed", i);
        if (kind == KIND_RDY || kind == KIND_END)
            queued[core]++;
        if (kind == KIND_RUN && !core_runs(cores[core], s->process))
            return WRONG("slot %u runs on core %u, which runs another", i, core);
        bool may_have = kind != KIND_FREE && kind != KIND_DEAD, may_lack = !may_have || kind == KIND_END;
        if (s->process != PROCESS_NONE ? !may_have : !may_lack)
            return WRONG("slot %u is of kind %u, and has a process or not", i, kind);
        const struct slot *parent = s->parent == SLOT_NONE ? NULL : &machine.slot[s->parent];
        if (kind == KIND_DEAD && slot_generation(parent) != s->parent_life && state_kind(parent->word) != KIND_END)
            return WRONG("slot %u is kept for a supervisor that has ended", i);
        if (state_waits(word) && (why = check_wait(s)))
            return why;
        const struct process *p = s->process;
        if ((kind == KIND_RUN || kind == KIND_RDY || kind == KIND_NEW) &&
            (p->wait.from != SLOT_ANY || p->wait.deadline != TIMER_NEVER || ~p->wait.mask || ~s->mask))
            return WRONG("slot %u does not wait and is not ready for a plain wait", i);
        for (unsigned r = 0; p && p->blank && r < OS2_R_COUNT; r++)
            if (p->reg[r] && (p->blank == s || (r != OS2_R_CONTROL && r != OS2_R_BITS)))
                return WRONG("slot %u: its register %u should be 0", i, r);
        if (s->noted != (s->note != 0))
            return WRONG("slot %u: bits %lx, and noted is %u", i, s->note, s->noted);
        if ((why = check_queue(s)))
            return why;
        if ((why = check_watches(s)))
            return why;
        if (!may_have && s->watchers)
            return WRONG("slot %u has ended, and has told not all who watch it", i);
        if (kind == KIND_FREE) {
            if (s->queue_head != SLOT_NONE || s->waiters != SLOT_NONE || s->queued_at != SLOT_NONE ||
                s->child != SLOT_NONE)
                return WRONG("slot %u is free and in a queue", i);
            continue;
        }
        for (uint32_t j = 0; j < machine.slot_high; j++) {
            enum kind child = machine.slot[j].parent == i ? state_kind(machine.slot[j].word) : KIND_FREE;
            children += child != KIND_FREE && child != KIND_HELD;
            held += child == KIND_HELD;
        }
        if (children != s->children || held != s->held)
            return WRONG("slot %u has %u + %u children and counts %u + %u", i, children, held, s->children, s->held);
        if ((why = check_children(s, children + held)))
            return why;
        if (kind == KIND_HELD && !s->process->space.had_device && !held)
            return WRONG("slot %u keeps its memory and never had a device", i);
        if (kind == KIND_DEAD && held)
            return WRONG("slot %u has given back its memory before %u children", i, held);
        if (kind == KIND_CHD && !children)
            return WRONG("slot %u waits for the end of children that it does not have", i);
    }
    const char *slots_wrong = slot_check();
    if (slots_wrong)
        return WRONG("%s", slots_wrong);
    for (uint32_t i = 0; i < machine.core_count; i++) {
        const char *why = runqueue_check(&cores[i]->shared.queue);
        if (!why)
            why = check_timers(cores[i]);
        if (!why)
            why = tlb_check(i);
        if (why)
            return WRONG("core %u: %s", i, why);
        /* What a thief has taken from the box is still counted, until the owner looks. */
        const struct runqueue *queue = &cores[i]->shared.queue;
        uint32_t length = queue->length - (queue->box ? 0 : queue->box_length);
        if (queued[i] != length)
            return WRONG("core %u: %u are ready by their words, %u by its queue", i, queued[i], length);
        if (host_rest(i) == HOST_IDLE && queued[i])
            return WRONG("core %u idles with work in its queue", i);
        if (host_rest(i) == HOST_USER && state_kind(cores[i]->current->slot->word) != KIND_RUN)
            return WRONG("core %u runs a process whose word says something else", i);
    }
    return NULL;
}

const char *host_check(void) {
    const char *why = heap_check(&machine.heap);
    if (!why)
        why = check_pages();
    return why ? why : check_slots();
}
