/* SPDX-License-Identifier: MIT */
/*
 * upper: turn the input into capitals.
 *
 * The bytes are changed where they lie and the same block goes on: in a pipeline nothing is copied.
 */
#include "os2/call.h"
#include "os2/stream.h"

int main(void) {
    struct os2_stream_block block;
    int status;

    while ((status = os2_in_block(&block)) > 0) {
        for (uint64_t i = 0; i < block.used; i++)
            if (block.bytes[i] >= 'a' && block.bytes[i] <= 'z')
                block.bytes[i] = (char)(block.bytes[i] - 'a' + 'A');
        if (os2_out_block(&block) < 0)
            return 1;
    }
    if (status < 0)
        os2_error("input: %s", os2_status_text(status));
    return status < 0;
}
