/* SPDX-License-Identifier: MIT */
/*
 * Services: how they are started, what they get, and what happens when they end.
 *
 * Each has a watchdog limit, and nobody below it can have a longer one, or none: so no program can keep a core for
 * good. init itself has none. Nor can programs take what a service needs to come back: init keeps an eighth of its
 * quota, which pays for its pages and its slot.
 *
 * A service that ends is started again after a pause: 100 ms at first. Each time that it crashes the pause is doubled,
 * up to 10 s, and 100 ms again once it has run for 10 s. To be killed is no crash. One that has crashed `ends` times in
 * a row is given up, and the others go on without it. When the table's last service was started for one job (os2.run,
 * os2.start), its end is the machine's.
 *
 * Whoever holds devices, or had children that did, may have a device that still writes to its memory when it has ended.
 * Its control handle is kept until the next one is ready, which has reset the devices then; only the close of that
 * handle gives the memory back. Until then the new one has the least that it needs, and then what the one before had.
 */
#include "init/init.h"

#include "lib/cpio.h"
#include "os2/call.h"
#include "os2/log.h"
#include "os2/names.h"
#include "os2/string.h"

#define BACKOFF_FIRST_MS 100u
#define BACKOFF_LAST_MS 10000u
#define BACKOFF_FORGET_MS 10000u
#define OWED_MOST_MS 2000u
#define SERVICE_SHARE 16u /* of what is left, for each service */
#define LAST_SHARE 8u     /* of what is left when the last service starts, for starting the others again */
#define SELF_PAGES 16u    /* for pieces of children on their way */
#define MIB_PAGES (UINT64_C(1) << (20 - OS2_PAGE_SHIFT))
#define TABLE_FILE "services"

struct service *service_granted(enum table_grant grant) {
    for (unsigned i = 0; i < init.count; i++)
        if (init.services[i].plan.grants & grant)
            return &init.services[i];
    return NULL;
}

struct service *service_named(const char *name) {
    for (unsigned i = 0; i < init.count; i++)
        if (strcmp(init.services[i].plan.name, name) == 0)
            return &init.services[i];
    return NULL;
}

static bool archive_find(const char *name, struct cpio_file *ret_file) {
    return cpio_find((const void *)(uintptr_t)init.boot->archive, init.boot->archive_size, name, ret_file);
}

void services_read(void) {
    static struct table_service plans[TABLE_SERVICES];
    const char *reason = "there is no such file in the boot archive";
    struct cpio_file file;
    unsigned line = 0;

    if (archive_find(TABLE_FILE, &file))
        init.count = table_read((const char *)file.bytes, file.size, plans, &line, &reason);
    if (line)
        os2_log(OS2_INIT_MACHINE, TABLE_FILE ":%u: %s; the line is ignored\n", line, reason);
    else if (!init.count)
        os2_log(OS2_INIT_MACHINE, "no services: " TABLE_FILE ": %s\n", reason);
    for (unsigned i = 0; i < init.count; i++) {
        struct service *service = &init.services[i];
        *service = (struct service){.plan = plans[i], .backoff_ms = BACKOFF_FIRST_MS};
        if (!service->plan.watchdog_ms)
            service->plan.watchdog_ms = OS2_WATCHDOG_DEFAULT_MS;
        if (service->plan.last && init.arguments.start[0]) { /* that one may do what init may */
            os2_string_copy(service->plan.name, TABLE_NAME, init.arguments.start);
            os2_string_copy(service->plan.program, TABLE_NAME, init.arguments.start);
            service->plan.watchdog_ms = OS2_CHILD_NO_WATCHDOG;
            service->plan.quantum = OS2_QUANTUM_MAX;
        }
    }
}

/* A service's program, and the least quota with which it can do its work. */
static int service_needs(const struct service *service, struct cpio_file *ret_file, uint64_t *ret_pages) {
    int status;

    if (!archive_find(service->plan.program, ret_file))
        return OS2_E_INVALID;
    status = os2_child_least(ret_file->bytes, ret_file->size, service->plan.stack_order, ret_pages);
    *ret_pages += service->plan.least + grants_pages(service);
    return status;
}

