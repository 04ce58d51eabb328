/* SPDX-License-Identifier: MIT */
/*
 * Puppets, the side of the test: starting them, telling them what to do, looking at them.
 *
 * A script is one page that moves: to the puppet by a send, back by a send of the puppet. Both sides receive only from
 * the other for this, so messages and bits of the test itself stay where they are.
 */
#include "systest.h"

#include "lib/format.h"
#include "os2/string.h"
#include "os2/time.h"

/* Gives a copy of this program, for a puppet that makes puppets. */
static int give_image(struct os2_child *child, char *text, size_t size) {
    unsigned order = 0;
    void *copy;
    int status;

    while (OS2_PAGE_SIZE << order < image_size)
        order++;
    status = os2_block_alloc(order, &copy);
    if (status < 0)
        return status;
    memcpy(copy, image, image_size);
    format(text, size, "0x%lx", (uint64_t)(uintptr_t)copy);
    status = os2_process_give(child->control, copy, 0, OS2_PROT_READ);
    if (status < 0)
        os2_block_free(copy);
    return status;
}

static int fill(struct puppet *puppet, unsigned number, const struct puppet_plan *plan) {
    char at[24] = "0", size[24];
    const char *argv[] = {"systest", "puppet", at, size};
    unsigned boss;
    int status = os2_handle_mint(0, OS2_HANDLE_INBOX, number, OS2_RIGHTS_ALL, &boss);

    if (status < 0)
        return status;
    status = os2_child_grant(&puppet->child, "boss", boss, OS2_RIGHTS_ALL);
    os2_handle_close(boss);
    if (status >= 0 && plan->has_machine)
        status = os2_child_grant(&puppet->child, "machine", machine, OS2_RIGHT_OBSERVE | OS2_RIGHT_GIVE);
    if (status >= 0 && plan->has_image)
        status = give_image(&puppet->child, at, sizeof(at));
    format(size, sizeof(size), "%lu", image_size);
    if (status >= 0)
        status = os2_handle_mint(puppet->child.control, OS2_HANDLE_INBOX, 1, OS2_RIGHTS_ALL, &puppet->inbox);
    return status < 0 ? status : os2_child_start(&puppet->child, COUNT(argv), argv);
}

bool puppet_start(struct puppet *puppet, unsigned number, const struct puppet_plan *given) {
    struct puppet_plan plan = given ? *given : (struct puppet_plan){0};
    struct os2_child_plan child = {
        .image = image,
        .image_size = image_size,
        .process = {.quota = plan.quota ? plan.quota : PUPPET_QUOTA,
                    .quantum = plan.quantum,
                    .watchdog_ms = plan.watchdog_ms ? plan.watchdog_ms : OS2_WATCHDOG_DEFAULT_MS,
                    .end_bits = UINT64_C(1) << number,
                    .name = "puppet"},
    };
    struct os2_message old = {.w = {child.process.end_bits}};

    os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &old);
    *puppet = (struct puppet){.end_bit = child.process.end_bits};
    if (!CHECK_IS(os2_child_create(&child, &puppet->child, NULL), OS2_OK))
        return false;
    if (CHECK_IS(fill(puppet, number, &plan), OS2_OK))
        return true;
    puppet_drop(puppet);
    return false;
}

struct puppet_script *puppet_script(struct puppet *puppet) {
    if (!puppet->script)
        puppet->script = block(0);
    return puppet->script;
}

/* Sends the script. */
static bool go(struct puppet *puppet) {
    struct os2_message m = {.w = {0, 0, 0, (uintptr_t)puppet->script, os2_deadline_ms(HANG_MS)}};
    if (!CHECK_IS(os2_send(puppet->inbox, OS2_F_BLOCK | OS2_F_DEADLINE, &m), OS2_OK))
        return false;
    puppet->script = NULL;
    return true;
}

void puppet_begin(struct puppet *puppet, enum os2_syscall number, unsigned handle, uint64_t flags,
                  const struct os2_message *m) {
    struct puppet_script *script = puppet_script(puppet);
    if (!script)
        return;
    script->op = PUPPET_CALL;
    script->m = m ? *m : (struct os2_message){0};
    script->m.control = number | flags | (uint64_t)handle << OS2_HANDLE_SHIFT;
    go(puppet);
}

void puppet_begin_op(struct puppet *puppet, enum puppet_op op, uint64_t argument0, uint64_t argument1) {
    struct puppet_script *script = puppet_script(puppet);
    if (!script)
        return;
    script->op = op;
    script->argument[0] = argument0;
    script->argument[1] = argument1;
    go(puppet);
}

/* Takes the script back, waiting until `deadline`. */
static int take(struct puppet *puppet, uint64_t deadline) {
    struct os2_message m = {.w = {[4] = deadline}};
    int status = os2_receive_from(puppet->inbox, OS2_F_DEADLINE | OS2_ACCEPT(0), &m);
    if (status >= 0 && m.control & OS2_I_BLOCK)
        puppet->script = os2_message_block(&m);
    return status;
}

int puppet_finish(struct puppet *puppet, struct os2_message *m) {
    int status = puppet->script ? OS2_OK : take(puppet, os2_deadline_ms(HANG_MS));
    if (status < 0 || !CHECK(puppet->script != NULL))
        return status < 0 ? status : OS2_E_INVALID;
    if (m)
        *m = puppet->script->m;
    status = (int)(int64_t)puppet->script->m.control;
    return status < 0 ? status : OS2_OK;
}

