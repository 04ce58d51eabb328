/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU that counts what the whole machine does between two marks of a program.
 *
 *     -plugin marks.so,mark=HEX[,lines=on]
 *
 * A mark is an instruction that does nothing: the bytes `mark`, and one byte more, the number of a series, or 0 for its
 * end. Counted are the instructions of all processors together, in programs and in the kernel; and with `lines`, on one
 * processor, the cache lines of 64 bytes that they touch, by physical address: lines of data read or written, those of
 * them written, and lines of code. What the processor itself reads, such as page tables, is not seen.
 *
 * Printed at the end, for each pair of marks in the order of their time: "mark SERIES INSTRUCTIONS DATA WRITTEN CODE",
 * and "all INSTRUCTIONS" from the machine's first to its last.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "qemu_plugin.h"

int qemu_plugin_version = 1;

/* Programs link at 2 MiB; everything from here on is the kernel's and the firmware's. */
#define PROGRAM_END UINT64_C(0x80000000)

#define CPUS 8
#define MARKS_MAX 65536
#define LINES_MAX 4096
#define LINE_SHIFT 6

/* A processor's own count; the others read it at marks only. */
static struct cpu { _Alignas(64) _Atomic uint64_t count; } cpus[CPUS];

/* Between two marks only the marking process's processor gets here. */
static struct set {
    unsigned count;
    uint64_t line[LINES_MAX];
} data_lines, written_lines, code_lines;

static struct result {
    unsigned series, data, written, code;
    uint64_t instructions;
} results[MARKS_MAX];
static unsigned results_count, open_series;
static uint64_t open_total;

static struct bytes mark;
static bool lines;

static void set_add(struct set *set, uint64_t line) {
    for (unsigned i = 0; i < set->count; i++)
        if (set->line[i] == line)
            return;
    if (set->count < LINES_MAX)
        set->line[set->count++] = line;
}

static uint64_t total(void) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < CPUS; i++)
        sum += atomic_load_explicit(&cpus[i].count, memory_order_relaxed);
    return sum;
}

static void run(unsigned index, void *data) {
    struct cpu *cpu = &cpus[index % CPUS];
    (void)data;
    atomic_store_explicit(&cpu->count, atomic_load_explicit(&cpu->count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void run_mark(unsigned index, void *data) {
    unsigned series = (unsigned)(uintptr_t)data;

    if (series == 0 && open_series && results_count < MARKS_MAX)
        results[results_count++] = (struct result){
            .series = open_series,
            .instructions = total() - open_total,
            .data = data_lines.count,
            .written = written_lines.count,
            .code = code_lines.count,
        };
    data_lines.count = written_lines.count = code_lines.count = 0;
    open_series = series;
    run(index, NULL);
    open_total = total();
}

static void fetch_line(unsigned index, void *data) {
    (void)index;
    if (open_series)
        set_add(&code_lines, (uintptr_t)data);
}

static void touch(unsigned index, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    struct qemu_plugin_hwaddr *where;
    uint64_t line;

    (void)index;
    (void)data;
    if (!open_series || !(where = qemu_plugin_get_hwaddr(info, address)))
        return;
    line = qemu_plugin_hwaddr_phys_addr(where) >> LINE_SHIFT;
    set_add(&data_lines, line);
    if (qemu_plugin_mem_is_store(info))
        set_add(&written_lines, line);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);
        uintptr_t at = (uintptr_t)qemu_plugin_insn_haddr(insn);

        if (qemu_plugin_insn_vaddr(insn) < PROGRAM_END && size == mark.size + 1 && bytes_begin(bytes, &mark)) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, run_mark, 0, (void *)(uintptr_t)bytes[mark.size]);
            continue;
        }
        qemu_plugin_register_vcpu_insn_exec_cb(insn, run, 0, NULL);
        if (!lines)
            continue;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, fetch_line, 0, (void *)(at >> LINE_SHIFT));
        if (at >> LINE_SHIFT != (at + size - 1) >> LINE_SHIFT)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, fetch_line, 0, (void *)((at + size - 1) >> LINE_SHIFT));
        qemu_plugin_register_vcpu_mem_cb(insn, touch, 0, QEMU_PLUGIN_MEM_RW, NULL);
    }
}

static void report(qemu_plugin_id_t id, void *data) {
    char line[120];
    (void)id;
    (void)data;
    for (unsigned i = 0; i < results_count; i++) {
        const struct result *r = &results[i];
        snprintf(line, sizeof line, "mark %u %" PRIu64 " %u %u %u\n", r->series, r->instructions, r->data, r->written,
                 r->code);
        qemu_plugin_outs(line);
    }
    snprintf(line, sizeof line, "all %" PRIu64 "\n", total());
    qemu_plugin_outs(line);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "mark=", 5) == 0)
            bytes_read(&mark, argv[i] + 5);
        else if (strcmp(argv[i], "lines=on") == 0)
            lines = true;
    }
    if (!mark.size)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
