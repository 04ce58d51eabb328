/* SPDX-License-Identifier: MIT */
/*
 * init: the first process and the supervisor of the services.
 *
 * The kernel loads it from the boot archive and gives it the machine handle, the archive, the device tree and nearly
 * all memory. It starts the services of a small table in order: names, console, files, devmgr, and last the shell (or
 * what the boot arguments name instead of it). Every right in the system is handed down from here: console gets the
 * UART and the log, files a copy of the archive, the shell may look at processes and ask for power off. The device
 * manager, devmgr, gets all devices, to hand them on to drivers, and copies of the device tree and of the drivers.
 *
 * Each has a watchdog limit, and nobody below it can have a longer one, or none: so no program can keep a core for
 * good. init itself has none. Nor can programs take what a service needs to come back: init keeps an eighth of its
 * quota, which pays for its pages and its slot.
 *
 * A service that ends is started again after a pause: 100 ms at first, doubled each time up to 10 s, and 100 ms again
 * once it has run for 10 s. The archive stays here, unchanged, so each new file service gets a fresh copy. When the
 * table's last service was started for one job (os2.run, os2.start), its end is the machine's.
 *
 * init waits in one place, the receive of its main loop, and never for a service without a deadline, so no service can
 * hang it. It speaks through the kernel's log, which the console prints; only the last line before power off goes to
 * the console directly, because it must come after all other output.
 */
#include "init/init.h"

#include "lib/cpio.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"
#include "usr/lib/start_page.h"

#define BACKOFF_FIRST_MS 100u
#define BACKOFF_LAST_MS 10000u
#define BACKOFF_FORGET_MS 10000u
#define LAST_WORDS_MS 3000u
#define OWED_MOST_MS 2000u
#define OWED_PAUSE_MS 5u
#define SERVICE_SHARE 8u  /* of what is left, for each service */
#define DEVICES_SHARE 16u /* of the same, for the device manager: the disk's driver takes two blocks of 2 MiB of 128 */
#define LAST_SHARE 8u     /* of what is left when the last service starts, for starting the others again */
#define SELF_PAGES 16u    /* for pieces of children on their way */
#define MIB_PAGES (UINT64_C(1) << (20 - OS2_PAGE_SHIFT))
#define STATUS_FAILED 255u /* the machine's exit code when the job did not end by exit */

enum init_service { SERVICE_NAMES, SERVICE_CONSOLE, SERVICE_FILES, SERVICE_DEVICES, SERVICE_LAST, SERVICES };

struct service {
    const char *name;
    uint64_t least, most; /* pages for its work, besides what its program needs */
    unsigned stack_order;
    uint64_t watchdog_ms; /* its own limit, and so the largest of all below it */
    uint64_t quantum;     /* the same; 0: the default */
    struct os2_child child;
    unsigned kept;      /* control handle of the device manager before this one; 0: none */
    bool asked;         /* it has asked for names since it was started */
    uint64_t had, owed; /* quota: at its first start; and what of that it gets when what is kept has come back */
    uint64_t owed_ms;   /* no longer than until then */
    bool runs;
    uint64_t started_ms, restart_ms;
    unsigned backoff_ms;
    int told;              /* why it could not be started, as said last: said once */
    uint64_t names_caller; /* waits for a name service that lives; 0: does not */
};

/* The most of each: 32 waiting writers with a block of 16 pages; answers, the largest of them a program of 64 pages;
 * drivers, one of them with two blocks of 2 MiB. */
static struct service services[SERVICES] = {
    [SERVICE_NAMES] = {.name = "names", .least = 8, .most = 16, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS},
    [SERVICE_CONSOLE] = {.name = "console", .least = 32, .most = 640, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS},
    [SERVICE_FILES] = {.name = "files", .least = 96, .most = 1024, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS},
    [SERVICE_DEVICES] = {.name = "devmgr", .least = 128, .most = 2048, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS},
    [SERVICE_LAST] = {.name = "shell", .least = 160, .stack_order = 3, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS},
};

