/* SPDX-License-Identifier: MIT */
/*
 * The system-call suite: what its files share.
 *
 * A test is a function, a text, and the tags of the sentences of docs/syscalls.md that it tests; a lint holds the two
 * together. After each test the machine's pages are counted: what was free before must be free again.
 *
 * Tests are written as one linear script in the main process. What other processes do in it is done by puppets:
 * children that make whatever system call they are told to, with whatever registers, and hand the registers back. A
 * puppet that is stuck in a wait is waited for by looking at its state, so that nothing here depends on speed.
 */
#ifndef SYSTEST_H
#define SYSTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os2/abi.h"
#include "os2/call.h"
#include "os2/spawn.h"

struct test {
    const char *tags, *text;
    void (*run)(void);
};
struct area {
    const char *name;
    const struct test *tests;
    size_t count;
};
#define AREA(area_name, list) const struct area area_##area_name = {#area_name, list, sizeof(list) / sizeof((list)[0])}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern const struct area area_block, area_crowd, area_device, area_end, area_fuzz, area_great, area_handle,
    area_hostile, area_limit, area_machine, area_message, area_notify, area_parcel, area_process, area_register,
    area_reply, area_turn, area_wait;

/* A check that fails says so in a comment line; the test goes on. */
bool check_is(const char *file, int line, const char *what, uint64_t got, uint64_t wanted);
#define CHECK(x) check_is(__FILE__, __LINE__, #x, (x) ? 1 : 0, 1)
#define CHECK_IS(got, wanted) check_is(__FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(wanted))
/* The same, and the test is over. */
#define NEED(x)                                                                                                        \
    do {                                                                                                               \
        if (!CHECK(x))                                                                                                 \
            return;                                                                                                    \
    } while (0)
#define NEED_IS(got, wanted)                                                                                           \
    do {                                                                                                               \
        if (!CHECK_IS(got, wanted))                                                                                    \
            return;                                                                                                    \
    } while (0)
/* The test cannot be done on this machine: its line gets a SKIP directive. */
void skip(const char *why);

#define HANG_MS 30000u /* a wait as long as this is a hang */
#define PAUSE_MS 20u   /* a wait in which nothing is to happen */

extern unsigned machine;    /* the machine handle, all rights */
extern unsigned cores;      /* that run */
extern uint64_t slot_pages; /* quota that a child's slot costs */
extern uint64_t self_id;    /* of this process */
extern const void *image;   /* this program's ELF file */
extern uint64_t image_size;

/* Pages that are free or this process's own: the same after a test as before it. */
uint64_t pages_in_hand(void);

/* A system call with this frame; CONTROL is put together from number, handle and flags. Returns the status. */
int raw(enum os2_syscall number, unsigned handle, uint64_t flags, struct os2_message *m);

/* A fresh block, or NULL after a failed check. */
void *block(unsigned order);

/* Takes exactly these bits with a mask, with a deadline. */
bool take_bits(uint64_t bits);

