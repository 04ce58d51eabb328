/* SPDX-License-Identifier: MIT */
/*
 * big: every process sends to every other, all at once.
 *
 * Two that send to each other would wait for ever, and so would longer circles; the kernel tells at least one of each
 * circle, which then takes a message itself and tries again. When a process has sent all, it says so by a notification,
 * which never waits, and goes on taking until it is told to stop. Its exit status is how many messages it took.
 */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"

#define MEMBERS 10u /* each knows the others by name, and a start page has 12 */
#define DONE_BIT(number) (UINT64_C(1) << (OS2_TEAM_MAX + (number)))

enum { GO = 1, HELLO, STOP };

/* Takes one message; false when it was the last. */
static bool take(uint64_t flags, uint64_t *taken) {
    struct os2_message m = {0};

    if (os2_receive(flags, &m) >= 0 && m.control & OS2_I_MESSAGE) {
        if (m.label == STOP)
            return false;
        (*taken)++;
    }
    return true;
}

/* Waits to be told how many messages to send to each; others may be at it already. */
static uint64_t wait_for_start(uint64_t *taken) {
    for (;;) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0 || m.label == STOP)
            return 0;
        if (m.label == GO)
            return m.w[0];
        (*taken)++;
    }
}

static int member(unsigned number) {
    uint64_t taken = 0, left;
    unsigned others[MEMBERS], count = 0, to = number;

    for (unsigned i = 0; i < MEMBERS; i++) {
        const char name[2] = {(char)('a' + i), 0};
        if (i != number)
            others[count++] = os2_start_handle(name);
    }
    left = wait_for_start(&taken) * count;
    while (left) {
        struct os2_message m = {.label = HELLO};
        int status = os2_send(others[to % count], 0, &m);
        if (status == OS2_E_DEADLOCK || status == OS2_E_CHAIN) {
            take(OS2_F_DEADLINE, &taken);
        } else if (status < 0) {
            return 0;
        } else {
            left--;
            to++;
        }
    }
    os2_notify(os2_start_handle("done"), DONE_BIT(number));
    while (take(0, &taken)) {
    }
    os2_exit(taken);
}

static int start(struct os2_team *team) {
    struct os2_member_plan plan = {0};
    unsigned number, done;
    int status = os2_team_open(team, "big");

    for (unsigned i = 0; i < MEMBERS && status >= 0; i++)
        status = os2_team_add(team, &plan, &number);
    for (unsigned i = 0; i < MEMBERS && status >= 0; i++) {
        for (unsigned j = 0; j < MEMBERS && status >= 0; j++) {
            const char name[2] = {(char)('a' + j), 0};
            if (i != j)
                status = os2_team_link(team, i, j, name, 0);
        }
        if (status >= 0)
            status = os2_handle_mint(0, OS2_HANDLE_NOTIFY, DONE_BIT(i), OS2_RIGHTS_ALL, &done);
        if (status >= 0) {
            status = os2_child_grant(&team->member[i].child, "done", done, OS2_RIGHTS_ALL);
            os2_handle_close(done);
        }
        if (status >= 0)
            status = os2_team_start(team, i, "member");
    }
    return status;
}

static bool tell_all(const struct os2_team *team, uint64_t label, uint64_t value) {
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct os2_message m = {.label = label, .w = {value}};
        if (os2_send(team->member[i].inbox, 0, &m) < 0)
            return false;
    }
    return true;
}

int main(int argc, char **argv) {
    static struct os2_team team;
    uint64_t each = 20, waiting = 0, taken = 0, right;

    if (os2_team_role(argc, argv))
        return member(os2_team_number(argc, argv));
    if (argc > 2 || (argc == 2 && !os2_string_number(argv[1], &each))) {
        os2_error("how many messages from each to each?");
        return 2;
    }
    if (start(&team) < 0 || !tell_all(&team, GO, each))
        return 1;
    team.values = true;
    for (unsigned i = 0; i < MEMBERS; i++)
        waiting |= DONE_BIT(i);
    while (waiting) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            continue;
        if (m.bits & OS2_TEAM_BITS) {
            os2_error("a process has ended too early");
            return 1;
        }
        waiting &= ~m.bits;
    }
    if (!tell_all(&team, STOP, 0) || !os2_team_join(&team))
        return 1;
    for (unsigned i = 0; i < MEMBERS; i++)
        taken += team.member[i].value;
    right = each * MEMBERS * (MEMBERS - 1);
    os2_printf("%lu of %lu messages taken\n", taken, right);
    os2_team_close(&team);
    return taken != right;
}
