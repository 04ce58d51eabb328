/* SPDX-License-Identifier: MIT */
/*
 * The services that the shell uses. A handle is looked up when it is needed, and again after its process has ended; so
 * a service that init starts again is found again.
 */
#ifndef SHELL_SERVICES_H
#define SHELL_SERVICES_H

#include <stdint.h>

/* Handles to the console and to the name service; 0: there is none. */
unsigned services_console(void);
unsigned services_names(void);

/* Waits until the device manager has looked at the devices, so that the disks among them are there; not forever. */
void services_disks(void);

/* Ends the driver in that process slot, which the device manager then starts again. OS2_E_INVALID: none is there. */
int services_restart_driver(uint64_t slot);

#endif
