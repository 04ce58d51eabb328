/* SPDX-License-Identifier: MIT */
/* The clients of disk drivers (os2/disk.h). */
#include "os2/disk.h"

#include <stddef.h>

#include "os2/call.h"

int os2_disk_info(unsigned disk, struct os2_disk_info *ret_info) {
    struct os2_message m = {.label = OS2_DISK_INFO};
    int status = os2_request(disk, 0, &m);

    if (status >= 0)
        *ret_info =
            (struct os2_disk_info){.sectors = m.w[0], .flags = (unsigned)m.w[1], .most = (unsigned)m.w[2]};
    return status;
}

static int disk_transfer(enum os2_disk_operation operation, unsigned disk, uint64_t sector, unsigned count,
                         void **block, unsigned order, uint64_t at) {
    struct os2_message m = {.label = operation, .w = {sector, count, at, (uintptr_t)*block}};
    int status = os2_request(disk, OS2_F_BLOCK | OS2_ACCEPT(order), &m);

    if (status >= 0)
        *block = m.control & OS2_I_BLOCK ? os2_message_block(&m) : NULL;
    else if (os2_block_place(*block, 0, OS2_PROT_READ | OS2_PROT_WRITE, &(uint64_t){0}) < 0)
        *block = NULL; /* it was given, and has gone with the driver */
    return status < 0 ? status : (int)(int64_t)m.label;
}

int os2_disk_read(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at) {
    return disk_transfer(OS2_DISK_READ, disk, sector, count, block, order, at);
}

int os2_disk_write(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at) {
    return disk_transfer(OS2_DISK_WRITE, disk, sector, count, block, order, at);
}

int os2_disk_flush(unsigned disk) {
    struct os2_message m = {.label = OS2_DISK_FLUSH};
    int status = os2_request(disk, 0, &m);
    return status < 0 ? status : (int)(int64_t)m.label;
}
