/* SPDX-License-Identifier: MIT */
/*
 * Notifications, and who gets them: interrupts, ends of children and of watched processes, the log, other processes.
 *
 * Bits are sticky and carry no count. They are set under the receiver's lock; a receive takes those that its mask asks
 * for, together with a message if there is one, so neither starves the other.
 *
 * Setter: bits, full fence, word. Receiver: word by a full-fence swap, then bits. One of them sees the other.
 */
#include "ipc/notify.h"

#include "core/state.h"
#include "core/turn.h"
#include "ipc/wait.h"

/* Ready, with these bits. */
static void deliver_bits(struct core *core, struct slot *slot, uint64_t bits, bool front) {
    struct process *process = slot->process;
    uint64_t *r = process->reg;
    if (!process->blank)
        process_clear(process);
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
