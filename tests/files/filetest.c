/* SPDX-License-Identifier: MIT */
/*
 * filetest: files on a disk, as a program sees them. Started by init instead of the shell (os2.start=filetest), on a
 * disk that files.py makes; prints TAP. What it leaves on the disk the host compares: pattern() is in files.py too.
 *
 *     filetest            the tests of one boot
 *     filetest kills N    reads, writes and compares, while a member ends services and drivers, N of them
 */
#include "os2/file.h"

#include "lib/format.h"
#include "os2/call.h"
#include "os2/devices.h"
#include "os2/heap.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"
#include "os2/supervisor.h"
#include "os2/team.h"
#include "os2/time.h"

#include "filetest.h"

static unsigned number;
static bool failed;

bool check(bool good, const char *what, int64_t got) {
    if (!good)
        os2_printf("# %s: got %ld (%s)\n", what, got, os2_status_text((int)got));
    failed |= !good;
    return good;
}

void test_done(const char *what) {
    os2_printf("%sok %u - %s\n", failed ? "not " : "", ++number, what);
    failed = false;
}

/* Has it come out so? Of good statuses any. */
static bool is(int status, int wanted, const char *what) {
    return check(wanted < 0 ? status == wanted : status >= 0, what, status);
}

/* ---- What the host made. ---- */

static uint64_t file_number(const char *path) {
    struct os2_file_facts facts;
    return os2_file_stat(path, &facts) < 0 ? 0 : facts.number;
}

static void test_host(void) {
    struct os2_file_facts facts;
    int status;

    pattern_check("/disk/host/big.bin", 1, 3 * 1024 * 1024 + 777);
    pattern_check("/disk/host/small.txt", 2, 13);
    pattern_check("/disk/host/empty", 3, 0);
    pattern_check("/disk/host/A file with a long name, and an \xc3\xbc.txt", 4, 5000);
    pattern_check("/disk/HOST/SMALL.TXT", 2, 13);
    pattern_check("/disk/./nix/../host//small.txt", 2, 13);
    status = os2_file_stat("/disk/host", &facts);
    check(status >= 0 && facts.kind == OS2_FILE_FOLDER, "a folder", status);
    check(file_number("/disk/host/small.txt") &&
              file_number("/disk/host/small.txt") == file_number("/disk/HOST/SMALL.TXT"),
          "one file by two names", 0);
    check(file_number("/disk/host/empty") != file_number("/disk/host/small.txt"), "two files", 0);
    check(file_number("/disk") != file_number("/boot") && file_number("/disk") != file_number("/"), "two folders", 0);
    test_done("what the host wrote is read");
}

/* ---- One file beside a copy in memory. ---- */

#define MODEL_SIZE 300000u
#define MODEL_STEPS 600u

static bool model_write(struct os2_file *file, uint8_t *model, uint64_t *size) {
    uint64_t at = random_below(*size + 5000), count = random_below(random_below(4) ? 3000 : 70000);
    int status;

    if (random_below(2))
        at &= ~(uint64_t)0xfff;
    if (at + count > MODEL_SIZE)
        return true;
    if (count && at > *size)
        memset(model + *size, 0, at - *size);
    for (uint64_t i = 0; i < count; i++)
        model[at + i] = (uint8_t)random_below(256);
    file->offset = at;
    status = os2_file_write(file, model + at, count);
    if (count && at + count > *size)
        *size = at + count;
    return check(status >= 0 && file->offset == at + count, "write", status);
}

static bool model_read(struct os2_file *file, const uint8_t *model, uint64_t size) {
    static uint8_t bytes[65536];
    uint64_t at = random_below(size + 100), count = random_below(random_below(4) ? 5000 : sizeof(bytes));
    uint64_t expect = at >= size ? 0 : size - at < count ? size - at : count, done = 0;

    file->offset = at;
    while (done < expect) {
        int64_t got = os2_file_read(file, bytes, expect - done);
        if (!check(got > 0, "read", got) || !check(memcmp(bytes, model + at + done, (size_t)got) == 0, "bytes", got))
            return false;
        done += (uint64_t)got;
    }
    file->offset = size;
    return check(os2_file_read(file, bytes, 10) == 0, "the end", 0);
}

static bool model_resize(struct os2_file *file, uint8_t *model, uint64_t *size) {
    uint64_t to = random_below(MODEL_SIZE);
    int status = os2_file_truncate(file, to);

    if (to > *size)
        memset(model + *size, 0, to - *size);
    *size = to;
    return check(status >= 0, "truncate", status);
}

