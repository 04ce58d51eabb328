/* SPDX-License-Identifier: MIT */
/*
 * init: the first process and the supervisor of the services.
 *
 * The kernel loads it from the boot archive and gives it the machine handle, the archive, the device tree and nearly
 * all memory. It starts the services of a table, which is a text file of the archive (init/table.h), and hands out
 * every right in the system as that says; service.c tells how services live and end. The archive stays here, unchanged,
 * so each new service gets a fresh copy.
 *
 * init waits in one place, the receive of its main loop, and never for a service without a deadline, so no service can
 * hang it. It speaks through the kernel's log, which the console prints; only the last line before power off goes to
 * the console directly, because it must come after all other output.
 *
 * If init itself ends, the kernel panics and says why: nothing could come back without it.
 */
#include "init/init.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/files.h"
#include "os2/log.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"
#include "usr/lib/start_page.h"

#define LAST_WORDS_MS 3000u
#define SYNC_MOST_MS 10000u
#define OWED_PAUSE_MS 5u

struct init init;

_Noreturn void os2_entry(const struct os2_boot *given);

uint64_t init_now_ms(void) {
    return os2_now_ns() / 1000000;
}

void init_off_plan(enum os2_machine_control how, uint64_t status) {
    if (init.off.planned)
        return;
    init.off.planned = true;
    init.off.how = how;
    /* 8 bits reach the outside: a failure stays one. */
    init.off.code = status && !(status & 0xff) ? 255 : status & 0xff;
    init.off.latest_ms = init_now_ms() + LAST_WORDS_MS;
}

/* What was written to disks is made safe, within a while, by whoever does that in this system. */
static void files_sync(void) {
    struct os2_message m = {.label = OS2_FILES_SYNC, .w = {[4] = os2_deadline_ms(SYNC_MOST_MS)}};
    const struct service *service = service_named("files");
    unsigned files;

    if (!service || !service->runs ||
        os2_handle_mint(service->child.control, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &files) < 0)
        return;
    if (os2_call(files, OS2_F_DEADLINE, &m) < 0)
        os2_log(OS2_INIT_MACHINE, "what was written last may not be on the disks\n");
    os2_handle_close(files);
}

/* Powers off. The last line is printed behind all other output, as far as there is a console that prints. */
static void off_now(void) {
    const struct service *service = service_granted(GRANT_UART);
    uint64_t deadline;
    unsigned console;

    files_sync();
    deadline = os2_deadline_ms(LAST_WORDS_MS);
    if (service && service->runs &&
        os2_handle_mint(service->child.control, OS2_HANDLE_INBOX, OS2_CONSOLE_OWNER, OS2_RIGHTS_ALL, &console) >= 0) {
        char line[100];
        if (init.arguments.nonce[0] && init.off.how == OS2_CONTROL_OFF) {
            size_t length = format(line, sizeof(line), "os2: exit %s %lu\n", init.arguments.nonce, init.off.code);
            os2_console_write(console, line, length, OS2_CONSOLE_FRESH, deadline);
        }
        os2_console_flush(console, deadline);
        os2_handle_close(console);
    }
    os2_machine_control(OS2_INIT_MACHINE, init.off.how, init.off.code);
    os2_log(OS2_INIT_MACHINE, "this machine cannot be powered off\n");
    init.off = (struct off){0};
}

/* The console has asked for names, so it answers calls; or there is none. */
static bool console_ready(void) {
    const struct service *console = service_granted(GRANT_UART);
    return !console || console->given_up || (console->runs && console->ready);
}

static struct service *service_in_slot(uint64_t slot) {
    for (unsigned i = 0; i < init.count; i++)
        if (init.services[i].runs && (init.services[i].child.id & OS2_ID_SLOT_MASK) == slot)
            return &init.services[i];
    return NULL;
}

static struct service *service_by_words(const struct os2_message *m) {
    char name[TABLE_NAME] = {0};
    memcpy(name, m->w, sizeof(name) - 1);
    return service_named(name);
}

static int serve_list(const struct os2_message *m) {
    const struct service *service = &init.services[m->w[0]];
    struct os2_message answer = {.caller = m->caller};
    enum os2_service_state state;

    if (m->w[0] >= init.count)
        return OS2_E_INVALID;
    state = service->given_up ? OS2_SERVICE_GIVEN_UP
            : !service->runs  ? OS2_SERVICE_WAITS
            : service->ready  ? OS2_SERVICE_READY
                              : OS2_SERVICE_RUNS;
    answer.label = (uint64_t)state | (uint64_t)service->restarts << 32;
    if (service->runs)
        answer.label |= (service->child.id & OS2_ID_SLOT_MASK) << 8;
    memcpy(answer.w, service->plan.name, 16);
    answer.w[2] = service->plan.grants;
    answer.w[3] = (uint64_t)service->ended | service->end_value << 8;
    answer.w[4] = init_now_ms() - service->since_ms;
    return os2_reply(0, &answer);
}

