/* SPDX-License-Identifier: MIT */
/*
 * disktest: the driver of a disk, and the device manager, as a client sees them. Started by init instead of the shell
 * (os2.start=disktest), with the image that disk.py makes; prints TAP. From the shell, `disktest refused` is a program
 * like any other: it must be refused.
 *
 * In the image each 8 bytes of a sector are pattern(sector, 0, place). What is written has another generation, so that
 * the host can say of each sector what it should be: the first half of the disk stays as it is, the second half is
 * REGIONS parts, of which each is one member's: it writes all of it, in pieces of many sizes, with a generation of its
 * own, reads it back and compares. Meanwhile the first process kills the driver, and then the device manager. A member
 * whose request was lost asks for the disk again and repeats it; nothing else may fail.
 */
#include "os2/disk.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/devices.h"
#include "os2/names.h"
#include "os2/random.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/team.h"
#include "os2/time.h"
#include "os2/wallclock.h"

#define SECTOR OS2_DISK_SECTOR
#define WORDS (SECTOR / 8)
#define REGIONS 4u
#define DRIVER_KILLS 50u
#define MANAGER_KILLS 3u
#define MEMBER_PAGES 700u
#define AGAIN_MS 10u
#define AGAIN_TRIES 3000u /* half a minute: the manager's pause may be 10 s */
#define HANG_MS 60000u
#define LATE_ORDER 8u /* 1 MiB: at the speed that disk.py allows for reading, it takes a while */
#define LATE_KILLS 5u
#define LATE_MANAGER_KILLS 2u
#define LATE_MS 300u

static unsigned names, disk, number;
static bool failed;

static bool check(bool good, const char *what, int64_t got) {
    if (!good)
        os2_printf("# %s: got %ld\n", what, got);
    failed |= !good;
    return good;
}

static void test_done(const char *what) {
    os2_printf("%sok %u - %s\n", failed ? "not " : "", ++number, what);
    failed = false;
}

/* The same in disk.py. */
static uint64_t pattern(uint64_t sector, uint64_t generation, unsigned place) {
    uint64_t x = sector * 0x9e3779b97f4a7c15u + generation * 0xbf58476d1ce4e5b9u + place * 0x94d049bb133111ebu;
    x ^= x >> 29;
    x *= 0xff51afd7ed558ccdu;
    return x ^ x >> 32;
}

static void fill(uint64_t *to, uint64_t sector, unsigned count, uint64_t generation) {
    for (unsigned i = 0; i < count * WORDS; i++)
        to[i] = pattern(sector + i / WORDS, generation, i % WORDS);
}

/* The first sector that is not as it should be, or -1. */
static int64_t differs(const uint64_t *from, uint64_t sector, unsigned count, uint64_t generation) {
    for (unsigned i = 0; i < count * WORDS; i++)
        if (from[i] != pattern(sector + i / WORDS, generation, i % WORDS))
            return (int64_t)(sector + i / WORDS);
    return -1;
}

/* ---- A disk whose driver may end at any time. ---- */

static void disk_again(void) {
    if (disk)
        os2_handle_close(disk);
    disk = 0;
    for (unsigned tries = 0; tries < AGAIN_TRIES; tries++) {
        if (os2_names_lookup(names, "disk0", false, &disk) >= 0 && os2_watch(disk, 0) != OS2_E_DIED)
            return;
        if (disk)
            os2_handle_close(disk);
        disk = 0;
        os2_sleep_ms(AGAIN_MS);
    }
    os2_printf("# disk0 does not come back\n");
}

/* A transfer of sectors that is repeated when the driver has ended. A block that was lost is got anew. */
static int transfer(bool write, uint64_t sector, unsigned count, void **block, unsigned order, uint64_t at,
                    uint64_t generation) {
    int status = OS2_E_DIED;

    for (unsigned tries = 0; status == OS2_E_DIED && tries < AGAIN_TRIES; tries++) {
        if (tries)
            disk_again();
        if (!*block && (status = os2_block_alloc(order, block)) < 0)
            return status;
        if (write)
            fill((uint64_t *)(void *)((uint8_t *)*block + at), sector, count, generation);
        status = (write ? os2_disk_write : os2_disk_read)(disk, sector, count, block, order, at);
    }
    return status;
}

