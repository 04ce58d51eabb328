/* SPDX-License-Identifier: MIT */
/*
 * The services that the shell uses. A handle is looked up when it is needed, and again after its process has ended; so
 * a service that init starts again is found again.
 */
#ifndef SHELL_SERVICES_H
#define SHELL_SERVICES_H

#include <stdint.h>

#include "os2/files.h"

/* Handles to the console and to the name service; 0: there is none. */
unsigned services_console(void);
unsigned services_names(void);

/* The files by number; OS2_E_INVALID behind the last one. */
int services_list(uint64_t file, char ret_name[OS2_FILES_PATH + 1], uint64_t *ret_size);

/* A file in a block of its own, which the caller frees. OS2_E_WOULD_WAIT: there is no such file. */
int services_load(const char *name, void **ret_block, uint64_t *ret_size);

/* Ends the driver in that process slot, which the device manager then starts again. OS2_E_INVALID: none is there. */
int services_restart_driver(uint64_t slot);

#endif
