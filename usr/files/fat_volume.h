/* SPDX-License-Identifier: MIT */
/* What the two files about volumes on disks share. */
#ifndef FILES_FAT_VOLUME_H
#define FILES_FAT_VOLUME_H

#include <stdint.h>

/* Seconds since 1970, as far as anybody knows; else 0. */
uint64_t fat_volume_now(void);

#endif
