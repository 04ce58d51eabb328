/* SPDX-License-Identifier: MIT */
/*
 * pathtest: random system calls whose every result is written down, to compare two kernels that must not differ: with
 * the short ways of the entry path's assembly, and without (os2.noshort). tests/paths/compare.py runs both.
 *
 * A few processes make calls on each other: call, reply_receive, receive, reply, send, with words and with blocks,
 * polls, yields, allocations. Each mixes all ten registers that a call brings into a sum, and exits with it. What is
 * done depends on the seed and on earlier results only: so on one core, with no deadline that passes, both kernels must
 * do the same in the same order, turn by turn and token by token. A block is written down by what is in it, since its
 * address depends on what ran before; whom a reply answers, by the slot, since the number of a wait is the kernel's.
 *
 * Nobody waits for ever: the starter sets bits of each member all the time, and one that has done its calls exits.
 */
#include "arch_user.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"
#include "os2/time.h"

#define MEMBERS 4u
#define CALLS 3000u
#define SEEDS 6u
#define BLOCKS 6u

static uint64_t random_state;

static uint64_t below(uint64_t limit) { /* splitmix64 */
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % limit;
}

/* ---- A member. ---- */

static unsigned peer[MEMBERS], others, number;
static uint64_t *block[BLOCKS];
static uint64_t self, caller, serial, sum;

static void note(uint64_t value) {
    sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (sum >> 29);
}

static void syscall(enum os2_syscall call, unsigned handle, uint64_t flags, struct os2_message *m) {
    m->control = call | flags | (uint64_t)handle << OS2_HANDLE_SHIFT;
    arch_syscall((uint64_t *)m);
}

/* A block that came, or was got: kept, or given back where there is no room. */
static void keep(uint64_t *memory) {
    for (unsigned i = 0; i < BLOCKS; i++)
        if (!block[i]) {
            block[i] = memory;
            return;
        }
    note((uint64_t)os2_block_free(memory));
}

/* Blocks that were to be given: which are still this process's? Changing the protection to what it is asks that. */
static void look_at_blocks(void) {
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint64_t address;
        if (!block[i])
            continue;
        int status = os2_block_place(block[i], (uint64_t)(uintptr_t)block[i], OS2_PROT_READ | OS2_PROT_WRITE, &address);
        note((uint64_t)status);
        if (status < 0)
            block[i] = NULL;
    }
}

static void results(enum os2_syscall call, struct os2_message *m) {
    bool good = (int64_t)m->control >= 0;
    bool receives = call == OS2_SYS_receive || call == OS2_SYS_reply_receive;
    if (good && call != OS2_SYS_send && call != OS2_SYS_reply && m->control & OS2_I_BLOCK) {
        uint64_t *memory = os2_message_block(m);
        m->w[3] = memory[0];
        memory[1]++;
        note(memory[1]);
        keep(memory);
    }
    if (receives && good) {
        caller = m->caller ? m->caller : caller;
        m->caller >>= 44;
    }
    for (unsigned i = 0; i < OS2_R_COUNT; i++)
        note(((uint64_t *)m)[i]);
}

static uint64_t deadline(struct os2_message *m, unsigned polls) {
    unsigned kind = (unsigned)below(100);
    if (kind >= polls + 4)
        return 0;
    m->w[4] = kind < polls ? 0 : OS2_FOREVER - 1 - below(1000);
    return OS2_F_DEADLINE;
}

static uint64_t give(struct os2_message *m) {
    uint64_t *memory = block[below(BLOCKS)];
    if (below(3) || !memory)
        return 0;
    m->w[3] = (uint64_t)(uintptr_t)memory;
    return OS2_F_BLOCK;
}

static uint64_t accept(void) {
    return (below(4) ? OS2_ACCEPT(below(3) * 9) : 0) | (below(6) ? 0 : OS2_F_ACCEPT_HANDLE);
}

