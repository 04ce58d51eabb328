/* SPDX-License-Identifier: MIT */
/*
 * What init does for the services it starts, through the handle "init", which only services have. Every
 * request is a call.
 *
 *   NAMES     out: a handle to the name service that now lives, with the trust the asker was started with.
 *   SHUTDOWN  W0 = code, W1 = enum os2_machine_control: the machine is powered off with the code, or starts again. Only
 *             the shell may.
 *   KILL      W0 = process slot: the service in it is ended, and started again. Only the shell may.
 */
#ifndef OS2_SUPERVISOR_H
#define OS2_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

enum os2_supervisor_operation { OS2_SUPERVISOR_NAMES = 1, OS2_SUPERVISOR_SHUTDOWN, OS2_SUPERVISOR_KILL };

/*
 * The first thing that a service does. False: it was not started by init but by its name, as a program; that has been
 * said, and it should end with OS2_SERVICE_REFUSED.
 */
bool os2_service_begin(void);
#define OS2_SERVICE_REFUSED 2

int os2_supervisor_names(unsigned supervisor, unsigned *ret_names);
int os2_supervisor_shutdown(unsigned supervisor, uint64_t code); /* returns only if it is refused */
int os2_supervisor_restart(unsigned supervisor);                 /* the same */
int os2_supervisor_kill(unsigned supervisor, uint64_t slot);

#endif
