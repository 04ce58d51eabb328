/* SPDX-License-Identifier: MIT */
/* System calls on the machine: the log, what there is, power. */
#include "core/log.h"
#include "ipc/notify.h"
#include "lib/string.h"
#include "mm/clamp.h"
#include "sys/dispatch.h"

/* Tell the process that reads the log that there is more. Lines of the kernel's own are told with the next text. */
static void tell_reader(struct core *core) {
    struct log_reader reader;
    if (log_wants_reader(&reader))
        notify_slot(core, &machine.slot[reader.slot], reader.generation, reader.bits, false);
}

int sys_log(struct core *core, struct process *process) {
    char text[OS2_LOG_CHUNK] = {0}, name[sizeof process->name];
    uint64_t *r = process->reg, length = r[OS2_R_LABEL];
    enum os2_status status = syscall_machine(process, OS2_RIGHT_LOG);
    if (status != OS2_OK)
        return status;
    if (length > OS2_LOG_CHUNK)
        return OS2_E_INVALID;
    if (length == 0) {
        struct log_reader reader = {slot_generation(process->slot), r[OS2_R_W0], process->slot->index};
        r[OS2_R_LABEL] = log_read(text, sizeof text);
        log_set_reader(&reader);
        memcpy(&r[OS2_R_W0], text, sizeof text);
        return 6;
    }
    memcpy(text, &r[OS2_R_W0], sizeof text);
    memcpy(name, process->name, sizeof name);
    log_text(name, process->slot->index, slot_identity(process->slot), text, length);
    tell_reader(core);
    return 0;
}

/* Frames looked at in one entry. */
#define FRAMES_STEP 512

/* A run of equal blocks from frame `number` on. */
static int frames(struct process *process, uint64_t number) {
    const struct heap *heap = &machine.heap;
    if (number < heap->first)
        number = heap->first;
    if (number >= heap->end)
        return OS2_E_INVALID;
    number = heap->first + clamp_index(number - heap->first, heap->end - heap->first);
    /* Other cores go on meanwhile, so what is read is a guess that must only be safe: sizes are checked. */
    const struct frame *f = heap_frame(heap, (uint32_t)number);
    unsigned state = f->state, order = f->order <= OS2_ORDER_MAX ? f->order : 0, owner = f->owner;
    bool owned = state == OS2_FRAME_OWNED || state == OS2_FRAME_PLACED || state == OS2_FRAME_FLIGHT ||
                 state == OS2_FRAME_TABLE || state == OS2_FRAME_OBJECT;
    bool sized = owned || state == OS2_FRAME_FREE || state == OS2_FRAME_MAGAZINE || state == OS2_FRAME_KERNEL;
    uint64_t pages = sized ? UINT64_C(1) << order : 1, next = number, count = 0;
    for (unsigned i = 0; i < FRAMES_STEP && next < heap->end; i++) {
        f = heap_frame(heap, (uint32_t)next);
        if (f->state != state || (sized && f->order != order) || (owned && f->owner != owner))
            break;
        next += pages;
        count++;
    }
    process->reg[OS2_R_LABEL] = next;
    process->reg[OS2_R_W0] = state;
    process->reg[OS2_R_W1] = sized ? order : 0;
    process->reg[OS2_R_W2] = count ? count : 1;
    process->reg[OS2_R_W3] = owned ? owner + 1 : 0;
    if (!count)
        process->reg[OS2_R_LABEL] = number + 1;
    return 5;
}

static int core_facts(struct process *process, uint64_t index) {
    if (index >= machine.core_count)
        return OS2_E_INVALID;
    index = clamp_index(index, machine.core_count);
    const struct core *c = cores[index];
    uint64_t *r = process->reg;
    r[OS2_R_LABEL] = machine.boot->cpu_id[index];
    r[OS2_R_W0] = __atomic_load_n(&c->turns, __ATOMIC_RELAXED);
    r[OS2_R_W1] = __atomic_load_n(&c->steals, __ATOMIC_RELAXED) << 32 | __atomic_load_n(&c->stolen, __ATOMIC_RELAXED);
    uint64_t since = __atomic_load_n(&c->idle_since, __ATOMIC_RELAXED);
    r[OS2_R_W2] = __atomic_load_n(&c->idle_ticks, __ATOMIC_RELAXED) + (since ? arch_clock() - since : 0);
    r[OS2_R_W3] = __atomic_load_n(&c->interrupts, __ATOMIC_RELAXED);
    r[OS2_R_W4] = 0;
    r[OS2_R_CALLER] = __atomic_load_n(&c->shared.online, __ATOMIC_RELAXED);
    return 7;
}

int sys_machine_info(struct core *core, struct process *process) {
    enum os2_status status = syscall_machine(process, OS2_RIGHT_OBSERVE);
    if (status != OS2_OK)
        return status;
    uint64_t index = process->reg[OS2_R_W0];
    switch (process->reg[OS2_R_LABEL]) {
    case OS2_MACHINE_MACHINE:
        process->reg[OS2_R_LABEL] = machine.core_count;
        process->reg[OS2_R_W0] = machine.slot_count;
        process->reg[OS2_R_W1] = machine.heap.first;
        process->reg[OS2_R_W2] = machine.heap.end;
        process->reg[OS2_R_W3] = machine.heap.ram_pages;
        process->reg[OS2_R_W4] = machine.slot_pages;
        return 6;
    case OS2_MACHINE_CORE:
        return core_facts(process, index);
    case OS2_MACHINE_FRAMES:
        return frames(process, index);
    default:
        return OS2_E_INVALID;
    }
}

int sys_machine_control(struct core *core, struct process *process) {
    enum os2_status status = syscall_machine(process, OS2_RIGHT_POWER);
    if (status != OS2_OK)
        return status;
    uint64_t code = process->reg[OS2_R_W0];
    if (code > 255)
        return OS2_E_INVALID;
    switch (process->reg[OS2_R_LABEL]) {
    case OS2_CONTROL_OFF:
        arch_power_off((unsigned)code);
    case OS2_CONTROL_RESTART:
        arch_restart();
    default:
        return OS2_E_INVALID;
    }
}

/* One byte a call: this core waits in firmware, with interrupts off, until the byte before has left. */
int sys_firmware_console(struct core *core, struct process *process) {
    enum os2_status status = syscall_machine(process, OS2_RIGHT_CONSOLE);
    if (status != OS2_OK)
        return status;
    uint64_t what = process->reg[OS2_R_LABEL], byte = process->reg[OS2_R_W0];
    if (what == OS2_FIRMWARE_PUT && byte <= UINT8_MAX)
        return arch_console_put((uint8_t)byte) ? 0 : OS2_E_CALL;
    if (what != OS2_FIRMWARE_GET)
        return OS2_E_INVALID;
    int got = arch_console_get();
    if (got < 0)
        return got == -1 ? OS2_E_WOULD_WAIT : OS2_E_CALL;
    process->reg[OS2_R_LABEL] = (uint64_t)got;
    return 1;
}
