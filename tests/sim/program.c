/* SPDX-License-Identifier: MIT */
/*
 * Random programs. A process picks what to do by weight, and arguments from what it has: its blocks from the list in
 * its space, its handles from its table, callers from what it received. One argument in thirty is garbage.
 *
 * A process that has just created a child prepares it for a few calls, as a loader would, so that children live. init
 * never ends and never waits for ever.
 */
#include "tests/sim/program.h"

#include <stdio.h>
#include <string.h>

#include "core/state.h"

#define SLOTS 256u
#define HISTORY 40u

struct program {
    uint64_t generation;
    uint64_t callers[4];
    unsigned newborn; /* control handle of the child being prepared */
    unsigned preparations;
    bool called; /* has made a call whose outcome is to be compared */
    unsigned number;
    unsigned handle; /* that it named */
    unsigned dead;   /* a handle to close: who it names has ended */
    uint64_t label;  /* its first argument */
    uint64_t books;  /* before that call */
    uint64_t given;  /* where a block was that it has given away, perhaps */
};

static struct program programs[SLOTS];
static bool comparing, quota_is_memory, blocks_only;
static unsigned crowd;
static char complaint[200];
static struct {
    unsigned core, slot;
    uint64_t reg[7];
} history[HISTORY];
static unsigned history_next;
bool program_yields;
static uint64_t outcomes[OS2_SYS_COUNT][-OS2_STATUS_END];

static uint64_t below(uint64_t limit) {
    return program_below(limit);
}

void program_reset(uint64_t seed, bool compare, unsigned most, bool blocks, bool heap_fails) {
    memset(programs, 0, sizeof programs);
    memset(outcomes, 0, sizeof outcomes);
    memset(history, 0, sizeof history);
    counts_reset();
    program_seed(seed * 31 + 7);
    comparing = compare;
    crowd = most;
    blocks_only = blocks;
    quota_is_memory = !heap_fails;
    complaint[0] = '\0';
}

unsigned program_interrupt(struct host_random *source) {
    unsigned irq = (unsigned)host_below(source, 8);
    return irq && host_irq_open(irq) ? irq : 0;
}

const char *program_complaint(void) {
    return complaint[0] ? complaint : NULL;
}

/* ---- The books of a process: what no failed call may change. ---- */

