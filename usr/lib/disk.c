/* SPDX-License-Identifier: MIT */
/*
 * Clients of disks (os2/disk.h). A driver that has no room for a request, or no quota for its block, refuses it, and
 * the block stays or comes back: then it is tried again after a pause.
 */
#include "os2/disk.h"

#include <stdbool.h>
#include <stddef.h>

#include "os2/call.h"
#include "os2/time.h"

#define BUSY_TRIES 1000u
#define BUSY_PAUSE_MS 1u

int os2_disk_info(unsigned disk, struct os2_disk_info *ret_info) {
    struct os2_message m = {.label = OS2_DISK_INFO};
    int status = os2_request(disk, 0, &m);

    if (status < 0)
        return status;
    *ret_info = (struct os2_disk_info){.sectors = m.w[0], .flags = (unsigned)m.w[1], .most = (unsigned)m.w[2]};
    return OS2_OK;
}

/* One try. The block is the caller's where the message was not taken, and where it came back. */
static int transfer_once(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at,
                         enum os2_disk_operation what) {
    struct os2_message m = {.label = what, .w = {sector, count, at, (uintptr_t)*block}};
    int status = os2_call(disk, OS2_F_BLOCK | OS2_ACCEPT(order), &m);

    if (status >= 0) {
        *block = m.control & OS2_I_BLOCK ? os2_message_block(&m) : NULL;
        return *block ? (int)(int64_t)m.label : OS2_E_INVALID;
    }
    if (status == OS2_E_FAILED) { /* taken, and refused */
        *block = NULL;
        return (int64_t)m.label < 0 ? (int)(int64_t)m.label : status;
    }
    if (status == OS2_E_DIED && !os2_block_owned(*block)) /* it had been taken */
        *block = NULL;
    return status;
}

static int transfer(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at,
                    enum os2_disk_operation what) {
    int status = OS2_E_BUSY;

    for (unsigned tries = 0; tries < BUSY_TRIES; tries++) {
        status = transfer_once(disk, sector, count, block, order, at, what);
        if (!*block || (status != OS2_E_BUSY && status != OS2_E_QUOTA))
            return status;
        os2_sleep_ms(BUSY_PAUSE_MS);
    }
    return status;
}

int os2_disk_read(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at) {
    return transfer(disk, sector, count, block, order, at, OS2_DISK_READ);
}

int os2_disk_write(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at) {
    return transfer(disk, sector, count, block, order, at, OS2_DISK_WRITE);
}

int os2_disk_flush(unsigned disk) {
    struct os2_message m = {.label = OS2_DISK_FLUSH};
    int status;

    for (unsigned tries = 0; tries < BUSY_TRIES; tries++) {
        m = (struct os2_message){.label = OS2_DISK_FLUSH};
        status = os2_request(disk, 0, &m);
        if (status < 0 || (int64_t)m.label != OS2_E_BUSY)
            break;
        os2_sleep_ms(BUSY_PAUSE_MS);
    }
    return status < 0 ? status : (int)(int64_t)m.label;
}
