/* SPDX-License-Identifier: MIT */
/* x86_64's part of the ABI, and that of the tests on the host; usr/include/arch/riscv64/arch_abi.h says what for. */
#ifndef ARCH_ABI_H
#define ARCH_ABI_H

#include <stdint.h>

/* The upper half of the lower half of four levels of tables. */
#define OS2_EXCHANGE_BASE (UINT64_C(1) << 46)

/* e_machine of a program's file. */
#define OS2_ELF_MACHINE 62u

#endif