/* What only those may ask for who have control. */
static int serve_control(const struct os2_message *m) {
    struct os2_message done = {.caller = m->caller};
    struct service *service;

    if (m->label == OS2_SUPERVISOR_SHUTDOWN) {
        /* No answer: the shell waits for the end. */
        init_off_plan(m->w[1] == OS2_CONTROL_RESTART ? OS2_CONTROL_RESTART : OS2_CONTROL_OFF, m->w[0]);
        return OS2_OK;
    }
    service = m->label == OS2_SUPERVISOR_KILL ? service_in_slot(m->w[0]) : service_by_words(m);
    if (!service)
        return OS2_E_INVALID;
    service_restart(service);
    return os2_reply(0, &done);
}

static void serve(const struct os2_message *m) {
    struct service *service = m->badge < init.count ? &init.services[m->badge] : NULL;
    int status = OS2_E_RIGHTS;

    if (!m->caller)
        return;
    if (service && m->label == OS2_SUPERVISOR_NAMES) {
        service_ready(service, m->caller);
        return;
    }
    if (service && m->label == OS2_SUPERVISOR_LIST)
        status = serve_list(m);
    else if (service && service->plan.grants & GRANT_CONTROL)
        status = serve_control(m);
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(m->caller, status);
}

/* The earliest time at which something is to be done, as a deadline. What waits for another service is done when that
 * is ready. */
static uint64_t next_deadline(void) {
    uint64_t next = UINT64_MAX, now = init_now_ms();

    for (unsigned i = 0; i < init.count; i++)
        if (service_due(&init.services[i], UINT64_MAX) && init.services[i].restart_ms < next)
            next = init.services[i].restart_ms;
    for (unsigned i = 0; i < init.count; i++)
        if (init.services[i].names_caller && init.services[i].owed && now + OWED_PAUSE_MS < next)
            next = now + OWED_PAUSE_MS;
    if (init.off.planned && init.off.latest_ms < next)
        next = init.off.latest_ms;
    if (next == UINT64_MAX)
        return OS2_FOREVER;
    return os2_deadline_ms(next > now ? next - now : 0);
}

/* Whether a program was started by this name: then what it got is a program's start page. Says what it should have. */
static bool started_as_program(const struct os2_boot *given) {
    static const char words[] =
        "init: the kernel starts it, once; `ps` shows it and the services that it looks after\n";

    if (*(const uint64_t *)given != OS2_START_MAGIC)
        return false;
    os2_start_page = (const struct os2_start_page *)given;
    os2_console_write(os2_start_handle("console.out"), words, sizeof(words) - 1, 0, OS2_FOREVER);
    return true;
}

static void init_begin(const struct os2_boot *given) {
    struct init_uart *uart = &init.uart;

    init.boot = given;
    init_arguments(given->arguments, sizeof(given->arguments), &init.arguments);
    if (init.arguments.bad)
        os2_log(OS2_INIT_MACHINE, "cannot read the boot arguments\n");
    if (init.arguments.bad && init.arguments.once)
        init_off_plan(OS2_CONTROL_OFF, STATUS_FAILED);
    if (!init_uart_find(given, uart))
        os2_log(OS2_INIT_MACHINE, "no UART that I know in the device tree%s\n",
                uart->facts.kind == OS2_UART_FIRMWARE ? ": the console is the firmware's" : "");
    else if (uart->facts.irq_foreign)
        os2_log(OS2_INIT_MACHINE,
                "the console's interrupt goes to a controller that the kernel does not drive: it polls\n");
    services_read();
    services_memory_check();
}

void os2_entry(const struct os2_boot *given) {
    if (started_as_program(given))
        os2_exit(OS2_SERVICE_REFUSED);
    init_begin(given);
    for (;;) {
        struct os2_message m;
        uint64_t now = init_now_ms();
        int status;

        for (unsigned i = 0; i < init.count; i++) {
            if (service_due(&init.services[i], now))
                service_try(&init.services[i]);
            if (init.services[i].owed)
                service_pay(&init.services[i]);
        }
        if (init.off.planned && (console_ready() || init_now_ms() >= init.off.latest_ms))
            off_now();
        m = (struct os2_message){.w = {[4] = next_deadline()}};
        status = os2_receive(OS2_F_DEADLINE, &m);
        if (status >= 0 && (m.control & OS2_I_BITS))
            for (unsigned i = 0; i < init.count; i++)
                if (m.bits & UINT64_C(1) << i)
                    service_ended(&init.services[i]);
        if (status >= 0 && (m.control & OS2_I_MESSAGE))
            serve(&m);
    }
}
