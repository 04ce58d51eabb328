/* SPDX-License-Identifier: MIT */
/* Interrupt sources that fire too often; theory in sys/device.c. */
#ifndef SYS_DEVICE_H
#define SYS_DEVICE_H

#include "core/machine.h"

/* By its timer, a core lets in again the sources that it held. */
void irq_again(struct core *core, uint64_t now);

#endif
