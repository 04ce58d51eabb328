/* SPDX-License-Identifier: MIT */
/*
 * What a service is given, by the words of its line in the table (init/table.h). Every right in the system is handed
 * down from here.
 */
#include "init/init.h"

#include "lib/cpio.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/names.h"

struct grants {
    struct os2_child *child;
    const char **argv;
    unsigned *argc;
    char (*text)[24];
    unsigned texts;
    uint64_t at;      /* where the next copy goes */
    unsigned machine; /* rights to it */
};

static uint64_t pages_of(uint64_t size) {
    return (size + OS2_PAGE_SIZE - 1) / OS2_PAGE_SIZE;
}

/* The archive with the drivers, which is a file of the boot archive. */
static struct cpio_file drivers_file(void) {
    struct cpio_file file = {0};

    cpio_find((const void *)(uintptr_t)init.boot->archive, init.boot->archive_size, "drivers.cpio", &file);
    return file;
}

uint64_t grants_pages(const struct service *service) {
    uint64_t pages = 0;

    if (service->plan.grants & GRANT_DRIVERS)
        pages += pages_of(drivers_file().size);

    if (service->plan.grants & GRANT_ARCHIVE)
        pages += pages_of(init.boot->archive_size);
    if (service->plan.grants & GRANT_TREE && init.boot->tree)
        pages += pages_of(init.boot->tree_size);
    return pages ? pages + pages / 512 + 1 : 0; /* tables that map it */
}

/* One argument more. */
static void grant_number(struct grants *g, uint64_t number) {
    format(g->text[g->texts], sizeof(g->text[0]), "0x%lx", number);
    g->argv[(*g->argc)++] = g->text[g->texts++];
}

/* A handle to init, which tells services apart by the badge. */
static int grant_init(struct grants *g, struct service *service) {
    unsigned self;
    int status = os2_handle_mint(0, OS2_HANDLE_INBOX, (uint64_t)(service - init.services),
                                 OS2_RIGHT_GIVE | OS2_RIGHT_SEND, &self);

    if (status < 0)
        return status;
    status = os2_child_grant(g->child, "init", self, OS2_RIGHT_SEND);
    os2_handle_close(self);
    return status;
}

static int grant_uart(struct grants *g) {
    uint64_t base;
    int status = init_uart_give(&init.uart, g->child, &base, &g->machine);

    grant_number(g, init.uart.facts.kind);
    grant_number(g, base);
    grant_number(g, init.uart.facts.shift);
    grant_number(g, init.uart.facts.ports ? 0 : init.uart.facts.io_width);
    return status;
}

/* A copy of something that init has. */
static int grant_copy(struct grants *g, uint64_t bytes, uint64_t size) {
    int status = size ? os2_child_fill(g->child, (const void *)(uintptr_t)bytes, size, g->at, OS2_PROT_READ) : OS2_OK;

    grant_number(g, g->at);
    grant_number(g, size);
    g->at += pages_of(size) * OS2_PAGE_SIZE;
    return status;
}

/* A program that the boot arguments name in the place of the last service may do what init may. */
static bool is_job(const struct service *service) {
    return service->plan.last && init.arguments.start[0];
}

static int grant_names(struct grants *g) {
    unsigned handle;
    int status = names_handle(&handle);

    if (status < 0)
        return status;
    status = os2_child_grant(g->child, "names", handle, OS2_RIGHTS_ALL);
    os2_handle_close(handle);
    return status;
}

/* Where the console does not run there is none to be had: the service finds it by its name later. */
static int grant_console(struct grants *g, const struct service *service) {
    const struct service *console = service_granted(GRANT_UART);
    unsigned handle;
    int status;

    if (!console || !console->runs)
        return OS2_OK;
    status = os2_handle_mint(console->child.control, OS2_HANDLE_INBOX,
                             is_job(service) ? OS2_CONSOLE_READER : OS2_CONSOLE_OWNER, OS2_RIGHTS_ALL, &handle);
    if (status < 0)
        return status;
    status = os2_child_grant(g->child, "console.in", handle, OS2_RIGHTS_ALL);
    if (status >= 0)
        status = os2_child_grant(g->child, "console.out", handle, OS2_RIGHTS_ALL);
    os2_handle_close(handle);
    return status;
}

static int grant_machine(struct grants *g, const struct service *service) {
    unsigned grants = service->plan.grants;

    g->machine |= grants & GRANT_LOG ? OS2_RIGHT_LOG : 0;
    g->machine |= grants & GRANT_DEVICES ? OS2_RIGHT_DEVICES | OS2_RIGHT_GIVE : 0; /* drivers write to the log */
    g->machine |= grants & GRANT_OBSERVE ? OS2_RIGHT_OBSERVE | OS2_RIGHT_GIVE : 0;
    if (is_job(service))
        g->machine = OS2_RIGHTS_ALL;
    return g->machine ? os2_child_grant(g->child, "machine", OS2_INIT_MACHINE, g->machine) : OS2_OK;
}

int grants_give(struct service *service, struct os2_child *child, const char **argv, unsigned *argc,
                char text[GRANT_ARGUMENTS][24]) {
    struct grants g = {.child = child, .argv = argv, .argc = argc, .text = text, .at = OS2_LARGE_BASE};
    unsigned grants = service->plan.grants;
    int status = grant_init(&g, service);

    if (status >= 0 && grants & GRANT_UART)
        status = grant_uart(&g);
    if (status >= 0)
        status = grant_machine(&g, service);
    if (status >= 0 && grants & GRANT_TREE)
        status = grant_copy(&g, init.boot->tree, init.boot->tree ? init.boot->tree_size : 0);
    if (status >= 0 && grants & GRANT_ARCHIVE)
        status = grant_copy(&g, init.boot->archive, init.boot->archive_size);
    if (status >= 0 && grants & GRANT_DRIVERS)
        status = grant_copy(&g, (uintptr_t)drivers_file().bytes, drivers_file().size);
    if (status >= 0 && grants & GRANT_NAMES)
        status = grant_names(&g);
    if (status >= 0 && grants & GRANT_CONSOLE)
        status = grant_console(&g, service);
    return status;
}
