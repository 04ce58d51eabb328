/* SPDX-License-Identifier: MIT */
/* Teams of processes of one program: see os2/team.h. */
#include "os2/team.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/file.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"

static int failed(const struct os2_team *team, const char *what, int status) {
    if (status < 0)
        os2_error("%s: %s: %s", team->program, what, os2_status_text(status));
    return status;
}

int os2_team_open(struct os2_team *team, const char *program) {
    char path[OS2_FILES_NAME];

    *team = (struct os2_team){.program = program, .good = true};
    format(path, sizeof(path), "/boot/%s", program);
    return failed(team, "cannot load the program", os2_file_load(path, &team->image, &team->size));
}

/* Grants a handle minted from another, which is closed again. */
static int grant(struct os2_child *child, const char *name, unsigned source, uint64_t badge) {
    unsigned handle;
    int status = os2_handle_mint(source, OS2_HANDLE_INBOX, badge, OS2_RIGHT_SEND | OS2_RIGHT_GIVE, &handle);

    if (status < 0)
        return status;
    status = os2_child_grant(child, name, handle, OS2_RIGHT_SEND | OS2_RIGHT_GIVE);
    os2_handle_close(handle);
    return status;
}

int os2_team_add(struct os2_team *team, const struct os2_member_plan *plan, unsigned *ret_number) {
    unsigned number = team->count;
    struct os2_member *member = &team->member[number];
    struct os2_child_plan child = {.image = team->image,
                                   .image_size = team->size,
                                   .process = {.quantum = plan->quantum,
                                               .watchdog_ms = plan->watchdog_ms,
                                               .end_bits = UINT64_C(1) << number,
                                               .name = team->program}};
    int status = number < OS2_TEAM_MAX ? OS2_OK : OS2_E_FULL;

    if (status >= 0)
        status = os2_child_least(team->image, team->size, 0, &child.process.quota);
    child.process.quota += plan->pages;
    if (status >= 0)
        status = os2_child_create(&child, &member->child, NULL);
    if (status < 0)
        return failed(team, "a member", status);
    status = grant(&member->child, "supervisor", 0, number);
    if (status >= 0)
        status = os2_handle_mint(member->child.control, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &member->inbox);
    if (status < 0) {
        os2_child_drop(&member->child);
        return failed(team, "a member's handles", status);
    }
    team->count++;
    *ret_number = number;
    return OS2_OK;
}

int os2_team_link(struct os2_team *team, unsigned from, unsigned to, const char *name, uint64_t badge) {
    return failed(team, name, grant(&team->member[from].child, name, team->member[to].child.control, badge));
}

int os2_team_start(struct os2_team *team, unsigned number, const char *role) {
    char text[12];
    const char *argv[] = {team->program, OS2_TEAM_ROLE, role, text};
    int status;

    format(text, sizeof(text), "%u", number);
    status = os2_child_start(&team->member[number].child, 4, argv);
    if (status >= 0) {
        team->member[number].runs = true;
        team->running++;
    }
    return failed(team, "start", status);
}

bool os2_team_ended(struct os2_team *team, uint64_t bits) {
    bool good = true;

    for (unsigned i = 0; i < team->count; i++) {
        struct os2_member *member = &team->member[i];
        struct os2_process_end end;
        char how[160];

        if (!(bits & UINT64_C(1) << i) || !member->runs || os2_process_end(member->child.control, 0, &end) < 0)
            continue;
        member->runs = false;
        team->running--;
        member->value = end.value;
        if (end.reason == OS2_END_EXIT && (team->values || end.value == 0))
            continue;
        os2_child_describe(&member->child, &end, how, sizeof(how));
        os2_error("%s %u ended: %s", team->program, i, how);
        good = team->good = false;
    }
    return good;
}

bool os2_team_join(struct os2_team *team) {
    while (team->running) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) >= 0 && m.control & OS2_I_BITS)
            os2_team_ended(team, m.bits);
    }
    return team->good;
}

void os2_team_close(struct os2_team *team) {
    for (unsigned i = 0; i < team->count; i++) {
        os2_handle_close(team->member[i].inbox);
        os2_child_drop(&team->member[i].child);
    }
    if (team->image)
        os2_block_free(team->image);
    team->image = NULL;
    team->count = team->running = 0;
}

const char *os2_team_role(int argc, char **argv) {
    return argc == 4 && strcmp(argv[1], OS2_TEAM_ROLE) == 0 ? argv[2] : NULL;
}

unsigned os2_team_number(int argc, char **argv) {
    uint64_t number = 0;

    if (argc == 4)
        os2_string_number(argv[3], &number);
    return (unsigned)number;
}
