/* SPDX-License-Identifier: MIT */
/*
 * Model of tests/queues/runqueue_offer.c, as written: see runqueue_idle.inc for what is around it and what is claimed.
 *
 * Here: a thief reads only links that have arrived; nothing is taken twice; what is offered is taken once, by the owner
 * or by one thief.
 *
 * check -DN=4 -DYIELDS=0 -DTHIEVES=1
 * check -DN=3 -DYIELDS=1 -DTHIEVES=1
 * large -DN=3 -DYIELDS=0 -DTHIEVES=2
 * long -DN=4 -DYIELDS=1 -DTHIEVES=1
 * long -DN=3 -DYIELDS=1 -DTHIEVES=2
 * long -DN=3 -DYIELDS=0 -DTHIEVES=1 -DEARLY=2
 *
 * mutant UNFENCED          publish without the release fence: the box arrives before the links
 * mutant RELAXED_STEAL     the thief's exchange without acquire: it may have read the links before
 * mutant TAKE_BACK_PLAIN   the owner takes back by a load and a store instead of an exchange
 * mutant STEAL_PLAIN       a thief takes by a load and a store
 * mutant THIEF_PUTS_BACK   a thief keeps the first and puts the rest back: the box is not the owner's to fill any more
 * mutant ROTATE_SHARED     the entry path's yield takes a queue that is not the owner's alone
 * mutant NO_NAP            hints alone
 * mutant NO_ASK            a thief that finds nothing sends its victim no IPI
 */
#define MODEL "runqueue_offer.inc"
#include "runqueue_idle.inc"
