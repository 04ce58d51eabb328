/* SPDX-License-Identifier: MIT */
/*
 * A program's session with the file service: made when it is needed first, and again when the service has ended.
 *
 * A request whose server ended may be made again: the new service has the same files, and all that the old one answered
 * is on the disk. The name service is asked for the new one; a name that is not there yet is waited for.
 */
#include "usr/lib/file_session.h"

#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/time.h"

#define SESSION_TRIES 60u
#define SESSION_PAUSE_MS 10u
#define SESSION_PAUSE_MAX_MS 500u

static unsigned session; /* 0: none */
static char *page;       /* for paths; null: it is to be made */

bool os2_file_try_again(unsigned *tries) {
    uint64_t pause = (uint64_t)SESSION_PAUSE_MS * *tries;

    if (++*tries > SESSION_TRIES)
        return false;
    os2_sleep_ms(pause < SESSION_PAUSE_MAX_MS ? pause : SESSION_PAUSE_MAX_MS);
    return true;
}

static void session_end(void) {
    if (session)
        os2_handle_close(session);
    session = 0;
}

/* Makes the session: gives the service a handle to this process, by which it learns of our end. */
static int session_begin(void) {
    struct os2_message m = {.label = OS2_FILES_ATTACH};
    unsigned files, self;
    int status;

    if (session)
        return OS2_OK;
    status = os2_names_find("files", true, &files);
    if (status < 0)
        return status;
    status = os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHT_GIVE, &self);
    if (status >= 0) {
        m.w[2] = self | (uint64_t)OS2_RIGHT_GIVE << 16;
        status = os2_request(files, OS2_F_HANDLE | OS2_F_ACCEPT_HANDLE, &m);
        os2_handle_close(self);
    }
    os2_handle_close(files);
    if (status >= 0 && !(m.control & OS2_I_HANDLE))
        status = OS2_E_INVALID;
    if (status >= 0)
        session = (unsigned)m.w[2];
    return status;
}

/* Puts the paths into the page. */
static int page_fill(const char *path, const char *second) {
    size_t length = strlen(path) + 1, more = second ? strlen(second) + 1 : 0;
    void *made;

    if (length > OS2_FILES_PATH || more > OS2_FILES_PATH)
        return OS2_FILE_E_NAME;
    if (!page) {
        int status = os2_block_alloc(0, &made);
        if (status < 0)
            return status;
        page = made;
    }
    memcpy(page, path, length);
    if (second)
        memcpy(page + length, second, more);
    return OS2_OK;
}

/* Is the page still ours? A request that failed has given it away, or has not. */
static void page_check(void) {
    if (page && !os2_block_owned(page))
        page = NULL;
}

static int session_ask(enum os2_files_operation operation, const char *path, const char *second,
                       struct os2_message *m) {
    uint64_t flags = OS2_F_ACCEPT_HANDLE;
    int status = session_begin();

    if (status >= 0 && path)
        status = page_fill(path, second);
    if (status < 0)
        return status;
    m->label = operation;
    if (path) {
        m->w[3] = (uintptr_t)page;
        flags |= OS2_F_BLOCK | OS2_ACCEPT(0);
    }
    status = os2_request(session, flags, m);
    if (status >= 0 && path)
        page = m->control & OS2_I_BLOCK ? os2_message_block(m) : NULL;
    else
        page_check();
    if (status >= 0 && (int64_t)m->label < 0)
        status = (int)(int64_t)m->label;
    if (status == OS2_E_HANDLE)
        status = OS2_E_DIED;
    if (status == OS2_E_DIED)
        session_end();
    return status;
}

int os2_file_ask(enum os2_files_operation operation, const char *path, const char *second, bool again,
                 struct os2_message *m, const char **ret_text) {
    const struct os2_message asked = *m;
    unsigned tries = 0;
    int status;

    do {
        *m = asked;
        status = session_ask(operation, path, second, m);
    } while (status == OS2_E_DIED && again && os2_file_try_again(&tries));
    if (ret_text)
        *ret_text = page;
    return status;
}
