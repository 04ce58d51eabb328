/* SPDX-License-Identifier: MIT */
/*
 * Model of core/runqueue.c, as written: see runqueue_idle.inc for what is around it and what is claimed.
 *
 * Here: of the owner, with or without the lock, and the thieves, at most one is inside the lists, and whoever is inside
 * sees what those before it have stored there. The owner takes its bias back after two acquisitions.
 *
 * check -DN=4 -DYIELDS=1 -DTHIEVES=1
 * large -DN=3 -DYIELDS=0 -DTHIEVES=2
 * long -DN=3 -DYIELDS=1 -DTHIEVES=2
 * long -DN=4 -DYIELDS=2 -DTHIEVES=1
 * long -DN=3 -DYIELDS=0 -DTHIEVES=1 -DEARLY=2
 *
 * mutant RELAXED_REREAD    the second read of mode is relaxed: the thief may have read the lists before
 * mutant NO_REREAD         no second read of mode under the lock
 * mutant UNFENCED          publish without the release fence: the mode arrives before the lists
 * mutant UNFENCED_UNLOCK   the lock is let go without the release fence: the mode may still say SHARED
 * mutant LOCK_PLAIN        a thief takes the lock by a load and a store
 * mutant THIEF_PUBLISHES   a thief stores SHARED itself
 * mutant REBIAS_OUTSIDE    the owner takes its bias back after it has let the lock go
 * mutant ROTATE_SHARED     the entry path's yield takes a queue that is not the owner's alone
 * mutant NO_NAP            hints alone
 * mutant NO_ASK            a thief that finds nothing sends its victim no IPI
 */
#define MODEL "runqueue_biased.inc"
#include "runqueue_idle.inc"
