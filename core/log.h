/* SPDX-License-Identifier: MIT */
/* The kernel's log; theory in core/log.c. log_line() and panic() are in arch/arch.h, since ports call them. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/log_ring.h"

/* Text of the program `name` (16 bytes, zero-padded) in `slot`, who is a writer of its own as long as `writer` is the
 * same. Each of its lines begins with who it is: "name(slot): ". */
void log_text(const char name[16], unsigned slot, uint64_t writer, const char *text, size_t length);

/* Take up to `size` bytes out; 0: nothing there. The first call ends output on the firmware's console. */
size_t log_read(char *to, size_t size);

/* Whom to tell when there is more. */
void log_set_reader(const struct log_reader *reader);

/* Is there more, and somebody to tell? Then who; he is told once. */
bool log_wants_reader(struct log_reader *ret_reader);

#endif
