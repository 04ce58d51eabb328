/* SPDX-License-Identifier: MIT */
/* echo: print the arguments with a blank between them. */
#include "os2/stream.h"

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        os2_printf("%s%s", i > 1 ? " " : "", argv[i]);
    return os2_printf("\n") < 0;
}
