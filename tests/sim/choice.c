/* SPDX-License-Identifier: MIT */
/* Where the choices of a simulation's programs come from: a seed, or bytes that somebody has thought out. */
#include "tests/sim/program.h"

static struct host_random random;
static const uint8_t *next, *end; /* NULL: the seed */

void program_seed(uint64_t seed) {
    random.state = seed;
    next = end = NULL;
}

void program_feed(const uint8_t *bytes, size_t size) {
    next = bytes;
    end = bytes + size;
}

bool program_fed(void) {
    return next < end;
}

uint64_t program_below(uint64_t limit) {
    if (!next)
        return host_below(&random, limit);
    uint64_t value = 0;
    for (uint64_t left = limit - 1; left; left >>= 8)
        value = value << 8 | (next < end ? *next++ : 0);
    return value % limit;
}

void program_spoil(uint64_t *reg) {
    static const uint64_t edges[] = {
        0,
        1,
        2,
        7,
        8,
        18,
        19,
        63,
        64,
        255,
        256,
        OS2_PAGE_SIZE - 1,
        0xffff,
        UINT64_C(1) << 20,
        1u << 31,
        UINT32_MAX,
        ~UINT64_C(0) >> 1,
        OS2_PRIVATE_MAX - OS2_PAGE_SIZE,
        OS2_PRIVATE_MAX,
        ARCH_USER_END,
        UINT64_MAX - 4095,
        UINT64_MAX,
    };
    switch (next ? program_below(16) : 4) {
    case 0:
        reg[OS2_R_LABEL + program_below(OS2_R_BADGE - OS2_R_LABEL)] =
            edges[program_below(sizeof edges / sizeof *edges)];
        break;
    case 1: /* another call on the same handle, with the same arguments */
        reg[OS2_R_CONTROL] = (reg[OS2_R_CONTROL] & ~(uint64_t)OS2_NUMBER_MASK) | program_below(OS2_SYS_COUNT + 1);
        break;
    case 2: /* the same on another handle */
        reg[OS2_R_CONTROL] &= ~((uint64_t)OS2_HANDLE_MASK << OS2_HANDLE_SHIFT);
        reg[OS2_R_CONTROL] |= program_below(16) << OS2_HANDLE_SHIFT;
        break;
    case 3: /* another flag */
        reg[OS2_R_CONTROL] ^= UINT64_C(1) << (8 + program_below(14));
        break;
    default: /* as it is */
        break;
    }
}
