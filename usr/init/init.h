/* SPDX-License-Identifier: MIT */
/*
 * What init's files share:
 *
 *     init        waits, and does what is due
 *     service     starts services, and takes notice of their ends
 *     grants      gives them what they may have
 *     table       the table's language; pure
 *     arguments   the boot arguments
 *     uart        the console's UART
 *
 * Each includes only what is below it.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/table.h"
#include "os2/abi.h"
#include "os2/spawn.h"
#include "os2/tree.h"

/*
 * Boot arguments, words separated by blanks:
 *   os2.run=HEX     run this command line (hexadecimal bytes) in a shell, then power off with its status
 *   os2.start=NAME  start this program instead of the shell, then power off with its status
 *   os2.nonce=WORD  before power off, print "os2: exit WORD STATUS"
 */
struct init_arguments {
    bool once; /* power off when the last service of the table ends */
    bool bad;  /* one of the arguments could not be read */
    char run[512], start[32], nonce[64];
};

void init_arguments(const char *text, size_t size, struct init_arguments *ret);

/* The console's UART: what the device tree says of it, and the claimed device. */
struct init_uart {
    struct os2_tree_uart facts;
    unsigned irq, ports; /* handles, kept: a restarted console gets copies of the same */
};

/* Looks for the UART. False: none was found; then the kind says whether the firmware's console can take its place. */
bool init_uart_find(const struct os2_boot *boot, struct init_uart *ret_uart);

/*
 * Claims the UART and gives it to a console that has not started, and what it needs of the machine where the firmware's
 * console takes its place (*ret_rights, OS2_RIGHT_...). *ret_base: where the registers are in the console. The memory
 * is claimed each time: it went back when the console before ended.
 */
int init_uart_give(struct init_uart *uart, struct os2_child *console, uint64_t *ret_base, unsigned *ret_rights);

/* A service of the table, and what has become of it. */
struct service {
    struct table_service plan;
    struct os2_child child;
    unsigned kept;    /* control handle of the one before, whose devices are to be reset first; 0: none */
    bool runs, ready; /* ready: it has asked for names since it was started */
    bool once_ready;
    bool given_up;
    unsigned restarts;
    uint64_t quota;   /* pages that it had when it was started; 0: it was not yet */
    uint64_t owed;    /* pages of that which it gets when what is kept has come back, */
    uint64_t owed_ms; /* and no later than that */
    unsigned crashes; /* in a row, without BACKOFF_FORGET_MS of running between */
    unsigned backoff_ms;
    uint64_t since_ms;     /* started, or ended */
    uint64_t restart_ms;   /* when to start it, where it does not run */
    uint64_t names_caller; /* waits for a name service that lives; 0: does not */
    int told;              /* why it could not be started, as said last: said once */
    enum os2_end_reason ended;
    uint64_t end_value;
};

/* A planned power off or restart. It waits for a console that has just been started, for a while. */
struct off {
    bool planned;
    enum os2_machine_control how;
    uint64_t code, latest_ms;
};

/* All of init's state. */
struct init {
    const struct os2_boot *boot;
    struct init_arguments arguments;
    struct init_uart uart;
    struct service services[TABLE_SERVICES];
    unsigned count;
    struct off off;
};
extern struct init init;

#define STATUS_FAILED 255u /* the machine's exit code when the job did not end by exit */

uint64_t init_now_ms(void);

/* Plans the power off; the main loop does it when the console can print. */
void init_off_plan(enum os2_machine_control how, uint64_t status);

/* The service that has this grant, or this name; null: there is none. */
struct service *service_granted(enum table_grant grant);
struct service *service_named(const char *name);

/* Reads the table from the boot archive; what is wrong in it is said. */
void services_read(void);

/* Says once, at the start, what is missing where memory is too little for all of the services and a program. */
void services_memory_check(void);

/* Starts a service, or plans the next try. */
void service_try(struct service *service);

/* Whether it is to be started now. */
bool service_due(const struct service *service, uint64_t now);

/* A service has ended: gives back what it had, says so, plans its restart. */
void service_ended(struct service *service);

/* It has asked for names: it is ready, and waits for an answer, which it gets as soon as there is a name service. */
void service_ready(struct service *service, uint64_t caller);

/* Gives it what it is owed, if that is there, and then its answer. */
void service_pay(struct service *service);

/* Ends it, or, where it does not run, has it started at once. */
void service_restart(struct service *service);

/* A handle to the name service with the badge that services have; the caller closes it. */
int names_handle(unsigned *ret_handle);

/* How many pages its grants cost. */
uint64_t grants_pages(const struct service *service);

/* Gives a created child all that it may have. argv has room for GRANT_ARGUMENTS more, whose text is in `text`. */
#define GRANT_ARGUMENTS 8u
int grants_give(struct service *service, struct os2_child *child, const char **argv, unsigned *argc,
                char text[GRANT_ARGUMENTS][24]);

#endif
