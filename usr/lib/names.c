/* SPDX-License-Identifier: MIT */
/* The name service's clients (os2/names.h). */
#include "os2/names.h"

#include "os2/call.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/time.h"

static void names_pad(struct os2_message *m, const char *name) {
    char padded[OS2_NAME_SIZE] = {0};
    for (unsigned i = 0; i < sizeof(padded) && name[i]; i++)
        padded[i] = name[i];
    memcpy(m->w, padded, sizeof(padded));
}

int os2_names_register(unsigned names, const char *name, unsigned handle) {
    struct os2_message m = {.label = OS2_NAMES_REGISTER};
    names_pad(&m, name);
    m.w[2] = handle | (uint64_t)OS2_RIGHTS_ALL << 16;
    return os2_request(names, OS2_F_HANDLE, &m);
}

/* Until `deadline` at the latest. */
static int lookup(unsigned names, const char *name, bool wait, uint64_t deadline, unsigned *ret_handle) {
    struct os2_message m = {.label = OS2_NAMES_LOOKUP};
    uint64_t flags = OS2_F_ACCEPT_HANDLE | (deadline == OS2_FOREVER ? 0 : OS2_F_DEADLINE);
    int status;

    names_pad(&m, name);
    m.w[2] = !wait;
    m.w[4] = deadline;
    status = os2_request(names, flags, &m);
    if (status < 0)
        return status;
    if (!(m.control & OS2_I_HANDLE))
        return OS2_E_INVALID;
    *ret_handle = (unsigned)m.w[2];
    return OS2_OK;
}

int os2_names_lookup(unsigned names, const char *name, bool wait, unsigned *ret_handle) {
    return lookup(names, name, wait, OS2_FOREVER, ret_handle);
}

int os2_names_find(const char *name, bool wait, unsigned *ret_handle) {
    static unsigned newer; /* 0: the one of the start page has not ended */
    uint64_t deadline = wait ? os2_deadline_ms(OS2_NAMES_WAIT_MS) : OS2_FOREVER;
    unsigned asked = os2_start_handle("init");
    int status = OS2_E_DIED;

    /* Nothing is watched here to learn of an end: a service watches the name service for a reason of its own. */
    if (newer || os2_start_handle("names"))
        status = lookup(newer ? newer : os2_start_handle("names"), name, wait, deadline, ret_handle);
    if (status != OS2_E_DIED)
        return status;
    if (newer)
        os2_handle_close(newer);
    newer = 0;
    status = os2_supervisor_names(asked ? asked : os2_start_handle("supervisor"), &newer);
    return status < 0 ? status : lookup(newer, name, wait, deadline, ret_handle);
}

int os2_names_serve_watched(const char *name, uint64_t bits, unsigned *ret_names) {
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
    if (*ret_names)
        os2_handle_close(*ret_names);
    *ret_names = names;
    return status;
}

int os2_names_serve(const char *name, uint64_t bits) {
    unsigned names = 0;
    int status = os2_names_serve_watched(name, bits, &names);

    if (names)
        os2_handle_close(names);
    return status;
}