/* A planned power off or restart. It waits for a console that has just been started, for a while. */
struct off {
    bool planned;
    enum os2_machine_control how;
    uint64_t code, latest_ms;
};

static struct off off;
static bool console_up; /* the console that runs has asked for names, so it answers calls */
static const struct os2_boot *boot;
static struct init_arguments arguments;
static struct init_uart uart;

_Noreturn void os2_entry(const struct os2_boot *given);

static uint64_t now_ms(void) {
    return os2_now_ns() / 1000000;
}

/* Plans the power off; the main loop does it when the console can print. */
static void off_plan(enum os2_machine_control how, uint64_t status) {
    if (off.planned)
        return;
    off.planned = true;
    off.how = how;
    off.code = status && !(status & 0xff) ? 255 : status & 0xff; /* 8 bits reach the outside: a failure stays one */
    off.latest_ms = now_ms() + LAST_WORDS_MS;
}

/* Powers off. The last line is printed behind all other output, as far as there is a console that prints. */
static void off_now(void) {
    uint64_t deadline = os2_deadline_ms(LAST_WORDS_MS);
    unsigned console;

    if (services[SERVICE_CONSOLE].runs && os2_handle_mint(services[SERVICE_CONSOLE].child.control, OS2_HANDLE_INBOX,
                                                          OS2_CONSOLE_OWNER, OS2_RIGHTS_ALL, &console) >= 0) {
        char line[100];
        if (arguments.nonce[0] && off.how == OS2_CONTROL_OFF) {
            size_t length = format(line, sizeof(line), "os2: exit %s %lu\n", arguments.nonce, off.code);
            os2_console_write(console, line, length, OS2_CONSOLE_FRESH, deadline);
        }
        os2_console_flush(console, deadline);
        os2_handle_close(console);
    }
    os2_machine_control(OS2_INIT_MACHINE, off.how, off.code);
    os2_log(OS2_INIT_MACHINE, "this machine cannot be powered off\n");
    off = (struct off){0};
}

/* A handle to the name service with the badge `service` is to have; the caller closes it. */
static int names_handle(unsigned *ret_handle) {
    if (!services[SERVICE_NAMES].runs)
        return OS2_E_DIED;
    return os2_handle_mint(services[SERVICE_NAMES].child.control, OS2_HANDLE_INBOX, OS2_NAMES_TRUSTED, OS2_RIGHTS_ALL,
                           ret_handle);
}

/* Grants what every service has, and nothing else: a handle to init, which tells them apart by the badge. */
static int grant_supervisor(struct os2_child *child, enum init_service which) {
    unsigned self;
    int status = os2_handle_mint(0, OS2_HANDLE_INBOX, which, OS2_RIGHT_GIVE | OS2_RIGHT_SEND, &self);
    if (status < 0)
        return status;
    status = os2_child_grant(child, "init", self, OS2_RIGHT_SEND);
    os2_handle_close(self);
    return status;
}

/* Gives a service a copy of the archive or the tree; arguments[0] and [1] tell it where. Returns where it ends. */
static int give_copy(struct os2_child *child, uint64_t bytes, uint64_t size, uint64_t *at, char text[2][24]) {
    int status = os2_child_fill(child, (const void *)(uintptr_t)bytes, size, *at, OS2_PROT_READ);

    format(text[0], sizeof(text[0]), "0x%lx", *at);
    format(text[1], sizeof(text[1]), "%lu", size);
    *at += (size + OS2_PAGE_SIZE - 1) & ~(OS2_PAGE_SIZE - 1);
    return status;
}

/* The archive of the drivers, a file of the boot archive; if there is none, there are no drivers. */
static struct cpio_file drivers(void) {
    struct cpio_file file = {0};
    cpio_find((const void *)(uintptr_t)boot->archive, boot->archive_size, "drivers.cpio", &file);
    return file;
}

