/* SPDX-License-Identifier: MIT */
/* The kernel's log; theory in core/log.c. log_line() and panic() are in arch/arch.h, since ports call them. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "arch/arch.h"

/* Text of the program `name` (16 bytes, zero-padded) in `slot`, who is a writer of its own as long as `writer` is the
 * same. Each of its lines begins with who it is: "name(slot): ". */
void log_text(const char name[16], unsigned slot, uint64_t writer, const char *text, size_t length);

/* Take up to `size` bytes out; 0: nothing there. The first call ends output on the firmware's console. */
size_t log_read(char *to, size_t size);

/* Whom to tell, by bits, when there is more. */
void log_set_reader(uint16_t slot, uint64_t generation, uint64_t bits);

/* At kernel exit: is there more, and somebody to tell? Then who; it is asked for once. */
bool log_wants_reader(uint16_t *ret_slot, uint64_t *ret_generation, uint64_t *ret_bits);

#endif