static void one_call(void) {
    struct os2_message m = {.label = below(1000), .caller = caller};
    unsigned what = (unsigned)below(100), to = peer[below(others)];
    enum os2_syscall call;
    uint64_t flags = 0;
    unsigned handle = 0;

    for (unsigned i = 0; i < 5; i++)
        m.w[i] = below(UINT64_MAX);
    if (what < 34) {
        call = OS2_SYS_call;
        handle = to;
        flags = give(&m) | accept() | deadline(&m, 5);
        m.caller = below(UINT64_MAX);
    } else if (what < 62) {
        call = OS2_SYS_reply_receive;
        flags = give(&m) | accept() | deadline(&m, 30);
        m.caller ^= below(20) ? 0 : UINT64_C(1) << (16 + below(48)); /* no other wait of the same process */
    } else if (what < 76) {
        call = OS2_SYS_receive;
        m.w[0] |= 1; /* a mask has one of the bits that the starter sets, perhaps the other one */
        flags = accept() | deadline(&m, 60) | (below(8) ? 0 : OS2_F_MASK);
    } else if (what < 80) {
        call = OS2_SYS_reply;
        flags = give(&m) | (below(6) ? 0 : OS2_F_FAIL);
    } else if (what < 84) {
        call = OS2_SYS_send;
        handle = to;
        flags = give(&m) | deadline(&m, 50);
    } else if (what < 92) {
        call = OS2_SYS_yield;
    } else if (what < 97) {
        call = OS2_SYS_tokens;
    } else {
        void *memory;
        unsigned order = below(8) ? (unsigned)below(2) : 9;
        int status = os2_block_alloc(order, &memory);
        note((uint64_t)status);
        if (status >= 0) {
            *(uint64_t *)memory = (uint64_t)number << 32 | ++serial;
            keep(memory);
        }
        return;
    }
    struct os2_message in = m;
    syscall(call, handle, flags, &m);
    /* A slot that carries no result is 0, or as it was: the sentence {scrub}. What was in the last two is not known
     * here. After a call CALLER may name it. */
    bool brings = call == OS2_SYS_call || call == OS2_SYS_receive || call == OS2_SYS_reply_receive;
    if (!brings || (int64_t)m.control < 0) {
        for (unsigned i = call == OS2_SYS_tokens ? OS2_R_W0 : OS2_R_LABEL; i <= OS2_R_CALLER; i++)
            if (((uint64_t *)&m)[i] == ((uint64_t *)&in)[i])
                ((uint64_t *)&m)[i] = 0;
        m.badge = m.bits = 0;
    }
    if (call == OS2_SYS_call && m.caller >> 44 == self)
        m.caller = 0;
    results(call, &m);
    if (flags & OS2_F_BLOCK)
        look_at_blocks();
}

static int member_main(const char *seed) {
    struct os2_process_facts facts;

    if (!os2_string_number(seed, &random_state) || os2_process_facts(0, 0, &facts) < 0)
        return 1;
    self = facts.id & ((UINT64_C(1) << OS2_ID_GENERATION_SHIFT) - 1);
    random_state = random_state * 1000 + number;
    for (unsigned i = 0; i < MEMBERS; i++) {
        char name[4];
        format(name, sizeof(name), "p%u", i);
        if (i != number)
            peer[others++] = os2_start_handle(name);
    }
    for (unsigned i = 0; i < CALLS; i++)
        one_call();
    os2_exit(sum);
}

/* ---- The one that starts them. ---- */

static bool run(unsigned seed) {
    struct os2_team team;
    char role[12];
    unsigned notify[MEMBERS];

    format(role, sizeof(role), "%u", seed);
    if (os2_team_open(&team, "pathtest") < 0)
        return false;
    team.values = true;
    bool good = true;
    for (unsigned i = 0; i < MEMBERS && good; i++) {
        struct os2_member_plan plan = {.pages = 600 * (i + 1), .quantum = 7 + 30 * i, .watchdog_ms = 600000};
        unsigned member;
        good = os2_team_add(&team, &plan, &member) >= 0 &&
               os2_handle_mint(team.member[i].inbox, OS2_HANDLE_NOTIFY, 3, OS2_RIGHTS_ALL, &notify[i]) >= 0;
    }
    for (unsigned i = 0; i < MEMBERS && good; i++)
        for (unsigned j = 0; j < MEMBERS && good; j++) {
            char name[4];
            format(name, sizeof(name), "p%u", j);
            good = i == j || os2_team_link(&team, i, j, name, 100 * i + j) >= 0;
        }
    for (unsigned i = 0; i < MEMBERS && good; i++)
        good = os2_team_start(&team, i, role) >= 0;
    while (good && team.running) {
        struct os2_message m = {0};
        for (unsigned i = 0; i < MEMBERS; i++)
            os2_notify(notify[i], 3);
        for (unsigned i = 0; i < 3; i++)
            os2_yield();
        if (os2_receive(OS2_F_DEADLINE, &m) >= 0 && m.control & OS2_I_BITS)
            os2_team_ended(&team, m.bits);
    }
    for (unsigned i = 0; i < MEMBERS && good; i++) {
        os2_printf("# seed %u, member %u: %lx\n", seed, i, team.member[i].value);
        os2_handle_close(notify[i]);
    }
    good = good && team.good;
    os2_team_close(&team);
    return good;
}

int main(int argc, char **argv) {
    bool good = true;

    if (os2_team_role(argc, argv)) {
        number = os2_team_number(argc, argv);
        return member_main(os2_team_role(argc, argv));
    }
    os2_printf("1..%u\n", SEEDS);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        os2_sleep_ms(500);
        uint64_t start = arch_instructions();
        bool fine = run(seed);
        os2_printf("%sok %u - seed %u\n# instructions: %lu\n", fine ? "" : "not ", seed, seed,
                   arch_instructions() - start);
        good = good && fine;
    }
    return !good;
}