int puppet_finish_polling(struct puppet *puppet, struct os2_message *m) {
    uint64_t limit = os2_deadline_ms(HANG_MS);

    while (!puppet->script && take(puppet, 0) == OS2_E_WOULD_WAIT && os2_clock(NULL) < limit)
        os2_yield();
    return puppet_finish(puppet, m);
}

bool puppet_finish_op(struct puppet *puppet) {
    return CHECK_IS(take(puppet, os2_deadline_ms(HANG_MS)), OS2_OK) && CHECK(puppet->script != NULL);
}

int puppet_do(struct puppet *puppet, enum os2_syscall number, unsigned handle, uint64_t flags, struct os2_message *m) {
    puppet_begin(puppet, number, handle, flags, m);
    return puppet_finish(puppet, m);
}

struct puppet_script *puppet_run(struct puppet *puppet, enum puppet_op op, uint64_t argument0, uint64_t argument1) {
    puppet_begin_op(puppet, op, argument0, argument1);
    return puppet_finish_op(puppet) ? puppet->script : NULL;
}

bool puppet_stuck(struct puppet *puppet, enum os2_process_state state) {
    uint64_t limit = os2_deadline_ms(HANG_MS);
    struct os2_process_facts facts = {0};

    while (os2_clock(NULL) < limit) {
        if (!CHECK_IS(os2_process_facts(machine, puppet->child.id & OS2_ID_SLOT_MASK, &facts), OS2_OK))
            return false;
        if (facts.state == state)
            return CHECK_IS(take(puppet, 0), OS2_E_WOULD_WAIT);
        if (facts.state == OS2_STATE_SEND && take(puppet, 0) >= 0)
            return CHECK_IS(puppet->script ? puppet->script->m.control : 0, (uint64_t)-1); /* it did not wait */
        os2_yield();
    }
    return CHECK_IS(facts.state, state);
}

bool puppet_waits(struct puppet *puppet, enum os2_process_state state) {
    uint64_t limit = os2_deadline_ms(HANG_MS);
    struct os2_process_facts facts = {0};

    while (os2_clock(NULL) < limit) {
        if (!CHECK_IS(os2_process_facts(machine, puppet->child.id & OS2_ID_SLOT_MASK, &facts), OS2_OK))
            return false;
        if (facts.state == state)
            return true;
        os2_yield();
    }
    return CHECK_IS(facts.state, state);
}

unsigned puppet_handle(struct puppet *puppet, unsigned handle, unsigned rights) {
    struct os2_message m = {.w = {0, 0, handle | (uint64_t)rights << 16, 0, os2_deadline_ms(HANG_MS)}};

    puppet_begin(puppet, OS2_SYS_receive, PUPPET_BOSS, OS2_F_FROM | OS2_F_ACCEPT_HANDLE, NULL);
    if (!CHECK_IS(os2_send(puppet->inbox, OS2_F_HANDLE | OS2_F_DEADLINE, &m), OS2_OK) ||
        !CHECK_IS(puppet_finish(puppet, &m), OS2_OK))
        return 0;
    return (unsigned)m.w[2];
}

unsigned puppet_connect(struct puppet *client, const struct puppet *server, uint64_t badge) {
    unsigned handle, index;
    if (!CHECK_IS(os2_handle_mint(server->inbox, OS2_HANDLE_INBOX, badge, OS2_RIGHTS_ALL, &handle), OS2_OK))
        return 0;
    index = puppet_handle(client, handle, OS2_RIGHTS_ALL);
    os2_handle_close(handle);
    return index;
}

bool puppet_ended(struct puppet *puppet, struct os2_process_end *ret_end) {
    bool good = take_bits(puppet->end_bit) && CHECK_IS(os2_process_end(puppet->child.control, 0, ret_end), OS2_OK);
    puppet_drop(puppet);
    return good;
}

bool puppet_spawn(struct puppet *parent, unsigned number, struct puppet *ret) {
    struct os2_message m;
    struct puppet_script *s = puppet_run(parent, PUPPET_SPAWN, number, 150);

    *ret = (struct puppet){0};
    if (!s || !CHECK_IS(s->m.control, OS2_OK))
        return false;
    ret->child.id = s->out[1];
    m = (struct os2_message){.w = {[2] = s->out[2] | (uint64_t)OS2_RIGHTS_ALL << 16}};
    puppet_begin(parent, OS2_SYS_send, PUPPET_BOSS, OS2_F_HANDLE, &m);
    m = (struct os2_message){.w = {[4] = os2_deadline_ms(HANG_MS)}};
    if (!CHECK_IS(os2_receive(OS2_F_ACCEPT_HANDLE | OS2_F_DEADLINE | OS2_F_MASK, &m), OS2_OK))
        return false;
    ret->inbox = (unsigned)m.w[2];
    return CHECK_IS(puppet_finish(parent, NULL), OS2_OK);
}

void puppet_drop(struct puppet *puppet) {
    os2_child_drop(&puppet->child);
    if (puppet->inbox)
        os2_handle_close(puppet->inbox);
    if (puppet->script)
        os2_block_free(puppet->script);
    *puppet = (struct puppet){0};
}
