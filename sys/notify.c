/* SPDX-License-Identifier: MIT */
/*
 * System calls on notifications: notify and watch. What they are is in ipc/notify.c and ipc/watch.c.
 *
 * Most often the receiver waits already, for anyone and for ever and for all of the bits, which its word tells: then
 * notify() claims it as a sender does, from the exact word seen before its generation, and hands it the bits without
 * setting them.
 */
#include "ipc/notify.h"

#include "core/state.h"
#include "core/turn.h"
#include "ipc/watch.h"
#include "sys/light.h"

struct light light_notify(uint64_t control, uint64_t bits, uint64_t w0, uint64_t w1) {
    struct core *core = arch_core();
    const struct handle *h = light_handle(core->current, control, OS2_HANDLE_NOTIFY);
    if (!h)
        return light_status(OS2_E_HANDLE);
    if (bits & ~h->badge)
        return light_status(OS2_E_RIGHTS);
    struct slot *slot = &machine.slot[handle_slot(h->target)];
    uint64_t generation = handle_generation(h->target), word = slot_word(slot);
    if (word < STATE_SEQ_LONG && slot_life(slot) == generation << 1 && bits) {
        struct process *process = slot->process; /* nobody held it since, or the exchange fails */
        if (process->blank && turn_ready_plain(core) && arch_cas_full(&slot->word, word, core->run_word)) {
            process->reg[OS2_R_CONTROL] = OS2_I_BITS;
            process->reg[OS2_R_BITS] = bits;
            process->blank = BLANK_BITS;
            turn_ready_short(core, slot, process);
            return light_status(OS2_OK);
        }
    }
    return light_status(notify_slot(core, slot, generation, bits, false));
}

struct light light_watch(uint64_t control, uint64_t bits, uint64_t w0, uint64_t w1) {
    struct process *process = light_process();
    const struct handle *h = handle_get(process->handles, control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
    if (!h || (handle_kind(h->target) != OS2_HANDLE_INBOX && handle_kind(h->target) != OS2_HANDLE_NOTIFY))
        return light_status(OS2_E_HANDLE);
    struct slot *slot = &machine.slot[handle_slot(h->target)];
    return light_status(watch_set(process, slot, handle_generation(h->target), bits));
}
