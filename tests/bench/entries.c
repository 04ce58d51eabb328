/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU that finds the longest entry into the kernel of each kind, in instructions.
 *
 * An entry goes from the first instruction in the kernel's half to the first one below it; its kind is the first
 * function it runs among those that the parameters name. Looking for interrupts while the kernel idles, or between two
 * steps of an end, ends one entry and begins the next. Instructions that clear memory are counted apart.
 *
 *     -plugin entries.so,names=FILE[,relax=HEX]
 *
 * Beside these there is the longest stretch: what the kernel, and firmware for it, runs from one instruction of a
 * program to the next one of any program. Looking for interrupts between does not end it; that nobody is ready does.
 * Each processor has its own entries and its own stretch; told is the longest of all.
 *
 * Where there are several, time is the host's, and `relax` says so. One processor waits for another in a loop with the
 * instruction `relax` in it. How often that goes round is up to the host, which may have taken the other one away; so
 * what is run between two such instructions, if it is no more than SPIN, is not counted, but told apart. That such a
 * wait ends is argued in mm/lock.h.
 *
 * Or the host takes a processor away for longer than a program's breath (core/breath.c). The timer interrupts then
 * before the program that was left for has run an instruction. It had its time nevertheless, so where interrupts are
 * let in again by a trap, the next stretch begins with that trap. `trap` is the function that follows on one, `hold`
 * the one that by turns keeps interrupts out and lets them in.
 *
 * Each line of FILE: what, first address, end address, name. What is `kind` (an entry by this address is of that kind),
 * `idle` (ends an entry, and its instructions count for none), `rest` (the same, and nobody is ready: ends a stretch
 * too), `trap`, `hold`, `firmware` (counts for a stretch), `begin` (enters a program: what was before the first is not
 * counted) or `clear` (counted apart).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

int qemu_plugin_version = 1;

#define NAMES 256
#define CPUS 8
#define SPIN 16
#define BYTES_MAX 8
enum what { OTHER, KIND, IDLE, REST, CLEAR, FIRMWARE, BEGIN, TRAP, HOLD, USER };
static struct name {
    enum what what;
    uint64_t first, end;
    char name[64];
} names[NAMES];
static unsigned name_count;

static uint8_t relax[BYTES_MAX];
static size_t relax_bytes;

/* Instructions; clearing is not among the others. */
struct length {
    uint64_t others, clearing;
};

/* Each is its own thread's until the end. */
static struct cpu {
    /* The entry that goes on. */
    const struct name *kind;
    struct length entry;
    bool inside;
    bool begun;                  /* a program was entered: what boots is no entry and no stretch */
    struct length stretch, trap; /* that go on: the stretch, and the part of it from the last trap on */
    bool held;                   /* only the timer interrupts */
    uint64_t since, spun;        /* since it last ran `relax`; in that loop, in this stretch */
    struct length longest[NAMES], longest_stretch;
    uint64_t most_spun;
} cpus[CPUS];

/* One translated block. */
struct block {
    uint64_t instructions;
    enum what what;
    const struct name *name;
    bool relaxes;
};

static void keep_longer(struct length *longest, const struct length *length) {
    if (length->others > longest->others)
        *longest = *length;
}

static void end_entry(struct cpu *cpu) {
    if (cpu->inside && cpu->kind)
        keep_longer(&cpu->longest[cpu->kind - names], &cpu->entry);
    cpu->inside = false;
    cpu->kind = NULL;
    cpu->entry = (struct length){0};
}

static const struct length none;

/* The next one has begun with so much. */
static void end_stretch(struct cpu *cpu, const struct length *next) {
    keep_longer(&cpu->longest_stretch, &cpu->stretch);
    if (cpu->spun > cpu->most_spun)
        cpu->most_spun = cpu->spun;
    cpu->stretch = *next;
    cpu->spun = 0;
}

static void follow_stretch(struct cpu *cpu, const struct block *b) {
    bool let_in = b->what == HOLD && cpu->held && relax_bytes;
    cpu->held ^= b->what == HOLD;
    cpu->begun |= b->what == BEGIN;
    if (!cpu->begun)
        return;
    if (b->what == CLEAR) {
        cpu->stretch.clearing += b->instructions;
        cpu->trap.clearing += b->instructions;
        return;
    }
    if (b->what == TRAP)
        cpu->trap = (struct length){0};
    if (let_in) {
        cpu->stretch.others -= cpu->trap.others;
        cpu->stretch.clearing -= cpu->trap.clearing;
        end_stretch(cpu, &cpu->trap);
    }
    if (b->what != USER && b->what != REST) {
        cpu->stretch.others += b->instructions;
        cpu->trap.others += b->instructions;
        return;
    }
    if (b->what == USER)
        end_stretch(cpu, &none);
    cpu->stretch = cpu->trap = none;
    cpu->spun = 0;
}