/* The device manager's: all devices, the tree, and the drivers. */
static int give_devices(struct os2_child *child, char text[4][24]) {
    struct cpio_file file = drivers();
    uint64_t at = OS2_LARGE_BASE;
    int status =
        os2_child_grant(child, "machine", OS2_INIT_MACHINE, OS2_RIGHT_DEVICES | OS2_RIGHT_LOG | OS2_RIGHT_GIVE);

    if (status >= 0)
        status = give_copy(child, boot->tree, boot->tree ? boot->tree_size : 0, &at, text);
    if (status >= 0)
        status = give_copy(child, (uintptr_t)file.bytes, file.size, &at, text + 2);
    return status;
}

/* The shell's handles, or those of a program that the boot arguments name: that one may do what init may. */
static int grant_last(struct os2_child *child) {
    unsigned rights = arguments.start[0] ? OS2_RIGHTS_ALL : OS2_RIGHT_OBSERVE | OS2_RIGHT_GIVE;
    unsigned handle;
    int status = os2_child_grant(child, "machine", OS2_INIT_MACHINE, rights);

    if (status >= 0)
        status = names_handle(&handle);
    if (status < 0)
        return status;
    status = os2_child_grant(child, "names", handle, OS2_RIGHTS_ALL);
    os2_handle_close(handle);
    if (status < 0 || !services[SERVICE_CONSOLE].runs)
        return status;
    status = os2_handle_mint(services[SERVICE_CONSOLE].child.control, OS2_HANDLE_INBOX,
                             arguments.start[0] ? OS2_CONSOLE_READER : OS2_CONSOLE_OWNER, OS2_RIGHTS_ALL, &handle);
    if (status < 0)
        return status;
    status = os2_child_grant(child, "console.in", handle, OS2_RIGHTS_ALL);
    if (status >= 0)
        status = os2_child_grant(child, "console.out", handle, OS2_RIGHTS_ALL);
    os2_handle_close(handle);
    return status;
}

/* Fills and starts a created child. */
static int service_start_child(enum init_service which, struct os2_child *child) {
    const char *argv[6] = {services[which].name};
    unsigned argc = 1;
    char text[4][24];
    uint64_t base, at = OS2_LARGE_BASE;
    int status = grant_supervisor(child, which);

    if (status < 0)
        return status;
    switch (which) {
    case SERVICE_CONSOLE:
        status = init_uart_give(&uart, child, &base);
        if (status < 0)
            return status;
        format(text[0], sizeof(text[0]), "%d", (int)uart.facts.kind);
        format(text[1], sizeof(text[1]), "0x%lx", base);
        format(text[2], sizeof(text[2]), "%u", uart.facts.shift);
        format(text[3], sizeof(text[3]), "%u", uart.facts.ports ? 0 : uart.facts.io_width);
        for (unsigned i = 0; i < 4; i++)
            argv[argc++] = text[i];
        break;
    case SERVICE_FILES:
        status = give_copy(child, boot->archive, boot->archive_size, &at, text);
        argv[argc++] = text[0];
        argv[argc++] = text[1];
        break;
    case SERVICE_DEVICES:
        status = give_devices(child, text);
        for (unsigned i = 0; i < 4; i++)
            argv[argc++] = text[i];
        break;
    case SERVICE_LAST:
        status = grant_last(child);
        if (arguments.run[0]) {
            argv[argc++] = "-c";
            argv[argc++] = arguments.run;
        }
        break;
    default:
        break;
    }
    return status < 0 ? status : os2_child_start(child, argc, argv);
}

/* A service's program, and the least quota with which it can do its work. */
static int service_needs(enum init_service which, struct cpio_file *ret_file, uint64_t *ret_pages) {
    const struct service *service = &services[which];
    uint64_t pages = service->least;
    int status;

    if (!cpio_find((const void *)(uintptr_t)boot->archive, boot->archive_size, service->name, ret_file))
        return OS2_E_INVALID;
    if (which == SERVICE_FILES) {
        pages += boot->archive_size / OS2_PAGE_SIZE + 1;
        pages += pages / 512 + 1; /* tables that map it */
    }
    if (which == SERVICE_DEVICES)
        pages += (drivers().size + (boot->tree ? boot->tree_size : 0)) / OS2_PAGE_SIZE + 3;
    status = os2_child_least(ret_file->bytes, ret_file->size, service->stack_order, ret_pages);
    *ret_pages += pages;
    return status;
}

