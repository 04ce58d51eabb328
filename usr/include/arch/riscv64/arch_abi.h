/* SPDX-License-Identifier: MIT */
/* The part of the ABI (os2/abi.h) that each processor has of its own; this is RISC-V's. */
#ifndef ARCH_ABI_H
#define ARCH_ABI_H

#include <stdint.h>

/* Exchange address = this + physical address. Half of what programs can address, and room for all physical addresses:
 * the upper half of Sv39's lower half. */
#define OS2_EXCHANGE_BASE (UINT64_C(1) << 37)

/* e_machine of a program's file. */
#define OS2_ELF_MACHINE 243u

#endif
