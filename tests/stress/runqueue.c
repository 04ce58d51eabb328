/* SPDX-License-Identifier: MIT */
/*
 * A run queue under threads: an owner, and one to three thieves, on the kernel's own source, under ThreadSanitizer.
 *
 * Slots go round. The owner pushes those it has, pops, gives way as the entry path's yield does, and publishes now
 * and then and when a thief asks. What a thief has stolen it hands back through a ring that only it fills, so that
 * the queue under test is the only way from the owner to a thief: the plain words that the owner writes into a slot
 * before each push, and the thief reads, are a data race if the queue does not order them.
 *
 * Checked: nobody gets a slot that is not queued (so none twice); what the owner pops it had pushed in that order; a
 * steal gets at most half, and at most RUNQUEUE_STEAL_MAX; at the end every slot is somewhere, once.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/process.h"
#include "core/runqueue_list.h"

#define SLOTS 40u /* numbered from 1 */
#define THIEVES_MAX 3u
#define RING 64u

struct machine machine; /* only its slots are used */
_Thread_local bool stress_fenced;
uintptr_t host_direct;
uint64_t host_clock;
bool host_switching;

void host_maybe_switch(void) {}
void host_give_way(void) {}
void stress_relax(void) {
    sched_yield();
}

enum { FREE, QUEUED };

struct thief {
    pthread_t thread;
    uint64_t stolen, steals;
    uint16_t ring[RING];
    uint32_t filled; /* (a) by the thief, release */
    uint32_t taken;  /* the owner's */
};

static struct runqueue queue;
static uint32_t state_of[SLOTS + 1];  /* (a) relaxed: orders nothing */
static uint64_t pushed_as[SLOTS + 1]; /* plain: written by the owner before a push, read by whoever gets the slot */
static bool pushed_apart[SLOTS + 1];  /* the same */
static struct thief thieves[THIEVES_MAX];
static uint32_t asked, over; /* (a) */

static void fail(const char *what, unsigned slot) {
    printf("Bail out! slot %u: %s\n", slot, what);
    exit(1);
}

static uint64_t random_next(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void got(unsigned slot) {
    if (__atomic_exchange_n(&state_of[slot], FREE, __ATOMIC_RELAXED) != QUEUED)
        fail("got by two", slot);
}

static void *thief_run(void *argument) {
    struct thief *thief = argument;

    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        struct slot *slot = runqueue_hint(&queue) ? runqueue_steal(&queue) : NULL;
        uint64_t last = 0;
        unsigned n = 0;

        if (!slot) {
            __atomic_store_n(&asked, 1, __ATOMIC_RELAXED);
            sched_yield();
            continue;
        }
        for (;;) {
            struct slot *next = slot->run_next;
            got(slot->index);
            if (!pushed_apart[slot->index]) {
                if (pushed_as[slot->index] <= last)
                    fail("stolen out of order", slot->index);
                last = pushed_as[slot->index];
            }
            pushed_as[slot->index] = 0;
            thief->ring[thief->filled % RING] = slot->index;
            __atomic_fetch_add(&thief->filled, 1, __ATOMIC_RELEASE);
            n++;
            if (!next)
                break;
            slot = next;
        }
        if (n > RUNQUEUE_STEAL_MAX)
            fail("more stolen than a thief may take", slot->index);
        thief->stolen += n;
        thief->steals++;
    }
    return NULL;
}

/* What the owner knows. */
static uint16_t mine[SLOTS];
static unsigned have;
static uint64_t stamp, last_popped;

enum place { LIST, FRONT, ENDS };

static void prepare(unsigned slot, enum place place) {
    pushed_as[slot] = ++stamp;
    pushed_apart[slot] = place != LIST;
    if (__atomic_exchange_n(&state_of[slot], QUEUED, __ATOMIC_RELAXED) != FREE)
        fail("pushed twice", slot);
}

