/* SPDX-License-Identifier: MIT */
/* pingpong: two processes; the one calls with a number, the other answers with the next. */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"
#include "os2/time.h"

static int pong(void) {
    struct os2_message m = {0};

    if (os2_receive(0, &m) < 0)
        return 1;
    for (;;) {
        struct os2_message answer = {.caller = m.caller, .label = m.label + 1};
        if (os2_reply_receive(0, &answer) < 0)
            return 1;
        m = answer;
    }
}

int main(int argc, char **argv) {
    static struct os2_team team;
    struct os2_member_plan plan = {0};
    uint64_t rounds = 10000, label = 0, begun;
    unsigned other;

    if (os2_team_role(argc, argv))
        return pong();
    if (argc > 2 || (argc == 2 && !os2_string_number(argv[1], &rounds)) || !rounds) {
        os2_error("how many rounds?");
        return 2;
    }
    if (os2_team_open(&team, "pingpong") < 0 || os2_team_add(&team, &plan, &other) < 0 ||
        os2_team_start(&team, other, "pong") < 0)
        return 1;
    begun = os2_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        struct os2_message m = {.label = label};
        int status = os2_call(team.member[other].inbox, 0, &m);
        if (status < 0 || m.label != label + 1) {
            os2_error("round %lu: %s", i, status < 0 ? os2_status_text(status) : "a wrong answer");
            return 1;
        }
        label = m.label;
    }
    os2_printf("%lu rounds, %lu ns each\n", label, (os2_now_ns() - begun) / rounds);
    os2_team_close(&team);
    return label != rounds;
}
