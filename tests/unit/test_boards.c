/* SPDX-License-Identifier: MIT */
/*
 * What the kernel and the console's driver make of each board's tree: RAM, harts, PLIC contexts, timebase, UART.
 *
 *     test_boards               every tree of tests/trees/ against the facts below
 *     test_boards facts FILE    print what is read out of a compiled tree, one fact a line: see linux_trees.py
 *
 * Which harts are usable is decided in arch/riscv64/boot.c, from exactly the facts that fdt_cpu() gives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/riscv64/fdt_board.h"
#include "os2/tree.h"
#include "tests/unit/trees.h"

/* Appends to the facts; there are no more than fit. */
__attribute__((format(printf, 2, 3))) static void add(char *facts, const char *format, ...) {
    size_t used = strlen(facts);
    va_list list;

    va_start(list, format);
    vsnprintf(facts + used, 1024 - used, format, list);
    va_end(list);
}

static void add_cpus(const struct fdt *tree, char *facts) {
    struct fdt_plic plic;
    struct fdt_cpu cpu;
    uint32_t context;
    bool has_plic = fdt_plic(tree, 0, &plic);

    for (uint32_t i = 0; fdt_cpu(tree, i, &cpu); i++) {
        if (!cpu.okay || !cpu.mmu || !cpu.fpu)
            continue;
        add(facts, "hart %lu", (unsigned long)cpu.hart);
        if (has_plic && fdt_plic_context(tree, &plic, &cpu, &context))
            add(facts, " context %u", context);
        add(facts, "%s\n", cpu.sstc ? " sstc" : "");
    }
    if (has_plic)
        add(facts, "plic %lx sources %u\n", (unsigned long)plic.reg.base, plic.sources);
}

static void facts_of(const struct tree_file *file, char *facts) {
    static const char *const kinds[] = {"none", "ns16550", "dw-apb", "sifive"};
    struct os2_tree_uart uart;
    struct fdt_range range;

    facts[0] = 0;
    for (uint32_t i = 0; fdt_memory(&file->tree, i, &range); i++)
        add(facts, "ram %lx size %lx\n", (unsigned long)range.base, (unsigned long)range.size);
    for (uint32_t i = 0; fdt_reserved(&file->tree, i, &range); i++)
        add(facts, "reserved %lx size %lx\n", (unsigned long)range.base, (unsigned long)range.size);
    add_cpus(&file->tree, facts);
    add(facts, "timebase %u\n", fdt_timebase(&file->tree));
    if (os2_tree_console(&file->tree, &uart))
        add(facts, "console %s %lx shift %u width %u irq %u\n", kinds[uart.kind], (unsigned long)uart.base, uart.shift,
            uart.io_width, uart.irq);
}

static const struct {
    const char *name, *facts;
} boards[] = {
    {"virt", "ram 80000000 size 8000000\n"
             "reserved 80000000 size 40000\nreserved 80040000 size 20000\n"
             "hart 0 context 1 sstc\nhart 1 context 3 sstc\nplic c000000 sources 96\ntimebase 10000000\n"
             "console ns16550 10000000 shift 0 width 1 irq 10\n"},
    {"unleashed", "ram 80000000 size 200000000\n"
                  "hart 1 context 2\nhart 2 context 4\nplic c000000 sources 53\ntimebase 1000000\n"
                  "console sifive 10010000 shift 2 width 4 irq 4\n"},
    {"unmatched", "ram 80000000 size 400000000\n"
                  "hart 1 context 2\nplic c000000 sources 69\ntimebase 1000000\n"
                  "console sifive 10010000 shift 2 width 4 irq 39\n"},
    /* The vendor's: hart 0 is said to be like the others, but for F and D. */
    {"visionfive2", "ram 40000000 size 100000000\n"
                    "reserved 6ce00000 size 1600000\nreserved 40000000 size 80000\n"
                    "hart 1 context 2\nplic c000000 sources 136\ntimebase 4000000\n"
                    "console dw-apb 10000000 shift 2 width 4 irq 32\n"},
    {"visionfive2-upstream", "ram 40000000 size 100000000\n"
                             "hart 1 context 2\nhart 4 context 4\nplic c000000 sources 136\ntimebase 4000000\n"
                             "console dw-apb 10000000 shift 2 width 4 irq 32\n"},
    {"icicle", "ram 80000000 size 40000000\nram 1000000000 size 40000000\n"
               "hart 1 context 2\nhart 2 context 4\nhart 3 context 6\nhart 4 context 8\n"
               "plic c000000 sources 186\ntimebase 1000000\n"
               "console ns16550 20100000 shift 2 width 4 irq 91\n"},
    {"banks", "ram f0000000 size 1000000\nram c0000000 size 8000000\nram d0000000 size 4000000\n"
              "ram e0000000 size 1000\n"
              "reserved c0000000 size 80000\nreserved d0000000 size 1000\nreserved d1000000 size 2000\n"
              "hart 3 context 1\nplic 20004000 sources 31\ntimebase 50000000\n"
              "console ns16550 20001000 shift 0 width 1 irq 17\n"},
    {"states", "ram 80000000 size 10000000\n"
               "hart 1 context 3 sstc\nhart 2 context 2\nhart 300 context 0 sstc\n"
               "plic c000000 sources 10\ntimebase 24000000\n"
               "console sifive 10003000 shift 2 width 4 irq 3\n"},
    {"interrupts", "ram 80000000 size 8000000\n"
                   "hart 0 context 1\nplic c000000 sources 50\ntimebase 1000000\n"
                   "console ns16550 10000000 shift 0 width 1 irq 10\n"},
    {"awkward", "ram 80000000 size 1000000\nram 90000000 size 2000000\nram c0000000 size 10000000\n"
                "ram e0000000 size 8000\n"
                "reserved 80000000 size 1000\nreserved 80002000 size 3000\n"
                "hart 7 context 2\nplic 50001200 sources 3\ntimebase 24000000\n"},
};