void services_memory_check(void) {
    uint64_t need = SELF_PAGES, left = os2_quota_left(), missing;
    struct cpio_file file;
    struct os2_message m = {0};

    for (unsigned i = 0; i < init.count; i++) {
        uint64_t pages = 0;
        if (service_needs(&init.services[i], &file, &pages) >= 0)
            need += init.services[i].plan.last ? pages + pages / (LAST_SHARE - 1) + 1 : pages;
    }
    if (need <= left || os2_machine_info(OS2_INIT_MACHINE, OS2_MACHINE_MACHINE, 0, &m) < 0)
        return;
    missing = need - left;
    missing += missing / 64 + 1; /* what the kernel keeps for each page */
    os2_log(OS2_INIT_MACHINE, "too little memory: %lu pages are missing; RAM of %lu MiB is the least that works\n",
            missing, (m.w[3] + missing + MIB_PAGES - 1) / MIB_PAGES);
}

/*
 * What a service gets: a sixteenth of what there is, but no less than it needs and no more than it can use. The last
 * one gets nearly all the rest, for the programs; what stays is for starting the others again.
 */
static uint64_t service_quota(const struct service *service, uint64_t least) {
    const struct table_service *plan = &service->plan;
    uint64_t left = os2_quota_left();
    uint64_t quota = plan->last ? left - left / LAST_SHARE : left / SERVICE_SHARE;

    /* One that is started again gets what it had: what it has given back is among what is left. */
    if (service->quota > quota && service->quota <= left - left / SERVICE_SHARE)
        quota = service->quota;
    if (service->kept) /* what the one before had has not come back */
        return least;
    if (plan->most && quota > least - plan->least + plan->most)
        quota = least - plan->least + plan->most;
    return quota < least ? least : quota;
}

/* Fills and starts a created child. */
static int service_fill(struct service *service, struct os2_child *child) {
    const char *argv[1 + TABLE_ARGUMENTS + GRANT_ARGUMENTS + 2] = {service->plan.name};
    char text[GRANT_ARGUMENTS][24];
    unsigned argc = 1;
    int status;

    for (unsigned i = 0; i < service->plan.argument_count; i++)
        argv[argc++] = service->plan.arguments[i];
    status = grants_give(service, child, argv, &argc, text);
    if (service->plan.last && init.arguments.run[0]) {
        argv[argc++] = "-c";
        argv[argc++] = init.arguments.run;
    }
    return status < 0 ? status : os2_child_start(child, argc, argv);
}

/* Makes the child. On failure *ret_reason says why, or the status does. */
static int service_start(struct service *service, const char **ret_reason) {
    struct cpio_file file;
    struct os2_child_plan plan = {
        .process = {.quantum = service->plan.quantum,
                    .watchdog_ms = service->plan.watchdog_ms,
                    .end_bits = UINT64_C(1) << (service - init.services),
                    .name = service->plan.name},
        .stack_order = service->plan.stack_order,
    };
    uint64_t least = 0;
    int status = service_needs(service, &file, &least);

    if (status < 0) {
        *ret_reason = "it is not in the boot archive, or no program";
        return status;
    }
    plan.image = file.bytes;
    plan.image_size = file.size;
    plan.process.quota = service_quota(service, least);
    status = os2_child_create(&plan, &service->child, ret_reason);
    if (status < 0)
        return status;
    status = service_fill(service, &service->child);
    if (status < 0)
        os2_child_drop(&service->child);
    service->owed = service->kept && service->quota > plan.process.quota ? service->quota - plan.process.quota : 0;
    if (!service->kept)
        service->quota = plan.process.quota;
    return status;
}

static void backoff_double(struct service *service) {
    service->backoff_ms = service->backoff_ms * 2 < BACKOFF_LAST_MS ? service->backoff_ms * 2 : BACKOFF_LAST_MS;
}

int names_handle(unsigned *ret_handle) {
    const struct service *names = service_named("names");

    if (!names || !names->runs)
        return OS2_E_DIED;
    return os2_handle_mint(names->child.control, OS2_HANDLE_INBOX, OS2_NAMES_TRUSTED, OS2_RIGHTS_ALL, ret_handle);
}

/* Answers a service that asked for a name service, if there is one. */
static void names_answer(struct service *service) {
    unsigned handle;
    struct os2_message m = {.caller = service->names_caller};
    int status;

    if (!service->names_caller || service->owed || names_handle(&handle) < 0)
        return;
    service->names_caller = 0;
    m.w[2] = handle | (uint64_t)OS2_RIGHTS_ALL << 16;
    status = os2_reply(OS2_F_HANDLE, &m);
    os2_handle_close(handle);
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(m.caller, status);
}

