/* SPDX-License-Identifier: MIT */
/* Starting init, the first process. */
#ifndef SYS_INIT_H
#define SYS_INIT_H

#include "core/process.h"

/* Load init, the first file of the boot archive, give it all memory, the machine handle, the archive and the device
 * tree, and make it ready on `core`. Panics, saying why, where that cannot be. */
void init_start(struct core *core, struct boot_info *info);

#endif
