/* SPDX-License-Identifier: MIT */
/*
 * The table of services: a text file of the boot archive, "services". Pure: a text in, services out.
 *
 *     table      lines; # begins a comment, empty lines say nothing
 *     service    "service NAME", and below it, in any order:
 *
 *     program NAME     its file in the archive, where that has another name
 *     arguments WORD.. before those that its grants bring
 *     grant WORD..     what it may do, beside asking init and being told by it:
 *                        uart      the console's UART: registers or ports, interrupt, reading the log
 *                                  (arguments: kind, address, shift, width)
 *                        log       lines in the log
 *                        devices   any device's registers, interrupts and ports
 *                        observe   looking at processes and at the machine
 *                        tree      a copy of the device tree (arguments: its address and size)
 *                        archive   a copy of the boot archive (arguments: its address and size)
 *                        drivers   a copy of the archive's file "drivers.cpio" (arguments: its address and size)
 *                        names     a handle to the name service
 *                        console   reading and writing the console
 *                        control   having the machine powered off, services ended and started
 *     pages LEAST MOST for its work, beside what its program needs; without MOST: all that it can get
 *     stack PAGES      1, 2, 4, 8 or 16; 4 if nothing is said
 *     watchdog MS      the longest that it, or a program below it, may compute without a system call; 10 000
 *     quantum TOKENS   of its turns
 *     ends N           how many times in a row it may crash before it is given up; 8. 0: never given up
 *     after NAME..     started when these have once been ready
 *     last             the rest of the pages is for it; with os2.run and os2.start its end is the machine's
 *
 * Arguments of grants come in the order in which the grants are above, whatever the order in the file.
 */
#ifndef INIT_TABLE_H
#define INIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_SERVICES 24u
#define TABLE_NAME 17u
#define TABLE_ARGUMENTS 4u

enum table_grant {
    GRANT_UART = 1,
    GRANT_LOG = 2,
    GRANT_DEVICES = 4,
    GRANT_OBSERVE = 8,
    GRANT_TREE = 16,
    GRANT_ARCHIVE = 32,
    GRANT_DRIVERS = 64,
    GRANT_NAMES = 128,
    GRANT_CONSOLE = 256,
    GRANT_CONTROL = 512
};
#define GRANTS 10u
extern const char *const table_grant_names[GRANTS];

struct table_service {
    char name[TABLE_NAME], program[TABLE_NAME];
    char arguments[TABLE_ARGUMENTS][32];
    unsigned argument_count;
    unsigned grants;      /* enum table_grant */
    uint64_t least, most; /* pages; most 0: no limit */
    unsigned stack_order; /* 0: as usual */
    uint64_t watchdog_ms; /* 0: as usual */
    uint64_t quantum;     /* 0: as usual */
    unsigned ends;        /* crashes in a row; 0: no limit */
    uint32_t after;       /* bit i: the service at place i */
    bool last;
};

/*
 * Reads the table. Returns how many services it has. *ret_line: the first line that is wrong, from 1 on, and
 * *ret_reason why; 0: none. Lines that are wrong are left out, and a service without a program of that name is the
 * caller's affair.
 */
unsigned table_read(const char *text, size_t size, struct table_service services[TABLE_SERVICES], unsigned *ret_line,
                    const char **ret_reason);

#endif
