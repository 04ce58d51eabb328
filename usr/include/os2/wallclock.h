/* SPDX-License-Identifier: MIT */
/*
 * The time of day, from the machine's real-time clock, where it has one: the service "clock". Every request is a call.
 *
 *   READ  out: W0 = nanoseconds since 1970, UTC, at the moment when W1 nanoseconds had passed since boot (os2_now_ns).
 *
 * Who has asked once knows the time for as long as the machine is up: it goes on with the time since boot.
 */
#ifndef OS2_WALLCLOCK_H
#define OS2_WALLCLOCK_H

#include <stdint.h>

enum os2_wallclock_operation { OS2_WALLCLOCK_READ = 1 };

/* Nanoseconds since 1970, UTC, now. Asks the service once. OS2_E_WOULD_WAIT: there is none; then it is asked again the
 * next time. */
int os2_time_of_day(uint64_t *ret_ns);

/* A moment as people write it, UTC. */
struct os2_date {
    unsigned year, month, day; /* month and day from 1 on */
    unsigned hour, minute, second, weekday /* 0: Sunday */;
};
void os2_date_of(uint64_t seconds, struct os2_date *ret_date);

/* Its inverse; the weekday is not looked at. */
uint64_t os2_date_seconds(const struct os2_date *date);

#endif
