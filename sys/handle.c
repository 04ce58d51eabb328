/* SPDX-License-Identifier: MIT */
/* System calls on the caller's own handles. */
#include "ipc/end.h"
#include "sys/dispatch.h"

/* May a handle of this kind be minted from one of kind `source`? */
static bool mintable(unsigned source, uint64_t kind) {
    if (source == OS2_HANDLE_INBOX || source == OS2_HANDLE_CONTROL)
        return kind == OS2_HANDLE_INBOX || kind == OS2_HANDLE_NOTIFY;
    return kind == source;
}

struct light light_handle_mint(uint64_t control, uint64_t kind, uint64_t badge, uint64_t wanted) {
    const struct process *process = light_process();
    uint64_t index = control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK;
    unsigned rights = wanted & OS2_RIGHTS_ALL;
    uint64_t source;
    if (index == 0) {
        const struct slot *slot = process->slot;
        source = handle_target(OS2_HANDLE_INBOX, OS2_RIGHTS_ALL, slot->index, slot_generation(slot));
    } else {
        const struct handle *h = handle_get(process->handles, index);
        if (!h)
            return light_status(OS2_E_HANDLE);
        source = h->target;
        /* Rights of a control handle are those over an inbox of the child. */
        if (handle_kind(source) == OS2_HANDLE_CONTROL)
            source = handle_target(OS2_HANDLE_CONTROL, OS2_RIGHTS_ALL, handle_slot(source), handle_generation(source));
        /* A badge that tells a client apart is no mask that its server chose. */
        else if ((badge != h->badge || (handle_kind(source) == OS2_HANDLE_INBOX && kind == OS2_HANDLE_NOTIFY)) &&
                 !(handle_rights(source) & OS2_RIGHT_MINT))
            return light_status(OS2_E_RIGHTS);
        /* The badge of an interrupt or of ports is which one it is. */
        if (badge != h->badge && handle_kind(source) >= OS2_HANDLE_MACHINE)
            return light_status(OS2_E_RIGHTS);
    }
    if (!mintable(handle_kind(source), kind))
        return light_status(OS2_E_INVALID);
    if (!handle_room(process->handles))
        return light_status(OS2_E_FULL);
    uint64_t target =
        handle_target((unsigned)kind, handle_rights(source) & rights, handle_slot(source), handle_generation(source));
    return light_result(handle_put(process->handles, target, badge));
}

struct light light_handle_close(uint64_t control, uint64_t label, uint64_t w0, uint64_t w1) {
    struct core *core = arch_core();
    struct handle_table *table = core->current->handles;
    struct handle *h = handle_get(table, control >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
    if (!h)
        return light_status(OS2_E_HANDLE);
    uint64_t target = h->target;
    handle_drop(table, h);
    if (handle_kind(target) == OS2_HANDLE_CONTROL)
        end_abandon(core, &machine.slot[handle_slot(target)], handle_generation(target));
    return light_status(OS2_OK);
}
