/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU that finds the longest entry into the kernel of each kind, in instructions.
 *
 * An entry goes from the first instruction in the kernel's half to the first one below it; its kind is the first
 * function it runs among those that the parameters name. Looking for interrupts while the kernel idles, or between two
 * steps of an end, ends one entry and begins the next. Instructions that clear memory are counted apart.
 *
 *     -plugin entries.so,names=FILE
 *
 * Beside these there is the longest stretch: what the kernel, and firmware for it, runs from one instruction of a
 * program to the next one of any program. Looking for interrupts between does not end it; that nobody is ready does.
 *
 * Each line of FILE: what, first address, end address, name. What is `kind` (an entry by this address is of that kind),
 * `idle` (ends an entry, and its instructions count for none), `rest` (the same, and nobody is ready: ends a stretch
 * too), `firmware` (counts for a stretch), `begin` (enters a program: what was before the first is not counted) or
 * `clear` (counted apart). One processor only.
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
enum what { OTHER, KIND, IDLE, REST, CLEAR, FIRMWARE, BEGIN, USER };
static struct name {
    enum what what;
    uint64_t first, end;
    char name[64];
    uint64_t longest, clearing; /* of the longest entry */
} names[NAMES];
static unsigned name_count;

/* The entry that goes on. */
static struct name *kind;
static uint64_t length, clearing;
static bool inside;

/* The stretch that goes on, and the longest. The first begins when a program is entered: what boots is none. */
static bool begun;
static uint64_t stretch, stretch_clearing, longest_stretch, longest_clearing;

/* One translated block. */
struct block {
    uint64_t instructions;
    enum what what;
    struct name *name;
};

static void end_entry(void) {
    if (inside && kind && length > kind->longest) {
        kind->longest = length;
        kind->clearing = clearing;
    }
    inside = false;
    kind = NULL;
    length = clearing = 0;
}

static void follow_stretch(const struct block *b) {
    begun |= b->what == BEGIN;
    if (!begun)
        return;
    if (b->what == CLEAR) {
        stretch_clearing += b->instructions;
        return;
    }
    if (b->what != USER && b->what != REST) {
        stretch += b->instructions;
        return;
    }
    if (b->what == USER && stretch > longest_stretch) {
        longest_stretch = stretch;
        longest_clearing = stretch_clearing;
    }
    stretch = stretch_clearing = 0;
}

static void run(unsigned cpu, void *data) {
    const struct block *b = data;
    (void)cpu;
    follow_stretch(b);
    switch (b->what) {
    case FIRMWARE:
        return;
    case USER:
    case IDLE:
    case REST:
        end_entry();
        return;
    case CLEAR:
        clearing += b->instructions;
        break;
    case KIND:
        if (!kind)
            kind = b->name;
        /* fall through */
    case OTHER:
    case BEGIN:
        length += b->instructions;
        break;
    }
    inside = true;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    uint64_t at = qemu_plugin_tb_vaddr(tb);
    struct block *b = calloc(1, sizeof *b);
    (void)id;
    b->instructions = qemu_plugin_tb_n_insns(tb);
    b->what = at >> 63 ? OTHER : USER;
    for (unsigned i = 0; i < name_count; i++)
        if (names[i].what == KIND ? at == names[i].first : at >= names[i].first && at < names[i].end) {
            b->what = names[i].what;
            b->name = &names[i];
        }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, run, 0, b);
}

static void report(qemu_plugin_id_t id, void *data) {
    char line[160];
    (void)id;
    (void)data;
    for (unsigned i = 0; i < name_count; i++) {
        if (names[i].what != KIND || !names[i].longest)
            continue;
        snprintf(line, sizeof line, "entry %s %" PRIu64 " %" PRIu64 "\n", names[i].name, names[i].longest,
                 names[i].clearing);
        qemu_plugin_outs(line);
    }
    snprintf(line, sizeof line, "entry stretch %" PRIu64 " %" PRIu64 "\n", longest_stretch, longest_clearing);
    qemu_plugin_outs(line);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    static const struct {
        const char *word;
        enum what what;
    } words[] = {{"kind", KIND},   {"idle", IDLE},         {"rest", REST},
                 {"clear", CLEAR}, {"firmware", FIRMWARE}, {"begin", BEGIN}};
    char what[10];
    FILE *f = argc == 1 && strncmp(argv[0], "names=", 6) == 0 ? fopen(argv[0] + 6, "r") : NULL;
    (void)info;
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
