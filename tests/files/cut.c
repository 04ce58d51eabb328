/* SPDX-License-Identifier: MIT */
/*
 * cuttest: writes files until the power goes (tests/powercut.py takes it away). Started by init instead of the shell
 * (os2.start=cuttest).
 *
 * Step n writes the file n, in a folder that changes every 16 steps, adds a record to `log`, changes the middle of
 * `fixed` in place, gives the file n - 4 another name, removes the file n - 8, makes everything safe, and then prints
 * "synced n". So the host knows what must be there, whatever was under way: the files from n - 6 on under the one name
 * or the other, and n records.
 */
#include "os2/file.h"

#include "filetest.h"
#include "lib/format.h"
#include "os2/call.h"
#include "os2/string.h"

#define RECORD 100u
#define FIXED (300u * 1024)

bool check(bool good, const char *what, int64_t got) {
    if (!good) {
        os2_printf("failed: %s: %s\n", what, os2_status_text((int)got));
        os2_out_flush();
    }
    return good;
}

void test_done(const char *what) {
    os2_printf("%s\n", what);
    os2_out_flush();
}

static void name_of(char to[64], const char *kind, uint64_t number) {
    format(to, 64, "/disk/cut/folder %lu/%s number %lu", number / 16, kind, number);
}

static bool append_record(uint64_t step) {
    uint8_t record[RECORD];
    struct os2_file file;
    int status = os2_file_open(&file, "/disk/cut/log", OS2_OPEN_WRITE | OS2_OPEN_CREATE);

    if (status >= 0) {
        pattern_fill(record, 7, (step - 1) * RECORD, RECORD);
        file.offset = (step - 1) * RECORD;
        status = os2_file_write(&file, record, RECORD);
        os2_file_close(&file);
    }
    return check(status >= 0, "a record", status);
}

static bool change_fixed(uint64_t step) {
    uint8_t bytes[1000];
    struct os2_file file;
    int status = os2_file_open(&file, "/disk/cut/fixed", OS2_OPEN_WRITE);

    if (status >= 0) {
        file.offset = step * 977 % (FIXED - sizeof(bytes));
        pattern_fill(bytes, 8, file.offset, sizeof(bytes));
        status = os2_file_write(&file, bytes, sizeof(bytes));
        os2_file_close(&file);
    }
    return check(status >= 0, "a change in place", status);
}

static bool step_do(uint64_t step) {
    char name[64], other[64];
    int status = OS2_OK;

    if (step % 16 == 0) {
        format(name, sizeof(name), "/disk/cut/folder %lu", step / 16);
        status = os2_file_mkdir(name);
    }
    name_of(name, "file", step);
    if (status >= 0)
        status = pattern_write(name, step, step * 7919 % 200000, 50000);
    if (!check(status >= 0, name, status) || !append_record(step) || !change_fixed(step))
        return false;
    if (step > 4) {
        name_of(name, "file", step - 4);
        name_of(other, "renamed", step - 4);
        status = os2_file_rename(name, other);
    }
    if (status >= 0 && step > 8) {
        name_of(name, "renamed", step - 8);
        status = os2_file_remove(name);
    }
    if (status >= 0)
        status = os2_file_sync_all();
    return check(status >= 0, "names and sync", status);
}

int main(void) {
    char text[32];
    int status = os2_file_mkdir("/disk/cut");

    if (status >= 0)
        status = os2_file_mkdir("/disk/cut/folder 0");
    if (status >= 0)
        status = pattern_write("/disk/cut/fixed", 8, FIXED, 50000);
    if (!check(status >= 0, "the beginning", status))
        return 1;
    for (uint64_t step = 1; step_do(step); step++) {
        format(text, sizeof(text), "synced %lu", step);
        test_done(text);
    }
    return 1;
}
