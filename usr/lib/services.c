/* SPDX-License-Identifier: MIT */
/*
 * The clients' side of the console, the name service, the file service and the supervisor: each function is one request
 * of the protocol in the header of the same name.
 */
#include <stdbool.h>

#include "os2/call.h"
#include "os2/console.h"
#include "os2/files.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

#define RETRY_MS 2 /* between two tries of a request that found the console's table of waiting callers full */

/* The reason behind OS2_E_FAILED in place of it: the server's words are more use than "failed". */
static int services_call(unsigned handle, uint64_t flags, struct os2_message *m) {
    int status = os2_call(handle, flags, m);
    if (status == OS2_E_FAILED && (int64_t)m->label < 0 && (int64_t)m->label > OS2_STATUS_END)
        status = (int)(int64_t)m->label;
    return status;
}

/* In the words of messages, some bytes in each. */
static int console_write_words(unsigned console, const char *text, size_t length, unsigned flags, uint64_t deadline) {
    size_t most = deadline == OS2_FOREVER ? OS2_CONSOLE_TEXT : OS2_CONSOLE_TEXT - sizeof(uint64_t);

    while (length) {
        size_t part = length < most ? length : most;
        struct os2_message m = {.label = OS2_CONSOLE_WRITE | part << OS2_CONSOLE_LENGTH_SHIFT | flags};
        int status;

        memcpy(m.w, text, part);
        if (deadline != OS2_FOREVER)
            m.w[4] = deadline;
        status = services_call(console, deadline == OS2_FOREVER ? 0 : OS2_F_DEADLINE, &m);
        if (status == OS2_E_BUSY) {
            os2_sleep_ms(RETRY_MS);
            continue;
        }
        if (status < 0)
            return status;
        text += part;
        length -= part;
        flags = 0;
    }
    return OS2_OK;
}

/* In a page that goes there and comes back. It is kept, so that the console needs page tables for one place only. */
static int console_write_page(unsigned console, const char *text, size_t length, unsigned flags, uint64_t deadline) {
    static void *page;
    int status = page ? OS2_OK : os2_block_alloc(0, &page);

    if (status < 0)
        return status;
    memcpy(page, text, length);
    for (;;) {
        struct os2_message m = {.label = OS2_CONSOLE_WRITE_BLOCK | flags,
                                .w = {length, 0, 0, (uintptr_t)page, deadline}};
        status = services_call(console, OS2_F_BLOCK | OS2_F_DEADLINE | OS2_ACCEPT(0), &m);
        if (status < 0 || !(m.control & OS2_I_BLOCK))
            break;
        page = os2_message_block(&m);
        if ((int64_t)m.label != OS2_E_BUSY)
            return OS2_OK;
        os2_sleep_ms(RETRY_MS);
    }
    /* Gone, or still ours: the kernel knows. Freeing what is not ours is refused. */
    os2_block_free(page);
    page = NULL;
    return status; /* OS2_OK: printed, but there was no way to give the page back */
}

/* Whether a failure is for want of memory, here or in the console. */
static bool is_shortage(int status) {
    return status == OS2_E_QUOTA || status == OS2_E_MEMORY || status == OS2_E_FULL || status == OS2_E_REFUSED;
}

int os2_console_write(unsigned console, const char *text, size_t length, unsigned flags, uint64_t deadline) {
    size_t words = deadline == OS2_FOREVER ? OS2_CONSOLE_TEXT : OS2_CONSOLE_TEXT - sizeof(uint64_t);

    while (length) {
        size_t part = length < OS2_PAGE_SIZE ? length : OS2_PAGE_SIZE;
        int status = OS2_E_MEMORY;

        if (part > words)
            status = console_write_page(console, text, part, flags, deadline);
        if (part <= words || is_shortage(status))
            status = console_write_words(console, text, part, flags, deadline);
        if (status < 0)
            return status;
        text += part;
        length -= part;
        flags = 0;
    }
    return OS2_OK;
}

int os2_console_read(unsigned console, unsigned flags, char bytes[OS2_CONSOLE_TEXT]) {
    struct os2_message m;
    int status;

    do {
        m = (struct os2_message){.label = OS2_CONSOLE_READ, .w = {flags}};
        status = services_call(console, 0, &m);
        if (status == OS2_E_BUSY)
            os2_sleep_ms(RETRY_MS);
    } while (status == OS2_E_BUSY);
    if (status < 0)
        return status;
    if (m.label > OS2_CONSOLE_TEXT)
        return OS2_E_INVALID;
    memcpy(bytes, m.w, m.label);
    return (int)m.label;
}

