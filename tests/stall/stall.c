/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU that takes a processor away for a while at chosen instructions, as a hypervisor, or firmware, or a
 * machine check does: between two instructions of the kernel others then get far.
 *
 *     -plugin stall.so,names=FILE,table=FILE
 *
 * Each line of `names`: what, first address, end address, name. What is `path` (each instruction there is to be stalled
 * while others end), `called` (one may be), or `end` (running the first instruction there completes the end of a
 * process). `table` is where the counts are written, about once a second and at the end, a line for each instruction
 * that was translated: address, bytes, how often it ran, how often it was stalled, and in how many of those stalls at
 * least ENDS processes ended.
 *
 * A stall lasts until so many have ended, at most LONGEST, and HOPELESS without an end: whoever makes the others end
 * may be the one that is stalled. Instructions take turns: one may be stalled again only when for a while no processor
 * has come to one that was stalled less often. Between two stalls a processor runs freely for GAP, and a little more,
 * at random; and at most STALLED_MOST are stalled at once.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qemu_plugin.h"

int qemu_plugin_version = 1;

#define MS UINT64_C(1000000)
#define ENDS 3 /* each of the two victims, and one more */
#define STEP (MS / 5)
#define GAP (MS / 2)
#define STALLED_MOST 1
#define ROUND 3000000 /* instructions in the ranges, in a row, that had their turn: the next round begins */
#define CPUS 8
#define NAMES 256
#define INSTRUCTIONS 16384 /* a power of two; those in the ranges are a few hundred */
#define MISS 2             /* a stall in which too few ended counts as so small a part of one, */
#define MISS_PATH 16       /* and in the path, where none was good yet, as this one */

/* How long a stall may last, and how long without an end: by how long it takes from one end to the next, which is up to
 * the host. */
#define LONGEST (5 * MS + 15 * between)
#define HOPELESS (2 * MS + 6 * between)
#define BETWEEN_MOST (20 * MS)

static struct range {
    uint64_t first, end;
    bool ends, path;
} ranges[NAMES];
static unsigned range_count;

/* A hash table by address; an entry stays, since code is translated again and again. */
static struct instruction {
    uint64_t address, bytes;
    bool path;
    atomic_uint_fast64_t ran, stalls, good;
} instructions[INSTRUCTIONS];

static char table[4096];
static atomic_uint_fast64_t ended, level, stalls, between = MS;
static atomic_int stalled;
static atomic_uint_fast64_t written; /* when the table was */
static atomic_flag writing = ATOMIC_FLAG_INIT;

/* Each is its own thread's. */
static struct cpu {
    uint64_t next;    /* free until then */
    uint64_t stalls;  /* of all, when this one last looked */
    uint64_t without; /* instructions since then, while none was stalled */
    uint64_t random;
} cpus[CPUS];

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

static void write_table(void) {
    char name[sizeof table + 8];
    if (atomic_flag_test_and_set(&writing))
        return;
    snprintf(name, sizeof name, "%s.new", table);
    FILE *f = fopen(name, "w");
    for (struct instruction *i = instructions; f && i < instructions + INSTRUCTIONS; i++)
        if (i->address)
            fprintf(f, "%" PRIx64 " %" PRIu64 " %" PRIuFAST64 " %" PRIuFAST64 " %" PRIuFAST64 "\n", i->address,
                    i->bytes, i->ran, i->stalls, i->good);
    if (f && fclose(f) == 0)
        rename(name, table);
    atomic_flag_clear(&writing);
}

static void stall(struct cpu *cpu, struct instruction *i, uint64_t start) {
    uint64_t before = ended, seen = before, time = start, last = start;
    do {
        nanosleep(&(struct timespec){.tv_nsec = (long)STEP}, NULL);
        time = now();
        if (seen != ended)
            last = time;
        seen = ended;
    } while (seen - before < ENDS && time - start < LONGEST && time - last < HOPELESS);
    i->good += seen - before >= ENDS;
    i->stalls++;
    stalls++;
    cpu->random = cpu->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    cpu->next = time + GAP + (cpu->random >> 33) % GAP;
}

/* A stall that was good counts as MISS. Where who stalls is most often the one that makes the others end, many miss. */
static bool had_its_turn(const struct instruction *i) {
    uint64_t spent = i->good || !i->path ? (MISS - 1) * i->good + i->stalls : i->stalls / (MISS_PATH / MISS);
    return spent > MISS * level;
}

static void run(unsigned index, void *data) {
    struct cpu *cpu = &cpus[index % CPUS];
    struct instruction *i = data;
    atomic_fetch_add_explicit(&i->ran, 1, memory_order_relaxed);
    if (ended < ENDS)
        return;
    if (had_its_turn(i)) {
        if (cpu->stalls != stalls || stalled)
            cpu->without = 0;
        else if (++cpu->without == ROUND)
            level++;
        cpu->stalls = stalls;
        return;
    }
    uint64_t time = now();
    if (time >= cpu->next) {
        if (atomic_fetch_add(&stalled, 1) < STALLED_MOST)
            stall(cpu, i, time);
        atomic_fetch_sub(&stalled, 1);
    }
}

/* At each end: what must be done now and then. */
static void run_end(unsigned index, void *data) {
    static uint64_t last;
    uint64_t time = now(), since = time - last < BETWEEN_MOST ? time - last : BETWEEN_MOST;
    (void)index;
    (void)data;
    ended++;
    last = time;
    between = (15 * between + since) / 16;
    if (time - written > 1000 * MS) {
        written = time;
        write_table();
    }
}

/* Translation is under a lock of QEMU's. */
static struct instruction *find(uint64_t address, uint64_t bytes, bool path) {
    for (uint64_t n = 0, at = address * UINT64_C(0x9e3779b97f4a7c15) >> 40; n < INSTRUCTIONS; n++, at++) {
        struct instruction *i = &instructions[at % INSTRUCTIONS];
        if (i->address == 0) {
            i->bytes = bytes;
            i->path = path;
            i->address = address;
        }
        if (i->address == address)
            return i;
    }
    return NULL;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); n++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, n);
        uint64_t at = qemu_plugin_insn_vaddr(insn);
        for (const struct range *r = ranges; r < ranges + range_count; r++) {
            if (at < r->first || at >= r->end)
                continue;
            if (r->ends && at == r->first)
                qemu_plugin_register_vcpu_insn_exec_cb(insn, run_end, 0, NULL);
            struct instruction *i = r->ends ? NULL : find(at, qemu_plugin_insn_size(insn), r->path);
            if (i)
                qemu_plugin_register_vcpu_insn_exec_cb(insn, run, 0, i);
        }
    }
}

static void at_exit(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    write_table();
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    FILE *f = NULL;
    char what[8], name[64];
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "names=", 6) == 0)
            f = fopen(argv[i] + 6, "r");
        else if (strncmp(argv[i], "table=", 6) == 0)
            snprintf(table, sizeof table, "%s", argv[i] + 6);
    }
    if (!f || !table[0])
        return -1;
    for (struct range *r = ranges; r < ranges + NAMES; r++, range_count++) {
        if (fscanf(f, "%7s %" SCNx64 " %" SCNx64 " %63s", what, &r->first, &r->end, name) != 4)
            break;
        r->ends = strcmp(what, "end") == 0;
        r->path = strcmp(what, "path") == 0;
    }
    fclose(f);
    for (unsigned i = 0; i < CPUS; i++)
        cpus[i].random = i;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
