/* SPDX-License-Identifier: MIT */
/*
 * chameneos: creatures meet in pairs at one place and change colour; the place is a process, each creature another.
 *
 * A creature calls the place with its colour. The first of a pair waits for its answer until the second has come; then
 * both learn the other's colour and number. After all meetings the place answers that it is over. A creature's exit
 * status is how many meetings it had, and with whom it never is itself.
 */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/team.h"

#define CREATURES 6u
#define ITSELF UINT64_C(0x8000000000000000) /* in the exit status: met itself */

enum colour { BLUE, RED, YELLOW, COLOURS };
enum { MEET = 1, OVER };

static enum colour complement(enum colour mine, enum colour other) {
    return mine == other ? mine : (enum colour)(COLOURS - mine - other);
}

static int creature(unsigned number) {
    unsigned place = os2_start_handle("supervisor");
    enum colour colour = (enum colour)(number % COLOURS);
    uint64_t met = 0;

    for (;;) {
        struct os2_message m = {.label = MEET, .w = {colour}};
        if (os2_call(place, 0, &m) < 0 || m.label != MEET)
            os2_exit(met);
        met++;
        if (m.w[1] == number)
            met |= ITSELF;
        colour = complement(colour, (enum colour)m.w[0]);
    }
}

static void introduce(const struct os2_message *to, const struct os2_message *other) {
    struct os2_message m = {.caller = to->caller, .label = MEET, .w = {other->w[0], other->badge}};
    os2_reply(0, &m);
}

/* The place. Returns how many meetings there were. */
static uint64_t meetings(struct os2_team *team, uint64_t most) {
    struct os2_message first = {0};
    uint64_t held = 0;

    while (team->running) {
        struct os2_message m = {0};
        if (os2_receive(0, &m) < 0)
            continue;
        if (m.control & OS2_I_BITS)
            os2_team_ended(team, m.bits);
        if (!(m.control & OS2_I_MESSAGE))
            continue;
        if (held == most) {
            struct os2_message over = {.caller = m.caller, .label = OVER};
            os2_reply(0, &over);
        } else if (!first.caller) {
            first = m;
        } else {
            introduce(&first, &m);
            introduce(&m, &first);
            first = (struct os2_message){0};
            held++;
        }
    }
    return held;
}

int main(int argc, char **argv) {
    static struct os2_team team;
    struct os2_member_plan plan = {0};
    uint64_t most = 3000, held, sum = 0;
    unsigned number;
    bool good = true;

    if (os2_team_role(argc, argv))
        return creature(os2_team_number(argc, argv));
    if (argc > 2 || (argc == 2 && !os2_string_number(argv[1], &most))) {
        os2_error("how many meetings?");
        return 2;
    }
    if (os2_team_open(&team, "chameneos") < 0)
        return 1;
    team.values = true;
    for (unsigned i = 0; i < CREATURES; i++)
        if (os2_team_add(&team, &plan, &number) < 0 || os2_team_start(&team, i, "creature") < 0)
            return 1;
    held = meetings(&team, most);
    for (unsigned i = 0; i < CREATURES; i++) {
        uint64_t met = team.member[i].value;
        os2_printf("creature %u met %lu%s\n", i, met & ~ITSELF, met & ITSELF ? ", and itself" : "");
        good &= !(met & ITSELF);
        sum += met & ~ITSELF;
    }
    good &= team.good && held == most && sum == 2 * most;
    os2_printf("%lu meetings%s\n", held, good ? "" : ", and something is wrong");
    os2_team_close(&team);
    return !good;
}
