/* SPDX-License-Identifier: MIT */
/*
 * Files beside services and drivers that are ended at random: this process ends them, one after the other, while a
 * member writes, copies and compares. Every byte must be right, and nothing may fail but what os2/file.h says may be
 * either done or not. The member is a program as the shell starts them: it asks this process, its supervisor, for a
 * name service when that has ended.
 */
#include "os2/call.h"
#include "os2/devices.h"
#include "os2/file.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/team.h"
#include "os2/time.h"

#include "filetest.h"

#define ASK_ENOUGH UINT64_C(0xe1)
#define KILL_PAUSE_MS 150u
#ifndef KILLS /* soaktest has more */
#define KILLS 40u
#define COPY_SIZE (1024u * 1024 + 333)
#endif

/* Who may be ended: a service or a driver of that name. */
static const char *const victims[] = {"files", "virtio_blk", "names", "files", "virtio_blk", "devmgr"};

static bool kill_named(const char *name) {
    unsigned machine = os2_start_handle("machine"), devices;
    struct os2_process_facts facts;

    for (unsigned slot = 0; slot < 64; slot++) {
        if (os2_process_facts(machine, slot, &facts) < 0 || strcmp(facts.name, name) != 0 ||
            facts.state == OS2_STATE_ENDED || facts.state == OS2_STATE_ENDING)
            continue;
        if (os2_supervisor_kill(os2_start_handle("init"), slot) >= 0)
            return true;
        if (os2_names_find("devices", true, &devices) < 0)
            return false;
        bool killed = os2_devices_restart(devices, slot) >= 0;
        os2_handle_close(devices);
        return killed;
    }
    return false;
}

void test_names_as_client(void) {
    struct os2_message m = {.label = OS2_FILES_ATTACH};
    unsigned names, files;
    int status = os2_supervisor_names(os2_start_handle("init"), &names);

    if (status >= 0)
        status = os2_names_find("files", true, &files);
    for (unsigned i = 0; i < 2 && status >= 0; i++) {
        m = (struct os2_message){.label = OS2_FILES_ATTACH, .w = {[2] = names | (uint64_t)OS2_RIGHT_GIVE << 16}};
        status = os2_request(files, OS2_F_HANDLE | OS2_F_ACCEPT_HANDLE, &m);
    }
    check(status >= 0, "to attach with a handle of the name service", status);
    check(kill_named("names"), "the name service's end", 0);
    while (os2_watch(names, 0) != OS2_E_DIED)
        os2_sleep_ms(1);
    os2_handle_close(names);
    os2_handle_close(files);
    status = OS2_E_WOULD_WAIT;
    for (unsigned tries = 0; status < 0 && tries < 300; tries++) {
        os2_sleep_ms(10);
        status = os2_names_find("files", false, &files);
    }
    if (check(status >= 0, "the file service has a name again", status))
        os2_handle_close(files);
    test_done("a client that is the name service");
}

/* Copies by blocks, as cp does: a block that is lost on its way is read again. */
static int copy(const char *from, const char *to) {
    struct os2_file source, target;
    struct os2_stream_block block;
    unsigned lost = 0;
    int status = os2_file_open(&source, from, OS2_OPEN_READ);

    if (status < 0)
        return status;
    status = os2_file_open(&target, to, OS2_OPEN_WRITE | OS2_OPEN_CREATE | OS2_OPEN_TRUNCATE);
    while (status >= 0 && (status = os2_file_read_block(&source, 5, &block)) > 0) {
        status = os2_file_write_block(&target, &block);
        if (status == OS2_E_DIED && ++lost < 100) {
            source.offset = target.offset;
            os2_sleep_ms(10);
            status = OS2_OK;
        }
    }
    os2_file_close(&target);
    os2_file_close(&source);
    return status;
}

/* What may have been done or not, when the service ended in between: whether it was done is looked at. */
static int rename_surely(const char *from, const char *to) {
    struct os2_file_facts facts;
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < 100; tries++) {
        status = os2_file_rename(from, to);
        if (status == OS2_E_DIED)
            os2_sleep_ms(10);
        else if (status == OS2_FILE_E_NONE && tries && os2_file_stat(to, &facts) >= 0)
            status = OS2_OK;
    }
    return status;
}

static int remove_surely(const char *path) {
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < 100; tries++) {
        status = os2_file_remove(path);
        if (status == OS2_E_DIED)
            os2_sleep_ms(10);
        else if (status == OS2_FILE_E_NONE && tries)
            status = OS2_OK;
    }
    return status;
}

static bool round_done(uint64_t round) {
    int status = pattern_write("/disk/written", round, COPY_SIZE, 5000 + random_below(90000));

    if (!check(status >= 0, "writing", status))
        return false;
    status = copy("/disk/written", "/disk/copied");
    if (!check(status >= 0, "copying", status))
        return false;
    status = rename_surely("/disk/copied", "/disk/renamed");
    return check(status >= 0, "rename", status) && pattern_check("/disk/renamed", round, COPY_SIZE);
}

/* The member: rounds, after each of which it asks whether that is enough. */
int run_worker(void) {
    for (uint64_t round = 1; round_done(round); round++) {
        struct os2_message m = {.label = ASK_ENOUGH, .w = {round}};
        int status = os2_request(os2_start_handle("supervisor"), 0, &m);
        if (status < 0 || m.label)
            return status < 0;
    }
    return 1;
}

static bool worker_start(struct os2_team *team) {
    unsigned member;

    return os2_team_open(team, FILETEST_NAME) >= 0 &&
           os2_team_add(team, &(struct os2_member_plan){.pages = 512}, &member) >= 0 &&
           os2_child_grant(&team->member[member].child, "names", os2_start_handle("names"), OS2_RIGHTS_ALL) >= 0 &&
           os2_child_grant(&team->member[member].child, "console.out", os2_start_handle("console.out"),
                           OS2_RIGHTS_ALL) >= 0 &&
           os2_team_start(team, member, "worker") >= 0;
}

void test_kills(void) {
    static struct os2_team team;
    uint64_t rounds = 0, next = 0;
    unsigned done = 0;

    check(worker_start(&team), "the worker", 0);
    while (team.running) {
        struct os2_message m = {.w = {[4] = next}};
        int status = os2_receive(OS2_F_DEADLINE, &m);

        if (status >= 0 && m.control & OS2_I_BITS)
            os2_team_ended(&team, m.bits);
        if (status >= 0 && m.control & OS2_I_MESSAGE && m.caller && m.label == ASK_ENOUGH) {
            rounds = m.w[0];
            m = (struct os2_message){.caller = m.caller, .label = done == KILLS};
            os2_reply(0, &m);
        } else if (status >= 0 && m.control & OS2_I_MESSAGE && m.caller) {
            status = m.label == OS2_SUPERVISOR_NAMES ? os2_supervisor_pass_names(m.caller) : OS2_E_INVALID;
            if (status < 0)
                os2_reply_fail(m.caller, status);
        }
        if (os2_clock(NULL) < next)
            continue;
        next = os2_deadline_ms(KILL_PAUSE_MS / 2 + random_below(KILL_PAUSE_MS));
        if (done < KILLS && kill_named(victims[done % (sizeof(victims) / sizeof(victims[0]))]))
            done++;
    }
    check(team.good && done == KILLS, "the worker's end", done);
    os2_printf("# %u kills, %lu rounds of %u bytes\n", done, rounds, COPY_SIZE);
    check(remove_surely("/disk/written") >= 0 && remove_surely("/disk/renamed") >= 0, "remove", 0);
    os2_team_close(&team);
    test_done("services and drivers end at random beside");
}
