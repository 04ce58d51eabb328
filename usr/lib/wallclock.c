/* SPDX-License-Identifier: MIT */
/*
 * The time of day (os2/wallclock.h), and dates. Days are counted in years that begin in March, so that the leap day is
 * the last one, and in eras of 400 years, after which the calendar repeats.
 */
#include "os2/wallclock.h"

#include <stdbool.h>

#include "os2/call.h"
#include "os2/names.h"
#include "os2/time.h"

#define DAY UINT64_C(86400)
#define ERA_DAYS 146097u
#define ERA_TO_1970 719468u /* days from the first of March of year 0 to the first of January of 1970 */

static uint64_t boot_ns; /* nanoseconds since 1970 at boot */
static bool known;

int os2_time_of_day(uint64_t *ret_ns) {
    struct os2_message m = {.label = OS2_WALLCLOCK_READ};
    unsigned clock;
    int status;

    if (!known) {
        status = os2_names_find("clock", false, &clock);
        if (status < 0)
            return status;
        status = os2_request(clock, 0, &m);
        os2_handle_close(clock);
        if (status < 0)
            return status;
        boot_ns = m.w[0] - m.w[1];
        known = true;
    }
    *ret_ns = boot_ns + os2_now_ns();
    return OS2_OK;
}

void os2_date_of(uint64_t seconds, struct os2_date *ret_date) {
    uint64_t days = seconds / DAY + ERA_TO_1970;
    unsigned rest = (unsigned)(seconds % DAY), day = (unsigned)(days % ERA_DAYS);
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365; /* of the era */
    unsigned of_year = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* from March on; 153 days are five months */

    *ret_date = (struct os2_date){
        .year = (unsigned)(days / ERA_DAYS * 400) + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1,
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = (unsigned)((seconds / DAY + 4) % 7), /* 1970 began with a Thursday */
    };
}

uint64_t os2_date_seconds(const struct os2_date *date) {
    uint64_t year = date->year - (date->month <= 2);
    unsigned of_era = (unsigned)(year % 400), month = date->month > 2 ? date->month - 3 : date->month + 9;
    uint64_t days =
        year / 400 * ERA_DAYS + of_era * 365u + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + date->day - 1;

    return (days - ERA_TO_1970) * DAY + date->hour * 3600u + date->minute * 60u + date->second;
}
