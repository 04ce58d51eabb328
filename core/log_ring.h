/* SPDX-License-Identifier: MIT */
/* The log's memory, part of struct machine; only core/log.c looks inside. */
#ifndef CORE_LOG_RING_H
#define CORE_LOG_RING_H

#include "mm/lock.h"

#define LOG_SIZE 16384 /* a power of two */

/* Whom to notify. */
struct log_reader {
    uint64_t generation, bits;
    uint16_t slot;
};

struct log {
    struct lock lock;
    uint64_t written, read;   /* lock: bytes ever; written - read <= LOG_SIZE */
    uint64_t lost;            /* lock: bytes overwritten before they were read */
    bool drained;             /* lock: somebody reads: the firmware's console is no longer written */
    bool at_line_start;       /* lock */
    uint64_t writer;          /* lock: whose the line is that was begun, an identity; 0: the kernel's */
    struct log_reader reader; /* lock; its bits are 0: nobody */
    char ring[LOG_SIZE];
};

#endif