/*
 * What a service gets: an eighth of what there is, but no less than it needs and no more than it can use. The last one
 * gets nearly all the rest, for the programs; what stays is for starting the others again.
 */
static uint64_t service_quota(enum init_service which, uint64_t least) {
    const struct service *service = &services[which];
    uint64_t left = os2_quota_left(), most = least - service->least + service->most;
    uint64_t share = which == SERVICE_DEVICES ? DEVICES_SHARE : SERVICE_SHARE;
    uint64_t quota = which == SERVICE_LAST ? left - left / LAST_SHARE : left / share;

    if (which != SERVICE_LAST && quota > most)
        quota = most;
    if (service->had && service->had <= left / 2) /* the same as before, where that is there */
        quota = service->had;
    return quota < least || service->kept ? least : quota;
}

static int service_start(enum init_service which) {
    struct service *service = &services[which];
    struct cpio_file file;
    struct os2_child_plan plan = {
        .process = {.quantum = service->quantum,
                    .watchdog_ms = service->watchdog_ms,
                    .end_bits = UINT64_C(1) << which,
                    .name = service->name},
        .stack_order = service->stack_order,
    };
    const char *reason = NULL;
    uint64_t least = 0;
    int status = service_needs(which, &file, &least);

    if (status >= 0) {
        plan.image = file.bytes;
        plan.image_size = file.size;
        plan.process.quota = service_quota(which, least);
        if (!service->had && which != SERVICE_LAST)
            service->had = plan.process.quota;
        service->owed = service->kept && service->had > plan.process.quota ? service->had - plan.process.quota : 0;
        status = os2_child_create(&plan, &service->child, &reason);
    } else {
        reason = "it is not in the boot archive, or no program";
    }
    if (status >= 0) {
        status = service_start_child(which, &service->child);
        if (status < 0)
            os2_child_drop(&service->child);
    }
    service->runs = status >= 0;
    service->asked = false;
    service->started_ms = now_ms();
    if (status < 0 && status != service->told)
        os2_log(OS2_INIT_MACHINE, "cannot start %s: %s; I try again\n", service->name,
                reason ? reason : os2_status_text(status));
    service->told = status < 0 ? status : OS2_OK;
    return status;
}

/* Says once, at the start, what is missing where memory is too little for all of the services and a program. */
static void memory_check(void) {
    uint64_t need = SELF_PAGES, left = os2_quota_left(), missing;
    struct cpio_file file;
    struct os2_message m = {0};

    for (unsigned i = 0; i < SERVICES; i++) {
        uint64_t pages = 0;
        if (service_needs(i, &file, &pages) >= 0)
            need += i == SERVICE_LAST ? pages + pages / (LAST_SHARE - 1) + 1 : pages;
    }
    if (need <= left || os2_machine_info(OS2_INIT_MACHINE, OS2_MACHINE_MACHINE, 0, &m) < 0)
        return;
    missing = need - left;
    missing += missing / 64 + 1; /* what the kernel keeps for each page */
    os2_log(OS2_INIT_MACHINE, "too little memory: %lu pages are missing; RAM of %lu MiB is the least that works\n",
            missing, (m.w[3] + missing + MIB_PAGES - 1) / MIB_PAGES);
}

/* Answers the services that asked for a name service while there was none. */
static void names_answer(struct service *service) {
    unsigned handle;
    struct os2_message m = {.caller = service->names_caller};
    int status = names_handle(&handle);

    service->names_caller = 0;
    if (status < 0) {
        os2_reply_fail(m.caller, status);
        return;
    }
    m.w[2] = handle | (uint64_t)OS2_RIGHTS_ALL << 16;
    status = os2_reply(OS2_F_HANDLE, &m);
    os2_handle_close(handle);
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(m.caller, status);
}