static void test_model(void) {
    uint8_t *model = os2_heap_alloc(MODEL_SIZE);
    struct os2_file file;
    uint64_t size = 0;
    int status = os2_file_open(&file, "/disk/model", OS2_OPEN_READ | OS2_OPEN_WRITE | OS2_OPEN_CREATE);
    bool good = check(model && status >= 0, "a new file", status);

    for (unsigned step = 0; good && step < MODEL_STEPS; step++) {
        unsigned what = (unsigned)random_below(20);
        good = what == 0   ? model_resize(&file, model, &size)
               : what < 10 ? model_write(&file, model, &size)
                           : model_read(&file, model, size);
    }
    if (status >= 0) {
        struct os2_file_facts facts = {0};
        check(os2_file_facts(&file, &facts) >= 0 && facts.size == size, "size", (int64_t)facts.size);
        os2_file_close(&file);
    }
    os2_heap_free(model);
    test_done("reads, writes and sizes as in memory");
}

/* ---- Names and folders. ---- */

static bool listed(const char *path, const char *name) {
    const struct os2_files_entry *entry;
    struct os2_folder folder;
    unsigned found = 0;

    if (!check(os2_folder_open(&folder, path) >= 0, path, 0))
        return false;
    while (os2_folder_next(&folder, &entry) > 0)
        found += strcmp(entry->name, name) == 0;
    os2_folder_close(&folder);
    return found == 1;
}

static void test_folders(void) {
    char path[128];

    is(os2_file_mkdir("/disk/tree"), OS2_OK, "mkdir");
    is(os2_file_mkdir("/disk/tree/deep"), OS2_OK, "mkdir");
    is(os2_file_mkdir("/disk/tree"), OS2_FILE_E_EXISTS, "mkdir again");
    is(os2_file_mkdir("/disk/nix/deep"), OS2_FILE_E_NONE, "mkdir in none");
    for (unsigned i = 0; i < 100; i++) {
        format(path, sizeof(path), "/disk/tree/deep/the file of number %u", i);
        is(pattern_write(path, 100 + i, i * 97, 1000), OS2_OK, path);
    }
    check(listed("/disk/tree/deep", "the file of number 99"), "in the list", 0);
    is(os2_file_rename("/disk/tree/deep/the file of number 50", "/disk/tree/moved.bin"), OS2_OK, "rename");
    check(listed("/disk/tree", "moved.bin") && !listed("/disk/tree/deep", "the file of number 50"), "moved", 0);
    is(os2_file_rename("/disk/tree/moved.bin", "/disk/tree/deep/the file of number 51"), OS2_OK, "over one");
    pattern_check("/disk/tree/deep/the file of number 51", 150, 50 * 97);
    is(os2_file_rename("/disk/tree/deep", "/disk/tree/deeper"), OS2_OK, "a folder's name");
    pattern_check("/disk/tree/deeper/the file of number 99", 199, 99 * 97);
    is(os2_file_rename("/disk/tree", "/disk/tree/deeper/in"), OS2_E_INVALID, "into itself");
    is(os2_file_rename("/disk/tree", "/boot/tree"), OS2_FILE_E_OTHER_DISK, "to another disk");
    is(os2_file_rename("/disk/tree/deeper", "/disk/Tree2"), OS2_OK, "up");
    is(os2_file_rename("/disk/Tree2", "/disk/TREE2"), OS2_OK, "other letters");
    check(listed("/disk", "TREE2"), "with those letters", 0);
    is(os2_file_remove("/disk/TREE2"), OS2_FILE_E_NOT_EMPTY, "not empty");
    for (unsigned i = 0; i < 100; i += 2) {
        format(path, sizeof(path), "/disk/tree2/the file of number %u", i);
        is(os2_file_remove(path), i == 50 ? OS2_FILE_E_NONE : OS2_OK, path);
    }
    is(os2_file_remove("/disk/tree"), OS2_OK, "an empty folder");
    test_done("folders and names");
}

