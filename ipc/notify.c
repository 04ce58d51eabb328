/* SPDX-License-Identifier: MIT */
/*
 * Notifications, and who gets them: interrupts, ends of children and of watched processes, the log, other processes.
 *
 * Bits are sticky and carry no count. They are set under the receiver's lock; a receive takes those that its mask asks
 * for, together with a message if there is one, so neither starves the other.
 *
 * Setter: bits, full fence, word. Receiver: word by a full-fence swap, then bits. One of them sees the other.
 *
 * Most often the receiver waits already, for anyone and for ever and for all of the bits, which its word tells: then
 * notify() claims it as a sender does, from the exact word seen before its generation, and hands it the bits without
 * setting them.
 */
#include "core/ipc.h"
#include "core/state.h"
#include "core/syscall.h"
#include "core/turn.h"
#include "ipc/wait.h"
#include "lib/string.h"

/* Ready, with these bits. */
static void deliver_bits(struct core *core, struct slot *slot, uint64_t bits, bool front) {
    struct process *process = slot->process;
    uint64_t *r = process->reg;
    if (!process->blank)
        memset(r, 0, sizeof process->reg);
    r[OS2_R_CONTROL] = OS2_I_BITS;
    r[OS2_R_BITS] = bits;
    process->blank = BLANK_BITS;
    wait_over(process);
    wait_again(slot);
    if (front)
        turn_ready_front(core, slot);
    else
        turn_ready(core, slot);
}

enum os2_status notify_slot(struct core *core, struct slot *slot, uint64_t generation, uint64_t bits, bool front) {
    lock_acquire(&slot->lock);
    if (slot_generation(slot) != generation) {
        lock_release(&slot->lock);
        return OS2_E_DIED;
    }
    note_set(slot, slot->note | bits);
    arch_fence(); /* pairs with the swap in receive() */
    uint64_t word = slot_word(slot);
    bool waits = state_kind(word) == KIND_RCV && state_peer(word) == SLOT_ANY;
    uint64_t taken = waits ? slot->note & __atomic_load_n(&slot->mask, __ATOMIC_RELAXED) : 0;
    if (!taken || !arch_cas_full(&slot->word, word, state(KIND_RUN, core->index, 0))) {
        lock_release(&slot->lock);
        return OS2_OK;
    }
    note_set(slot, slot->note & ~taken);
    lock_release(&slot->lock);
    deliver_bits(core, slot, taken, front);
    return OS2_OK;
}

struct light light_notify(uint64_t control, uint64_t bits, uint64_t w0, uint64_t w1) {
    (void)w0;
    (void)w1;
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
