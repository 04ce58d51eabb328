/* SPDX-License-Identifier: MIT */
/*
 * A program without a handle reaches nothing: no console, no file, no device, no other process. And one that has the
 * name service, as programs of the shell have it, reaches what that gives to programs, and nothing that is for
 * services.
 */
#include "os2/call.h"
#include "os2/console.h"
#include "os2/devices.h"
#include "os2/disk.h"
#include "os2/file.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/team.h"
#include "os2/time.h"

#include "filetest.h"

/* Each place of the handle table, with each kind of call: only the supervisor's is there, and it takes messages only.
 * */
static unsigned try_all_handles(void) {
    struct os2_process_facts facts;
    unsigned reached = 0, own = os2_start_handle("supervisor"), copy;
    uint64_t result;
    char text[OS2_LOG_CHUNK];

    for (unsigned handle = 1; handle < OS2_HANDLES; handle++) {
        struct os2_message m = {.w = {[4] = 0}}, info;
        reached += handle != own && os2_send(handle, OS2_F_DEADLINE, &m) != OS2_E_HANDLE;
        reached += os2_notify(handle, 1) != OS2_E_HANDLE;
        reached += os2_device_claim(handle, OS2_DEVICE_MEMORY, 0x10000000, 0, &result) != OS2_E_HANDLE;
        reached += os2_device_claim(handle, OS2_DEVICE_IRQ, 10, 1, &result) != OS2_E_HANDLE;
        reached += os2_irq_bind(handle, 1) != OS2_E_HANDLE;
        reached += os2_irq_ack(handle) != OS2_E_HANDLE;
        reached += os2_log_write(handle, "x", 1) != OS2_E_HANDLE;
        reached += os2_log_read(handle, 1, text, &copy) != OS2_E_HANDLE;
        reached += os2_machine_info(handle, OS2_MACHINE_MACHINE, 0, &info) != OS2_E_HANDLE;
        reached += os2_machine_control(handle, OS2_CONTROL_OFF, 99) != OS2_E_HANDLE;
        reached += os2_firmware_get(handle) >= 0;
        reached += os2_process_kill(handle) != OS2_E_HANDLE;
        reached += os2_process_facts(handle, 1, &facts) != OS2_E_HANDLE;
        reached += handle != own && os2_handle_mint(handle, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &copy) != OS2_E_HANDLE;
    }
    return reached;
}

int run_alone(void) {
    struct os2_file_facts facts;
    unsigned handle;

    if (os2_file_stat("/boot/cat", &facts) >= 0 || os2_file_stat("/disk/host/small.txt", &facts) >= 0)
        return 1;
    if (os2_names_find("console", false, &handle) >= 0 || os2_names_find("disk0", false, &handle) >= 0)
        return 2;
    if (os2_console_write(os2_start_handle("console.out"), "x", 1, 0, 0) >= 0)
        return 3;
    return try_all_handles() ? 4 : 0;
}

/* With the name service, as the shell gives it. */
int run_program(void) {
    unsigned names = os2_start_handle("names"), disk, devices, console, init;
    struct os2_disk_info info;
    struct os2_file_facts facts;
    char bytes[OS2_CONSOLE_TEXT];

    if (os2_file_stat("/disk/host/small.txt", &facts) < 0)
        return 1;
    if (os2_names_lookup(names, "disk0", true, &disk) < 0 || os2_disk_info(disk, &info) != OS2_E_RIGHTS)
        return 2;
    if (os2_names_lookup(names, "devices", true, &devices) < 0 || os2_devices_restart(devices, 1) != OS2_E_RIGHTS)
        return 3;
    if (os2_names_lookup(names, "console", true, &console) < 0 || os2_console_read(console, 0, bytes) != OS2_E_RIGHTS)
        return 4;
    if (os2_names_register(names, "files", console) != OS2_E_RIGHTS)
        return 5;
    if (os2_names_lookup(names, "init", false, &init) >= 0)
        return 6;
    if (os2_handle_mint(disk, OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &init) >= 0)
        return 7; /* a badge of choice */
    return 0;
}

/* The exit status of a member in this role; 255: it could not be started. */
static uint64_t member(const char *role, bool with_names) {
    static struct os2_team team;
    unsigned number, names = 0;
    uint64_t value = 255;

    if (with_names && os2_handle_mint(os2_start_handle("names"), OS2_HANDLE_INBOX, OS2_NAMES_ORDINARY,
                                      OS2_RIGHT_SEND | OS2_RIGHT_GIVE, &names) < 0)
        return value;
    if (os2_team_open(&team, FILETEST_NAME) >= 0 &&
        os2_team_add(&team, &(struct os2_member_plan){.pages = 64}, &number) >= 0 &&
        (!with_names || os2_child_grant(&team.member[number].child, "names", names, OS2_RIGHT_SEND) >= 0)) {
        team.values = true;
        if (os2_team_start(&team, number, role) >= 0) {
            /* Who asks for a name service gets none. */
            while (team.running) {
                struct os2_message m = {0};
                int status = os2_receive(0, &m);
                if (status >= 0 && m.control & OS2_I_BITS)
                    os2_team_ended(&team, m.bits);
                if (status >= 0 && m.control & OS2_I_MESSAGE && m.caller)
                    os2_reply_fail(m.caller, OS2_E_RIGHTS);
            }
            value = team.member[number].value;
        }
    }
    os2_team_close(&team);
    if (names)
        os2_handle_close(names);
    return value;
}

void test_alone(void) {
    check(member("alone", false) == 0, "without a handle", (int64_t)member("alone", false));
    check(member("program", true) == 0, "with the name service", (int64_t)member("program", true));
    test_done("who has no handle reaches nothing");
}
