/* SPDX-License-Identifier: MIT */
/*
 * The name service's protocol: names of up to 16 bytes for services, and handles to them. Every request is a call;
 * W0, W1 = the name, zero-padded.
 *
 *   REGISTER  a handle given: from now on the name leads to it, instead of an older one. Only through a handle whose
 *             badge is OS2_NAMES_TRUSTED.
 *   LOOKUP    answered with a handle. A name that is not there yet is waited for; W2 = 1: then fail instead, with
 *             OS2_E_WOULD_WAIT as the reason. A trusted client's handle keeps the badge that the service registered and
 *             the right to mint; the others' have badge 1 and may only be used and given on.
 *
 * A name whose process has ended is forgotten at once, so that the next lookup waits for the restarted service.
 */
#ifndef OS2_NAMES_H
#define OS2_NAMES_H

#include <stdbool.h>
#include <stdint.h>

enum os2_names_operation { OS2_NAMES_REGISTER = 1, OS2_NAMES_LOOKUP };
#define OS2_NAMES_TRUSTED 1u
#define OS2_NAMES_ORDINARY 2u
#define OS2_NAME_SIZE 16u

int os2_names_register(unsigned names, const char *name, unsigned handle);
int os2_names_lookup(unsigned names, const char *name, bool wait, unsigned *ret_handle);

/* A handle to whoever has the name now, which the caller closes. A name that is not there yet is waited for as
 * os2_names_lookup() does, but for OS2_NAMES_WAIT_MS at the most (OS2_E_TIMEOUT): a service that was given up does not
 * come back. The name service that this program was started with may have ended: then its supervisor is asked for the
 * new one. */
#define OS2_NAMES_WAIT_MS 15000u
int os2_names_find(const char *name, bool wait, unsigned *ret_handle);

/*
 * A service's whole registration: a handle to itself (badge 0, with the right to mint) under `name`, and `bits` when
 * the name service has ended; then the service calls it again. Asks the supervisor for a name service that lives.
 */
int os2_names_serve(const char *name, uint64_t bits);

/* The same, and the handle to the name service. Who watches handles that others gave needs it: one of them may lead to
 * the name service too, and a process has one watch of another. *ret_names above 0 is an older one, which is closed. */
int os2_names_serve_watched(const char *name, uint64_t bits, unsigned *ret_names);

#endif
