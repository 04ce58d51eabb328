/* SPDX-License-Identifier: MIT */
/*
 * Time. The kernel counts ticks since boot and says how many make a second; deadlines are in ticks. These turn them
 * into nanoseconds and back without overflow for any time a machine can be up.
 */
#ifndef OS2_TIME_H
#define OS2_TIME_H

#include <stdint.h>

uint64_t os2_ticks_to_ns(uint64_t ticks, uint64_t rate);
uint64_t os2_ns_to_ticks(uint64_t ns, uint64_t rate);

uint64_t os2_now_ns(void);                      /* since boot */
uint64_t os2_deadline_ms(uint64_t ms_from_now); /* a deadline for a message call */
int os2_sleep_ms(uint64_t ms);                  /* takes no message and no bits; OS2_OK */

#endif
