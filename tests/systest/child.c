/* SPDX-License-Identifier: MIT */
/*
 * Puppets, the side of the child: takes a script, does what it says, sends it back.
 */
#include "systest.h"

#include "arch_test.h"
#include "arch_user.h"
#include "os2/string.h"

static const char *own_image;
static uint64_t own_image_size;

static void jump(uint64_t address) {
    void (*to)(void) = (void (*)(void))(uintptr_t)address;
    to();
}

static void spin(void) {
    volatile bool on = true;
    while (on)
        ;
}

static void fault(uint64_t kind) {
    switch (kind) {
    case OS2_FAULT_BREAKPOINT:
        arch_breakpoint();
        break;
    case OS2_FAULT_ARITHMETIC:
        arch_divide_by_zero();
        break;
    case OS2_FAULT_OTHER:
        arch_privileged();
        break;
    default:
        arch_illegal();
        break;
    }
}

static void tokens(struct puppet_script *script) {
    for (uint64_t i = 0; i < script->argument[0]; i++)
        script->out[i] = os2_tokens();
}

static void serve(struct puppet_script *script) {
    script->m = (struct os2_message){0};
    if (os2_receive(0, &script->m) < 0)
        return;
    tokens(script);
    os2_reply(0, &script->m);
    script->out[script->argument[0]] = os2_tokens();
}

static void echo(struct puppet_script *script) {
    struct os2_message m = {0};
    int status = os2_receive(0, &m);
    script->argument[2] = 0;
    for (uint64_t i = 0; i < script->argument[0] && status >= 0; i++) {
        if (script->argument[1]) {
            arch_fp_look(script->out);
            for (unsigned r = ARCH_FP_FIRST; r < ARCH_REGISTERS; r++)
                script->argument[2] += register_marked(script->out[r]);
        }
        status = i + 1 < script->argument[0] ? os2_reply_receive(0, &m) : os2_reply(0, &m);
    }
    script->m.control = (uint64_t)(int64_t)status;
}

/* The words of the answers are those in `in`. */
static void answer(struct puppet_script *script) {
    uint64_t *in = script->in, *out = script->out;

    in[arch_slot[OS2_R_CONTROL]] = OS2_SYS_receive;
    script->argument[2] = 0;
    do {
        arch_registers(in, out);
        for (unsigned i = 0; i < ARCH_REGISTERS; i++)
            script->argument[2] += arch_role(i) == ARCH_KEPT && out[i] != in[i];
        in[arch_slot[OS2_R_CONTROL]] = OS2_SYS_reply_receive;
        in[arch_slot[OS2_R_CALLER]] = out[arch_slot[OS2_R_CALLER]];
    } while ((int64_t)out[arch_slot[OS2_R_CONTROL]] >= 0 && out[arch_slot[OS2_R_CALLER]] != 0);
}

/* Spends its quota on blocks, and the table pages at hand on placing them far apart, but for one page; then receives.
 * All of it is freed again. */
static void starve(struct puppet_script *script) {
    uint64_t blocks[PUPPET_QUOTA], place = UINT64_C(0x800000000);
    struct os2_message m;
    unsigned count = 0, placed = 0;
    void *b;

    while (count < COUNT(blocks) && os2_block_alloc(0, &b) >= 0)
        blocks[count++] = (uintptr_t)b;
    while (placed < count) {
        place += UINT64_C(1) << 30;
        if (os2_block_place((void *)(uintptr_t)blocks[placed], place, OS2_PROT_READ | OS2_PROT_WRITE, &blocks[placed]) <
            0)
            break;
        placed++;
    }
    if (count)
        os2_block_free((void *)(uintptr_t)blocks[--count]);
    m = (struct os2_message){0};
    script->m.control = (uint64_t)os2_receive_from(PUPPET_BOSS, OS2_ACCEPT(0), &m);
    script->out[0] = m.control;
    while (count)
        os2_block_free((void *)(uintptr_t)blocks[--count]);
}

/* out: control, identity, handle to its inbox here. */
static int spawn(struct puppet_script *script) {
    struct os2_child_plan plan = {
        .image = own_image,
        .image_size = own_image_size,
        .process = {.quota = script->argument[1], .end_bits = 1, .name = "grandchild"},
    };
    const char *argv[] = {"systest", "puppet", "0", "0"};
    struct os2_child child;
    unsigned boss, inbox;
    int status = os2_child_create(&plan, &child, NULL);

    if (status < 0)
        return status;
    status = os2_handle_mint(PUPPET_BOSS, OS2_HANDLE_INBOX, script->argument[0], OS2_RIGHTS_ALL, &boss);
    if (status >= 0) {
        status = os2_child_grant(&child, "boss", boss, OS2_RIGHTS_ALL);
        os2_handle_close(boss);
    }
    if (status >= 0)
        status = os2_handle_mint(child.control, OS2_HANDLE_INBOX, 1, OS2_RIGHTS_ALL, &inbox);
    if (status >= 0)
        status = os2_child_start(&child, COUNT(argv), argv);
    if (status < 0) {
        os2_child_drop(&child);
        return status;
    }
    script->out[0] = child.control;
    script->out[1] = child.id;
    script->out[2] = inbox;
    return OS2_OK;
}

static void run(struct puppet_script *script) {
    switch ((enum puppet_op)script->op) {
    case PUPPET_CALL:
        arch_syscall((uint64_t *)&script->m);
        break;
    case PUPPET_READ:
        script->out[0] = *(volatile uint64_t *)(uintptr_t)script->argument[0];
        break;
    case PUPPET_WRITE:
        *(volatile uint64_t *)(uintptr_t)script->argument[0] = script->argument[1];
        break;
    case PUPPET_JUMP:
        jump(script->argument[0]);
        break;
    case PUPPET_FREED:
        *(volatile uint64_t *)(uintptr_t)script->argument[1] = 5;
        os2_block_free((void *)(uintptr_t)script->argument[0]);
        *(volatile uint64_t *)(uintptr_t)script->argument[1] = 6;
        break;
    case PUPPET_FAULT:
        fault(script->argument[0]);
        break;
    case PUPPET_WIDE:
        arch_wide();
        break;
    case PUPPET_SECRET:
        arch_secret(script->argument[0]);
        break;
    case PUPPET_PORT:
        script->out[0] = arch_port_read(script->argument[0]);
        break;
    case PUPPET_SPIN:
        spin();
        break;
    case PUPPET_REGISTERS:
        arch_registers(script->in, script->out);
        break;
    case PUPPET_TOKENS:
        tokens(script);
        break;
    case PUPPET_SERVE:
        serve(script);
        break;
    case PUPPET_ANSWER:
        answer(script);
        break;
    case PUPPET_ECHO:
        echo(script);
        break;
    case PUPPET_STARVE:
        starve(script);
        break;
    case PUPPET_SPAWN:
        script->m.control = (uint64_t)(int64_t)spawn(script);
        break;
    }
}

int puppet_main(int argc, char **argv) {
    uint64_t at;

    if (argc != 2 || !os2_string_number(argv[0], &at) || !os2_string_number(argv[1], &own_image_size))
        return 1;
    own_image = (const char *)(uintptr_t)at;
    for (;;) {
        struct os2_message m = {0};
        if (os2_receive_from(PUPPET_BOSS, OS2_ACCEPT(0), &m) < 0)
            return 2;
        if (!(m.control & OS2_I_BLOCK))
            return 3;
        run(os2_message_block(&m));
        if (os2_send(PUPPET_BOSS, OS2_F_BLOCK, &m) < 0)
            return 4;
    }
}
