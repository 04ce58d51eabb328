/* SPDX-License-Identifier: MIT */
/* The start of a service: see os2/supervisor.h. */
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/supervisor.h"

bool os2_service_begin(void) {
    if (os2_start_handle("init"))
        return true;
    os2_error("this is a service: init starts it; `ps` shows it, and `kill ID` has it started again");
    return false;
}
