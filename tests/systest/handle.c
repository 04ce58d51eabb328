/* SPDX-License-Identifier: MIT */
/* Handles: mint, close, rights. */
#include "systest.h"

#include "os2/time.h"

static int mint(unsigned source, unsigned kind, uint64_t badge, unsigned rights, unsigned *ret) {
    *ret = 0;
    return os2_handle_mint(source, (enum os2_handle_kind)kind, badge, rights, ret);
}

/* Every call that takes a handle, with indices that name none, and with handles of the wrong kind. */
static void bad_handles(void) {
    static const enum os2_syscall calls[] = {
        OS2_SYS_send,         OS2_SYS_call,         OS2_SYS_notify,          OS2_SYS_watch,
        OS2_SYS_handle_close, OS2_SYS_process_give, OS2_SYS_process_grant,   OS2_SYS_process_start,
        OS2_SYS_process_kill, OS2_SYS_device_claim, OS2_SYS_irq_bind,        OS2_SYS_irq_ack,
        OS2_SYS_port_grant,   OS2_SYS_machine_info, OS2_SYS_machine_control, OS2_SYS_firmware_console};
    static const unsigned bad[] = {0, 250, 254, OS2_HANDLES - 1};
    for (size_t i = 0; i < COUNT(calls); i++) {
        for (size_t j = 0; j < COUNT(bad); j++) {
            struct os2_message m = {0};
            CHECK_IS(raw(calls[i], bad[j], 0, &m), OS2_E_HANDLE);
        }
    }
    for (size_t j = 1; j < COUNT(bad); j++) { /* 0 has a meaning in these */
        struct os2_message m = {.label = OS2_HANDLE_INBOX};
        CHECK_IS(raw(OS2_SYS_handle_mint, bad[j], 0, &m), OS2_E_HANDLE);
        CHECK_IS(raw(OS2_SYS_receive, bad[j], OS2_F_FROM, &m), OS2_E_HANDLE);
        CHECK_IS(raw(OS2_SYS_process_info, bad[j], 0, &m), OS2_E_HANDLE);
        CHECK_IS(raw(OS2_SYS_log, bad[j], 0, &m), OS2_E_HANDLE);
    }
}

static void wrong_kinds(void) {
    unsigned inbox, notify;
    struct os2_message m = {0};

    NEED_IS(mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &inbox), OS2_OK);
    NEED_IS(mint(0, OS2_HANDLE_NOTIFY, 1, OS2_RIGHTS_ALL, &notify), OS2_OK);
    CHECK_IS(raw(OS2_SYS_notify, inbox, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_send, notify, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_call, notify, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_receive, notify, OS2_F_FROM, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_receive, machine, OS2_F_FROM, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_watch, machine, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_process_kill, inbox, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_process_info, inbox, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_process_grant, machine, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_machine_info, inbox, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_irq_bind, machine, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_port_grant, machine, 0, &m), OS2_E_HANDLE);
    CHECK_IS(raw(OS2_SYS_log, inbox, 0, &m), OS2_E_HANDLE);
    CHECK_IS(os2_handle_close(inbox), OS2_OK);
    CHECK_IS(os2_handle_close(notify), OS2_OK);
}

/* Which kinds come from which. */
static void mint_kinds(void) {
    struct os2_process_plan plan = {.quota = 8, .quantum = 1, .name = "kinds"};
    unsigned control, inbox, notify;
    uint64_t id, irq;

    NEED_IS(os2_process_create(&plan, &control, &id), OS2_OK);
    NEED_IS(mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &inbox), OS2_OK);
    NEED_IS(mint(0, OS2_HANDLE_NOTIFY, 0, OS2_RIGHTS_ALL, &notify), OS2_OK);
    NEED_IS(os2_device_claim(machine, OS2_DEVICE_IRQ, 1, 1, &irq), OS2_OK);
    const struct {
        unsigned source, kinds; /* a bit for each kind that it gives */
    } cases[] = {{0, 1 << OS2_HANDLE_INBOX | 1 << OS2_HANDLE_NOTIFY},
                 {inbox, 1 << OS2_HANDLE_INBOX | 1 << OS2_HANDLE_NOTIFY},
                 {control, 1 << OS2_HANDLE_INBOX | 1 << OS2_HANDLE_NOTIFY},
                 {notify, 1 << OS2_HANDLE_NOTIFY},
                 {machine, 1 << OS2_HANDLE_MACHINE},
                 {(unsigned)irq, 1 << OS2_HANDLE_IRQ}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (unsigned kind = 0; kind < 20; kind++) {
            uint64_t badge = cases[i].source == irq ? 1 : 0;
            unsigned made;
            int status = mint(cases[i].source, kind, badge, 0, &made);
            CHECK_IS(status, cases[i].kinds >> kind & 1 ? OS2_OK : OS2_E_INVALID);
            if (made)
                os2_handle_close(made);
        }
        struct os2_message m = {.label = UINT64_C(0x100000001)};
        CHECK((int64_t)raw(OS2_SYS_handle_mint, cases[i].source, 0, &m) < 0);
    }
    os2_handle_close((unsigned)irq);
    os2_handle_close(notify);
    os2_handle_close(inbox);
    os2_handle_close(control);
}

