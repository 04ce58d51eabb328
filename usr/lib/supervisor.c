/* SPDX-License-Identifier: MIT */
/* What a service asks of init (os2/supervisor.h). */
#include "os2/supervisor.h"

#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"

bool os2_service_begin(void) {
    if (os2_start_handle("init"))
        return true;
    os2_error("this is a service: init starts it; `ps` shows it, and `kill ID` has it started again");
    return false;
}

int os2_supervisor_names(unsigned supervisor, unsigned *ret_names) {
    struct os2_message m = {.label = OS2_SUPERVISOR_NAMES};
    int status = os2_request(supervisor, OS2_F_ACCEPT_HANDLE, &m);
    if (status < 0)
        return status;
    if (!(m.control & OS2_I_HANDLE))
        return OS2_E_INVALID;
    *ret_names = (unsigned)m.w[2];
    return OS2_OK;
}

int os2_supervisor_pass_names(uint64_t caller) {
    struct os2_message m = {.caller = caller};
    unsigned names;
    int status = os2_supervisor_names(os2_start_handle("init"), &names);

    if (status < 0)
        return status;
    m.w[2] = names | (uint64_t)OS2_RIGHTS_ALL << 16;
    status = os2_reply(OS2_F_HANDLE, &m);
    os2_handle_close(names);
    return status;
}

int os2_supervisor_shutdown(unsigned supervisor, uint64_t code) {
    struct os2_message m = {.label = OS2_SUPERVISOR_SHUTDOWN, .w = {code}};
    return os2_request(supervisor, 0, &m);
}

int os2_supervisor_restart(unsigned supervisor) {
    struct os2_message m = {.label = OS2_SUPERVISOR_SHUTDOWN, .w = {0, OS2_CONTROL_RESTART}};
    return os2_request(supervisor, 0, &m);
}

int os2_supervisor_kill(unsigned supervisor, uint64_t slot) {
    struct os2_message m = {.label = OS2_SUPERVISOR_KILL, .w = {slot}};
    return os2_request(supervisor, 0, &m);
}

int os2_supervisor_list(unsigned supervisor, unsigned index, struct os2_service_facts *ret_facts) {
    struct os2_message m = {.label = OS2_SUPERVISOR_LIST, .w = {index}};
    int status = os2_request(supervisor, 0, &m);

    if (status < 0)
        return status;
    *ret_facts = (struct os2_service_facts){
        .state = m.label & 0xff,
        .slot = m.label >> 8 & 0xffff,
        .restarts = (unsigned)(m.label >> 32),
        .grants = (unsigned)m.w[2],
        .ended = m.w[3] & 0xff,
        .value = m.w[3] >> 8,
        .since_ms = m.w[4],
    };
    memcpy(ret_facts->name, m.w, 16);
    return OS2_OK;
}

int os2_supervisor_start(unsigned supervisor, const char *name) {
    struct os2_message m = {.label = OS2_SUPERVISOR_RESTART};
    size_t length = strlen(name);

    if (length > 16)
        return OS2_E_INVALID;
    memcpy(m.w, name, length);
    return os2_request(supervisor, 0, &m);
}
