/* SPDX-License-Identifier: MIT */
/*
 * The table of slots, and making processes.
 *
 * The number of slots is fixed at boot by the amount of RAM: one for each 64 KiB, 256 to 32768. A slot is made when it
 * is first used, so that boot does not take longer where there are many, and its memory is never given back, see
 * core/process.h. Free slots are a set of bits under one lock, which only creation and the end of a process take. The
 * lowest is taken first, and slot_high, up to which those look who look through all slots, falls when the highest are
 * free again.
 *
 * A slot serves 2^31 processes. One whose generation would no longer fit a handle is worn out: it is not put back, no
 * handle ever names what it had, and nobody looks through it again. Then there is a slot less, and who finds none is
 * told so (OS2_E_FULL). Rejected: to wear all slots alike (as many processes in all, but slot_high would not stay low).
 *
 * Whose is a slot? It is in use until the supervisor closes the control handle, also when its process has long ended,
 * so it must cost somebody something meanwhile, or a program with a page for a handle table takes them all. It costs
 * its supervisor quota, slot_pages, beside the quota that moves to the child: taken at creation, given back when the
 * slot is free. These pages are not used for anything; they are so many that whoever had all the RAM in the machine as
 * quota could not pay for more slots than there are. So nobody ever finds that there is no slot, who still has quota:
 * a supervisor's reserve of slots is the quota that it keeps for itself, as init does to start its services again.
 *
 * Rejected: slots as a second kind of quota, handed down beside pages (every program that makes processes would have to
 * plan for it, and say it); the last slots for those near init (it says nothing about two programs next to each other);
 * to leave the object of an ended process charged (two or three pages a slot: with a fifth of RAM all slots are gone).
 */
#include "core/process.h"

#include "core/state.h"
#include "lib/string.h"

#define SLOT_RAM_PAGES 16
#define SLOTS_LEAST 256

/* As much of a process object's frame as was used, in the steps of memory_clear(). */
static size_t object_bytes(const struct process *process) {
    return (offsetof(struct process, watch) + process->watch_high * sizeof(struct watch) + 127) & ~(size_t)127;
}

const uint64_t process_none[PROCESS_NONE_WORDS];

void process_table_init(void) {
    uint32_t count = machine.heap.ram_pages / SLOT_RAM_PAGES;
    count = count < SLOTS_LEAST ? SLOTS_LEAST : count > SLOTS_MOST ? SLOTS_MOST : count;
    machine.slot = machine_memory_dirty(count * sizeof(struct slot), "the process table");
    machine.slot_count = count;
    machine.slot_high = machine.slot_made = 1;
    /* Slot 0 is no process's, and init's costs nothing. */
    machine.slot_pages = (uint32_t)((machine.heap.ram_pages + count - 3) / (count - 2));
    machine.slot[SLOT_NONE] = (struct slot){.word = state(KIND_FREE, 0, 0)};
}

/* One more slot; slot_lock is held. */
static void make_slot(void) {
    uint32_t index = machine.slot_made;
    machine.slot[index] = (struct slot){
        .word = state(KIND_FREE, 0, 0),
        .life = 2, /* generation 1: 0 is never a process's */
        .index = (uint16_t)index,
        .process = PROCESS_NONE,
    };
    machine.slot_free[index / 64] |= UINT64_C(1) << index % 64;
    __atomic_store_n(&machine.slot_made, index + 1, __ATOMIC_RELEASE); /* pairs with slot_made() */
}
_Static_assert(SLOT_NONE == 0, "a slot that is made is in no list");

static uint64_t free_bit(uint32_t index) {
    return machine.slot_free[index / 64] & UINT64_C(1) << index % 64;
}

static uint32_t lowest_bit(uint64_t bits) {
    uint32_t lowest = 0;
    for (uint32_t width = 32; width; width /= 2)
        if (!(bits >> lowest << (64 - width)))
            lowest += width;
    return lowest;
}

static struct slot *slot_get(void) {
    struct slot *slot = NULL;
    lock_acquire(&machine.slot_lock);
    uint32_t word = machine.slot_low;
    while (word < SLOTS_MOST / 64 && !machine.slot_free[word])
        word++;
    if (word == SLOTS_MOST / 64 && machine.slot_made < machine.slot_count) {
        word = machine.slot_made / 64;
        make_slot();
    }
    machine.slot_low = word;
    if (word < SLOTS_MOST / 64) {
        uint32_t index = word * 64 + lowest_bit(machine.slot_free[word]);
        slot = &machine.slot[index];
        machine.slot_free[word] &= machine.slot_free[word] - 1;
        if (machine.slot_high <= index)
            __atomic_store_n(&machine.slot_high, index + 1, __ATOMIC_RELEASE);
    }
    lock_release(&machine.slot_lock);
    return slot;
}

/* The life of a slot that is worn out, whose low half is no handle's. */
#define LIFE_WORN ((HANDLE_GENERATION_MAX + 1) << 1)

static bool worn(uint32_t index) {
    return slot_life(&machine.slot[index]) == LIFE_WORN;
}