static void mint_badges(void) {
    unsigned chosen, fixed, same, other, notify;
    uint64_t irq;

    NEED_IS(mint(0, OS2_HANDLE_INBOX, 77, OS2_RIGHTS_ALL, &chosen), OS2_OK);
    CHECK_IS(mint(chosen, OS2_HANDLE_INBOX, 78, OS2_RIGHT_SEND | OS2_RIGHT_GIVE, &fixed), OS2_OK);
    CHECK_IS(mint(fixed, OS2_HANDLE_INBOX, 78, OS2_RIGHTS_ALL, &same), OS2_OK);
    CHECK_IS(mint(fixed, OS2_HANDLE_INBOX, 79, OS2_RIGHTS_ALL, &other), OS2_E_RIGHTS);
    CHECK_IS(mint(fixed, OS2_HANDLE_NOTIFY, 1, OS2_RIGHTS_ALL, &other), OS2_E_RIGHTS);
    CHECK_IS(mint(fixed, OS2_HANDLE_NOTIFY, 78, OS2_RIGHTS_ALL, &other), OS2_E_RIGHTS); /* its badge is no mask */
    /* Rights only shrink: `same` asked for all, and has no MINT still. */
    CHECK_IS(mint(same, OS2_HANDLE_INBOX, 79, OS2_RIGHTS_ALL, &other), OS2_E_RIGHTS);
    CHECK_IS(mint(0, OS2_HANDLE_NOTIFY, 6, OS2_RIGHT_GIVE, &notify), OS2_OK);
    CHECK_IS(mint(notify, OS2_HANDLE_NOTIFY, 7, OS2_RIGHTS_ALL, &other), OS2_E_RIGHTS);
    CHECK_IS(mint(machine, OS2_HANDLE_MACHINE, 1, OS2_RIGHTS_ALL, &other), OS2_E_RIGHTS);
    CHECK_IS(os2_device_claim(machine, OS2_DEVICE_IRQ, 1, 1, &irq), OS2_OK);
    CHECK_IS(mint((unsigned)irq, OS2_HANDLE_IRQ, 2, OS2_RIGHTS_ALL, &other), OS2_E_RIGHTS);
    os2_handle_close((unsigned)irq);
    os2_handle_close(notify);
    os2_handle_close(same);
    os2_handle_close(fixed);
    os2_handle_close(chosen);
}

/* The badge that a message shows is that of the handle it came through. */
static void badge_seen(void) {
    struct puppet p;
    unsigned a, b;
    struct os2_message m;

    NEED(puppet_start(&p, 0, NULL));
    CHECK_IS(mint(p.inbox, OS2_HANDLE_INBOX, UINT64_MAX, OS2_RIGHTS_ALL, &a), OS2_OK);
    CHECK_IS(mint(p.child.control, OS2_HANDLE_INBOX, 12345, OS2_RIGHT_SEND, &b), OS2_OK);
    puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
    CHECK_IS(os2_send(a, 0, &(struct os2_message){0}), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.badge, UINT64_MAX);
    puppet_begin(&p, OS2_SYS_receive, 0, 0, NULL);
    CHECK_IS(os2_send(b, 0, &(struct os2_message){0}), OS2_OK);
    CHECK_IS(puppet_finish(&p, &m), OS2_OK);
    CHECK_IS(m.badge, 12345);
    os2_handle_close(a);
    os2_handle_close(b);
    puppet_drop(&p);
}

