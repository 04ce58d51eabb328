/* SPDX-License-Identifier: MIT */
/*
 * threadring: processes in a ring hand a number round, each one less; who gets 0 is known beforehand.
 */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"

#define RING 40u

static int member(void) {
    unsigned next = os2_start_handle("next"), supervisor = os2_start_handle("supervisor");

    for (;;) {
        struct os2_message m = {0}, on;
        if (os2_receive(0, &m) < 0)
            return 1;
        on = (struct os2_message){.label = m.label - 1};
        if (os2_send(m.label ? next : supervisor, 0, m.label ? &on : &m) < 0)
            return 1;
    }
}

int main(int argc, char **argv) {
    static struct os2_team team;
    struct os2_member_plan plan = {0};
    struct os2_message m;
    uint64_t hops = 10000, right;
    unsigned number;

    if (os2_team_role(argc, argv))
        return member();
    if (argc > 2 || (argc == 2 && !os2_string_number(argv[1], &hops))) {
        os2_error("how many hops?");
        return 2;
    }
    if (os2_team_open(&team, "threadring") < 0)
        return 1;
    for (unsigned i = 0; i < RING; i++)
        if (os2_team_add(&team, &plan, &number) < 0)
            return 1;
    for (unsigned i = 0; i < RING; i++)
        if (os2_team_link(&team, i, (i + 1) % RING, "next", 0) < 0 || os2_team_start(&team, i, "member") < 0)
            return 1;
    m = (struct os2_message){.label = hops};
    if (os2_send(team.member[0].inbox, 0, &m) < 0)
        return 1;
    do {
        m = (struct os2_message){0};
        if (os2_receive(0, &m) < 0 || (m.control & OS2_I_BITS && !os2_team_ended(&team, m.bits)))
            return 1;
    } while (!(m.control & OS2_I_MESSAGE));
    right = hops % RING;
    os2_printf("after %lu hops process %lu of %u has it%s\n", hops, m.badge, RING,
               m.badge == right ? "" : ", which is wrong");
    os2_team_close(&team);
    return m.badge != right;
}