/* The next of a row of random words (splitmix64). */
static inline uint64_t random_word(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* ---- Puppets. ---- */

enum puppet_op {
    PUPPET_CALL,      /* make the system call in m */
    PUPPET_READ,      /* read a word at argument[0]: out[0] */
    PUPPET_WRITE,     /* write argument[1] there */
    PUPPET_JUMP,      /* go there */
    PUPPET_FREED,     /* write at argument[1], free the block at argument[0], write again: nobody else runs between */
    PUPPET_FAULT,     /* fault in the way argument[0] says: enum os2_fault */
    PUPPET_WIDE,      /* arch_wide(): use registers that the kernel does not let in */
    PUPPET_SECRET,    /* arch_secret(argument[0]): look at what is the kernel's */
    PUPPET_PORT,      /* out[0] = arch_port_read(argument[0]) */
    PUPPET_SPIN,      /* never come back */
    PUPPET_REGISTERS, /* arch_registers(in, out) */
    PUPPET_TOKENS,    /* out[i] = tokens left, argument[0] times */
    PUPPET_SERVE,     /* take a call, out[i] = tokens left, argument[0] times, then answer it, and out[i] once more */
    PUPPET_ANSWER,    /* answer calls by arch_registers(in, out) until a send; argument[2] = registers not kept */
    PUPPET_ECHO,      /* answer argument[0] calls, each with its own words; with argument[1] look at the floating-
                         point registers before: argument[2] = how many held another's mark */
    PUPPET_STARVE,    /* receive with room for a block in its quota, but not for page tables: out = what came */
    PUPPET_SPAWN      /* make a puppet of this puppet: see puppet_spawn() */
};
/* What register tests leave in registers, to know it again. */
#define REGISTER_MARK UINT64_C(0x5ecce75ecce70000)
static inline bool register_marked(uint64_t value) {
    return value >> 32 == REGISTER_MARK >> 32;
}

#define PUPPET_WORDS 128
struct puppet_script {
    uint64_t op, argument[3];
    struct os2_message m;
    uint64_t in[PUPPET_WORDS], out[PUPPET_WORDS];
};
_Static_assert(sizeof(struct puppet_script) <= OS2_PAGE_SIZE, "a script is one page");

struct puppet {
    struct os2_child child;
    unsigned inbox;               /* handle to it: all rights, badge 1 */
    uint64_t end_bit;             /* set here when it has ended */
    struct puppet_script *script; /* NULL: the puppet has it */
};
#define PUPPET_BOSS 1u /* index of every puppet's handle to this process: send, give, mint; badge = its number */
#define PUPPET_QUOTA 400u

/* Facts of a puppet to be; zeros are the usual. */
struct puppet_plan {
    uint64_t quota, quantum, watchdog_ms;
    bool has_image;   /* can spawn */
    bool has_machine; /* gets the machine handle with OBSERVE, as its handle 2 */
};

/* Starts one; `number` 0 to 47 becomes its badge here and its end bit. On failure the test has failed. */
bool puppet_start(struct puppet *puppet, unsigned number, const struct puppet_plan *plan);

/* Lets it do one thing, and waits for the end of it: the status, and the registers in m. */
int puppet_do(struct puppet *puppet, enum os2_syscall number, unsigned handle, uint64_t flags, struct os2_message *m);
struct puppet_script *puppet_run(struct puppet *puppet, enum puppet_op op, uint64_t argument0, uint64_t argument1);

/* The same in two halves. Between them it may be stuck in a wait: puppet_stuck() waits until it is. */
void puppet_begin(struct puppet *puppet, enum os2_syscall number, unsigned handle, uint64_t flags,
                  const struct os2_message *m);
void puppet_begin_op(struct puppet *puppet, enum puppet_op op, uint64_t argument0, uint64_t argument1);
bool puppet_stuck(struct puppet *puppet, enum os2_process_state state);
/* The same for a wait to send to this process, whose message must not be taken by a look at it. */
bool puppet_waits(struct puppet *puppet, enum os2_process_state state);
int puppet_finish(struct puppet *puppet, struct os2_message *m);
bool puppet_finish_op(struct puppet *puppet);
/* The first by polls: where this process must not wait itself, because its wait would make a chain longer. */
int puppet_finish_polling(struct puppet *puppet, struct os2_message *m);

/* Has the script at hand (fresh if the puppet ended with it), to fill in `in`. */
struct puppet_script *puppet_script(struct puppet *puppet);

/* Gives it a copy of a handle; returns the index it has there, 0 after a failure. */
unsigned puppet_handle(struct puppet *puppet, unsigned handle, unsigned rights);

/* A handle in `client` to the inbox of `server` with a badge of choice. */
unsigned puppet_connect(struct puppet *client, const struct puppet *server, uint64_t badge);

/* Waits until it has ended and gets how; its slot and its pages are given back. */
bool puppet_ended(struct puppet *puppet, struct os2_process_end *ret_end);

/* Lets a puppet with has_image make a puppet, its own `number`; this process gets a handle to the inbox, no more. */
bool puppet_spawn(struct puppet *parent, unsigned number, struct puppet *ret);

/* Ends it if it lives. Takes one that was never started. */
void puppet_drop(struct puppet *puppet);

/* The side of the child: the arguments after "puppet". */
int puppet_main(int argc, char **argv);
int fuzz_main(int argc, char **argv);
int crowd_main(int argc, char **argv);
int sleeper_main(int argc, char **argv);

#endif
