/* SPDX-License-Identifier: MIT */
/* date: the day and the time of day, UTC; -s: as seconds since 1970. */
#include "os2/call.h"
#include "os2/stream.h"
#include "os2/tool.h"
#include "os2/wallclock.h"

int main(int argc, char **argv) {
    static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    char text[OS2_TOOL_DATE];
    struct os2_date date;
    unsigned seconds;
    uint64_t now;
    int first = os2_tool_options(argc, argv, "s", &seconds, NULL), status;

    if (first < 0 || first < argc)
        return os2_tool_usage("[-s]");
    status = os2_time_of_day(&now);
    if (status < 0) {
        os2_error("%s",
                  status == OS2_E_WOULD_WAIT ? "this machine has no clock that is known" : os2_status_text(status));
        return 1;
    }
    now /= 1000000000;
    if (seconds) {
        os2_printf("%lu\n", now);
        return 0;
    }
    os2_date_of(now, &date);
    os2_printf("%s, %s UTC\n", days[date.weekday % 7], os2_tool_date(now, text));
    return 0;
}
