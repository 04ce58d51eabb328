/* SPDX-License-Identifier: MIT */
/*
 * bench: files on a disk, through the library: all processes together, from the request to the data. The service and
 * the driver are the ones that everybody uses. Skipped where the machine has no disk.
 */
#include "bench.h"

#include "os2/call.h"
#include "os2/file.h"

#include "arch_user.h"

#define PATH "/disk/bench.tmp"
#define PAGES 1536u /* 6 MiB: three blocks of the largest order */
#define ROUNDS 200u
#define FEW 4u

static struct os2_file file;
static char buffer[OS2_PAGE_SIZE];

static void must(const char *what, int64_t status) {
    if (status < 0)
        bench_fail(what, status);
}

/* The same page, time and again, as a block that is used again. */
static void loop_cached(struct bench_context *c, uint64_t rounds) {
    static struct os2_stream_block block;
    (void)c;
    for (; rounds; rounds--) {
        file.offset = 0;
        must("read", os2_file_read_into(&file, &block));
    }
}

/* The same as a fresh block each time. */
static void loop_fresh(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--) {
        struct os2_stream_block block;
        file.offset = 0;
        must("read", os2_file_read_block(&file, 0, &block));
        os2_block_free(block.bytes);
    }
}

/* The same, copied to a buffer of the program. */
static void loop_copied(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--) {
        file.offset = 0;
        must("read", os2_file_read(&file, buffer, sizeof(buffer)));
    }
}

/* A page that was not asked for before: c->value counts them. */
static void loop_uncached(struct bench_context *c, uint64_t rounds) {
    static struct os2_stream_block block;
    for (; rounds; rounds--) {
        file.offset = ++c->value * OS2_PAGE_SIZE;
        must("read", os2_file_read_into(&file, &block));
    }
}

static void loop_large(struct bench_context *c, uint64_t rounds) {
    static struct os2_stream_block block = {.order = OS2_FILES_ORDER};
    for (; rounds; rounds--) {
        file.offset = ++c->value % 3 * (OS2_PAGE_SIZE << OS2_FILES_ORDER);
        must("read", os2_file_read_into(&file, &block));
    }
}

static void loop_write(struct bench_context *c, uint64_t rounds) {
    for (; rounds; rounds--) {
        file.offset = ++c->value % PAGES * OS2_PAGE_SIZE;
        must("write", os2_file_write(&file, buffer, sizeof(buffer)));
    }
}

static void loop_open(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--) {
        struct os2_file again;
        must("open", os2_file_open(&again, PATH, OS2_OPEN_READ));
        os2_file_close(&again);
    }
}

static void loop_stat(struct bench_context *c, uint64_t rounds) {
    (void)c;
    for (; rounds; rounds--) {
        struct os2_file_facts facts;
        must("stat", os2_file_stat(PATH, &facts));
    }
}

static uint64_t copied(void) {
    uint64_t counts[4] = {0};
    must("counts", os2_file_counts(counts));
    return counts[0];
}

/* Bytes that the service copied while it answered `loop`; a count of its own. */
static void bytes_copied(const char *name, bench_loop *loop, uint64_t value, const char *text) {
    struct bench_context context = {.value = value};
    struct bench_count count = {.rounds = FEW};
    uint64_t before;

    if (!bench_wanted(name))
        return;
    before = copied();
    loop(&context, FEW);
    bench_result(name, (copied() - before) / FEW * 1000, &count, text);
}

static void files(const char *name, bench_loop *loop, uint64_t value, uint64_t rounds, const char *text) {
    struct bench_context context = {.value = value};
    struct bench_count count;

    if (!bench_wanted(name))
        return;
    count = bench_measure(loop, &context, rounds);
    bench_result(name, count.mean, &count, text);
}

/* What waits for the device: the cheapest batch counts, since the processor clears frames and naps meanwhile. */
static void waits(const char *name, bench_loop *loop, uint64_t rounds, const char *text) {
    struct bench_context context = {0};
    struct bench_count count;

    if (!bench_wanted(name))
        return;
    count = bench_measure(loop, &context, rounds);
    bench_result(name, count.least, &count, text);
}

static bool files_make(void) {
    int status = os2_file_open(&file, PATH, OS2_OPEN_READ | OS2_OPEN_WRITE | OS2_OPEN_CREATE);

    for (unsigned i = 0; status >= 0 && i < PAGES; i++)
        status = os2_file_write(&file, buffer, sizeof(buffer));
    if (status < 0)
        bench_skip("read_4k", "no disk that can be written");
    return status >= 0;
}

void bench_files(void) {
    static const char *const names[] = {"read_4k", "read_2m", "write_4k", "open_file", "stat_file"};
    bool wanted = false;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        wanted |= bench_wanted(names[i]);
    if (!wanted || !files_make())
        return;
    must("sync", os2_file_sync_all());
    files("read_4k", loop_cached, 0, ROUNDS, "a page of a file in the cache, into a block that is used again");
    files("read_4k_fresh", loop_fresh, 0, ROUNDS, "the same in a fresh block, which is given back");
    files("read_4k_buffer", loop_copied, 0, ROUNDS, "the same, copied to the program's buffer");
    waits("read_4k_disk", loop_uncached, 32, "a page that is not in the cache, from the device; the cheapest batch");
    waits("read_2m", loop_large, FEW, "2 MiB that are not in the cache, in one block; the cheapest batch");
    waits("write_4k", loop_write, 32, "a page of a file, from a buffer to the device; the cheapest batch");
    files("open_file", loop_open, 0, ROUNDS, "open and close");
    files("stat_file", loop_stat, 0, ROUNDS, "what is known of a path");
    bytes_copied("read_4k_disk_copied", loop_uncached, 500, "bytes that the service copied for each page");
    bytes_copied("read_2m_copied", loop_large, 0, "bytes that the service copied for each 2 MiB");
    os2_file_close(&file);
    must("remove", os2_file_remove(PATH));
}
