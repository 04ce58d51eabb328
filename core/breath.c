/* SPDX-License-Identifier: MIT */
/*
 * A program's breath: the least time that it gets between two stretches of the kernel's work.
 *
 * Each entry into the kernel is bounded, but entries can follow each other with no instruction of a program between: a
 * deadline that has passed fires at once, the next interrupt is pending already, of a hundred processes that end each
 * has a step to be done. So what is bounded is the stretch, from a program's instruction to the next one, whoever's.
 *
 *     program --interrupt, or a dispatch that finds an end--> stretch --leave, soon enough--> program
 *                                                                |
 *                                                         leave, after STRETCH
 *                                                                v
 *                                                     program, interrupts held --timer, after BREATH--> program
 *
 * A stretch that has lasted STRETCH takes up nothing more: of the interrupts that are pending the next is left pending,
 * of the ends the next waits for the next dispatch. The one piece of work that goes on then is done, and each is
 * bounded by itself. When it is left for a program the port is told to hold all interrupts but the timer's, and the
 * timer is set no earlier than BREATH from now, whatever deadlines have passed. Then everything is let in again. Two
 * stretches with less than a BREATH between are one.
 *
 * What was held is let in by the timer's entry and comes in entries of its own. So there is no new hold before LET_IN
 * entries have been left: else nothing would come in any more where one entry takes longer than STRETCH, as in an
 * emulator on a busy host.
 *
 * A core with nobody ready keeps nobody waiting: it takes up whatever comes, and its stretch begins anew. So does one
 * that has passed over some ready processes which were doomed (sys/loop.c): they had places in the queue, and what is
 * done for them are their turns.
 *
 * Time is what is measured, since that is what somebody waits. The instructions that it is are counted, and bounded, by
 * tests/bench/entries.py.
 *
 * Rejected: a count of pieces of work (they differ by fifty times); a hold after each interrupt (every wake-up by
 * another core would wait for it); leaving out one class of interrupts (each of them, and ends, can be made to come
 * without pause).
 */
#include "core/breath.h"

#include "core/machine.h"

/* 6 us of work, and the piece that goes on then; then 20 us at least. Shorter, and boards on which a look at the clock
 * takes a third of a microsecond would hold interrupts after most wake-ups. */
#define STRETCH_HZ 166667
#define BREATH_HZ 50000
#define LET_IN 3 /* the timer's entry itself, and one for each class of others */

void breath_init(struct core *core) {
    core->breath.stretch = machine.clock_hz / STRETCH_HZ;
    core->breath.breath = machine.clock_hz / BREATH_HZ + 1;
}

static void hold(struct core *core, bool held) {
    core->breath.held = held;
    core->timers.breath = held ? core->breath.left + core->breath.breath : TIMER_NEVER;
    arch_interrupts_hold(core, held);
    timer_program(core);
}

void breath_enter(struct core *core) {
    uint64_t now = arch_clock();
    bool breathed = now - core->breath.left >= core->breath.breath || (core->breath.held && core->timers.breath <= now);
    if (!core->breath.working && breathed) {
        core->breath.began = now;
        core->breath.let_in = 0;
    }
    core->breath.working = true;
}

bool breath_enough(const struct core *core) {
    return arch_clock() - core->breath.began >= core->breath.stretch;
}

void breath_leave(struct core *core) {
    core->breath.left = arch_clock();
    core->breath.working = false;
    if (core->breath.let_in)
        core->breath.let_in--;
    else if (!core->breath.held && core->breath.left - core->breath.began >= core->breath.stretch)
        hold(core, true);
}

void breath_rest(struct core *core) {
    core->breath.began = arch_clock();
    if (core->breath.held)
        hold(core, false);
}

void breath_look(struct core *core, uint64_t now) {
    if (!core->breath.held || core->timers.breath > now)
        return;
    hold(core, false);
    core->breath.let_in = LET_IN;
}