static void push(enum place place) {
    unsigned slot;

    if (!have)
        return;
    slot = mine[--have];
    prepare(slot, place);
    if (place == FRONT)
        runqueue_push_front(&queue, &machine.slot[slot]);
    else if (place == ENDS)
        runqueue_push_end(&queue, &machine.slot[slot]);
    else
        runqueue_push(&queue, &machine.slot[slot]);
}

static void take(unsigned slot) {
    got(slot);
    if (!pushed_apart[slot]) {
        if (pushed_as[slot] <= last_popped)
            fail("popped out of order", slot);
        last_popped = pushed_as[slot];
    }
    mine[have++] = (uint16_t)slot;
}

static bool pop(bool front) {
    bool was_front;
    struct slot *slot = runqueue_pop(&queue, front, &was_front);

    if (slot)
        take(slot->index);
    return slot;
}

static bool pop_end(void) {
    struct slot *slot = runqueue_pop_end(&queue);

    if (slot)
        take(slot->index);
    return slot;
}

/* As the entry path's yield: its steps, in its order. */
static void rotate(void) {
    struct slot *first = queue.mode ? NULL : queue.list.head;

    if (!first || !have)
        return;
    unsigned own = mine[--have];
    prepare(own, LIST);
    queue.list.tail->run_next = &machine.slot[own];
    queue.list.tail = &machine.slot[own];
    queue.list.head = first->run_next;
    take(first->index);
}

static void collect(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct thief *thief = &thieves[i];
        uint32_t filled = __atomic_load_n(&thief->filled, __ATOMIC_ACQUIRE);
        while (thief->taken != filled)
            mine[have++] = thief->ring[thief->taken++ % RING];
    }
}

static void run(unsigned count, unsigned rounds) {
    uint64_t seed = 88172645463325252u + count, stolen = 0, steals = 0;

    runqueue_init(&queue);
    memset(thieves, 0, sizeof(thieves));
    __atomic_store_n(&over, 0, __ATOMIC_RELAXED);
    have = 0;
    stamp = last_popped = 0;
    for (unsigned i = 1; i <= SLOTS; i++) {
        machine.slot[i].index = (uint16_t)i;
        mine[have++] = (uint16_t)i;
    }
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&thieves[i].thread, NULL, thief_run, &thieves[i]))
            fail("no thread", i);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t what = random_next(&seed);
        if (what % 8 < 3)
            push(LIST);
        else if (what % 8 < 4)
            push(what & 128 ? FRONT : ENDS);
        else if (what % 8 < 7)
            what >> 20 & 7 ? pop(what & 64) : pop_end();
        else
            rotate();
        if (what >> 8 & 7 ? __atomic_exchange_n(&asked, 0, __ATOMIC_RELAXED) : what >> 12 & 1)
            runqueue_publish(&queue);
        collect(count);
        if (!(what >> 16 & 63))
            sched_yield();
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < count; i++) {
        pthread_join(thieves[i].thread, NULL);
        stolen += thieves[i].stolen;
        steals += thieves[i].steals;
    }
    collect(count);
    if (runqueue_check(&queue))
        fail(runqueue_check(&queue), 0);
    while (pop(true) || pop_end()) {
    }
    if (have != SLOTS)
        fail("some are lost", have);
    printf("# %u rounds, %lu slots stolen in %lu steals\nok %u - an owner and %u thieves\n", rounds,
           (unsigned long)stolen, (unsigned long)steals, count, count);
    if (!stolen)
        fail("nothing was stolen: this was no test", 0);
}

int main(int argc, char **argv) {
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 600000;

    setvbuf(stdout, NULL, _IOLBF, 0);
    machine.slot = calloc(SLOTS + 1, sizeof(struct slot));
    machine.slot_count = SLOTS + 1;
    printf("1..%u\n", THIEVES_MAX);
    for (unsigned count = 1; count <= THIEVES_MAX; count++)
        run(count, rounds);
    free(machine.slot);
    return 0;
}