void slot_put(struct slot *slot) {
    lock_acquire(&machine.slot_lock);
    if (slot_generation(slot) < HANDLE_GENERATION_MAX) {
        machine.slot_free[slot->index / 64] |= UINT64_C(1) << slot->index % 64;
        if (machine.slot_low > slot->index / 64u)
            machine.slot_low = slot->index / 64u;
    } else {
        __atomic_store_n(&slot->life, LIFE_WORN, __ATOMIC_RELAXED);
    }
    /*
     * Who reads slot_high must find the slots of all that lived before it looked, and does: a process is made after
     * slot_high has grown, and it falls only once all above it are free. A core that read the smaller value may miss
     * who was made since, in a slot above; that one is none that it has to find: it was made after the doom, or the
     * generation, for which this core looks had been stored, and finds that by its own second look.
     */
    uint32_t high = machine.slot_high;
    while (high > 1 && (free_bit(high - 1) || worn(high - 1)))
        high -= high % 64 == 0 && !~machine.slot_free[high / 64 - 1] ? 64 : 1;
    if (high != machine.slot_high)
        __atomic_store_n(&machine.slot_high, high, __ATOMIC_RELEASE);
    lock_release(&machine.slot_lock);
}

const char *slot_check(void) {
    uint32_t high = 1;
    for (uint32_t i = 1; i < machine.slot_made; i++) {
        bool is_free = state_kind(machine.slot[i].word) == KIND_FREE;
        if ((is_free && !worn(i)) != (free_bit(i) != 0))
            return "a slot is free, and not in the set of free ones, or the other way round";
        if (!is_free)
            high = i + 1;
    }
    return machine.slot_high == high ? NULL : "slot_high is not above the highest slot in use";
}

static void adopt(struct slot *parent, struct slot *slot) {
    __atomic_fetch_add(&parent->children, 1, __ATOMIC_RELAXED);
    lock_acquire(&parent->lock);
    slot->elder = SLOT_NONE;
    slot->younger = parent->child;
    if (slot->younger != SLOT_NONE)
        machine.slot[slot->younger].elder = slot->index;
    parent->child = slot->index;
    lock_release(&parent->lock);
}

void slot_orphan(struct slot *parent, struct slot *slot) {
    lock_acquire(&parent->lock);
    if (parent->end_cursor == slot->index)
        parent->end_cursor = slot->younger;
    if (slot->elder == SLOT_NONE)
        parent->child = slot->younger;
    else
        machine.slot[slot->elder].younger = slot->younger;
    if (slot->younger != SLOT_NONE)
        machine.slot[slot->younger].elder = slot->elder;
    lock_release(&parent->lock);
}

/* Give an empty object and its slot what a new process has; from the word's store on others may look at them. */
static void fill(struct process *p, struct slot *slot, struct slot *parent, const struct process_request *request) {
    p->slot = slot;
    p->caller_word = state(KIND_RCV, slot->index, 0);
    p->called_word = state(KIND_CAL, slot->index, 0);
    p->wait = WAIT_PLAIN(0);
    p->quantum = request->quantum;
    p->watchdog = request->watchdog;
    p->name[0] = request->name[0];
    p->name[1] = request->name[1];

    slot->process = p;
    slot->parent = parent ? parent->index : SLOT_NONE;
    slot->parent_life = parent ? slot_generation(parent) : 0;
    slot->generation = slot->born = slot_generation(slot);
    slot->notify_bits = request->notify_bits;
    slot->note = slot->noted = 0;
    slot->mask = ~UINT64_C(0);
    slot->spent = 0;
    slot->children = slot->held = 0;
    slot->abandoned = 0;
    slot->end_reason = OS2_END_NONE;
    slot->end_cursor = SLOT_NONE;
    slot->end_stage = 0;
    if (parent)
        adopt(parent, slot);
    arch_store_release(&slot->word, state(KIND_NEW, 0, wait_begin(slot)));
}

enum os2_status process_make(struct slot *parent, const struct process_request *request, struct slot **ret_slot) {
    struct heap *heap = &machine.heap;
    struct slot *slot = slot_get();
    if (!slot)
        return OS2_E_FULL;
    enum os2_status status = OS2_E_MEMORY;
    uint32_t object = heap_alloc_cleared(heap, OS2_FRAME_OBJECT, slot->index);
    uint32_t table = heap_alloc_cleared(heap, OS2_FRAME_OBJECT, slot->index);
    if (object == FRAME_NONE || table == FRAME_NONE)
        goto fail;
    struct process *p = frame_memory(object);
    status = space_init(&p->space, heap, &machine.devices, slot->index, request->quota, 2);
    if (status != OS2_OK)
        goto fail;
    p->handles = frame_memory(table);
    fill(p, slot, parent, request);
    *ret_slot = slot;
    return OS2_OK;

fail:
    if (object != FRAME_NONE) {
        memory_clear(frame_memory(object), object_bytes(frame_memory(object)));
        heap_free_cleared(heap, object);
    }
    if (table != FRAME_NONE)
        heap_free_cleared(heap, table);
    slot_put(slot);
    return status;
}

void process_unmake(struct process *process) {
    handle_table_clear(process->handles);
    heap_free_cleared(&machine.heap, frame_number(process->handles));
    memory_clear(process, object_bytes(process));
    heap_free_cleared(&machine.heap, frame_number(process));
}
