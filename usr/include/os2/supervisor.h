/* SPDX-License-Identifier: MIT */
/*
 * What init does for the services it starts, through the handle "init", which only services have. Every
 * request is a call.
 *
 *   NAMES     out: a handle to the name service that now lives, with the trust the asker was started with. It also
 *             tells init that the asker is ready.
 *   LIST      W0 = index. Out: LABEL = enum os2_service_state | process slot << 8 | restarts << 32, W0, W1 = name (16
 *             bytes, zero-padded), W2 = grants, a bit for each word of the table (docs/services.md), W3 = how it ended
 *             last: reason | value << 8, W4 = for how many milliseconds it has been so. Past the last one:
 *             OS2_E_INVALID.
 *
 * Only those whose grants have "control":
 *
 *   SHUTDOWN  W0 = code, W1 = enum os2_machine_control: the machine is powered off with the code, or starts again.
 *   KILL      W0 = process slot: the service in it is ended, and started again.
 *   RESTART   W0, W1 = name: the same by name; one that was given up is started again too.
 */
#ifndef OS2_SUPERVISOR_H
#define OS2_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "os2/abi.h"

enum os2_supervisor_operation {
    OS2_SUPERVISOR_NAMES = 1,
    OS2_SUPERVISOR_SHUTDOWN,
    OS2_SUPERVISOR_KILL,
    OS2_SUPERVISOR_LIST,
    OS2_SUPERVISOR_RESTART
};

/* The words of grants, in the order of their bits (init/table.h says what each means). */
#define OS2_SERVICE_GRANTS                                                                                             \
    "uart", "log", "devices", "observe", "tree", "archive", "drivers", "names", "console", "control"

enum os2_service_state {
    OS2_SERVICE_RUNS,    /* started, but it has not asked for names yet */
    OS2_SERVICE_READY,   /* it has */
    OS2_SERVICE_WAITS,   /* is to be started, or started again */
    OS2_SERVICE_GIVEN_UP /* crashed too often */
};

struct os2_service_facts {
    char name[17];
    enum os2_service_state state;
    unsigned slot, restarts, grants;
    enum os2_end_reason ended; /* last time; OS2_END_NONE: never */
    uint64_t value;            /* enum os2_fault or exit status, 24 bits of it */
    uint64_t since_ms;         /* in this state */
};

/*
 * The first thing that a service does. False: it was not started by init but by its name, as a program; that has been
 * said, and it should end with OS2_SERVICE_REFUSED.
 */
bool os2_service_begin(void);
#define OS2_SERVICE_REFUSED 2

int os2_supervisor_names(unsigned supervisor, unsigned *ret_names);

/* Answers a child that asks NAMES as services ask init, with what init says now; the caller is a service itself. */
int os2_supervisor_pass_names(uint64_t caller);

int os2_supervisor_shutdown(unsigned supervisor, uint64_t code); /* returns only if it is refused */
int os2_supervisor_restart(unsigned supervisor);                 /* the same */
int os2_supervisor_kill(unsigned supervisor, uint64_t slot);
int os2_supervisor_list(unsigned supervisor, unsigned index, struct os2_service_facts *ret_facts);
int os2_supervisor_start(unsigned supervisor, const char *name); /* RESTART */

#endif