static void table_full(void) {
    struct os2_process_plan plan = {.quota = 8, .quantum = 1, .name = "full"};
    struct os2_message m;
    unsigned made[OS2_HANDLES], count = 0, control;
    uint64_t result;
    int status;

    while ((status = mint(0, OS2_HANDLE_INBOX, count, OS2_RIGHTS_ALL, &made[count])) >= 0)
        count++;
    CHECK_IS(status, OS2_E_FULL);
    CHECK(count > 200 && count < OS2_HANDLES);
    CHECK_IS(os2_process_create(&plan, &control, &result), OS2_E_FULL);
    m = (struct os2_message){.label = OS2_DEVICE_IRQ, .w = {1, 1}};
    CHECK_IS(raw(OS2_SYS_device_claim, machine, 0, &m), OS2_E_FULL);
    os2_handle_close(made[3]);
    CHECK_IS(mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &control), OS2_OK);
    CHECK_IS(control, made[3]);
    while (count)
        CHECK_IS(os2_handle_close(made[--count]), OS2_OK);
}

static void closing(void) {
    unsigned inbox;
    struct os2_message m = {0};
    NEED_IS(mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &inbox), OS2_OK);
    CHECK_IS(os2_handle_close(inbox), OS2_OK);
    CHECK_IS(os2_handle_close(inbox), OS2_E_HANDLE);
    CHECK_IS(os2_send(inbox, 0, &m), OS2_E_HANDLE);
}

/* Closing the control handle ends the child, whatever its state, and its slot is free. */
static void close_control(void) {
    struct puppet p;
    struct os2_process_facts facts;
    unsigned slot;
    uint64_t id, limit = os2_deadline_ms(HANG_MS);
    int status;

    NEED(puppet_start(&p, 0, NULL));
    id = p.child.id;
    slot = id & OS2_ID_SLOT_MASK;
    puppet_drop(&p);
    do {
        status = os2_process_facts(machine, slot, &facts);
        os2_yield();
    } while (status >= 0 && os2_clock(NULL) < limit);
    CHECK_IS(status, OS2_E_DIED);
}

static void no_rights(void) {
    unsigned silent, weak;
    struct os2_message m = {0};

    NEED_IS(mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL & ~OS2_RIGHT_SEND, &silent), OS2_OK);
    CHECK_IS(os2_send(silent, 0, &m), OS2_E_RIGHTS);
    CHECK_IS(os2_call(silent, 0, &m), OS2_E_RIGHTS);
    CHECK_IS(os2_watch(silent, 0), OS2_OK); /* it needs no right */
    NEED_IS(mint(machine, OS2_HANDLE_MACHINE, 0, 0, &weak), OS2_OK);
    CHECK_IS(raw(OS2_SYS_device_claim, weak, 0, &m), OS2_E_RIGHTS);
    CHECK_IS(raw(OS2_SYS_machine_info, weak, 0, &m), OS2_E_RIGHTS);
    CHECK_IS(raw(OS2_SYS_machine_control, weak, 0, &m), OS2_E_RIGHTS);
    CHECK_IS(raw(OS2_SYS_log, weak, 0, &m), OS2_E_RIGHTS);
    CHECK_IS(raw(OS2_SYS_firmware_console, weak, 0, &m), OS2_E_RIGHTS);
    CHECK_IS(raw(OS2_SYS_process_info, weak, 0, &m), OS2_E_RIGHTS);
    os2_handle_close(weak);
    os2_handle_close(silent);
}

static const struct test tests[] = {
    {"handle-none handle-range", "indices that name no handle are refused by every call", bad_handles},
    {"handle-kind", "handles of the wrong kind are refused", wrong_kinds},
    {"mint-kinds mint-invalid", "what can be minted from what", mint_kinds},
    {"mint-badge mint-mask mint-rights mint-shrink", "a badge of choice needs the right; rights only shrink",
     mint_badges},
    {"badge mint-control", "a message shows the badge of its handle", badge_seen},
    {"mint-full create-full claim-full close-reuse", "a full table takes no more", table_full},
    {"close-gone", "a closed handle is gone", closing},
    {"close-control", "closing the control handle ends the child and frees its slot", close_control},
    {"rights send-rights watch-rights", "what the missing right forbids", no_rights},
};
AREA(handle, tests);