static int flush(void) {
    int status;
    while ((status = os2_disk_flush(disk)) == OS2_E_DIED)
        disk_again();
    return status;
}

/* ---- A member: writes its part, and reads it back. ---- */

static int member_piece(bool write, uint64_t sector, unsigned count, unsigned order, uint64_t generation) {
    uint64_t room = (OS2_PAGE_SIZE << order) / SECTOR, at = (sector % (room - count + 1)) * SECTOR;
    void *block = NULL;
    int64_t wrong = -1;
    int status = transfer(write, sector, count, &block, order, at, generation);

    if (status >= 0 && !write)
        wrong = differs((uint64_t *)(void *)((uint8_t *)block + at), sector, count, generation);
    if (block)
        os2_block_free(block);
    if (wrong >= 0)
        os2_error("sector %ld is wrong: asked for %u from %lu, generation %lu", wrong, count, sector, generation);
    return status < 0 ? status : wrong >= 0 ? OS2_E_FAILED : OS2_OK;
}

/* The whole part, in pieces of 1 to 2^order pages. */
static int member_pass(bool write, uint64_t first, uint64_t end, uint64_t generation) {
    unsigned turn = (unsigned)generation;

    for (uint64_t sector = first; sector < end; turn++) {
        unsigned order = turn % 8, most = (unsigned)((OS2_PAGE_SIZE << order) / SECTOR);
        unsigned count = turn % 3 ? most : most / 2 + 1;
        if (count > end - sector)
            count = (unsigned)(end - sector);
        int status = member_piece(write, sector, count, order, generation);
        if (status < 0)
            return status;
        sector += count;
    }
    return OS2_OK;
}

static int run_member(unsigned which) {
    struct os2_disk_info info;
    unsigned supervisor = os2_start_handle("supervisor");
    int status = OS2_E_DIED;

    names = os2_start_handle("names");
    disk_again();
    while (status == OS2_E_DIED && (status = os2_disk_info(disk, &info)) == OS2_E_DIED)
        disk_again();
    uint64_t size = info.sectors / 2 / REGIONS, first = info.sectors / 2 + which * size;
    for (uint64_t generation = 1; status >= 0; generation++) {
        struct os2_message m = {.label = generation};
        status = member_pass(true, first, first + size, generation);
        if (status >= 0)
            status = flush();
        if (status >= 0)
            status = member_pass(false, first, first + size, generation);
        if (status < 0) {
            os2_error("member %u, generation %lu: %s", which, generation, os2_status_text(status));
            return 1;
        }
        /* The first process says when it is enough; then the host is told which generation is there. */
        if (os2_call(supervisor, 0, &m) < 0)
            return 1;
        if (m.label)
            return 0;
    }
    return 1;
}

/* Reads the same megabyte until the driver ends meanwhile. The first process is told which block it uses. */
static int run_reader(void) {
    unsigned supervisor = os2_start_handle("supervisor");
    struct os2_message m = {0};
    void *block = NULL;
    int status = os2_block_alloc(LATE_ORDER, &block);

    names = os2_start_handle("names");
    disk_again();
    m.label = (uintptr_t)block;
    if (status < 0 || os2_call(supervisor, 0, &m) < 0)
        return 1;
    while (status >= 0)
        status = os2_disk_read(disk, 0, (OS2_PAGE_SIZE << LATE_ORDER) / SECTOR, &block, LATE_ORDER, 0);
    return status != OS2_E_DIED; /* the block is lost, or, between two requests, still here: it is free in a moment */
}

/* ---- The first process. ---- */

static unsigned slot_of(const char *driver) {
    struct os2_device_facts facts;
    unsigned devices, found = 0;

    if (os2_names_lookup(names, "devices", true, &devices) < 0)
        return 0;
    for (unsigned i = 0; os2_devices_list(devices, i, &facts) >= 0; i++)
        if (strcmp(facts.name, driver) == 0)
            found = facts.slot;
    os2_handle_close(devices);
    return found;
}

static bool kill_driver(void) {
    unsigned devices, slot = slot_of("disk0");
    int status;

    if (!slot || os2_names_lookup(names, "devices", true, &devices) < 0)
        return false;
    status = os2_devices_restart(devices, slot);
    os2_handle_close(devices);
    return status >= 0;
}

