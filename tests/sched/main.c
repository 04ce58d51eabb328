/* SPDX-License-Identifier: MIT */
/*
 * schedtest: turns, tokens, stealing and time as programs see them; started by init instead of the shell (boot argument
 * os2.start=schedtest). Prints TAP. With a role it is one of its own team.
 */
#include "sched.h"

#include "os2/devices.h"
#include "os2/start.h"

unsigned machine, cores;
uint64_t rate;
struct os2_team team;

static bool good;
static const char *skipped;

static const struct area *const areas[] = {&area_share,  &area_chain, &area_loan, &area_neighbour,
                                           &area_spread, &area_time,  &area_storm};
#define AREAS (sizeof(areas) / sizeof(areas[0]))

bool check_between(const char *file, int line, const char *what, uint64_t got, uint64_t least, uint64_t most) {
    if (got >= least && got <= most)
        return true;
    good = false;
    for (const char *c = file; *c; c++)
        if (*c == '/')
            file = c + 1;
    os2_printf("# %s:%d: %s: got %lu, wanted %lu to %lu\n", file, line, what, got, least, most);
    return false;
}

void skip(const char *why) {
    skipped = why;
}

unsigned member(uint64_t quantum) {
    struct os2_member_plan plan = {.quantum = quantum, .watchdog_ms = 60000};
    unsigned number = 0;

    CHECK(os2_team_add(&team, &plan, &number) >= 0);
    return number;
}

bool member_start(unsigned number, const char *role) {
    return CHECK(os2_team_start(&team, number, role) >= 0);
}

bool members(unsigned number, uint64_t quantum, const char *role) {
    unsigned first = team.count;

    for (unsigned i = 0; i < number; i++)
        member(quantum);
    if (!CHECK_IS(team.count, first + number))
        return false;
    for (unsigned i = first; i < team.count; i++)
        if (!member_start(i, role))
            return false;
    return true;
}

void count(struct counts *ret) {
    struct os2_process_facts facts;
    struct os2_message m;

    ret->time = os2_clock(&rate);
    for (unsigned i = 0; i < team.count; i++) {
        if (!team.member[i].runs || !CHECK(os2_process_facts(team.member[i].child.control, 0, &facts) >= 0))
            continue;
        ret->turns[i] = facts.turns;
        ret->tokens[i] = facts.tokens;
    }
    for (unsigned i = 0; i < cores; i++) {
        if (!CHECK(os2_machine_info(machine, OS2_MACHINE_CORE, i, &m) >= 0))
            continue;
        ret->core_turns[i] = m.w[0];
        ret->stolen[i] = m.w[1] & 0xffffffff;
        ret->idle[i] = m.w[2];
        ret->interrupts[i] = m.w[3];
    }
}

void count_for(uint64_t ms, struct counts *ret) {
    struct counts before = {0};

    count(&before);
    os2_sleep_ms(ms);
    count(ret);
    ret->time -= before.time;
    for (unsigned i = 0; i < team.count; i++) {
        ret->turns[i] -= before.turns[i];
        ret->tokens[i] -= before.tokens[i];
    }
    for (unsigned i = 0; i < cores; i++) {
        ret->core_turns[i] -= before.core_turns[i];
        ret->stolen[i] -= before.stolen[i];
        ret->idle[i] -= before.idle[i];
        ret->interrupts[i] -= before.interrupts[i];
    }
}

uint64_t microseconds(uint64_t ticks) {
    return os2_ticks_to_ns(ticks, rate) / 1000;
}

static void run(unsigned number, const struct test *test) {
    good = true;
    skipped = NULL;
    if (CHECK(os2_team_open(&team, "schedtest") >= 0)) {
        test->run();
        os2_team_close(&team);
    }
    os2_printf("%sok %u - %s%s%s\n", good ? "" : "not ", number, test->text, skipped ? " # SKIP " : "",
               skipped ? skipped : "");
}

static bool prepare(void) {
    struct os2_message m, core;

    os2_clock(&rate);
    machine = os2_start_handle("machine");
    if (!machine || os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m) < 0)
        return false;
    for (uint64_t i = 0; i < m.label && i < CORES; i++)
        if (os2_machine_info(machine, OS2_MACHINE_CORE, i, &core) >= 0)
            cores += core.caller == 1;
    return cores > 0;
}

int main(int argc, char **argv) {
    unsigned plan = 0, number = 0, bad = 0;

    if (os2_team_role(argc, argv))
        return role_main(os2_team_role(argc, argv), os2_team_number(argc, argv));
    os2_devices_wait(os2_start_handle("names")); /* drivers that start would take turns */
    if (!prepare()) {
        os2_printf("Bail out! schedtest needs the machine handle\n");
        return 1;
    }
    for (size_t i = 0; i < AREAS; i++)
        plan += (unsigned)areas[i]->count;
    os2_printf("1..%u\n", plan);
    for (size_t i = 0; i < AREAS; i++) {
        for (size_t j = 0; j < areas[i]->count; j++) {
            run(++number, &areas[i]->tests[j]);
            bad += !good;
        }
    }
    return bad != 0;
}
