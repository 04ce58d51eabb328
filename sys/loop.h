/* SPDX-License-Identifier: MIT */
/* Who runs next; theory in sys/loop.c. loop_doomed(), which entry paths call, is in arch/arch.h. */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "core/process.h"

/* How often a second the watchdog looks at the process that runs. */
#define LOOP_TICK_HZ 10

/* Boot is over, on the core that did it: what only boot needed goes to the heap. */
_Noreturn void loop_begin(struct core *core);

/* The current process has stopped and there is no other to switch to: run the next one, or idle. */
_Noreturn void loop_next(struct core *core);

#endif
