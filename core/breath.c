/* SPDX-License-Identifier: MIT */
/*
 * A program's breath: the least time that it gets between two stretches of the kernel's work.
 *
 * Each entry into the kernel is bounded. But entries can follow each other with no instruction of a program between
 * them: a deadline that has passed fires at once, the next interrupt is pending already, and of a hundred processes
 * that end each has a step to be done. So what has to be bounded is a stretch: all that a core does from one program's
 * instruction to the next one, whoever's that is.
 *
 *     program --interrupt, or a dispatch that finds an end--> stretch --leave, soon enough--> program
 *                                                                |
 *                                                         leave, after STRETCH
 *                                                                v
 *                                                     program, interrupts held --timer, after BREATH--> program
 *
 * A stretch that has lasted STRETCH takes up nothing more. The next pending interrupt stays pending, and the next end
 * waits for the next dispatch. The one piece of work that goes on is finished; each piece is bounded by itself. When
 * the core then leaves the kernel, it tells the port to hold all interrupts but the timer's, and sets the timer no
 * earlier than BREATH from now, whatever deadlines have passed. When that fires, everything is let in again. Two
 * stretches with less than a BREATH between them count as one.
 *
 * What was held is let in by the timer's entry, and comes in entries of its own. So after a hold the core leaves the
 * kernel LET_IN times before it may hold again. Else nothing would come in any more where one entry takes longer than
 * STRETCH, as in an emulator on a busy host.
 *
 * A core with no process ready keeps nobody waiting: it takes up whatever comes, and its stretch begins anew. So does
 * the stretch of a core that has passed over some doomed processes in its queue (sys/loop.c): what it did for them was
 * their turns.
 *
 * The core measures time, since that is what somebody waits. tests/bench/entries.py counts the instructions of the
 * longest stretch, and bounds them.
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
