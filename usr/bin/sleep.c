/* SPDX-License-Identifier: MIT */
/* sleep: wait for some milliseconds. */
#include "os2/call.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"

int main(int argc, char **argv) {
    uint64_t ms;
    int status;

    if (argc != 2 || !os2_string_number(argv[1], &ms)) {
        os2_error("how many milliseconds?");
        return 2;
    }
    status = os2_sleep_ms(ms);
    if (status < 0)
        os2_error("%s", os2_status_text(status));
    return status < 0;
}
