/* SPDX-License-Identifier: MIT */
/* The console's clients (os2/console.h). */
#include "os2/console.h"

#include <stdbool.h>

#include "os2/call.h"
#include "os2/string.h"
#include "os2/time.h"

#define RETRY_MS 2 /* between two tries of a request that found the console's table of waiting callers full */

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
        status = os2_request(console, deadline == OS2_FOREVER ? 0 : OS2_F_DEADLINE, &m);
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
        status = os2_request(console, OS2_F_BLOCK | OS2_F_DEADLINE | OS2_ACCEPT(0), &m);
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
        status = os2_request(console, 0, &m);
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
    return os2_request(console, notify ? OS2_F_HANDLE : 0, &m);
}

int os2_console_flush(unsigned console, uint64_t deadline) {
    struct os2_message m = {.label = OS2_CONSOLE_FLUSH, .w = {[4] = deadline}};
    return os2_request(console, OS2_F_DEADLINE, &m);
}
