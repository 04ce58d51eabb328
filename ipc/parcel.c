/* SPDX-License-Identifier: MIT */
/* Checking and delivering what goes with a message: see ipc/parcel.h. */
#include "ipc/parcel.h"

#include "core/check.h"
#include "mm/paging.h"

enum os2_status parcel_inspect(struct process *from, struct parcel *ret_parcel) {
    uint64_t control = from->reg[OS2_R_CONTROL];
    struct parcel parcel = {.from = from};
    if (control & OS2_F_BLOCK) {
        paging_reclaim(&from->space);
        enum os2_status status = block_find(&from->space, from->reg[OS2_R_BLOCK], &parcel.block);
        if (status != OS2_OK)
            return status;
    }
    if (control & OS2_F_HANDLE) {
        uint64_t given = from->reg[OS2_R_HANDLE];
        const struct handle *h = handle_get(from->handles, given & OS2_HANDLE_MASK);
        if (!h)
            return OS2_E_HANDLE;
        if (!(handle_rights(h->target) & OS2_RIGHT_GIVE) || handle_kind(h->target) == OS2_HANDLE_CONTROL)
            return OS2_E_RIGHTS;
        parcel.handle = handle_narrow(h->target, given >> 16 & OS2_RIGHTS_ALL);
        parcel.handle_badge = h->badge;
    }
    *ret_parcel = parcel;
    return OS2_OK;
}

enum os2_status parcel_room(struct space *space, const struct block *block, uint64_t to) {
    enum os2_status status = block_fits(space, block, to);
    if (status != OS2_E_FULL)
        return status;
    status = space_refill(space, ARCH_TOP_LEVEL);
    return status == OS2_OK ? block_fits(space, block, to) : status;
}

static enum os2_status look(struct process *from, struct process *into, struct parcel *ret_parcel) {
    uint64_t control = from->reg[OS2_R_CONTROL], accept = into->wait.control;
    struct parcel parcel;
    enum os2_status status = parcel_inspect(from, &parcel);
    if (status != OS2_OK)
        return status;
    parcel.into = into;
    if (control & OS2_F_BLOCK) {
        if (parcel.block.order + 1 > (accept >> OS2_ACCEPT_SHIFT & OS2_ACCEPT_MASK))
            return OS2_E_REFUSED;
        status = parcel_room(&into->space, &parcel.block, 0);
        if (status != OS2_OK)
            return status;
    }
    if (control & OS2_F_HANDLE) {
        if (!(accept & OS2_F_ACCEPT_HANDLE))
            return OS2_E_REFUSED;
        if (!handle_room(into->handles))
            return OS2_E_FULL;
    }
    *ret_parcel = parcel;
    return OS2_OK;
}

enum os2_status parcel_check(struct process *from, struct process *into, struct parcel *ret_parcel) {
    return check_delivery(from, into, look, ret_parcel);
}

void parcel_deliver(const struct parcel *parcel) {
    struct process *from = parcel->from, *into = parcel->into;
    uint64_t control = from->reg[OS2_R_CONTROL], info = OS2_I_MESSAGE;
    parcel_words(from, into);
    if (control & OS2_F_BLOCK) {
        into->reg[OS2_R_BLOCK] =
            block_move(&from->space, &into->space, &parcel->block, 0, OS2_PROT_READ | OS2_PROT_WRITE);
        info |= OS2_I_BLOCK | (uint64_t)parcel->block.order << OS2_I_ORDER_SHIFT;
    }
    if (control & OS2_F_HANDLE) {
        into->reg[OS2_R_HANDLE] = handle_put(into->handles, parcel->handle, parcel->handle_badge);
        info |= OS2_I_HANDLE;
    }
    into->reg[OS2_R_CONTROL] = info;
}
