/* SPDX-License-Identifier: MIT */
/* Files whose bytes are known (filetest.h): the host has the same in files.py. */
#include "os2/call.h"
#include "os2/file.h"

#include "filetest.h"

static uint64_t random_state = 88172645463325252u;

uint64_t random_below(uint64_t most) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % most;
}

uint8_t pattern(uint64_t seed, uint64_t at) {
    uint64_t x = seed * 0x9e3779b97f4a7c15u + at / 8 * 0x94d049bb133111ebu;
    x ^= x >> 29;
    x *= 0xff51afd7ed558ccdu;
    return (uint8_t)(x >> at % 8 * 8);
}

void pattern_fill(uint8_t *to, uint64_t seed, uint64_t at, uint64_t size) {
    for (uint64_t i = 0; i < size; i++)
        to[i] = pattern(seed, at + i);
}

bool pattern_is(const uint8_t *from, uint64_t seed, uint64_t at, uint64_t size) {
    for (uint64_t i = 0; i < size; i++)
        if (from[i] != pattern(seed, at + i))
            return check(false, "wrong byte at", (int64_t)(at + i));
    return true;
}

int pattern_write(const char *path, uint64_t seed, uint64_t size, uint64_t step) {
    static uint8_t bytes[100000];
    struct os2_file file;
    int status = os2_file_open(&file, path, OS2_OPEN_WRITE | OS2_OPEN_CREATE | OS2_OPEN_TRUNCATE);

    if (status < 0)
        return status;
    for (uint64_t at = 0; at < size && status >= 0; at += step) {
        uint64_t part = size - at < step ? size - at : step;
        pattern_fill(bytes, seed, at, part);
        status = os2_file_write(&file, bytes, part);
    }
    os2_file_close(&file);
    return status;
}

bool pattern_check(const char *path, uint64_t seed, uint64_t size) {
    struct os2_stream_block block;
    struct os2_file file;
    uint64_t at = 0;
    bool good;
    int status = os2_file_open(&file, path, OS2_OPEN_READ);

    if (!check(status >= 0, path, status))
        return false;
    good = check(file.size == size, "size of the file", (int64_t)file.size);
    while (good && (status = os2_file_read_block(&file, 4 + at % 3, &block)) > 0) {
        good = pattern_is((uint8_t *)block.bytes, seed, at, block.used);
        at += block.used;
        os2_block_free(block.bytes);
    }
    os2_file_close(&file);
    return check(status >= 0, "reading", status) && good && check(at == size, "bytes read", (int64_t)at);
}
