/* SPDX-License-Identifier: MIT */
/*
 * Random bytes from the machine's own source, where it has one: the service "random". Every request is a call.
 *
 *   READ  out: LABEL = how many bytes, 1 to OS2_RANDOM_BYTES, W0 .. W3 = the bytes. OS2_E_BUSY: too many wait for some.
 *
 * They are the device's as they come, and handed out once. Who needs many makes them from a few.
 */
#ifndef OS2_RANDOM_H
#define OS2_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum os2_random_operation { OS2_RANDOM_READ = 1 };
#define OS2_RANDOM_BYTES 32u

/* `size` random bytes from the service behind this handle. On failure some may have been written. */
int os2_random_from(unsigned random, void *bytes, size_t size);

/* The same, with the service found by this process's handle "names". OS2_E_WOULD_WAIT: there is none. */
int os2_random(void *bytes, size_t size);

#endif