static void follow_entry(struct cpu *cpu, const struct block *b) {
    if (!cpu->begun || b->what == FIRMWARE)
        return;
    if (b->what == USER || b->what == IDLE || b->what == REST) {
        end_entry(cpu);
        return;
    }
    if (b->what == TRAP && relax_bytes)
        end_entry(cpu); /* the program that was entered before has not come to run an instruction */
    if (b->what == KIND && !cpu->kind)
        cpu->kind = b->name;
    if (b->what == CLEAR)
        cpu->entry.clearing += b->instructions;
    else
        cpu->entry.others += b->instructions;
    cpu->inside = true;
}

/* After a block that was counted: was it another round of a loop that waits? */
static void follow_spin(struct cpu *cpu, const struct block *b) {
    cpu->since = b->what == OTHER || b->what == KIND ? cpu->since + b->instructions : SPIN + 1;
    if (!b->relaxes)
        return;
    if (cpu->since <= SPIN && cpu->entry.others >= cpu->since && cpu->trap.others >= cpu->since) {
        cpu->entry.others -= cpu->since;
        cpu->stretch.others -= cpu->since;
        cpu->trap.others -= cpu->since;
        cpu->spun += cpu->since;
    }
    cpu->since = 0;
}

static void run(unsigned index, void *data) {
    struct cpu *cpu = &cpus[index % CPUS];
    follow_stretch(cpu, data);
    follow_entry(cpu, data);
    if (relax_bytes)
        follow_spin(cpu, data);
}

/* Is the name's first address meant, and not all up to its end? */
static bool at_first(enum what what) {
    return what == KIND || what == TRAP || what == HOLD;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    uint64_t at = qemu_plugin_tb_vaddr(tb);
    struct block *b = calloc(1, sizeof *b);
    (void)id;
    b->instructions = qemu_plugin_tb_n_insns(tb);
    b->what = at >> 63 ? OTHER : USER;
    for (unsigned i = 0; i < name_count; i++)
        if (at_first(names[i].what) ? at == names[i].first : at >= names[i].first && at < names[i].end) {
            b->what = names[i].what;
            b->name = &names[i];
        }
    for (unsigned i = 0; i < b->instructions && relax_bytes; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        b->relaxes |=
            qemu_plugin_insn_size(insn) == relax_bytes && memcmp(qemu_plugin_insn_data(insn), relax, relax_bytes) == 0;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, run, 0, b);
}

static void tell(const char *name, const struct length *length) {
    char line[160];
    snprintf(line, sizeof line, "entry %s %" PRIu64 " %" PRIu64 "\n", name, length->others, length->clearing);
    qemu_plugin_outs(line);
}

static void report(qemu_plugin_id_t id, void *data) {
    struct length stretch = {0};
    uint64_t spun = 0;
    (void)id;
    (void)data;
    for (unsigned i = 0; i < name_count; i++) {
        struct length longest = {0};
        for (unsigned c = 0; c < CPUS; c++)
            keep_longer(&longest, &cpus[c].longest[i]);
        if (longest.others)
            tell(names[i].name, &longest);
    }
    for (unsigned c = 0; c < CPUS; c++) {
        keep_longer(&stretch, &cpus[c].longest_stretch);
        spun = cpus[c].most_spun > spun ? cpus[c].most_spun : spun;
    }
    tell("stretch", &stretch);
    if (relax_bytes)
        tell("spin", &(struct length){spun, 0});
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    static const struct {
        const char *word;
        enum what what;
    } words[] = {{"kind", KIND},         {"idle", IDLE},   {"rest", REST}, {"clear", CLEAR},
                 {"firmware", FIRMWARE}, {"begin", BEGIN}, {"trap", TRAP}, {"hold", HOLD}};
    char what[10];
    FILE *f = argc >= 1 && strncmp(argv[0], "names=", 6) == 0 ? fopen(argv[0] + 6, "r") : NULL;
    (void)info;
    if (argc == 2 && strncmp(argv[1], "relax=", 6) == 0)
        for (const char *hex = argv[1] + 6; relax_bytes < BYTES_MAX && sscanf(hex, "%2hhx", &relax[relax_bytes]) == 1;
             hex += 2)
            relax_bytes++;
    if (!f)
        return -1;
    for (struct name *n = names; n < names + NAMES; n++, name_count++) {
        if (fscanf(f, "%9s %" SCNx64 " %" SCNx64 " %63s", what, &n->first, &n->end, n->name) != 4)
            break;
        n->what = OTHER;
        for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strcmp(what, words[i].word) == 0)
                n->what = words[i].what;
    }
    fclose(f);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
