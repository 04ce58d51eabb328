/* SPDX-License-Identifier: MIT */
/* The kernel's log: a ring that the console process drains; theory in core/log.c. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "mm/lock.h"

#define LOG_SIZE 16384 /* a power of two */

struct log {
    struct lock lock;
    uint64_t written, read; /* lock: bytes ever; written - read <= LOG_SIZE */
    uint64_t lost;          /* lock: bytes overwritten before they were read */
    bool drained;           /* lock: somebody reads: the firmware's console is no longer written */
    bool at_line_start;     /* lock */
    uint16_t reader;        /* lock: whom to notify; SLOT_NONE */
    uint64_t reader_generation, reader_bits;
    char ring[LOG_SIZE];
};

/* Log one line: "[seconds.micros coreN] text". */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A program's text, as it is. */
void log_text(const char *text, size_t length);

/* Take up to `size` bytes out; 0: nothing there. The first call ends output on the firmware's console. */
size_t log_read(char *to, size_t size);

/* Who is told, by bits, that there is more; upcalls of ipc/notify.c do it at kernel exit. */
void log_set_reader(uint16_t slot, uint64_t generation, uint64_t bits);
bool log_wants_reader(uint16_t *ret_slot, uint64_t *ret_generation, uint64_t *ret_bits);

#endif
