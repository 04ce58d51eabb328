/* SPDX-License-Identifier: MIT */
/*
 * What init's files share.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * Claims the UART and gives it to a console that has not started, with what it may do with the machine: read the log,
 * and use the firmware's console where it has no UART. *ret_base: where the registers are in the console. The memory is
 * claimed each time: it went back when the console before ended.
 */
int init_uart_give(struct init_uart *uart, struct os2_child *console, uint64_t *ret_base);

#endif