bool service_due(const struct service *service, uint64_t now) {
    if (service->runs || service->given_up || service->restart_ms > now || (service->plan.last && init.off.planned))
        return false;
    for (unsigned i = 0; i < init.count; i++)
        if (service->plan.after & UINT32_C(1) << i && !init.services[i].once_ready)
            return false;
    return true;
}

void service_try(struct service *service) {
    const char *reason = NULL;
    int status = service_start(service, &reason);
    uint64_t now = init_now_ms();

    service->runs = status >= 0;
    service->ready = false;
    service->since_ms = now;
    if (status < 0 && status != service->told)
        os2_log(OS2_INIT_MACHINE, "cannot start %s: %s; I try again\n", service->plan.name,
                reason ? reason : os2_status_text(status));
    service->told = status < 0 ? status : OS2_OK;
    if (status < 0) {
        if (init.arguments.once && (service->plan.last || status == OS2_E_QUOTA || status == OS2_E_MEMORY))
            init_off_plan(OS2_CONTROL_OFF, STATUS_FAILED);
        backoff_double(service);
        service->restart_ms = now + service->backoff_ms;
        return;
    }
    if (service == service_named("names"))
        for (unsigned i = 0; i < init.count; i++)
            names_answer(&init.services[i]);
}

void service_ready(struct service *service, uint64_t caller) {
    service->ready = service->once_ready = true;
    service->names_caller = caller;
    if (service->kept)
        os2_handle_close(service->kept);
    service->kept = 0;
    service->owed_ms = init_now_ms() + OWED_MOST_MS;
    service_pay(service);
}

void service_pay(struct service *service) {
    if (!service->names_caller)
        return;
    if (service->owed && os2_process_grant(service->child.control, 0, 0, service->owed, NULL) < 0 &&
        init_now_ms() < service->owed_ms)
        return;
    service->owed = 0;
    names_answer(service);
}

/* Lets go of the process. Of one that may have had devices running, not before the next one is ready; and one that was
 * never ready has started no driver, so that the one before it is still what is kept. */
static void service_let_go(struct service *service) {
    if (service->plan.grants & GRANT_DEVICES && service->ready) {
        service->kept = service->child.control;
        service->child.control = 0;
    }
    os2_child_drop(&service->child);
    service->runs = service->ready = false;
    service->names_caller = 0;
}

/* Was the end no crash? */
static bool end_is_wanted(const struct os2_process_end *end) {
    return end->reason == OS2_END_KILLED;
}

/* Plans the restart, and says so. */
static void service_again(struct service *service, const struct os2_process_end *end, const char *how) {
    uint64_t now = init_now_ms();

    if (now - service->since_ms >= BACKOFF_FORGET_MS || end_is_wanted(end)) {
        service->backoff_ms = BACKOFF_FIRST_MS;
        service->crashes = 0;
    }
    service->crashes += !end_is_wanted(end);
    service->since_ms = now;
    if (service->plan.ends && service->crashes >= service->plan.ends) {
        service->given_up = true;
        os2_log(OS2_INIT_MACHINE, "%s ended: %s; it is given up after %u crashes in a row (`restart %s`)\n",
                service->plan.name, how, service->crashes, service->plan.name);
        return;
    }
    service->restarts++;
    service->restart_ms = now + service->backoff_ms;
    os2_log(OS2_INIT_MACHINE, "%s ended: %s; starting it again in %u ms\n", service->plan.name, how,
            service->backoff_ms);
    if (!end_is_wanted(end))
        backoff_double(service);
}

void service_ended(struct service *service) {
    struct os2_process_end end = {0};
    char how[128];

    if (!service->runs || os2_process_end(service->child.control, 0, &end) < 0)
        return;
    os2_child_describe(&service->child, &end, how, sizeof(how));
    service_let_go(service);
    service->ended = end.reason;
    service->end_value = end.value;
    if (service->plan.last && init.arguments.once) {
        if (end.reason != OS2_END_EXIT)
            os2_log(OS2_INIT_MACHINE, "%s ended: %s\n", service->plan.name, how);
        init_off_plan(OS2_CONTROL_OFF, end.reason == OS2_END_EXIT ? end.value : STATUS_FAILED);
        return;
    }
    service_again(service, &end, how);
}

void service_restart(struct service *service) {
    service->given_up = false;
    service->crashes = 0;
    service->backoff_ms = BACKOFF_FIRST_MS;
    if (service->runs)
        os2_process_kill(service->child.control);
    else
        service->restart_ms = 0;
}
