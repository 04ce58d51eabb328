/* SPDX-License-Identifier: MIT */
/*
 * md5sum: the MD5 of files, or of the input (RFC 1321), as other systems print it. To find out whether two files are
 * the same, where nobody means harm.
 */
#include "os2/call.h"
#include "os2/read.h"
#include "os2/string.h"
#include "os2/tool.h"

#define CHUNK 64u

struct md5 {
    uint32_t state[4];
    uint64_t bytes;
    unsigned char chunk[CHUNK];
};

/* The first 32 bits of the fraction of |sin(i + 1)|. */
static const uint32_t sines[CHUNK] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static uint32_t rotate(uint32_t x, unsigned bits) {
    return x << bits | x >> (32 - bits);
}

static void md5_chunk(struct md5 *m, const unsigned char *bytes) {
    static const unsigned char turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t a = m->state[0], b = m->state[1], c = m->state[2], d = m->state[3];

    for (unsigned i = 0; i < CHUNK; i++) {
        unsigned round = i / 16;
        unsigned word = (round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i) % 16;
        const unsigned char *w = bytes + 4 * word;
        uint32_t value = (uint32_t)w[0] | (uint32_t)w[1] << 8 | (uint32_t)w[2] << 16 | (uint32_t)w[3] << 24;
        uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                         : round == 1 ? (d & b) | (~d & c)
                         : round == 2 ? b ^ c ^ d
                                      : c ^ (b | ~d);
        uint32_t next = b + rotate(a + mixed + sines[i] + value, turns[round][i % 4]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    m->state[0] += a;
    m->state[1] += b;
    m->state[2] += c;
    m->state[3] += d;
}

static void md5_begin(struct md5 *m) {
    *m = (struct md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

static void md5_add(struct md5 *m, const void *from, uint64_t size) {
    const unsigned char *bytes = from;

    while (size) {
        unsigned used = m->bytes % CHUNK;
        uint64_t part = CHUNK - used < size ? CHUNK - used : size;
        if (part == CHUNK) {
            md5_chunk(m, bytes);
        } else {
            memcpy(m->chunk + used, bytes, part);
            if (used + part == CHUNK)
                md5_chunk(m, m->chunk);
        }
        m->bytes += part;
        bytes += part;
        size -= part;
    }
}

static void md5_print(struct md5 *m, const char *name) {
    static const unsigned char padding[CHUNK] = {0x80};
    uint64_t bits = m->bytes * 8;
    unsigned char length[8];

    for (unsigned i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> 8 * i);
    md5_add(m, padding, 1 + (CHUNK + 55 - m->bytes % CHUNK) % CHUNK);
    md5_add(m, length, sizeof(length));
    for (unsigned i = 0; i < 16; i++)
        os2_printf("%02x", m->state[i / 4] >> i % 4 * 8 & 0xff);
    os2_printf("  %s\n", name);
}

static int take(void *context, struct os2_stream_block *block) {
    md5_add(context, block->bytes, block->used);
    return os2_block_free(block->bytes);
}

int main(int argc, char **argv) {
    struct md5 m;
    int failed = 0;

    md5_begin(&m);
    if (argc == 1) {
        failed = os2_read_arguments(argc, argv, take, &m);
        md5_print(&m, "-");
    }
    for (int i = 1; i < argc; i++) {
        int status;
        md5_begin(&m);
        status = os2_read_each(argv[i], take, &m);
        if (status < 0)
            failed = os2_tool_failed(argv[i], status);
        else
            md5_print(&m, argv[i]);
    }
    return failed;
}