/* Of the first process of that name. */
static unsigned process_slot(const char *name) {
    struct os2_process_facts facts;

    for (unsigned slot = 0; slot < 64; slot++)
        if (os2_process_facts(os2_start_handle("machine"), slot, &facts) >= 0 && strcmp(facts.name, name) == 0 &&
            facts.state != OS2_STATE_ENDED && facts.state != OS2_STATE_ENDING)
            return slot;
    return 0;
}

static bool kill_manager(void) {
    unsigned slot = process_slot("devmgr");
    return slot && os2_supervisor_kill(os2_start_handle("init"), slot) >= 0;
}

struct killing {
    const char *what;
    bool (*kill)(void);
    unsigned kills;
    uint64_t pause_ms;
};

/* Answers the members, whose rounds go on until all kills are done; kills now and then. */
static bool kills(struct os2_team *team, const struct killing *killing, uint64_t generation[REGIONS]) {
    uint64_t next = os2_deadline_ms(killing->pause_ms), limit = os2_deadline_ms(HANG_MS);
    unsigned done = 0, rounds = 0;

    while (team->running) {
        struct os2_message m = {.w = {[4] = next}};
        int status = os2_receive(OS2_F_DEADLINE, &m);
        if (status >= 0 && m.control & OS2_I_BITS)
            os2_team_ended(team, m.bits);
        if (status >= 0 && m.control & OS2_I_MESSAGE && m.caller && m.badge < REGIONS) {
            generation[m.badge] = m.label;
            rounds++;
            m = (struct os2_message){.caller = m.caller, .label = done >= killing->kills};
            os2_reply(0, &m);
        }
        if (os2_clock(NULL) < next)
            continue;
        if (done < killing->kills && killing->kill()) {
            done++;
            limit = os2_deadline_ms(HANG_MS);
        }
        next = os2_deadline_ms(killing->pause_ms + done * 7 % 31);
        if (!check(os2_clock(NULL) < limit, "kills so far, and then none could be made", done))
            return false;
    }
    os2_printf("# %s: %u kills, %u rounds of all sectors\n", killing->what, done, rounds);
    return team->good && done == killing->kills;
}

static bool team_start(struct os2_team *team, unsigned members, const char *role) {
    unsigned member;

    if (os2_team_open(team, "disktest") < 0)
        return false;
    for (unsigned i = 0; i < members; i++) {
        if (os2_team_add(team, &(struct os2_member_plan){.pages = MEMBER_PAGES}, &member) < 0 ||
            os2_child_grant(&team->member[member].child, "names", names, OS2_RIGHTS_ALL) < 0 ||
            os2_child_grant(&team->member[member].child, "console.out", os2_start_handle("console.out"),
                            OS2_RIGHTS_ALL) < 0 ||
            os2_team_start(team, member, role) < 0)
            return false;
    }
    return true;
}

static void test_kills(const struct killing *killing) {
    static struct os2_team team;
    uint64_t generation[REGIONS] = {0};

    check(team_start(&team, REGIONS, "member") && kills(&team, killing, generation), killing->what, team.good);
    for (unsigned i = 0; i < REGIONS; i++)
        os2_printf("# generation %u %lu\n", i, generation[i]);
    os2_team_close(&team);
    disk_again();
    test_done(killing->what);
}

/* The driver in this slot has ended, and the device manager has let go of it. */
static bool gone(unsigned slot, uint64_t id) {
    struct os2_process_facts facts;

    for (uint64_t limit = os2_deadline_ms(HANG_MS); os2_clock(NULL) < limit; os2_yield())
        if (os2_process_facts(os2_start_handle("machine"), slot, &facts) < 0 || facts.id != id)
            return true;
    return false;
}

/* Gets that block, which lies free now. Its bytes must stay as they are, as long as the device may still be at it. */
static bool untouched(const void *late) {
    uint64_t *block = NULL, limit = os2_deadline_ms(LATE_MS);
    bool good = true;

    if (os2_block_alloc(LATE_ORDER, (void **)&block) < 0)
        return false;
    os2_printf("# the block of the request is %s here\n", block == late ? "now" : "not");
    memset(block, 0x5a, OS2_PAGE_SIZE << LATE_ORDER);
    while (os2_clock(NULL) < limit)
        os2_sleep_ms(1);
    for (unsigned i = 0; good && i < (OS2_PAGE_SIZE << LATE_ORDER) / 8; i++)
        good = check(block[i] == 0x5a5a5a5a5a5a5a5au, "written by the device after its driver had ended: byte", i * 8);
    os2_block_free(block);
    return good;
}

