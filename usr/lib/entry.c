/* SPDX-License-Identifier: MIT */
/*
 * Where C begins in a program: takes the start page, runs main, ends with its result. A program that is started another
 * way (init) has an os2_entry of its own, and this one is left out of it.
 */
#include "usr/lib/start_page.h"

#include "os2/call.h"
#include "os2/stream.h"

int main(int argc, char **argv);
_Noreturn void os2_entry(const struct os2_start_page *page);

void os2_entry(const struct os2_start_page *page) {
    int status;

    os2_start_page = page;
    status = main((int)page->argc, (char **)(uintptr_t)page->argv);
    if (os2_out_end() < 0 && status == 0)
        status = 1;
    os2_exit((uint64_t)(int64_t)status);
}
