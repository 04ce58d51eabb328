/* SPDX-License-Identifier: MIT */
/* hello: the shortest program. */
#include "os2/stream.h"

int main(void) {
    return os2_printf("Hello from a process of its own.\n") < 0;
}