/* What the device still writes when its driver has ended reaches nobody: it is reset before the block is given on. */
static void test_late(const struct killing *killing) {
    static struct os2_team team;
    struct os2_process_facts facts;

    for (unsigned i = 0; i < killing->kills && !failed; i++) {
        struct os2_message m = {0};
        unsigned slot = slot_of("disk0");
        const void *late;
        check(os2_process_facts(os2_start_handle("machine"), slot, &facts) >= 0, "the driver's slot", slot);
        if (!check(team_start(&team, 1, "reader") && os2_receive(0, &m) >= 0 && m.caller, "a reader", 0))
            break;
        late = (const void *)(uintptr_t)m.label;
        os2_reply(0, &(struct os2_message){.caller = m.caller});
        os2_sleep_ms(killing->pause_ms + i);
        check(killing->kill(), "a kill", 0);
        check(os2_team_join(&team), "the reader ended", 0);
        check(gone(slot, facts.id), "the driver is gone", slot);
        untouched(late);
        os2_team_close(&team);
        disk_again();
    }
    test_done(killing->what);
}

/* The half that nobody writes: single sectors, some, and the most that one request may have. */
static void test_read(const struct os2_disk_info *info) {
    unsigned order = 0;
    void *block = NULL;

    while ((OS2_PAGE_SIZE << order) / SECTOR < info->most)
        order++;
    for (unsigned count = 1; count <= info->most; count *= 2) {
        for (uint64_t sector = 0; sector + count <= info->sectors / 2; sector += info->sectors / 8 + 1) {
            int status = transfer(false, sector, count, &block, order, 0, 0);
            check(status >= 0, "read", status);
            check(status < 0 || differs(block, sector, count, 0) < 0, "sectors from", (int64_t)sector);
        }
    }
    if (block)
        os2_block_free(block);
    test_done("what the host wrote is read");
}

/* Nothing but the sectors asked for is touched, in the block and on the disk. */
static void test_place(void) {
    uint64_t *block;
    void *memory = NULL;

    if (os2_block_alloc(1, &memory) >= 0) {
        memset(memory, 0xa5, 2 * OS2_PAGE_SIZE);
        int status = os2_disk_read(disk, 3, 2, &memory, 1, OS2_PAGE_SIZE - SECTOR);
        block = memory;
        check(status >= 0 && block, "read", status);
        uint64_t left = (OS2_PAGE_SIZE - SECTOR) / 8, right = (OS2_PAGE_SIZE + SECTOR) / 8;
        for (unsigned i = 0; block && i < 2 * OS2_PAGE_SIZE / 8; i++)
            check((i >= left && i < right) || block[i] == 0xa5a5a5a5a5a5a5a5u, "outside of the place, at", i * 8);
        check(block && differs(block + left, 3, 2, 0) < 0, "the place", 0);
        if (memory)
            os2_block_free(memory);
    }
    test_done("sectors go where they should, and nowhere else");
}

static void test_errors(const struct os2_disk_info *info) {
    static const struct {
        uint64_t past, count, at;
    } bad[] = {{0, 1, 0}, {UINT64_MAX / 2, 1, 0}, {0, 0, 0}, {0, 1, 1}, {0, 8, 512}, {0, 1, 4096}, {0, 9, 0}};
    void *block = NULL;

    check(os2_block_alloc(0, &block) >= 0, "a page", 0);
    for (unsigned i = 0; block && i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t sector = i < 2 ? info->sectors + bad[i].past : 0;
        int status = os2_disk_read(disk, sector, (unsigned)bad[i].count, &block, 0, bad[i].at);
        check(status == OS2_E_INVALID && block, "a request that cannot be, number", i);
        status = block ? os2_disk_write(disk, sector, (unsigned)bad[i].count, &block, 0, bad[i].at) : 0;
        check(status == OS2_E_INVALID && block, "a write that cannot be, number", i);
    }
    if (block)
        os2_block_free(block);
    check(os2_disk_flush(disk) == OS2_OK, "flush", 0);
    test_done("wrong requests are refused, with the block");
}

