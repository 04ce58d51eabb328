/* SPDX-License-Identifier: MIT */
/* The system calls of a program in a test: all that os2/call.h makes inline. */
#ifndef FAKE_ARCH_SYSCALL_H
#define FAKE_ARCH_SYSCALL_H

#include <stdint.h>

void arch_syscall(uint64_t *slots);

#endif
