/* SPDX-License-Identifier: MIT */
/*
 * Counting the machine's frames (os2/frames.h): runs of equal blocks, one system call each.
 */
#include "os2/frames.h"

#include "os2/call.h"
#include "os2/string.h"

int os2_frames_count(unsigned machine, struct os2_frames *ret_frames) {
    struct os2_message m;
    uint64_t first, frame, end;
    int status = os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m);

    if (status < 0)
        return status;
    memset(ret_frames, 0, sizeof(*ret_frames));
    frame = first = m.w[1];
    end = m.w[2];
    ret_frames->ram = m.w[3];
    while (frame < end) {
        uint64_t order, pages;
        status = os2_machine_info(machine, OS2_MACHINE_FRAMES, frame, &m);
        if (status < 0)
            return status;
        if (m.label <= frame || m.w[0] >= OS2_FRAME_STATES || m.w[1] > OS2_ORDER_MAX)
            return OS2_E_INVALID;
        order = m.w[1];
        pages = m.w[2] << order;
        ret_frames->pages[m.w[0]] += pages;
        if (m.w[0] == OS2_FRAME_FREE)
            ret_frames->free_blocks[order] += m.w[2];
        frame = m.label;
    }
    /* What lies between two banks of RAM is reserved for the kernel, but it is no RAM. */
    ret_frames->pages[OS2_FRAME_RESERVED] -= end - first - ret_frames->ram;
    return OS2_OK;
}