/* Through a handle with another badge, as those have whom the name service does not trust. */
static int refusal(unsigned handle) {
    struct os2_disk_info info;
    void *block = NULL;
    int status;

    if (os2_disk_info(handle, &info) != OS2_E_RIGHTS || os2_disk_flush(handle) != OS2_E_RIGHTS ||
        os2_block_alloc(0, &block) < 0)
        return OS2_OK;
    status = os2_disk_read(handle, 0, 1, &block, 0, 0);
    if (block)
        os2_block_free(block);
    return status;
}

static void test_refused(void) {
    unsigned handle = 0;
    int status = os2_handle_mint(disk, OS2_HANDLE_INBOX, 1, OS2_RIGHT_SEND, &handle);

    check(status >= 0, "a handle with a badge", status);
    check(refusal(handle) == OS2_E_RIGHTS, "through it", 0);
    if (handle)
        os2_handle_close(handle);
    test_done("who is not trusted is refused");
}

static void test_random(void) {
    uint64_t bytes[16] = {0}, same = 0;
    int status = OS2_E_WOULD_WAIT;

    for (unsigned tries = 0; status == OS2_E_WOULD_WAIT && tries < 100; tries++) {
        status = os2_random(bytes, sizeof(bytes));
        os2_sleep_ms(AGAIN_MS);
    }
    check(status >= 0, "random bytes", status);
    for (unsigned i = 0; i < 16; i++)
        for (unsigned j = 0; j < i; j++)
            same += bytes[i] == bytes[j];
    check(same == 0, "words that are the same", (int64_t)same);
    test_done("random bytes differ");
}

/* The host compares it with its own. */
static void test_time(void) {
    uint64_t ns = 0;
    int status = OS2_E_WOULD_WAIT;

    for (unsigned tries = 0; status == OS2_E_WOULD_WAIT && tries < 500; tries++) {
        status = os2_time_of_day(&ns);
        os2_sleep_ms(AGAIN_MS);
    }
    check(status >= 0, "time of day", status);
    os2_printf("# time of day %lu\n", ns / 1000000000);
    test_done("the time of day is told");
}

/* As a program that the shell starts. */
static int run_refused(void) {
    unsigned devices;

    if (os2_names_lookup(names, "disk0", true, &disk) < 0 || refusal(disk) != OS2_E_RIGHTS ||
        os2_names_lookup(names, "devices", true, &devices) < 0 ||
        os2_devices_restart(devices, slot_of("disk0")) != OS2_E_RIGHTS)
        return 1;
    os2_printf("refused\n");
    return 0;
}

int main(int argc, char **argv) {
    struct os2_disk_info info = {0};

    if (os2_team_role(argc, argv) && strcmp(os2_team_role(argc, argv), "reader") == 0)
        return run_reader();
    if (os2_team_role(argc, argv))
        return run_member(os2_team_number(argc, argv));
    names = os2_start_handle("names");
    if (argc == 2 && strcmp(argv[1], "refused") == 0)
        return run_refused();
    os2_printf("1..10\n");
    disk_again();
    if (!check(os2_disk_info(disk, &info) >= 0 && info.sectors >= 1024 && info.most >= 8, "sectors",
               (int64_t)info.sectors))
        return 1;
    os2_printf("# %lu sectors, at most %u in one request\n", info.sectors, info.most);
    test_read(&info);
    test_place();
    test_errors(&info);
    test_refused();
    test_random();
    test_time();
    test_late(&(struct killing){"what a device does when its driver has ended reaches nobody", kill_driver, LATE_KILLS,
                                LATE_MS});
    test_late(&(struct killing){"nor when the device manager has", kill_manager, LATE_MANAGER_KILLS, LATE_MS});
    test_kills(&(struct killing){"the driver ends in the middle of transfers", kill_driver, DRIVER_KILLS, 20});
    test_kills(&(struct killing){"the device manager does", kill_manager, MANAGER_KILLS, 50});
    return 0;
}
