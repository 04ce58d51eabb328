/* SPDX-License-Identifier: MIT */
/* A program for the readers of ELF files: code, data, and memory without bytes in the file. It is never run. */
void _start(void);

static volatile int data = 1, zeroed[2000];

void _start(void) {
    for (;;)
        data += zeroed[data & 1023];
}