static uint64_t mix(uint64_t sum, uint64_t value) {
    return (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (sum >> 29);
}

static uint64_t books(const struct process *p) {
    uint64_t sum = mix(space_owned(&p->space), p->space.objects);
    for (uint32_t n = p->space.blocks; n != FRAME_NONE; n = heap_frame(&machine.heap, n)->next)
        sum = mix(sum, n);
    for (unsigned i = 0; i < OS2_HANDLES; i++)
        sum = mix(mix(sum, p->handles->entry[i].target), p->handles->entry[i].badge);
    return mix(sum, p->space.device_blocks);
}

static void compare(struct process *p, struct program *program) {
    int64_t status = (int64_t)p->reg[OS2_R_CONTROL];
    if (!program->called)
        return;
    program->called = false;
    outcomes[program->number][status < 0 && status > OS2_STATUS_END ? -status : 0]++;
    if (status >= 0)
        return;
    if (status <= OS2_STATUS_END)
        snprintf(complaint, sizeof complaint, "call %u: status %ld", program->number, status);
    for (unsigned i = OS2_R_LABEL; i < OS2_R_COUNT; i++)
        if (p->reg[i] && status != OS2_E_FAILED)
            snprintf(complaint, sizeof complaint, "call %u failed (%ld) with a result", program->number, status);
    if (status == OS2_E_MEMORY && quota_is_memory && !(program->number == OS2_SYS_block_alloc && program->label))
        snprintf(complaint, sizeof complaint, "call %u: a single page within quota is refused", program->number);
    /* What a call gave is gone once the server has taken it, and what a reply gave when the receive after it fails. */
    bool taken = program->number == OS2_SYS_call || program->number == OS2_SYS_reply_receive;
    if (comparing && !taken && books(p) != program->books)
        snprintf(complaint, sizeof complaint, "call %u failed (%ld) and changed something", program->number, status);
}

/* ---- Arguments. ---- */

static uint64_t any_block(const struct process *p) {
    uint32_t n = p->space.blocks;
    for (unsigned i = below(2) ? 0 : DEVICE_BLOCKS; i < DEVICE_BLOCKS && p->space.device_blocks; i++)
        if (machine.devices.block[i].taken && machine.devices.block[i].owner == p->slot->index)
            return OS2_EXCHANGE_BASE + machine.devices.block[i].base;
    for (uint64_t skip = below(6); skip && n != FRAME_NONE; skip--) {
        uint32_t next = heap_frame(&machine.heap, n)->next;
        n = next != FRAME_NONE ? next : n;
    }
    if (n == FRAME_NONE)
        return 0;
    /* Its address is not in the books: look at the exchange address first, then where programs put blocks. */
    struct block b;
    uint64_t va = OS2_EXCHANGE_BASE + ((uint64_t)n << OS2_PAGE_SHIFT);
    if (block_find(&p->space, va, &b) == OS2_OK)
        return va;
    for (unsigned i = 0; i < 64; i++) {
        va = (UINT64_C(1) << 21) * (1 + below(40)) + (below(4) << 14);
        if (block_find(&p->space, va, &b) == OS2_OK)
            return va;
    }
    return va;
}

static uint64_t any_place(void) {
    uint64_t far = below(12) == 0 ? below(120) << 39 : 0;
    return below(3) == 0 ? 0 : far + (UINT64_C(1) << 21) * (1 + below(40)) + (below(4) << 14);
}

static bool receives_any(uint64_t word) {
    return state_kind(word) == KIND_RCV && state_peer(word) == SLOT_ANY;
}

static unsigned any_handle(const struct process *p, unsigned kind) {
    unsigned found[OS2_HANDLES], n = 0;
    for (unsigned i = 1; i < OS2_HANDLES; i++)
        if (p->handles->entry[i].target && (!kind || handle_kind(p->handles->entry[i].target) == kind))
            found[n++] = i;
    /* Rather someone else than oneself, and one who lives; half of the time, one who waits for a message. */
    bool open = below(2);
    for (unsigned tries = below(15) ? 16 : 0; tries && n; tries--) {
        unsigned i = found[below(n)];
        const struct slot *s = &machine.slot[handle_slot(p->handles->entry[i].target)];
        if (s != p->slot && slot_generation(s) == handle_generation(p->handles->entry[i].target) &&
            (!open || tries < 8 || receives_any(s->word)))
            return i;
    }
    return n ? found[below(n)] : 0;
}

static uint64_t bits(void) {
    return UINT64_C(1) << below(4);
}

static void deadline(struct process *p, bool always) {
    uint64_t now = host_clock - machine.boot_time, kind = below(10);
    if (kind >= 8 && !always)
        return;
    p->reg[OS2_R_CONTROL] |= OS2_F_DEADLINE;
    p->reg[OS2_R_DEADLINE] = kind == 0 ? 0 : kind == 1 ? now - below(now) : now + below(kind < 4 ? 100 : 3000);
}

static void give_something(struct process *p) {
    uint64_t block = any_block(p);
    unsigned handle = any_handle(p, below(4) ? OS2_HANDLE_INBOX : 0);
    if (below(3) == 0 && block) {
        p->reg[OS2_R_CONTROL] |= OS2_F_BLOCK;
        p->reg[OS2_R_BLOCK] = block;
    }
    if (below(3) == 0 && handle) {
        p->reg[OS2_R_CONTROL] |= OS2_F_HANDLE;
        p->reg[OS2_R_HANDLE] = handle | (below(4) ? OS2_RIGHTS_ALL : below(0x1000)) << 16;
    }
}

static void accept_something(struct process *p) {
    if (below(3))
        p->reg[OS2_R_CONTROL] |= (1 + below(5)) << OS2_ACCEPT_SHIFT;
    if (below(3))
        p->reg[OS2_R_CONTROL] |= OS2_F_ACCEPT_HANDLE;
}

static void on(struct process *p, unsigned handle) {
    p->reg[OS2_R_CONTROL] |= (uint64_t)handle << OS2_HANDLE_SHIFT;
}

/* ---- Calls. ---- */

static void children(struct process *p, struct program *program, bool is_init) {
    unsigned control = any_handle(p, OS2_HANDLE_CONTROL);
    uint64_t *r = p->reg;
    if (program->newborn) {
        on(p, program->newborn);
        switch (program->preparations ? below(4) : 4) {
        case 0:
            r[OS2_R_CONTROL] |= OS2_SYS_process_give;
            r[OS2_R_LABEL] = any_block(p);
            r[OS2_R_W0] = any_place();
            r[OS2_R_W1] = below(4) ? OS2_PROT_READ | OS2_PROT_WRITE : below(8);
            break;
        case 1:
        case 2:
            r[OS2_R_CONTROL] |= OS2_SYS_process_grant;
            r[OS2_R_LABEL] = any_handle(p, below(5) ? OS2_HANDLE_INBOX : 0);
            r[OS2_R_W0] = OS2_RIGHTS_ALL;
            r[OS2_R_W1] = below(3);
            break;
        case 3:
            r[OS2_R_CONTROL] |= OS2_SYS_handle_mint;
            r[OS2_R_LABEL] = OS2_HANDLE_INBOX;
            r[OS2_R_W0] = below(100);
            r[OS2_R_W1] = OS2_RIGHTS_ALL;
            break;
        default:
            r[OS2_R_CONTROL] |= OS2_SYS_process_start;
            r[OS2_R_LABEL] = 0x10000;
            program->newborn = 0;
        }
        program->preparations -= program->preparations > 0;
        return;
    }
    uint32_t alive = 0;
    for (uint32_t i = 0; i < machine.slot_high; i++)
        alive += machine.slot[i].process != PROCESS_NONE;
    bool full = crowd && (alive > crowd || !is_init);
    switch (full ? 4 + below(36) : below(control ? 40 : 4)) {
    case 0:
    case 1:
    case 2:
    case 3:
        r[OS2_R_CONTROL] = OS2_SYS_process_create;
        r[OS2_R_LABEL] = is_init ? 40 + below(100) : 3 + below(30);
        r[OS2_R_W0] = 1 + below(20);
        r[OS2_R_W1] = below(3) ? 0 : 1 + below(300);
        r[OS2_R_W2] = bits();
        break;
    case 4:
    case 5:
        r[OS2_R_CONTROL] = OS2_SYS_process_kill;
        break;
    case 6:
        r[OS2_R_CONTROL] = OS2_SYS_handle_close;
        break;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
        r[OS2_R_CONTROL] = OS2_SYS_process_info;
        r[OS2_R_W0] = below(2);
        break;
    case 12:
    case 13:
    case 14:
        r[OS2_R_CONTROL] = OS2_SYS_process_grant;
        r[OS2_R_W1] = below(20);
        break;
    default:
        r[OS2_R_CONTROL] = OS2_SYS_handle_mint;
        r[OS2_R_LABEL] = below(3) ? OS2_HANDLE_INBOX : OS2_HANDLE_NOTIFY;
        r[OS2_R_W0] = below(3) ? 15 : below(100);
        r[OS2_R_W1] = OS2_RIGHTS_ALL;
    }
    if (r[OS2_R_CONTROL] != OS2_SYS_process_create)
        on(p, control);
}

static void memory(struct process *p) {
    uint64_t *r = p->reg;
    switch (below(8)) {
    case 0:
    case 1:
    case 2:
        r[OS2_R_CONTROL] = OS2_SYS_block_alloc;
        r[OS2_R_LABEL] = below(40) == 0 ? 8 + below(5) : below(4);
        break;
    case 3:
    case 4:
        r[OS2_R_CONTROL] = OS2_SYS_block_free;
        r[OS2_R_LABEL] = any_block(p);
        break;
    default:
        r[OS2_R_CONTROL] = OS2_SYS_block_place;
        r[OS2_R_LABEL] = any_block(p);
        r[OS2_R_W0] = any_place();
        r[OS2_R_W1] = below(4) ? OS2_PROT_READ | OS2_PROT_WRITE : below(8);
    }
}

static void messages(struct process *p, struct program *program, bool is_init) {
    uint64_t *r = p->reg;
    for (unsigned i = OS2_R_LABEL; i <= OS2_R_W4; i++)
        r[i] = below(1000);
    r[OS2_R_CALLER] = program->callers[below(3) ? 0 : below(4)];
    switch (program->callers[0] ? (below(2) ? 5 + below(4) : below(9)) : below(8) ? below(5) : below(9)) {
    case 0:
        r[OS2_R_CONTROL] = OS2_SYS_send;
        break;
    case 1:
    case 2:
        r[OS2_R_CONTROL] = OS2_SYS_call;
        accept_something(p);
        break;
    case 3:
    case 4:
        r[OS2_R_CONTROL] = OS2_SYS_receive;
        accept_something(p);
        if (below(5) == 0) {
            r[OS2_R_CONTROL] |= OS2_F_FROM;
            on(p, below(3) ? any_handle(p, OS2_HANDLE_INBOX) : 0);
        }
        if (below(5) == 0) {
            r[OS2_R_CONTROL] |= OS2_F_MASK;
            r[OS2_R_W0] = below(16);
        }
        deadline(p, is_init);
        return;
    case 5:
    case 6:
        program->callers[0] = 0;
        r[OS2_R_CONTROL] = OS2_SYS_reply;
        give_something(p);
        if (below(8) == 0)
            r[OS2_R_CONTROL] |= OS2_F_FAIL;
        return;
    default:
        program->callers[0] = 0;
        r[OS2_R_CONTROL] = OS2_SYS_reply_receive;
        give_something(p);
        accept_something(p);
        deadline(p, is_init);
        return;
    }
    on(p, any_handle(p, OS2_HANDLE_INBOX));
    give_something(p);
    deadline(p, is_init);
}

/* What is left of it may go a short way, if only a block is given. */
static void shorten(struct process *p) {
    uint64_t number = p->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK;
    if (number == OS2_SYS_receive)
        p->reg[OS2_R_CONTROL] &= ~UINT64_C(0xff00);
    else if (number == OS2_SYS_call || number == OS2_SYS_reply_receive)
        p->reg[OS2_R_CONTROL] &= ~UINT64_C(0xff00) | OS2_F_BLOCK;
}

/* Little but blocks that go from one to the other, mostly by the short ways, through tables that come and go. */
static void pass_blocks(struct process *p, struct program *program) {
    uint64_t *r = p->reg, what = below(100);
    if (what < 25) {
        r[OS2_R_CONTROL] = what < 12 ? OS2_SYS_block_alloc : what < 22 ? OS2_SYS_block_place : OS2_SYS_yield;
        r[OS2_R_LABEL] = what >= 12 ? any_block(p) : below(2) ? 0 : below(6);
        r[OS2_R_W0] = what < 12 || below(3) == 0 ? 0 : (UINT64_C(1) << 21) * (1 + below(60));
        r[OS2_R_W1] = OS2_PROT_READ | OS2_PROT_WRITE;
        return;
    }
    for (unsigned i = OS2_R_LABEL; i <= OS2_R_W4; i++)
        r[i] = below(1000);
    r[OS2_R_CALLER] = program->callers[0];
    bool give = below(4) && any_block(p), answer = program->callers[0] && below(8);
    unsigned to = any_handle(p, OS2_HANDLE_INBOX);
    unsigned call = receives_any(machine.slot[handle_slot(p->handles->entry[to].target)].word) ? 8 : 3;
    uint64_t accept = (uint64_t)6 << OS2_ACCEPT_SHIFT;
    program->callers[0] = answer ? 0 : program->callers[0];
    r[OS2_R_CONTROL] = accept | (answer ? OS2_SYS_reply_receive : below(10) < call ? OS2_SYS_call : OS2_SYS_receive);
    if (!answer && below(4) == 0) {
        r[OS2_R_CONTROL] = OS2_SYS_send | OS2_F_DEADLINE;
        r[OS2_R_DEADLINE] = host_clock - machine.boot_time + below(300);
    }
    if (give && (r[OS2_R_CONTROL] & OS2_NUMBER_MASK) != OS2_SYS_receive) {
        r[OS2_R_CONTROL] |= OS2_F_BLOCK;
        r[OS2_R_BLOCK] = any_block(p);
    }
    if ((r[OS2_R_CONTROL] & OS2_NUMBER_MASK) != OS2_SYS_receive && !answer)
        on(p, to);
}

static void others(struct process *p, bool is_init) {
    uint64_t *r = p->reg;
    switch (below(is_init ? 16 : 11)) {
    case 0:
        r[OS2_R_CONTROL] = OS2_SYS_yield;
        break;
    case 1:
        r[OS2_R_CONTROL] = below(2) ? OS2_SYS_tokens : OS2_SYS_clock;
        break;
    case 2:
    case 3:
    case 4:
        r[OS2_R_CONTROL] = OS2_SYS_notify;
        r[OS2_R_LABEL] = bits();
        on(p, any_handle(p, OS2_HANDLE_NOTIFY));
        break;
    case 5:
        r[OS2_R_CONTROL] = OS2_SYS_watch;
        r[OS2_R_LABEL] = below(4) ? bits() : 0;
        on(p, any_handle(p, OS2_HANDLE_INBOX));
        break;
    case 6:
    case 7:
        r[OS2_R_CONTROL] = OS2_SYS_handle_mint;
        r[OS2_R_LABEL] = 1 + below(3);
        r[OS2_R_W0] = below(3) ? 15 : below(100);
        r[OS2_R_W1] = below(5) ? OS2_RIGHTS_ALL : below(0x1000);
        on(p, below(2) ? any_handle(p, OS2_HANDLE_INBOX) : 0);
        break;
    case 8:
        r[OS2_R_CONTROL] = OS2_SYS_handle_close;
        on(p, any_handle(p, below(2) ? OS2_HANDLE_INBOX : OS2_HANDLE_NOTIFY));
        break;
    case 9:
        r[OS2_R_CONTROL] = OS2_SYS_log;
        r[OS2_R_LABEL] = below(42);
        on(p, below(4) ? OS2_INIT_MACHINE : 0);
        break;
    case 10:
        r[OS2_R_CONTROL] = below(2) ? OS2_SYS_irq_ack : OS2_SYS_irq_bind;
        r[OS2_R_LABEL] = bits();
        on(p, any_handle(p, OS2_HANDLE_IRQ));
        break;
    case 11:
    case 12:
        r[OS2_R_CONTROL] = OS2_SYS_device_claim;
        r[OS2_R_LABEL] = below(2) ? OS2_DEVICE_MEMORY : below(3);
        r[OS2_R_W0] = r[OS2_R_LABEL] ? below(8) : 0x10000000 + (below(16) << 12);
        r[OS2_R_W1] = below(2) ? 0 : below(3);
        on(p, OS2_INIT_MACHINE);
        break;
    case 13:
        r[OS2_R_CONTROL] = OS2_SYS_machine_info;
        r[OS2_R_LABEL] = below(4);
        r[OS2_R_W0] = below(0x90000);
        on(p, OS2_INIT_MACHINE);
        break;
    case 14:
        r[OS2_R_CONTROL] = OS2_SYS_log;
        r[OS2_R_W0] = bits();
        on(p, OS2_INIT_MACHINE);
        break;
    default:
        r[OS2_R_CONTROL] = OS2_SYS_process_info;
        r[OS2_R_LABEL] = below(SLOTS);
        r[OS2_R_W0] = below(3);
        on(p, OS2_INIT_MACHINE);
    }
}

static void choose(struct process *p, struct program *program, bool is_init) {
    memset(p->reg, 0, sizeof p->reg);
    uint64_t what = below(100);
    if (program_yields && !program->newborn && below(2)) {
        p->reg[OS2_R_CONTROL] = OS2_SYS_yield;
        return;
    }
    if (blocks_only && !program->newborn && below(is_init ? 3 : 50)) {
        if (!is_init) {
            pass_blocks(p, program);
            return;
        }
        p->reg[OS2_R_CONTROL] = OS2_SYS_receive | OS2_F_FROM | OS2_F_DEADLINE;
        p->reg[OS2_R_DEADLINE] = host_clock - machine.boot_time + below(400);
        return;
    }
    if (program->dead && program->dead != program->newborn) {
        p->reg[OS2_R_CONTROL] = OS2_SYS_handle_close;
        on(p, program->dead);
        program->dead = 0;
        return;
    }
    if (crowd && !program->newborn)
        what = below(30) ? 8 + below(64) : below(100);
    if (what < (program->newborn ? 50 : is_init ? 20 : 8))
        children(p, program, is_init);
    else if (what < 65) {
        messages(p, program, is_init);
        if (!is_init && below(2))
            shorten(p);
    } else if (what < (crowd ? 68 : 82))
        memory(p);
    else if (what < 98 || is_init)
        others(p, is_init);
    else
        p->reg[OS2_R_CONTROL] = below(10) ? OS2_SYS_yield : OS2_SYS_exit;
    if (below(30) == 0)
        p->reg[below(OS2_R_COUNT)] ^= below(4) ? UINT64_C(1) << below(64) : below(UINT64_MAX);
    program_spoil(p->reg);
    uint64_t number = p->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK;
    if (number == OS2_SYS_machine_control || (is_init && number == OS2_SYS_exit))
        p->reg[OS2_R_CONTROL] = OS2_SYS_tokens;
    if (is_init && !(p->reg[OS2_R_CONTROL] & OS2_F_DEADLINE)) {
        number = p->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK;
        if (number == OS2_SYS_send || number == OS2_SYS_call || number == OS2_SYS_receive ||
            number == OS2_SYS_reply_receive)
            p->reg[OS2_R_CONTROL] |= OS2_F_DEADLINE;
    }
    if (is_init && p->reg[OS2_R_DEADLINE] > host_clock + 1000)
        p->reg[OS2_R_DEADLINE] = host_clock;
}

/* What the call that has just returned brought. */
static void learn(const struct process *p, struct program *program) {
    const uint64_t *r = p->reg;
    if (program->called && (int64_t)r[OS2_R_CONTROL] == OS2_E_DIED)
        program->dead = program->handle;
    if (!program->called || (int64_t)r[OS2_R_CONTROL] < 0)
        return;
    if (program->number == OS2_SYS_process_create && r[OS2_R_LABEL] < OS2_HANDLES) {
        program->newborn = (unsigned)r[OS2_R_LABEL];
        program->preparations = (crowd ? 20 : 4) + (unsigned)below(6);
    }
    if ((program->number == OS2_SYS_receive || program->number == OS2_SYS_reply_receive) && r[OS2_R_CALLER])
        program->callers[below(3) ? 0 : below(4)] = r[OS2_R_CALLER];
}

/* What its own instructions do between two calls: on a page of its own, and on one that it may have no longer. */
static void touch(unsigned core, const struct process *p, struct program *program) {
    uint64_t va = below(3) ? any_block(p) : program->given;
    const char *why =
        va ? tlb_access(core, va + below(OS2_PAGE_SIZE), below(3) ? OS2_FAULT_READ : OS2_FAULT_WRITE) : NULL;
    if (why)
        snprintf(complaint, sizeof complaint, "%s: %lx", why, va);
}

void program_step(unsigned core) {
    struct process *p = cores[core]->current;
    struct program *program = &programs[p->slot->index % SLOTS];
    bool is_init = p->slot->parent == SLOT_NONE;
    if (program->generation != slot_generation(p->slot))
        *program = (struct program){.generation = slot_generation(p->slot)};
    if (!p->context.again) {
        if (program->called && (int64_t)p->reg[OS2_R_CONTROL] >= 0)
            counts_returned(core, p);
        learn(p, program);
        compare(p, program);
        touch(core, p, program);
        if (!is_init && below(1500) == 0) {
            host_fault(core, OS2_FAULT_READ, 0x10000, below(1 << 20));
            return;
        }
        choose(p, program, is_init);
        program->number = (unsigned)(p->reg[OS2_R_CONTROL] & OS2_NUMBER_MASK);
        program->handle = (unsigned)(p->reg[OS2_R_CONTROL] >> OS2_HANDLE_SHIFT & OS2_HANDLE_MASK);
        program->label = p->reg[OS2_R_LABEL];
        program->called = program->number < OS2_SYS_COUNT;
        program->books = comparing ? books(p) : 0;
        counts_call(core, p);
        if (p->reg[OS2_R_CONTROL] & OS2_F_BLOCK)
            program->given = p->reg[OS2_R_BLOCK];
        history[history_next % HISTORY].core = core;
        history[history_next % HISTORY].slot = p->slot->index;
        memcpy(history[history_next % HISTORY].reg, p->reg, sizeof history[0].reg);
        history_next++;
    }
    host_syscall(core);
}

static const char *const names[] = {
#define NAME(number, name, summary) [number] = #name,
    OS2_SYSCALLS(NAME)
#undef NAME
};

void program_history(void) {
    for (unsigned i = history_next < HISTORY ? 0 : history_next - HISTORY; i < history_next; i++) {
        const uint64_t *r = history[i % HISTORY].reg;
        unsigned number = (unsigned)(r[0] & OS2_NUMBER_MASK);
        printf("# core %u slot %2u %-15s %lx: %lx %lx %lx %lx %lx %lx\n", history[i % HISTORY].core,
               history[i % HISTORY].slot, number < OS2_SYS_COUNT ? names[number] : "?", r[0], r[1], r[2], r[3], r[4],
               r[5], r[6]);
    }
}

void program_statistics(void) {
    for (unsigned i = 0; i < OS2_SYS_COUNT; i++) {
        printf("# %-15s good %lu", names[i], outcomes[i][0]);
        for (int status = 1; status < -OS2_STATUS_END; status++)
            if (outcomes[i][status])
                printf(", %d: %lu", -status, outcomes[i][status]);
        printf("\n");
    }
}
