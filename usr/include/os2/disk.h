/* SPDX-License-Identifier: MIT */
/*
 * The protocol of disks: drivers of block devices serve it, under the names "disk0", "disk1" and so on. Every request
 * is a call. A sector is 512 bytes, whatever the device calls one.
 *
 *   INFO   out: W0 = sectors, W1 = OS2_DISK_... flags, W2 = the most sectors of one request. No sectors: this
 *          disk is a slot, and there is no card in it; there may be one later.
 *   READ   W0 = first sector, W1 = how many, W2 = where in the block they go, in bytes, a multiple of 512; a block that
 *          has room for them. Out: the block, and LABEL = OS2_OK or a status; then what is there means nothing.
 *   WRITE  W0 = first sector, W1 = how many, W2 = where in the block they are; a block with them. Out: the block, and
 *          LABEL. What was answered is in the device, but a power cut may lose it, or keep it and lose what was written
 *          before.
 *   FLUSH  answered with LABEL when all that was written is safe from a power cut.
 *
 * The block that a request gives is the device's until the answer: it reads and writes the block where it lies, so
 * nothing is copied. The caller accepts it back. Where the driver ends meanwhile, the block is lost with it, and the
 * request fails with OS2_E_DIED: it was done, in part, or not at all. The block is given to nobody else before the
 * device has been reset.
 *
 * A driver answers requests in any order, and works on several at once. One that has no room for a request, or no quota
 * for its block, says OS2_E_BUSY or OS2_E_QUOTA, and the block is still the caller's, or again: the functions below try
 * again for a second. A block that the device has had an error with comes back with OS2_E_FAILED, one that it did not
 * answer with OS2_E_TIMEOUT. Only those who hold a handle with badge 0, which the name service gives to services alone,
 * are served: others get OS2_E_RIGHTS, and lose the block.
 */
#ifndef OS2_DISK_H
#define OS2_DISK_H

#include <stdint.h>

enum os2_disk_operation { OS2_DISK_INFO = 1, OS2_DISK_READ, OS2_DISK_WRITE, OS2_DISK_FLUSH };
#define OS2_DISK_SECTOR 512u
#define OS2_DISK_SECTOR_SHIFT 9
#define OS2_DISK_READ_ONLY 1u
#define OS2_DISK_ORDER 9u /* of the largest block that a request may give: 2 MiB */

struct os2_disk_info {
    uint64_t sectors;
    unsigned flags;
    unsigned most; /* sectors of one request */
};

int os2_disk_info(unsigned disk, struct os2_disk_info *ret_info);

/* Moves `count` sectors between the disk and `at` bytes behind the start of *block, which has 2^order pages. *block is
 * the caller's again afterwards, or null where it was lost. A driver that has ended is not looked for anew. */
int os2_disk_read(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at);
int os2_disk_write(unsigned disk, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at);
int os2_disk_flush(unsigned disk);

#endif
