/* SPDX-License-Identifier: MIT */
/*
 * The table of slots, and making processes.
 *
 * The number of slots is fixed at boot by the amount of RAM: one for each 64 KiB, 256 to 8192. A slot's memory is never
 * given back, see core/process.h; free slots are on a list under one lock, which only creation and the end of a process
 * take. A slot whose generation would no longer fit a handle is not put back.
 */
#include "core/process.h"

#include "core/panic.h"
#include "core/state.h"
#include "core/string.h"

#define SLOT_RAM_PAGES 16
#define SLOTS_LEAST 256
#define SLOTS_MOST 8192

/* As much of a process object's frame as is ever used, in the steps of memory_clear(). */
#define OBJECT_BYTES ((sizeof(struct process) + 127) & ~(size_t)127)

bool process_table_init(void) {
    uint32_t count = machine.heap.ram_pages / SLOT_RAM_PAGES;
    count = count < SLOTS_LEAST ? SLOTS_LEAST : count > SLOTS_MOST ? SLOTS_MOST : count;
    unsigned order = 0;
    while ((OS2_PAGE_SIZE << order) < count * sizeof(struct slot))
        order++;
    uint32_t number = heap_alloc(&machine.heap, order, OS2_FRAME_KERNEL, 0);
    if (number == FRAME_NONE)
        return false;
    machine.slot = frame_memory(number);
    machine.slot_count = count;
    memset(machine.slot, 0, OS2_PAGE_SIZE << order);
    machine.slot_free = SLOT_NONE;
    for (uint32_t i = count; i-- > 0;) {
        struct slot *s = &machine.slot[i];
        s->word = state(KIND_FREE, 0, 0);
        if (i == SLOT_NONE)
            break;
        s->index = (uint16_t)i;
        s->life = 2; /* generation 1: 0 is never a process's */
        s->queue_head = s->queue_tail = s->next = s->prev = s->queued_at = SLOT_NONE;
        s->parent = SLOT_NONE;
        s->next = (uint16_t)machine.slot_free;
        machine.slot_free = i;
    }
    return true;
}

static struct slot *slot_get(void) {
    struct slot *slot = NULL;
    lock_acquire(&machine.slot_lock);
    if (machine.slot_free != SLOT_NONE) {
        slot = &machine.slot[machine.slot_free];
        machine.slot_free = slot->next;
        slot->next = SLOT_NONE;
        if (machine.slot_high <= slot->index)
            __atomic_store_n(&machine.slot_high, slot->index + 1u, __ATOMIC_RELEASE);
    }
    lock_release(&machine.slot_lock);
    return slot;
}

void slot_put(struct slot *slot) {
    if (slot_generation(slot) >= HANDLE_GENERATION_MAX)
        return;
    lock_acquire(&machine.slot_lock);
    slot->next = (uint16_t)machine.slot_free;
    machine.slot_free = slot->index;
    lock_release(&machine.slot_lock);
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
    p->slot = slot;
    p->caller_word = state(KIND_RCV, slot->index, 0);
    p->called_word = state(KIND_CAL, slot->index, 0);
    p->wait = WAIT_PLAIN(0);
    p->handles = frame_memory(table);
    p->quantum = request->quantum;
    p->watchdog = request->watchdog;
    p->name[0] = request->name[0];
    p->name[1] = request->name[1];

    slot->process = p;
    slot->parent = parent ? parent->index : SLOT_NONE;
    slot->generation = slot_generation(slot);
    slot->parent_life = parent ? slot_generation(parent) : 0;
    slot->born = slot_generation(slot);
    slot->notify_bits = request->notify_bits;
    slot->note = 0;
    slot->noted = 0;
    slot->mask = ~UINT64_C(0);
    slot->spent = 0;
    slot->children = 0;
    slot->held = 0;
    slot->abandoned = 0;
    slot->end_reason = OS2_END_NONE;
    slot->end_cursor = 0;
    slot->end_stage = 0;
    memset(slot->watch, 0, sizeof slot->watch);
    if (parent)
        __atomic_fetch_add(&parent->children, 1, __ATOMIC_RELAXED);
    arch_store_release(&slot->word, state(KIND_NEW, 0, wait_begin(slot)));
    *ret_slot = slot;
    return OS2_OK;

fail:
    if (object != FRAME_NONE) {
        memory_clear(frame_memory(object), OBJECT_BYTES);
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
    memory_clear(process, OBJECT_BYTES);
    heap_free_cleared(&machine.heap, frame_number(process));
}
