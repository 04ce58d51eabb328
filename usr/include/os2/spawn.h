/* SPDX-License-Identifier: MIT */
/*
 * Starting a child: create, fill by moves, grant, start.
 *
 *     struct os2_child child;
 *     os2_child_create(&plan, &child);               an empty process with the program's segments and a stack
 *     os2_child_grant(&child, "console.out", h, r);  each handle that it is to have
 *     os2_child_start(&child, argc, argv);           or os2_child_drop(&child)
 *
 * The child's memory, all in one 2 MiB region so that one page table maps it:
 *
 *     0x200000  the program's segments, up to OS2_PROGRAM_END
 *     ........  a page never mapped, so that an overrun stack ends the program and not its data
 *     0x3f0000  the stack's end; it grows down
 *     0x3ff000  the start page (os2/start.h)
 *     0x400000  instead, for a program that is too large to be below: its segments, up to OS2_LARGE_END
 *
 * Segments get the largest blocks that their addresses allow: 2 MiB that are one leaf, and more.
 */
#ifndef OS2_SPAWN_H
#define OS2_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os2/abi.h"
#include "os2/call.h"
#include "os2/start.h"

#define OS2_PROGRAM_BASE UINT64_C(0x200000)
#define OS2_PROGRAM_END UINT64_C(0x3c0000)
#define OS2_LARGE_BASE UINT64_C(0x400000)
#define OS2_LARGE_END UINT64_C(0x40000000)
#define OS2_STACK_END UINT64_C(0x3f0000)
#define OS2_START_PAGE UINT64_C(0x3ff000)
#define OS2_STACK_ORDER 2u               /* 16 KiB if the plan says nothing */
#define OS2_STACK_ORDER_MAX 4u           /* 64 KiB: 0x3e0000 is still a page above OS2_PROGRAM_END */
#define OS2_CHILD_NO_WATCHDOG UINT64_MAX /* as a watchdog limit: none, for a caller who has none itself */
#define OS2_CHILD_OVERHEAD 24u           /* pages a process may need for its object, tables and their reserve */

struct os2_child_plan {
    const void *image; /* the ELF file */
    size_t image_size;
    /* quota 0: the least this image needs; quantum 0: the default; watchdog 0: OS2_WATCHDOG_DEFAULT_MS */
    struct os2_process_plan process;
    unsigned stack_order; /* 0: OS2_STACK_ORDER */
};

struct os2_child {
    unsigned control; /* 0: none */
    uint64_t id;
    uint64_t entry;
    uint64_t stack_low, stack_end;
    struct os2_start_page *page; /* still the parent's until the start */
    /* To be set before the start: files that take the place of input and output, which are there. Null: none. */
    const char *input, *output;
    bool append;      /* output goes behind what the file has */
    unsigned columns; /* of the terminal; 0: not known */
};

/* The least quota that a program of this image can be started with. OS2_E_INVALID: not a program. */
int os2_child_least(const void *image, size_t image_size, unsigned stack_order, uint64_t *ret_pages);

/* On failure nothing is left of the child; *ret_reason (may be null) then says more than the status, or is null. */
int os2_child_create(const struct os2_child_plan *plan, struct os2_child *ret_child, const char **ret_reason);

/*
 * Gives the child a copy of these bytes at this address, a multiple of the page size, in the largest blocks that there
 * are and that its alignment allows. On failure some of them may be there.
 */
int os2_child_fill(struct os2_child *child, const void *bytes, size_t size, uint64_t address, unsigned protection);

/* Grants a copy of `handle` with at most `rights`, which the child finds under `name`. */
int os2_child_grant(struct os2_child *child, const char *name, unsigned handle, unsigned rights);

/* Starts it, in the caller's working folder. OS2_E_FULL: that and the arguments do not fit the start page. On failure
 * the child is as it was. */
int os2_child_start(struct os2_child *child, unsigned argc, const char *const *argv);

/* Ends the child if it lives and gives all of it back. Takes a child in any state, and none. */
void os2_child_drop(struct os2_child *child);

/* Whether a fault at this address is the stack grown past its end. */
bool os2_child_overrun(const struct os2_child *child, const struct os2_process_end *end);

/* Says in words how a child ended: "exit 3", "write to 0x0 (not mapped or not writable) at pc 0x2001a4". */
void os2_child_describe(const struct os2_child *child, const struct os2_process_end *end, char *text, size_t size);

/* Pages of quota that the caller has not used. */
uint64_t os2_quota_left(void);

#endif
