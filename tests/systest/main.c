/* SPDX-License-Identifier: MIT */
/*
 * systest: the system-call suite, started by init instead of the shell (boot argument os2.start=systest). Prints TAP.
 *
 * With an argument it is one of its own children: a puppet, a fuzzer, a member of a crowd, or a sleeper.
 */
#include "systest.h"

#include "arch_user.h"

#include "os2/devices.h"
#include "os2/file.h"
#include "os2/frames.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"
#include "os2/time.h"

unsigned machine;
unsigned cores;
uint64_t slot_pages;
uint64_t self_id;
const void *image;
uint64_t image_size;

static bool good;
static const char *skipped;
static unsigned failures;

static const struct area *const areas[] = {
    &area_great, &area_turn,   &area_register, &area_block, &area_handle,  &area_message,
    &area_reply, &area_parcel, &area_notify,   &area_wait,  &area_process, &area_end,
    &area_limit, &area_device, &area_machine,  &area_fuzz,  &area_crowd,   &area_hostile,
};

bool check_is(const char *file, int line, const char *what, uint64_t got, uint64_t wanted) {
    if (got == wanted)
        return true;
    good = false;
    for (const char *c = file; *c; c++)
        if (*c == '/')
            file = c + 1;
    os2_printf("# %s:%d: %s: got 0x%lx (%ld), wanted 0x%lx (%ld)\n", file, line, what, got, (int64_t)got, wanted,
               (int64_t)wanted);
    return false;
}

void skip(const char *why) {
    skipped = why;
}

uint64_t pages_in_hand(void) {
    struct os2_frames frames;
    struct os2_process_facts facts;

    if (os2_frames_count(machine, &frames) < 0 || os2_process_facts(0, 0, &facts) < 0)
        return 0;
    return os2_frames_free(&frames) + facts.pages + facts.tables + facts.objects;
}

int raw(enum os2_syscall number, unsigned handle, uint64_t flags, struct os2_message *m) {
    m->control = number | flags | (uint64_t)handle << OS2_HANDLE_SHIFT;
    arch_syscall((uint64_t *)m);
    return (int64_t)m->control < 0 ? (int)(int64_t)m->control : OS2_OK;
}

void *block(unsigned order) {
    void *memory = NULL;
    CHECK_IS(os2_block_alloc(order, &memory), OS2_OK);
    return memory;
}

bool take_bits(uint64_t bits) {
    struct os2_message m = {.w = {bits, 0, 0, 0, os2_deadline_ms(HANG_MS)}};
    uint64_t got = 0;
    while (got != bits) {
        m.w[0] = bits & ~got;
        m.w[4] = os2_deadline_ms(HANG_MS);
        if (!CHECK_IS(os2_receive(OS2_F_MASK | OS2_F_DEADLINE, &m), OS2_OK))
            return false;
        got |= m.bits;
    }
    return true;
}

/* Pages that are missing after a test, once the ends that are still going on have had their time. */
static int64_t pages_lost(uint64_t before) {
    uint64_t limit = os2_deadline_ms(HANG_MS);
    int64_t lost;
    while ((lost = (int64_t)(before - pages_in_hand())) != 0 && os2_clock(NULL) < limit)
        os2_sleep_ms(10);
    return lost;
}

static void run(unsigned number, const struct area *area, const struct test *test) {
    uint64_t before = pages_in_hand();

    struct os2_message stale = {0};
    os2_receive(OS2_F_DEADLINE, &stale); /* bits that a test before left */
    good = true;
    skipped = NULL;
    test->run();
    CHECK_IS(pages_lost(before), 0);
    os2_printf("%sok %u - %s: %s [%s]%s%s\n", good ? "" : "not ", number, area->name, test->text, test->tags,
               skipped ? " # SKIP " : "", skipped ? skipped : "");
    failures += !good;
}

static bool count_cores(void) {
    struct os2_message m, core;

    if (os2_machine_info(machine, OS2_MACHINE_MACHINE, 0, &m) < 0)
        return false;
    for (uint64_t i = 0; i < m.label; i++)
        if (os2_machine_info(machine, OS2_MACHINE_CORE, i, &core) >= 0)
            cores += core.caller == 1;
    slot_pages = m.w[4];
    return cores > 0;
}

static bool prepare(void) {
    struct os2_process_facts facts;
    void *file;

    machine = os2_start_handle("machine");
    if (!machine || !count_cores() || os2_process_facts(0, 0, &facts) < 0)
        return false;
    self_id = facts.id;
    /* Or drivers that still start would be counted as pages that are lost. */
    os2_devices_wait(os2_start_handle("names"));
    if (os2_file_load("/boot/systest", &file, &image_size) < 0)
        return false;
    image = file;
    return true;
}

/* Is the area among the arguments? With none, all are. */
static bool chosen(const struct area *area, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], area->name) == 0)
            return true;
    return argc < 2;
}

int main(int argc, char **argv) {
    unsigned plan = 0, number = 0;

    if (argc > 1 && strcmp(argv[1], "puppet") == 0)
        return puppet_main(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "fuzz") == 0)
        return fuzz_main(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "member") == 0)
        return crowd_main(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "sleeper") == 0)
        return sleeper_main(argc - 2, argv + 2);
    if (!prepare()) {
        os2_printf("Bail out! systest needs the machine handle, and itself as a file\n");
        return 1;
    }
    for (size_t i = 0; i < COUNT(areas); i++)
        plan += chosen(areas[i], argc, argv) ? (unsigned)areas[i]->count : 0;
    os2_printf("1..%u\n", plan);
    for (size_t i = 0; i < COUNT(areas); i++)
        for (size_t j = 0; j < areas[i]->count && chosen(areas[i], argc, argv); j++)
            run(++number, areas[i], &areas[i]->tests[j]);
    os2_block_free((void *)(uintptr_t)image);
    os2_printf("# %u cores, %lu ms\n", cores, os2_now_ns() / 1000000);
    return failures != 0;
}
