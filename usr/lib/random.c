/* SPDX-License-Identifier: MIT */
/* Clients of the source of random bytes (os2/random.h). */
#include "os2/random.h"

#include "os2/call.h"
#include "os2/names.h"
#include "os2/start.h"
#include "os2/string.h"

int os2_random_from(unsigned random, void *bytes, size_t size) {
    uint8_t *to = bytes;

    while (size) {
        struct os2_message m = {.label = OS2_RANDOM_READ};
        int status = os2_request(random, 0, &m);
        size_t part = m.label < size ? m.label : size;
        if (status < 0)
            return status;
        if (part == 0 || part > OS2_RANDOM_BYTES)
            return OS2_E_INVALID;
        memcpy(to, m.w, part);
        to += part;
        size -= part;
    }
    return OS2_OK;
}

int os2_random(void *bytes, size_t size) {
    unsigned random;
    int status = os2_names_lookup(os2_start_handle("names"), "random", false, &random);

    if (status < 0)
        return status;
    status = os2_random_from(random, bytes, size);
    os2_handle_close(random);
    return status;
}
