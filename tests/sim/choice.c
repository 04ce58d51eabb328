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
