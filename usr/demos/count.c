/* SPDX-License-Identifier: MIT */
/*
 * count: one process counts the messages of others, and says how many there were when it is asked.
 */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"

#define SENDERS 4u

/* Labels. ONE is counted; a call with HOW_MANY is answered, and ends the counter; GO tells a sender how many. */
enum { ONE = 1, HOW_MANY, GO };

static int counter(void) {
    uint64_t count = 0;

    for (;;) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            return 1;
        if (m.label == HOW_MANY) {
            struct os2_message answer = {.caller = m.caller, .label = count};
            return os2_reply(0, &answer) < 0;
        }
        count += m.label == ONE;
    }
}

static int sender(void) {
    unsigned to = os2_start_handle("counter");
    struct os2_message m = {0};

    if (os2_receive(0, &m) < 0 || m.label != GO)
        return 1;
    for (uint64_t left = m.w[0]; left; left--) {
        struct os2_message one = {.label = ONE};
        if (os2_send(to, 0, &one) < 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    static struct os2_team team;
    struct os2_member_plan plan = {0};
    uint64_t each = 2000;
    unsigned number;

    if (os2_team_role(argc, argv))
        return strcmp(os2_team_role(argc, argv), "counter") == 0 ? counter() : sender();
    if (argc > 2 || (argc == 2 && !os2_string_number(argv[1], &each))) {
        os2_error("how many messages from each?");
        return 2;
    }
    if (os2_team_open(&team, "count") < 0)
        return 1;
    for (unsigned i = 0; i <= SENDERS; i++)
        if (os2_team_add(&team, &plan, &number) < 0 || (i && os2_team_link(&team, i, 0, "counter", i) < 0) ||
            os2_team_start(&team, i, i ? "sender" : "counter") < 0)
            return 1;
    for (unsigned i = 1; i <= SENDERS; i++) {
        struct os2_message go = {.label = GO, .w = {each}};
        if (os2_send(team.member[i].inbox, 0, &go) < 0)
            return 1;
    }
    /* When the senders have ended, all their messages have been taken: a send waits for that. */
    while (team.running > 1) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) >= 0 && m.control & OS2_I_BITS && !os2_team_ended(&team, m.bits))
            return 1;
    }
    struct os2_message ask = {.label = HOW_MANY};
    if (os2_call(team.member[0].inbox, 0, &ask) < 0 || !os2_team_join(&team))
        return 1;
    os2_printf("%lu of %lu messages counted\n", ask.label, SENDERS * each);
    os2_team_close(&team);
    return ask.label != SENDERS * each;
}