static void test_errors(void) {
    char name[300] = "/disk/";
    struct os2_file file, again;
    int status;

    is(os2_file_open(&file, "/disk/nix", OS2_OPEN_READ), OS2_FILE_E_NONE, "no file");
    is(os2_file_open(&file, "/nix/a", OS2_OPEN_READ), OS2_FILE_E_NONE, "no disk");
    is(os2_file_open(&file, "/disk/host/small.txt/a", OS2_OPEN_READ), OS2_FILE_E_NO_FOLDER, "in a file");
    is(os2_file_open(&file, "/disk/host", OS2_OPEN_WRITE), OS2_FILE_E_FOLDER, "a folder");
    is(os2_file_open(&file, "/boot/cat", OS2_OPEN_WRITE), OS2_FILE_E_READ_ONLY, "boot");
    is(os2_file_open(&file, "/boot/new", OS2_OPEN_WRITE | OS2_OPEN_CREATE), OS2_FILE_E_READ_ONLY, "new in boot");
    is(os2_file_remove("/boot/cat"), OS2_FILE_E_READ_ONLY, "remove from boot");
    is(os2_file_remove("/disk"), OS2_FILE_E_ROOT, "remove the disk");
    is(os2_file_mkdir("/disk/a:b"), OS2_FILE_E_NAME, "a colon");
    memset(name + 6, 'x', 256);
    is(os2_file_mkdir(name), OS2_FILE_E_NAME, "a long name");
    name[6 + 255] = 0;
    is(os2_file_mkdir(name), OS2_OK, "one that just fits");
    is(os2_file_remove(name), OS2_OK, "and is removed");
    status = os2_file_open(&file, "/disk/host/small.txt", OS2_OPEN_READ);
    if (check(status >= 0, "open", status)) {
        is(os2_file_write(&file, "a", 1), OS2_E_RIGHTS, "write to read-only");
        is(os2_file_truncate(&file, 0), OS2_E_RIGHTS, "truncate it");
        is(os2_file_remove("/disk/host/small.txt"), OS2_FILE_E_IN_USE, "remove it");
        os2_file_close(&file);
    }
    status = os2_file_open(&file, "/disk/twice", OS2_OPEN_WRITE | OS2_OPEN_CREATE | OS2_OPEN_EXCLUSIVE);
    check(status >= 0, "a new one", status);
    is(os2_file_open(&again, "/disk/twice", OS2_OPEN_WRITE | OS2_OPEN_CREATE | OS2_OPEN_EXCLUSIVE), OS2_FILE_E_EXISTS,
       "it is there");
    is(os2_file_open(&again, "/disk/twice", OS2_OPEN_READ), OS2_OK, "twice open");
    check(os2_file_write(&file, "hello", 5) >= 0, "write", 0);
    check(os2_file_read(&again, name, 10) == 5 && memcmp(name, "hello", 5) == 0, "seen by the other", 0);
    file.offset = (UINT64_C(1) << 32) - 1;
    is(os2_file_write(&file, "a", 1), OS2_FILE_E_TOO_LARGE, "4 GiB");
    check(os2_file_read(&file, name, 1) == OS2_E_RIGHTS, "read what is open to write", 0);
    os2_file_close(&again);
    os2_file_close(&file);
    is(os2_file_remove("/disk/twice"), OS2_OK, "remove");
    test_done("errors are told apart");
}

/* ---- A full disk. ---- */

static void test_full(void) {
    static uint8_t bytes[65536];
    uint64_t total, before, after;
    struct os2_file file;
    int status = os2_file_space("/disk", &total, &before);

    check(status >= 0 && before < total, "space", status);
    status = os2_file_open(&file, "/disk/fill", OS2_OPEN_WRITE | OS2_OPEN_CREATE);
    while (status >= 0)
        status = os2_file_write(&file, bytes, sizeof(bytes));
    check(status == OS2_FILE_E_FULL, "full", status);
    while ((status = os2_file_write(&file, bytes, OS2_PAGE_SIZE / 8)) >= 0) {
    }
    check(status == OS2_FILE_E_FULL, "full to the last sector", status);
    check(file.offset == before, "as much as there is", (int64_t)file.offset);
    is(os2_file_mkdir("/disk/more"), OS2_FILE_E_FULL, "a folder more");
    check(os2_file_truncate(&file, 10) >= 0, "shorter", 0);
    os2_file_close(&file);
    is(os2_file_remove("/disk/fill"), OS2_OK, "remove");
    check(os2_file_space("/disk", &total, &after) >= 0 && after == before, "all is free again", (int64_t)after);
    test_done("a full disk");
}

/* ---- Requests that make no sense, straight to the service. ---- */