/* Starts a service, or plans the next try. */
static void service_try(enum init_service which) {
    struct service *service = &services[which];
    int status;

    if (which == SERVICE_LAST && off.planned)
        return;
    if ((status = service_start(which)) < 0) {
        if (arguments.once && (which == SERVICE_LAST || status == OS2_E_QUOTA || status == OS2_E_MEMORY))
            off_plan(OS2_CONTROL_OFF, STATUS_FAILED);
        service->backoff_ms = service->backoff_ms * 2 < BACKOFF_LAST_MS ? service->backoff_ms * 2 : BACKOFF_LAST_MS;
        service->restart_ms = now_ms() + service->backoff_ms;
        return;
    }
    for (unsigned i = 0; which == SERVICE_NAMES && i < SERVICES; i++)
        if (services[i].names_caller && !services[i].owed)
            names_answer(&services[i]);
}

/*
 * Lets go of a service that has ended. Of a device manager, and of the drivers below it, the memory must not go to
 * anyone before the devices have been reset, which may still write to it: that is what the next device manager does
 * before it first asks for names. So its control handle, which holds all that, is kept until then. One that has not
 * asked has started no driver: then the one before it is still what is kept.
 */
static void service_let_go(struct service *service) {
    if (service == &services[SERVICE_DEVICES] && service->asked) {
        service->kept = service->child.control;
        service->child = (struct os2_child){0};
    }
    os2_child_drop(&service->child);
}

/* The device manager has reset all devices: what is kept of the one before may go. Its quota comes back when it has
 * been taken apart. */
static void devices_reset(struct service *service) {
    if (service->kept)
        os2_handle_close(service->kept);
    service->kept = 0;
    service->owed_ms = now_ms() + OWED_MOST_MS;
}

/* Gives the new device manager what the old one had, if it is there; then it is answered. */
static void owed_try(struct service *service) {
    if (!service->names_caller || !service->owed)
        return;
    if (os2_process_grant(service->child.control, 0, 0, service->owed, NULL) < 0 && now_ms() < service->owed_ms)
        return;
    service->owed = 0;
    if (services[SERVICE_NAMES].runs)
        names_answer(service);
}

/* A service has ended: gives back what it had, says so, plans its restart. */
static void service_ended(enum init_service which) {
    struct service *service = &services[which];
    struct os2_process_end end = {0};
    uint64_t now = now_ms();
    char how[128];

    if (!service->runs || os2_process_end(service->child.control, 0, &end) < 0)
        return;
    os2_child_describe(&service->child, &end, how, sizeof(how));
    service_let_go(service);
    service->runs = false;
    service->names_caller = 0;
    console_up &= which != SERVICE_CONSOLE;
    if (which == SERVICE_LAST && arguments.once) {
        if (end.reason != OS2_END_EXIT)
            os2_log(OS2_INIT_MACHINE, "%s ended: %s\n", service->name, how);
        off_plan(OS2_CONTROL_OFF, end.reason == OS2_END_EXIT ? end.value : STATUS_FAILED);
        return;
    }
    if (now - service->started_ms >= BACKOFF_FORGET_MS)
        service->backoff_ms = BACKOFF_FIRST_MS;
    service->restart_ms = now + service->backoff_ms;
    os2_log(OS2_INIT_MACHINE, "%s ended: %s; starting it again in %u ms\n", service->name, how, service->backoff_ms);
    service->backoff_ms = service->backoff_ms * 2 < BACKOFF_LAST_MS ? service->backoff_ms * 2 : BACKOFF_LAST_MS;
}

/* Ends the service in that slot; it will be started again like one that crashed. */
static void serve_kill(const struct os2_message *m) {
    struct os2_message done = {.caller = m->caller};

    for (unsigned i = 0; i < SERVICES; i++) {
        if (services[i].runs && (services[i].child.id & OS2_ID_SLOT_MASK) == m->w[0]) {
            os2_process_kill(services[i].child.control);
            os2_reply(0, &done);
            return;
        }
    }
    os2_reply_fail(m->caller, OS2_E_INVALID);
}

