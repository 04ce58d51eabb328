/* SPDX-License-Identifier: MIT */
/*
 * mem: what the memory is used for.
 *
 * Counted anew, frame by frame, over all frames the machine has; the kernel's own sums are not asked. Every frame of
 * RAM is in one state, so the states must add up to the RAM.
 */
#include "os2/call.h"
#include "os2/frames.h"
#include "os2/start.h"
#include "os2/stream.h"

static void print_free(const struct os2_frames *frames) {
    os2_printf("free blocks by order:\n");
    for (unsigned order = 0; order <= OS2_ORDER_MAX; order++)
        if (frames->free_blocks[order])
            os2_printf("  %2u (%7lu KiB) %8lu\n", order, (OS2_PAGE_SIZE << order) / 1024, frames->free_blocks[order]);
}

int main(void) {
    static const char *const words[OS2_FRAME_STATES] = {
        "free, in stock", "free",           "tails",  "exchange blocks", "in messages",
        "page tables",    "kernel objects", "kernel", "private blocks",  "reserved",
    };
    unsigned machine = os2_start_handle("machine");
    struct os2_frames frames;
    int status = machine ? os2_frames_count(machine, &frames) : OS2_E_HANDLE;
    uint64_t sum = 0;

    if (status < 0) {
        os2_error("cannot count frames: %s", os2_status_text(status));
        return 1;
    }
    for (unsigned state = 0; state < OS2_FRAME_STATES; state++)
        sum += frames.pages[state];
    os2_printf("RAM %lu pages, %lu MiB\n", frames.ram, frames.ram >> (20 - OS2_PAGE_SHIFT));
    for (unsigned state = 0; state < OS2_FRAME_STATES; state++)
        if (state != OS2_FRAME_TAIL && (frames.pages[state] || state == OS2_FRAME_FREE))
            os2_printf("  %-20s %8lu pages\n", words[state], frames.pages[state]);
    print_free(&frames);
    if (sum != frames.ram) {
        os2_printf("the states add up to %lu pages, not to the RAM\n", sum);
        return 1;
    }
    os2_printf("the states add up to the RAM\n");
    return 0;
}
