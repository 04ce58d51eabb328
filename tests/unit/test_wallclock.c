/* SPDX-License-Identifier: MIT */
/* Dates, compared with the C library's, and the time of day, which the clock is asked for once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "os2/call.h"
#include "os2/names.h"
#include "os2/time.h"
#include "os2/wallclock.h"

static bool there;
static unsigned asked;
static uint64_t now = 5000;

int os2_names_find(const char *name, bool wait, unsigned *ret_handle) {
    assert_true(strcmp(name, "clock") == 0 && !wait);
    *ret_handle = 2;
    return there ? OS2_OK : OS2_E_WOULD_WAIT;
}
int os2_request(unsigned handle, uint64_t flags, struct os2_message *m) {
    assert_true(handle == 2 && flags == 0 && m->label == OS2_WALLCLOCK_READ);
    asked++;
    m->w[0] = 1000000;
    m->w[1] = 4000;
    return OS2_OK;
}
int os2_handle_close(unsigned handle) {
    assert_int_equal(handle, 2);
    return OS2_OK;
}
uint64_t os2_now_ns(void) {
    return now;
}
void arch_syscall(uint64_t *slots) {
    fail_msg("a call: %lx", (unsigned long)slots[0]);
}

/* Each day from 1970 to 2500, at a different second of it. */
static void test_dates(void **state) {
    struct os2_date date;
    (void)state;
    for (uint64_t day = 0; day < 530 * 366; day++) {
        uint64_t seconds = day * 86400 + day * 7919 % 86400;
        time_t wanted = (time_t)seconds;
        struct tm tm;
        gmtime_r(&wanted, &tm);
        os2_date_of(seconds, &date);
        assert_true(date.year == (unsigned)tm.tm_year + 1900 && date.month == (unsigned)tm.tm_mon + 1 &&
                    date.day == (unsigned)tm.tm_mday && date.weekday == (unsigned)tm.tm_wday);
        assert_true(date.hour == (unsigned)tm.tm_hour && date.minute == (unsigned)tm.tm_min &&
                    date.second == (unsigned)tm.tm_sec);
        assert_true(os2_date_seconds(&date) == seconds);
    }
}

static void test_time_of_day(void **state) {
    uint64_t ns = 7;
    (void)state;
    assert_int_equal(os2_time_of_day(&ns), OS2_E_WOULD_WAIT);
    assert_true(ns == 7 && asked == 0);
    there = true;
    assert_int_equal(os2_time_of_day(&ns), OS2_OK);
    assert_true(ns == 1001000);
    now += 50;
    assert_int_equal(os2_time_of_day(&ns), OS2_OK);
    assert_true(ns == 1001050 && asked == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dates), cmocka_unit_test(test_time_of_day)};

    return cmocka_run_group_tests_name("wallclock", tests, NULL, NULL);
}