static void serve(const struct os2_message *m) {
    if (!m->caller)
        return;
    if (m->label == OS2_SUPERVISOR_NAMES && m->badge < SERVICES) {
        services[m->badge].names_caller = m->caller;
        services[m->badge].asked = true;
        devices_reset(&services[m->badge]);
        console_up |= m->badge == SERVICE_CONSOLE;
        if (services[SERVICE_NAMES].runs && !services[m->badge].owed)
            names_answer(&services[m->badge]);
    } else if (m->label == OS2_SUPERVISOR_SHUTDOWN && m->badge == SERVICE_LAST) {
        /* No answer: the shell waits for the end. */
        off_plan(m->w[1] == OS2_CONTROL_RESTART ? OS2_CONTROL_RESTART : OS2_CONTROL_OFF, m->w[0]);
    } else if (m->label == OS2_SUPERVISOR_KILL && m->badge == SERVICE_LAST) {
        serve_kill(m);
    } else {
        os2_reply_fail(m->caller, OS2_E_RIGHTS);
    }
}

/* The earliest time at which something is to be done, as a deadline. */
static uint64_t next_deadline(void) {
    uint64_t next = UINT64_MAX, now = now_ms();
    for (unsigned i = 0; i < SERVICES; i++)
        if (!services[i].runs && services[i].restart_ms < next && !(i == SERVICE_LAST && off.planned))
            next = services[i].restart_ms;
    if (off.planned && off.latest_ms < next)
        next = off.latest_ms;
    if (services[SERVICE_DEVICES].owed && services[SERVICE_DEVICES].names_caller)
        next = now + OWED_PAUSE_MS;
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

void os2_entry(const struct os2_boot *given) {
    if (started_as_program(given))
        os2_exit(OS2_SERVICE_REFUSED);
    boot = given;
    init_arguments(boot->arguments, sizeof(boot->arguments), &arguments);
    if (arguments.bad)
        os2_log(OS2_INIT_MACHINE, "cannot read the boot arguments\n");
    if (arguments.bad && arguments.once)
        off_plan(OS2_CONTROL_OFF, STATUS_FAILED);
    if (arguments.start[0]) { /* that one may do what init may */
        services[SERVICE_LAST].name = arguments.start;
        services[SERVICE_LAST].watchdog_ms = OS2_CHILD_NO_WATCHDOG;
        services[SERVICE_LAST].quantum = OS2_QUANTUM_MAX;
    }
    if (!init_uart_find(boot, &uart))
        os2_log(OS2_INIT_MACHINE, "no UART that I know in the device tree%s\n",
                uart.facts.kind == OS2_UART_FIRMWARE ? ": the console is the firmware's" : "");
    else if (uart.facts.irq_foreign)
        os2_log(OS2_INIT_MACHINE,
                "the console's interrupt goes to a controller that the kernel does not drive: it polls\n");
    memory_check();
    for (unsigned i = 0; i < SERVICES; i++) {
        services[i].backoff_ms = BACKOFF_FIRST_MS;
        service_try(i);
    }

    for (;;) {
        struct os2_message m = {.w = {[4] = next_deadline()}};
        int status = os2_receive(OS2_F_DEADLINE, &m);
        uint64_t now;

        if (status >= 0 && (m.control & OS2_I_BITS))
            for (unsigned i = 0; i < SERVICES; i++)
                if (m.bits & UINT64_C(1) << i)
                    service_ended(i);
        if (status >= 0 && (m.control & OS2_I_MESSAGE))
            serve(&m);
        owed_try(&services[SERVICE_DEVICES]);
        now = now_ms();
        for (unsigned i = 0; i < SERVICES; i++)
            if (!services[i].runs && services[i].restart_ms <= now)
                service_try(i);
        if (off.planned && (console_up || now >= off.latest_ms))
            off_now();
    }
}
