/* SPDX-License-Identifier: MIT */
/* Setting bits of a process; theory in ipc/notify.c. */
#ifndef IPC_NOTIFY_H
#define IPC_NOTIFY_H

#include "core/process.h"

/* Set bits of the process in `slot`, if it is still of that generation. A process that waits for any of them becomes
 * ready here: at the tail, or at the front place for a device. OS2_OK, OS2_E_DIED. */
enum os2_status notify_slot(struct core *core, struct slot *slot, uint64_t generation, uint64_t bits, bool front);

#endif
