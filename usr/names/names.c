/* SPDX-License-Identifier: MIT */
/*
 * The name service (os2/names.h).
 *
 * Two small tables: names with a handle to each, and callers that wait for a name that is not there yet. Each name has
 * a notification bit, which the kernel sets when the name's process ends; then the name is dropped.
 *
 * No client can fill or hang the service. Only trusted ones register. A lookup that has to wait takes a place in the
 * second table; when all are taken, the one that has waited longest is told OS2_E_BUSY and may ask again, because the
 * service cannot know which of the waiting have meanwhile ended. An answer never waits.
 */
#include "os2/names.h"

#include "os2/call.h"
#include "os2/string.h"
#include "os2/supervisor.h"

#define NAMES 48u /* each has a notification bit */
#define WAITERS 64u
_Static_assert(NAMES <= 64, "a bit each");

struct name {
    char text[OS2_NAME_SIZE];
    unsigned handle; /* 0: the place is free */
};

struct waiter {
    uint64_t caller; /* 0: the place is free */
    uint64_t age;    /* of two the smaller has waited longer */
    bool trusted;
    char text[OS2_NAME_SIZE];
};

static struct name names[NAMES];
static struct waiter waiters[WAITERS];
static uint64_t waiter_age;

static struct name *name_find(const char *text) {
    for (unsigned i = 0; i < NAMES; i++)
        if (names[i].handle && memcmp(names[i].text, text, OS2_NAME_SIZE) == 0)
            return &names[i];
    return NULL;
}

/* Answers a lookup. Ordinary clients get a handle with a badge of its own, which they cannot change. */
static void name_answer(const struct name *name, uint64_t caller, bool trusted) {
    struct os2_message m = {.caller = caller};
    unsigned rights = OS2_RIGHT_SEND | OS2_RIGHT_GIVE | (trusted ? OS2_RIGHT_MINT : 0), copy;
    int status = os2_handle_mint(name->handle, OS2_HANDLE_INBOX, trusted ? 0 : 1, rights, &copy);

    if (status >= 0) {
        m.w[2] = copy | (uint64_t)rights << 16;
        status = os2_reply(OS2_F_HANDLE, &m);
        os2_handle_close(copy);
    }
    if (status < 0 && status != OS2_E_NOT_WAITING)
        os2_reply_fail(caller, status);
}

static int name_register(const char *text, unsigned handle) {
    struct name *name = name_find(text);
    int status;

    for (unsigned i = 0; !name && i < NAMES; i++)
        if (!names[i].handle)
            name = &names[i];
    if (!name)
        return OS2_E_FULL;
    status = os2_watch(handle, UINT64_C(1) << (name - names));
    if (status < 0)
        return status;
    if (name->handle) {
        os2_watch(name->handle, 0);
        os2_handle_close(name->handle);
        /* If both lead to the same process, its watch has just been withdrawn. */
        os2_watch(handle, UINT64_C(1) << (name - names));
    }
    memcpy(name->text, text, OS2_NAME_SIZE);
    name->handle = handle;
    for (unsigned i = 0; i < WAITERS; i++) {
        if (waiters[i].caller && memcmp(waiters[i].text, text, OS2_NAME_SIZE) == 0) {
            name_answer(name, waiters[i].caller, waiters[i].trusted);
            waiters[i].caller = 0;
        }
    }
    return OS2_OK;
}

static void name_wait(const char *text, uint64_t caller, bool trusted) {
    struct waiter *place = &waiters[0];

    for (unsigned i = 0; i < WAITERS && place->caller; i++)
        if (!waiters[i].caller || waiters[i].age < place->age)
            place = &waiters[i];
    if (place->caller)
        os2_reply_fail(place->caller, OS2_E_BUSY);
    *place = (struct waiter){.caller = caller, .age = ++waiter_age, .trusted = trusted};
    memcpy(place->text, text, OS2_NAME_SIZE);
}

static void serve(const struct os2_message *m) {
    unsigned handle = m->control & OS2_I_HANDLE ? (unsigned)m->w[2] : 0;
    struct os2_message done = {.caller = m->caller};
    bool trusted = m->badge == OS2_NAMES_TRUSTED;
    char text[OS2_NAME_SIZE];
    struct name *name;
    int status = OS2_E_INVALID;

    memcpy(text, m->w, sizeof(text));
    if (!m->caller) {
        if (handle)
            os2_handle_close(handle);
        return;
    }
    if (m->label == OS2_NAMES_REGISTER) {
        if (!trusted)
            status = OS2_E_RIGHTS;
        else if (handle && text[0])
            status = name_register(text, handle);
        if (status >= 0) {
            os2_reply(0, &done);
            return;
        }
    } else if (m->label == OS2_NAMES_LOOKUP && !handle) {
        name = name_find(text);
        if (name)
            name_answer(name, m->caller, trusted);
        else if (m->w[2] == 0)
            name_wait(text, m->caller, trusted);
        else
            os2_reply_fail(m->caller, OS2_E_WOULD_WAIT);
        return;
    }
    if (handle)
        os2_handle_close(handle);
    os2_reply_fail(m->caller, status);
}

int main(void) {
    if (!os2_service_begin())
        return OS2_SERVICE_REFUSED;
    for (;;) {
        struct os2_message m = {0};

        if (os2_receive(OS2_F_ACCEPT_HANDLE, &m) < 0)
            continue;
        if (m.control & OS2_I_BITS) {
            for (unsigned i = 0; i < NAMES; i++) {
                if (m.bits & UINT64_C(1) << i && names[i].handle) {
                    os2_handle_close(names[i].handle);
                    names[i].handle = 0;
                }
            }
        }
        if (m.control & OS2_I_MESSAGE)
            serve(&m);
    }
}