int os2_console_interrupt(unsigned console, unsigned notify, uint64_t bits) {
    struct os2_message m = {.label = OS2_CONSOLE_INTERRUPT, .w = {bits}};
    if (notify)
        m.w[2] = notify | (uint64_t)OS2_RIGHTS_ALL << 16;
    return services_call(console, notify ? OS2_F_HANDLE : 0, &m);
}

int os2_console_flush(unsigned console, uint64_t deadline) {
    struct os2_message m = {.label = OS2_CONSOLE_FLUSH, .w = {[4] = deadline}};
    return services_call(console, OS2_F_DEADLINE, &m);
}

static void services_name(struct os2_message *m, const char *name) {
    char padded[OS2_NAME_SIZE] = {0};
    for (unsigned i = 0; i < sizeof(padded) && name[i]; i++)
        padded[i] = name[i];
    memcpy(m->w, padded, sizeof(padded));
}

int os2_names_register(unsigned names, const char *name, unsigned handle) {
    struct os2_message m = {.label = OS2_NAMES_REGISTER};
    services_name(&m, name);
    m.w[2] = handle | (uint64_t)OS2_RIGHTS_ALL << 16;
    return services_call(names, OS2_F_HANDLE, &m);
}

int os2_names_lookup(unsigned names, const char *name, bool wait, unsigned *ret_handle) {
    struct os2_message m = {.label = OS2_NAMES_LOOKUP};
    int status;

    services_name(&m, name);
    m.w[2] = !wait;
    status = services_call(names, OS2_F_ACCEPT_HANDLE, &m);
    if (status < 0)
        return status;
    if (!(m.control & OS2_I_HANDLE))
        return OS2_E_INVALID;
    *ret_handle = (unsigned)m.w[2];
    return OS2_OK;
}

int os2_supervisor_names(unsigned supervisor, unsigned *ret_names) {
    struct os2_message m = {.label = OS2_SUPERVISOR_NAMES};
    int status = services_call(supervisor, OS2_F_ACCEPT_HANDLE, &m);
    if (status < 0)
        return status;
    if (!(m.control & OS2_I_HANDLE))
        return OS2_E_INVALID;
    *ret_names = (unsigned)m.w[2];
    return OS2_OK;
}

int os2_supervisor_shutdown(unsigned supervisor, uint64_t code) {
    struct os2_message m = {.label = OS2_SUPERVISOR_SHUTDOWN, .w = {code}};
    return services_call(supervisor, 0, &m);
}

int os2_supervisor_restart(unsigned supervisor) {
    struct os2_message m = {.label = OS2_SUPERVISOR_SHUTDOWN, .w = {0, OS2_CONTROL_RESTART}};
    return services_call(supervisor, 0, &m);
}

int os2_supervisor_kill(unsigned supervisor, uint64_t slot) {
    struct os2_message m = {.label = OS2_SUPERVISOR_KILL, .w = {slot}};
    return services_call(supervisor, 0, &m);
}

int os2_names_serve(const char *name, uint64_t bits) {
    unsigned names, self;
    int status = os2_supervisor_names(os2_start_handle("init"), &names);

    if (status < 0)
        return status;
    status = os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &self);
    if (status >= 0) {
        status = os2_names_register(names, name, self);
        os2_handle_close(self);
    }
    if (status >= 0)
        status = os2_watch(names, bits);
    os2_handle_close(names);
    return status;
}

int os2_files_open(unsigned files, const char *path, uint64_t *ret_file, uint64_t *ret_size) {
    struct os2_message m = {.label = OS2_FILES_OPEN};
    size_t length = strlen(path);
    int status;

    if (length > OS2_FILES_PATH)
        return OS2_E_INVALID;
    memcpy(m.w, path, length);
    status = services_call(files, 0, &m);
    if (status >= 0) {
        *ret_file = m.label;
        *ret_size = m.w[0];
    }
    return status;
}

int os2_files_list(unsigned files, uint64_t file, char ret_path[OS2_FILES_PATH + 1], uint64_t *ret_size) {
    struct os2_message m = {.label = OS2_FILES_LIST, .w = {file}};
    int status = services_call(files, 0, &m);
    if (status >= 0) {
        memcpy(ret_path, m.w, OS2_FILES_PATH);
        ret_path[OS2_FILES_PATH] = 0;
        *ret_size = m.label;
    }
    return status;
}

int os2_files_read(unsigned files, uint64_t file, uint64_t offset, unsigned order, void **ret_block,
                   uint64_t *ret_size) {
    struct os2_message m = {.label = OS2_FILES_READ, .w = {file, offset, order}};
    int status = services_call(files, OS2_ACCEPT(order), &m);
    if (status < 0)
        return status;
    if (!(m.control & OS2_I_BLOCK))
        return OS2_E_INVALID;
    *ret_block = os2_message_block(&m);
    *ret_size = m.label;
    return OS2_OK;
}
