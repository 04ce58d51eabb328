/* SPDX-License-Identifier: MIT */
/*
 * The end of a program's output (os2/stream.h), in a file of its own: a program that writes nothing is linked with this
 * and not with usr/lib/stream_out.c, and so stays small.
 */
#include "os2/call.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "usr/lib/start_page.h"

int (*os2_out_pending)(void);

int os2_out_end(void) {
    unsigned pipe = os2_start_handle("pipe.out");
    int status = os2_out_pending ? os2_out_pending() : OS2_OK;

    if (pipe && !os2_start_page->output && status >= 0) {
        struct os2_message m = {.label = OS2_STREAM_END};
        status = os2_send(pipe, 0, &m);
    }
    return status;
}