static void test_boards(void **state) {
    char facts[1024];

    (void)state;
    for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
        facts_of(trees_named(boards[i].name), facts);
        if (strcmp(facts, boards[i].facts) != 0)
            fail_msg("%s: read\n%sbut it holds\n%s", boards[i].name, facts, boards[i].facts);
    }
    assert_int_equal(trees_count, sizeof(boards) / sizeof(boards[0]));
}

/* The kernel's number of a device's interrupt, or that it has none that the kernel hears of. */
static void test_interrupts(void **state) {
    static const struct {
        const char *at;
        unsigned irq;
        bool foreign;
    } serials[] = {
        {"/bus/serial@00", 10, false},    {"/bus/serial@01", 11, false},      {"/bus/serial@02", 0, true},
        {"/bus/serial@03", 13, false},    {"/bus/serial@04", 0, true},        {"/bus/serial@05", 15, false},
        {"/bus/serial@06", 16, false},    {"/bus/serial@07", 0, true},        {"/bus/serial@08", 0, true},
        {"/bus/serial@09", 0, true},      {"/bus/serial@10", 0, true},        {"/bus/serial@11", 0, false},
        {"/bus/serial@12", 0, true},      {"/bus/serial@13", 0, true},        {"/orphans/serial@15", 0, true},
        {"/router/serial@16", 26, false}, {"/unmapped/serial@17", 10, false}, {"/beside/serial@18", 10, false},
    };
    const struct tree_file *file = trees_named("interrupts");
    (void)state;
    for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        struct os2_tree_uart uart;
        struct fdt tree;
        uint8_t *bytes = malloc(file->size);

        memcpy(bytes, file->bytes, file->size);
        for (size_t at = 0; at + 32 < file->size; at++) /* there is room for the longest */
            if (memcmp(bytes + at, "/bus/serial@00\0\0\0\0", 18) == 0)
                memcpy(bytes + at, serials[i].at, strlen(serials[i].at) + 1);
        assert_true(fdt_open(&tree, bytes, file->size));
        assert_true(os2_tree_console(&tree, &uart));
        unsigned long number = strtoul(strchr(serials[i].at, '@') + 1, NULL, 16);
        assert_int_equal(uart.base & 0xff00, number < 0x17 ? number << 8 : 0); /* else the first that can be reached */
        if (uart.irq != serials[i].irq || uart.irq_foreign != serials[i].foreign)
            fail_msg("%s: interrupt %u%s", serials[i].at, uart.irq, uart.irq_foreign ? ", somebody else's" : "");
        free(bytes);
    }
}

/* Cut anywhere, a tree gives other answers or none, and nothing beyond its end is read (ASan looks). */
static void test_console_cut(void **state) {
    struct os2_tree_uart uart;
    struct fdt tree;

    (void)state;
    for (size_t i = 0; i < trees_count; i++) {
        for (size_t size = FDT_HEADER_BYTES; size < trees[i].size; size++) {
            uint8_t *bytes = malloc(size + 1);

            memcpy(bytes, trees[i].bytes, size);
            bytes[4] = bytes[5] = 0; /* the header says that it is so long */
            bytes[6] = (uint8_t)(size >> 8);
            bytes[7] = (uint8_t)size;
            if (fdt_open(&tree, bytes, size))
                os2_tree_console(&tree, &uart);
            free(bytes);
        }
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boards),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_console_cut),
    };

    if (argc == 3 && strcmp(argv[1], "facts") == 0) {
        char facts[1024];

        setenv("TREES", argv[2], 1);
        trees_load();
        facts_of(&trees[0], facts);
        fputs(facts, stdout);
        return 0;
    }
    trees_load();
    return cmocka_run_group_tests_name("boards", tests, NULL, NULL);
}
