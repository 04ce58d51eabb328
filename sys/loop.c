/* SPDX-License-Identifier: MIT */
/*
 * The loop that each core is in outside programs and their calls: who runs next?
 *
 * Processes that are ready, by their place in the queue; between two of their turns one step of an end (ipc/end.c), as
 * long as it is not too much at a time (core/breath.c); and where there is nobody, the core waits for work
 * (core/steal.c). The entry paths switch to the next one without coming here where nothing is unusual: then they leave
 * the same state behind as this.
 */
#include "sys/loop.h"

#include "core/state.h"
#include "core/steal.h"
#include "core/turn.h"
#include "ipc/end.h"

#define PASSED_AT_ONCE 16 /* doomed processes, of some 200 instructions each */

/* A process runs from here on: let the watchdog look at it. */
static void start_tick(struct core *core) {
    if (core->timers.tick == TIMER_NEVER) {
        core->timers.tick = arch_clock() + machine.clock_hz / LOOP_TICK_HZ;
        timer_program(core);
    }
}

/* Who comes next: one step of an end, then a program's turn; and where nobody is ready, all ends. By counting, not by
 * the clock (core/breath.c), so that what programs see of each other does not hang on how long the kernel takes. NULL:
 * nobody. `worked`: a step has been made. */
static struct slot *next(struct core *core, bool worked) {
    struct runqueue *queue = &core->shared.queue;
    struct slot *slot = NULL;
    if (queue->mode & RUNQUEUE_ENDS && !worked)
        slot = runqueue_pop_end(queue);
    if (!slot)
        slot = runqueue_pop(queue, !core->was_front, &core->was_front);
    if (!slot && (slot = runqueue_pop_end(queue)) != NULL)
        breath_rest(core);
    return slot;
}

/* One step of an end. */
static void step_end(struct core *core, struct slot *slot) {
    breath_enter(core);
    turn_leave_space(core);
    end_step(core, slot);
    if (!breath_enough(core))
        arch_idle_look(core); /* where only ends are going on, no process lets interrupts in */
}

/* This process was doomed in the queue: its turn is the beginning of its end. A few such turns are as one, after which
 * interrupts are let in as they would be in it, however many more there are: by them a driver comes to the front. */
static void pass_over(struct core *core, struct slot *slot, unsigned passed) {
    turn_leave_space(core);
    end_begin_doomed(core, slot);
    if (passed % PASSED_AT_ONCE != 0)
        return;
    breath_rest(core);
    arch_idle_look(core);
}

void loop_next(struct core *core) {
    bool worked = false;
    unsigned passed = 0;
    core->running = false;
    steal_look_back(core);
    turn_account(core);
    core->turn_slot = core->slots;
    if (core->shared.stuck)
        arch_store_relaxed(&core->shared.stuck, 0);
    for (;;) {
        struct slot *slot = next(core, worked);
        if (!slot) {
            turn_leave_space(core);
            steal_wait(core);
            continue;
        }
        if (!steal_keeps(core, 1))
            steal_invite(core);
        if (state_kind(slot->word) == KIND_END) {
            worked = true;
            step_end(core, slot);
            continue;
        }
        ASSERT(slot->word == state(KIND_RDY, core->index, 0));
        arch_store_relaxed(&slot->word, state(KIND_RUN, core->index, 0));
        arch_fence(); /* pairs with end_kill(): either it sees RUN|c, or the doom is seen here */
        if (slot_doomed(slot)) {
            pass_over(core, slot, ++passed);
            continue;
        }
        steal_look_around(core);
        struct process *p = slot->process;
        turn_begin(core, slot, p);
        turn_switch(core, p);
        start_tick(core);
        if (core->breath.working)
            breath_leave(core);
        arch_enter(core, &p->context, &p->space.arch);
    }
}

void loop_begin(struct core *core) {
    struct boot_range part = arch_boot_part();
    arch_boot_over();
    heap_take_in(&machine.heap, &part);
    loop_next(core);
}

void loop_doomed(struct core *core, struct slot *slot) {
    core->turn_slot = core->slots;
    turn_leave_space(core);
    end_begin_doomed(core, slot);
    loop_next(core);
}
