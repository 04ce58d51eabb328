/* SPDX-License-Identifier: MIT */
/* hexdump: bytes of files, or of the input, in hexadecimal and as text, 16 in a line. */
#include "os2/call.h"
#include "os2/read.h"

#define ROW 16u

static unsigned char row[ROW];
static unsigned used;
static uint64_t offset;

static void row_print(void) {
    static const char digits[] = "0123456789abcdef";
    char text[3 * ROW + 2 + ROW + 3];
    unsigned at = 0;

    for (unsigned i = 0; i < ROW; i++) {
        text[at++] = i < used ? digits[row[i] >> 4] : ' ';
        text[at++] = i < used ? digits[row[i] & 15] : ' ';
        text[at++] = ' ';
        if (i == ROW / 2 - 1)
            text[at++] = ' ';
    }
    text[at++] = ' ';
    text[at++] = '|';
    for (unsigned i = 0; i < used; i++)
        text[at++] = row[i] >= ' ' && row[i] < 0x7f ? (char)row[i] : '.';
    text[at++] = '|';
    text[at] = 0;
    os2_printf("%08lx  %s\n", offset, text);
    offset += used;
    used = 0;
}

static int take(void *context, struct os2_stream_block *block) {
    (void)context;
    for (uint64_t i = 0; i < block->used; i++) {
        row[used++] = (unsigned char)block->bytes[i];
        if (used == ROW)
            row_print();
    }
    return os2_block_free(block->bytes);
}

int main(int argc, char **argv) {
    int failed = os2_read_arguments(argc, argv, take, NULL);

    if (used)
        row_print();
    os2_printf("%08lx\n", offset);
    return failed;
}