static void test_rubbish(void) {
    unsigned files, session = 0, self;
    int status = os2_names_find("files", true, &files);

    check(status >= 0, "files", status);
    for (unsigned i = 0; i < 2000; i++) {
        unsigned to = i % 2 && session ? session : files;
        struct os2_message m = {.label = random_below(20)};
        uint64_t flags = OS2_F_ACCEPT_HANDLE | (random_below(2) ? OS2_ACCEPT(3) : 0);
        void *block = NULL;

        for (unsigned w = 0; w < 5; w++)
            m.w[w] = random_below(3) ? random_below(5000) : (uint64_t)0 - random_below(3);
        if (random_below(2) && os2_block_alloc((unsigned)random_below(3), &block) >= 0) {
            flags |= OS2_F_BLOCK;
            m.w[3] = (uintptr_t)block;
            for (unsigned b = 0; b < OS2_PAGE_SIZE; b++)
                ((uint8_t *)block)[b] = random_below(4) ? (uint8_t) "/boot/disk.."[b % 12] : (uint8_t)random_below(256);
        } else if (!session && os2_handle_mint(0, OS2_HANDLE_INBOX, 0, OS2_RIGHT_GIVE, &self) >= 0) {
            m.label = OS2_FILES_ATTACH;
            flags |= OS2_F_HANDLE;
            m.w[2] = self | (uint64_t)OS2_RIGHT_GIVE << 16;
        }
        status = os2_call(to, flags, &m);
        if (status >= 0 && m.control & OS2_I_BLOCK)
            os2_block_free(os2_message_block(&m));
        if (status >= 0 && m.control & OS2_I_HANDLE && !session)
            session = (unsigned)m.w[2];
        else if (status >= 0 && m.control & OS2_I_HANDLE)
            os2_handle_close((unsigned)m.w[2]);
        if (!check(status != OS2_E_DIED, "the service, at request", i))
            break;
    }
    os2_handle_close(files);
    if (session)
        os2_handle_close(session);
    pattern_check("/disk/host/small.txt", 2, 13);
    test_done("rubbish harms nobody");
}

/* ---- A client that ends with files open. ---- */

static void test_client_ends(void) {
    static struct os2_team team;
    unsigned member;
    int status;

    check(pattern_write("/disk/left", 5, 1000, 1000) >= 0, "a file", 0);
    for (unsigned round = 0; round < 70; round++) {
        if (!check(os2_team_open(&team, FILETEST_NAME) >= 0 &&
                       os2_team_add(&team, &(struct os2_member_plan){.pages = 64}, &member) >= 0 &&
                       os2_child_grant(&team.member[member].child, "names", os2_start_handle("names"),
                                       OS2_RIGHTS_ALL) >= 0 &&
                       os2_team_start(&team, member, "opener") >= 0 && os2_team_join(&team),
                   "a member that opens it, and ends", round))
            break;
        os2_team_close(&team);
    }
    /* The service learns of the last end when it comes to it. */
    for (unsigned tries = 0; (status = os2_file_remove("/disk/left")) == OS2_FILE_E_IN_USE && tries < 500; tries++)
        os2_sleep_ms(10);
    check(status >= 0, "remove what the ended had open", status);
    test_done("what ended programs had open is closed");
}

static int run_opener(void) {
    static struct os2_file file[20];

    for (unsigned i = 0; i < 20; i++)
        if (os2_file_open(&file[i], "/disk/left", OS2_OPEN_READ) < 0)
            return 1;
    return 0;
}

/* What the host compares afterwards. */
static void test_leave(void) {
    check(os2_file_mkdir("/disk/os2") >= 0, "mkdir", 0);
    check(pattern_write("/disk/os2/large.bin", 10, 2 * 1024 * 1024 + 12345, 77777) >= 0, "large", 0);
    check(pattern_write("/disk/os2/Small \xc3\xa4nd long.txt", 11, 1, 1) >= 0, "small", 0);
    check(pattern_write("/disk/os2/empty", 12, 0, 1) >= 0, "empty", 0);
    check(pattern_check("/disk/os2/large.bin", 10, 2 * 1024 * 1024 + 12345), "compare", 0);
    check(os2_file_sync_all() >= 0, "sync", 0);
    test_done("files for the host");
}

int main(int argc, char **argv) {
    const char *role = os2_team_role(argc, argv);

    if (role)
        return strcmp(role, "opener") == 0    ? run_opener()
               : strcmp(role, "alone") == 0   ? run_alone()
               : strcmp(role, "program") == 0 ? run_program()
                                              : run_worker();
    os2_printf("1..11\n");
    test_host();
    test_model();
    test_folders();
    test_errors();
    test_full();
    test_rubbish();
    test_client_ends();
    test_alone();
    test_names_as_client();
    test_kills();
    test_leave();
    return 0;
}
