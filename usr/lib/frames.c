/* SPDX-License-Identifier: MIT */
/*
 * Counting the machine's frames (os2/frames.h): runs of equal blocks, one system call each.
 */
#include "os2/frames.h"

#include "os2/call.h"
#include "os2/string.h"

int os2_frames_count(unsigned machine, struct os2_frames *ret_frames) {
    struct os2_message m;
    uint64_t frame, end, holes;
    int status = os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m);

    if (status < 0)
        return status;
    memset(ret_frames, 0, sizeof(*ret_frames));
    frame = m.w[1];
    end = m.w[2];
    ret_frames->ram = m.w[3];
    holes = end - frame - ret_frames->ram; /* between banks: reserved to the kernel, but no RAM */
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
    if (ret_frames->pages[OS2_FRAME_RESERVED] < holes)
        return OS2_E_INVALID;
    ret_frames->pages[OS2_FRAME_RESERVED] -= holes;
    return OS2_OK;
}
