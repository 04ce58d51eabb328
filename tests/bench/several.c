/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU that counts on several processors, each by itself, where the machine's own counters do not count
 * instructions.
 *
 *     -plugin several.so,steal=ADDRESS,irq=ADDRESS,halt=HEX,mark=HEX
 *
 * A program marks what is to be counted with an instruction that does nothing: the bytes `mark`, and one byte more, the
 * number of a series, or 0 for its end. What a processor runs between the two, in the program and in the kernel, is one
 * value of the series. Series 0 is a steal: from the kernel's instruction `halt`, which waits for an interrupt, to the
 * first instruction in a program, if the function at `steal` ran between, and `halt` did not run again. Series 3 is an
 * interrupt for a driver: the same where the function at `irq` ran and that at `steal` did not.
 *
 * Printed for each series: its number, how many values, the least and the one that a fifth of them do not exceed.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "qemu_plugin.h"

int qemu_plugin_version = 1;

/* Programs link at 2 MiB. RISC-V's firmware, in RAM from here on, is counted with the kernel that it interrupts. */
#define PROGRAM_END UINT64_C(0x80000000)

#define CPUS 8
#define SERIES 4
#define VALUES 4096

/* Each is its own thread's until the end. */
static struct cpu {
    uint64_t count;         /* instructions so far */
    uint64_t woken, marked; /* `count` then */
    bool awake;             /* since it woke it has run no program; */
    bool steals, irq;       /* it has tried to steal; an interrupt has come */
    unsigned open;          /* the series that goes on, 0: none */
    unsigned values[SERIES];
    uint64_t value[SERIES][VALUES];
} cpus[CPUS];

#define SERIES_IRQ 3
static uint64_t steal_address, irq_address;
static struct bytes mark, halt;

static void note(struct cpu *cpu, unsigned series, uint64_t value) {
    if (cpu->values[series] < VALUES)
        cpu->value[series][cpu->values[series]++] = value;
}

static void run_halt(unsigned index, void *data) {
    struct cpu *cpu = &cpus[index % CPUS];
    (void)data;
    cpu->woken = ++cpu->count;
    cpu->awake = true;
    cpu->steals = cpu->irq = false;
}

static void run_kernel(unsigned index, void *data) {
    (void)data;
    cpus[index % CPUS].count++;
}

static void run_steal(unsigned index, void *data) {
    (void)data;
    cpus[index % CPUS].count++;
    cpus[index % CPUS].steals = true;
}

static void run_irq(unsigned index, void *data) {
    (void)data;
    cpus[index % CPUS].count++;
    cpus[index % CPUS].irq = true;
}

static void run_program(unsigned index, void *data) {
    struct cpu *cpu = &cpus[index % CPUS];
    (void)data;
    if (cpu->awake && cpu->steals)
        note(cpu, 0, cpu->count - cpu->woken);
    else if (cpu->awake && cpu->irq)
        note(cpu, SERIES_IRQ, cpu->count - cpu->woken);
    cpu->awake = false;
    cpu->count++;
}

static void run_mark(unsigned index, void *data) {
    struct cpu *cpu = &cpus[index % CPUS];
    unsigned series = (unsigned)(uintptr_t)data;
    if (series == 0 && cpu->open)
        note(cpu, cpu->open, cpu->count - cpu->marked);
    run_program(index, NULL);
    cpu->open = series;
    cpu->marked = cpu->count;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t at = qemu_plugin_insn_vaddr(insn);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);
        qemu_plugin_exec_fn *run = at < PROGRAM_END ? run_program : run_kernel;
        uintptr_t data = 0;
        if (at == steal_address) {
            run = run_steal;
        } else if (at == irq_address) {
            run = run_irq;
        } else if (run == run_kernel && size == halt.size && bytes_begin(bytes, &halt)) {
            run = run_halt;
        } else if (run == run_program && size == mark.size + 1 && bytes_begin(bytes, &mark) &&
                   bytes[mark.size] < SERIES_IRQ) {
            run = run_mark;
            data = bytes[mark.size];
        }
        qemu_plugin_register_vcpu_insn_exec_cb(insn, run, 0, (void *)data);
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void report(qemu_plugin_id_t id, void *data) {
    static uint64_t all[CPUS * VALUES];
    char line[120];
    (void)id;
    (void)data;
    for (unsigned series = 0; series < SERIES; series++) {
        unsigned n = 0;
        for (unsigned i = 0; i < CPUS; i++) {
            memcpy(&all[n], cpus[i].value[series], cpus[i].values[series] * sizeof all[0]);
            n += cpus[i].values[series];
        }
        qsort(all, n, sizeof all[0], compare);
        if (n == 0)
            continue;
        snprintf(line, sizeof line, "series %u %u %" PRIu64 " %" PRIu64 "\n", series, n, all[0], all[n / 5]);
        qemu_plugin_outs(line);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "steal=", 6) == 0)
            steal_address = strtoull(argv[i] + 6, NULL, 16);
        else if (strncmp(argv[i], "irq=", 4) == 0)
            irq_address = strtoull(argv[i] + 4, NULL, 16);
        else if (strncmp(argv[i], "halt=", 5) == 0)
            bytes_read(&halt, argv[i] + 5);
        else if (strncmp(argv[i], "mark=", 5) == 0)
            bytes_read(&mark, argv[i] + 5);
    }
    if (!steal_address || !irq_address || !halt.size || !mark.size)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
