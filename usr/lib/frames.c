/* SPDX-License-Identifier: MIT */
/*
 * Counting the machine's frames (os2/frames.h): runs of equal blocks, one system call each. A count made while others
 * allocate, or while an idle core clears frames ahead, can see a frame twice or not at all; then it is made again.
 */
#include "os2/frames.h"

#include <stdbool.h>

#include "os2/call.h"
#include "os2/string.h"

#define FRAMES_TRIES 5

/* True: each frame was seen once. */
static bool frames_add_up(const struct os2_frames *frames) {
    uint64_t sum = 0;
    for (unsigned state = 0; state < OS2_FRAME_STATES; state++)
        sum += frames->pages[state];
    return sum == frames->ram && !frames->pages[OS2_FRAME_TAIL];
}

static int frames_walk(unsigned machine, struct os2_frames *ret_frames) {
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

int os2_frames_count(unsigned machine, struct os2_frames *ret_frames) {
    int status;

    for (int i = 0; i < FRAMES_TRIES; i++) {
        status = frames_walk(machine, ret_frames);
        if (status < 0 || frames_add_up(ret_frames))
            break;
        os2_yield();
    }
    return status;
}
