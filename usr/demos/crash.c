/* SPDX-License-Identifier: MIT */
/*
 * crash: misbehave, in one way or in all.
 *
 * Each way either ends the process for a reason that its supervisor learns, or is refused by the kernel without effect.
 * `crash all` starts itself again for each, compares how it ended with what must happen, and counts the machine's free
 * frames before and after: nothing a program does may keep a page.
 */
#include "lib/format.h"
#include "os2/call.h"
#include "os2/console.h"
#include "os2/devices.h"
#include "os2/file.h"
#include "os2/frames.h"
#include "os2/spawn.h"
#include "os2/start.h"
#include "os2/stream.h"
#include "os2/string.h"

#include "arch_user.h"

#define BAD_ADDRESS UINT64_C(0xdead0000)
#define CHILD_QUOTA 600u /* or half of what there is */
#define LOOP_LIMIT_MS 500u

struct way {
    const char *name, *summary;
    int (*run)(const char *argument); /* returns only if it was refused (0), or if nothing happened to it (not 0) */
    enum os2_end_reason reason;
    enum os2_fault fault; /* for OS2_END_FAULT */
};

static int crash_read(const char *argument) {
    (void)argument;
    return *(volatile uint8_t *)BAD_ADDRESS | 1;
}

static int crash_write(const char *argument) {
    (void)argument;
    *(volatile uint8_t *)BAD_ADDRESS = 1;
    return 1;
}

int main(int argc, char **argv);

static int crash_text(const char *argument) {
    (void)argument;
    *(volatile uint8_t *)(uintptr_t)main = 0;
    return 1;
}

static int crash_null(const char *argument) {
    void (*volatile nowhere)(void) = NULL;
    (void)argument;
    nowhere();
    return 1;
}

static int crash_illegal(const char *argument) {
    (void)argument;
    arch_illegal();
    return 1;
}

__attribute__((noinline)) static int deeper(volatile char *above) {
    volatile char room[256];
    room[0] = above[0];
    return room[0] ? deeper(room) + room[0] : 0;
}

static int crash_stack(const char *argument) {
    volatile char bottom[1] = {1};
    (void)argument;
    return deeper(bottom);
}

static int crash_loop(const char *argument) {
    volatile bool on = true;
    (void)argument;
    while (on)
        ;
    return 1;
}

/* Each of these is no block of this process. */
static int crash_steal(const char *argument) {
    const uint64_t blocks[] = {OS2_EXCHANGE_BASE,
                               OS2_PROGRAM_BASE + 8,
                               BAD_ADDRESS,
                               ARCH_KERNEL_ADDRESS,
                               0,
                               UINT64_MAX & ~(OS2_PAGE_SIZE - 1)};
    unsigned console = os2_start_handle("console.out");
    char keys[OS2_CONSOLE_TEXT];

    (void)argument;
    if (os2_console_read(console, OS2_CONSOLE_POLL, keys) != OS2_E_RIGHTS)
        return 1;
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct os2_message m = {.label = OS2_CONSOLE_WRITE_BLOCK, .w = {1, 0, 0, blocks[i]}};
        int status = os2_call(console, OS2_F_BLOCK | OS2_ACCEPT(0), &m);
        if (status != OS2_E_OWNER && status != OS2_E_INVALID)
            return 1;
        if (os2_block_free((void *)(uintptr_t)blocks[i]) >= 0)
            return 1;
    }
    return 0;
}

/* The address of a block of another process, or without one that of a block just freed. */
static int crash_exchange(const char *argument) {
    uint64_t address;
    void *block;

    if (!argument || !os2_string_number(argument, &address)) {
        if (os2_block_alloc(0, &block) < 0 || os2_block_free(block) < 0)
            return 1;
        address = (uintptr_t)block;
    }
    return *(volatile uint8_t *)(uintptr_t)address | 1;
}

static int crash_alloc(const char *argument) {
    int status = OS2_OK;
    void *block, *taken = NULL;
    uint64_t pages = 0;

    for (unsigned order = 10; order-- > 0;)
        while ((status = os2_block_alloc(order, &block)) >= 0) {
            *(void **)block = taken;
            taken = block;
            pages += UINT64_C(1) << order;
        }
    if (argument) /* among all: its end gives them back */
        return status != OS2_E_QUOTA && status != OS2_E_MEMORY;
    while (taken) {
        block = taken;
        taken = *(void **)block;
        os2_block_free(block);
    }
    os2_printf("crash: after %lu pages: %s\n", pages, os2_status_text(status));
    return status != OS2_E_QUOTA && status != OS2_E_MEMORY;
}

static int crash_handle(const char *argument) {
    static const unsigned bad[] = {0, OS2_HANDLES / 2, OS2_HANDLES - 1};
    unsigned accepted = 0, handle;

    (void)argument;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct os2_message m = {0};
        struct os2_process_end end;
        uint64_t result;
        accepted += os2_send(bad[i], 0, &m) >= 0;
        accepted += os2_call(bad[i], 0, &m) >= 0;
        accepted += os2_notify(bad[i], 1) >= 0;
        accepted += os2_watch(bad[i], 1) >= 0;
        accepted += os2_handle_close(bad[i]) >= 0;
        accepted += os2_process_start(bad[i], OS2_PROGRAM_BASE, 0, 0) >= 0;
        accepted += os2_process_kill(bad[i]) >= 0;
        accepted += os2_process_grant(bad[i], 0, 0, 1, NULL) >= 0;
        accepted += os2_process_end(bad[i], 0, &end) >= 0;
        accepted += os2_device_claim(bad[i], OS2_DEVICE_IRQ, 1, 1, &result) >= 0;
        accepted += os2_irq_bind(bad[i], 1) >= 0;
        accepted += os2_irq_ack(bad[i]) >= 0;
        accepted += os2_machine_control(bad[i], OS2_CONTROL_OFF, 0) >= 0;
        if (bad[i])
            accepted += os2_handle_mint(bad[i], OS2_HANDLE_INBOX, 0, OS2_RIGHTS_ALL, &handle) >= 0;
    }
    return accepted != 0;
}

static int crash_kernel(const char *argument) {
    (void)argument;
    return *(volatile uint8_t *)ARCH_KERNEL_ADDRESS | 1;
}

static int crash_privileged(const char *argument) {
    (void)argument;
    arch_privileged();
    return 1;
}

static int crash_fork(const char *argument) {
    struct os2_process_plan plan = {.quota = 8, .quantum = 1, .watchdog_ms = OS2_WATCHDOG_DEFAULT_MS, .name = "fork"};
    unsigned control, made = 0;
    uint64_t id;
    int status;

    (void)argument;
    while ((status = os2_process_create(&plan, &control, &id)) >= 0)
        made++;
    return !made || (status != OS2_E_QUOTA && status != OS2_E_FULL && status != OS2_E_MEMORY);
}

static const struct way ways[] = {
    {"read", "read an address that is not mapped", crash_read, OS2_END_FAULT, OS2_FAULT_READ},
    {"write", "write to an address that is not mapped", crash_write, OS2_END_FAULT, OS2_FAULT_WRITE},
    {"text", "write to its own code", crash_text, OS2_END_FAULT, OS2_FAULT_WRITE},
    {"null", "jump to address 0", crash_null, OS2_END_FAULT, OS2_FAULT_EXEC},
    {"illegal", "execute an illegal instruction", crash_illegal, OS2_END_FAULT, OS2_FAULT_INSTRUCTION},
    {"stack", "overrun its stack", crash_stack, OS2_END_FAULT, OS2_FAULT_WRITE},
    {"loop", "loop without a system call until the watchdog comes", crash_loop, OS2_END_WATCHDOG, OS2_FAULT_NONE},
    {"steal", "send and free blocks that it does not own", crash_steal, OS2_END_EXIT, OS2_FAULT_NONE},
    {"exchange", "read another process's block", crash_exchange, OS2_END_FAULT, OS2_FAULT_READ},
    {"alloc", "allocate until refused", crash_alloc, OS2_END_EXIT, OS2_FAULT_NONE},
    {"handle", "use handles that it does not have", crash_handle, OS2_END_EXIT, OS2_FAULT_NONE},
    {"kernel", "read the kernel's memory", crash_kernel, OS2_END_FAULT, OS2_FAULT_READ},
    {"priv", "execute a privileged instruction", crash_privileged, OS2_END_FAULT, arch_fault_priv},
    {"fork", "create children until refused", crash_fork, OS2_END_EXIT, OS2_FAULT_NONE},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static bool as_expected(const struct way *way, const struct os2_child *child, const struct os2_process_end *end) {
    if (end->reason != way->reason)
        return false;
    if (end->reason == OS2_END_EXIT)
        return end->value == 0;
    if (end->reason == OS2_END_FAULT && end->value != way->fault)
        return false;
    return way->run != crash_stack || os2_child_overrun(child, end);
}

/* Starts this program again for one way and waits for its end. */
static int way_run(const struct way *way, const void *image, uint64_t size, struct os2_child *child) {
    uint64_t half = os2_quota_left() / 2;
    struct os2_child_plan plan = {
        .image = image,
        .image_size = size,
        .process = {.quota = half < CHILD_QUOTA ? half : CHILD_QUOTA,
                    .watchdog_ms = way->run == crash_loop ? LOOP_LIMIT_MS : OS2_WATCHDOG_DEFAULT_MS,
                    .end_bits = 1,
                    .name = way->name}};
    char address[24];
    const char *argv[] = {"crash", way->name, address};
    int status = os2_child_create(&plan, child, NULL);

    format(address, sizeof(address), "0x%lx", (uint64_t)(uintptr_t)image); /* a block of another process */
    if (status >= 0)
        status = os2_child_grant(child, "console.out", os2_start_handle("console.out"), OS2_RIGHT_SEND);
    if (status >= 0)
        status = os2_child_start(child, 3, argv);
    if (status >= 0) {
        struct os2_message m = {.w = {1}};
        status = os2_receive(OS2_F_MASK, &m);
    }
    return status;
}

enum way_result { WAY_GOOD, WAY_WRONG, WAY_NOT_TRIED };

static enum way_result way_check(const struct way *way, const void *image, uint64_t size) {
    struct os2_child child = {0};
    struct os2_process_end end = {0};
    char how[160];
    bool good;
    int status = way_run(way, image, size, &child);

    if (status >= 0)
        status = os2_process_end(child.control, 0, &end);
    if (status < 0) {
        os2_child_drop(&child);
        os2_printf("?     %-9s could not be started: %s\n", way->name, os2_status_text(status));
        return WAY_NOT_TRIED;
    }
    good = as_expected(way, &child, &end);
    os2_child_describe(&child, &end, how, sizeof(how));
    os2_child_drop(&child);
    os2_printf("%-5s %-9s %s%s\n", good ? "ok" : "WRONG", way->name,
               good && end.reason == OS2_END_EXIT ? "refused each time: " : "", how);
    return good ? WAY_GOOD : WAY_WRONG;
}

/* Free pages of the machine, and this process's own: what it holds more or less by itself does not count. */
static bool free_pages(unsigned machine, uint64_t *ret_pages) {
    struct os2_process_facts self;
    struct os2_frames frames;

    if (!machine || os2_frames_count(machine, &frames) < 0 || os2_process_facts(0, 0, &self) < 0)
        return false;
    *ret_pages = os2_frames_free(&frames) + self.pages + self.tables + self.objects;
    return true;
}

static int crash_all(uint64_t rounds) {
    unsigned machine = os2_start_handle("machine"), results[3] = {0};
    uint64_t size, before, after;
    void *image;
    int status = os2_file_load("/boot/crash", &image, &size);

    if (status < 0) {
        os2_error("cannot load itself: %s", os2_status_text(status));
        return 1;
    }
    /* Or drivers that still start would be counted as pages that are lost. */
    os2_devices_wait(os2_start_handle("names"));
    /* The first line makes what output needs, here and in the console; behind it the count is of the ways alone. */
    os2_printf("each way in a process of its own, with up to %lu pages:\n", (uint64_t)CHILD_QUOTA);
    if (!free_pages(machine, &before)) {
        os2_error("cannot count free memory");
        return 1;
    }
    for (; rounds; rounds--)
        for (size_t i = 0; i < WAYS; i++)
            results[way_check(&ways[i], image, size)]++;
    if (!free_pages(machine, &after))
        after = 0;
    os2_printf("%-5s memory    %lu pages free before, %lu after\n", before == after ? "ok" : "WRONG", before, after);
    results[WAY_WRONG] += before != after;
    os2_block_free(image);
    os2_printf("crash: %lu ways, %u wrong", (uint64_t)WAYS, results[WAY_WRONG]);
    if (results[WAY_NOT_TRIED])
        os2_printf(", %u not tried for want of memory", results[WAY_NOT_TRIED]);
    os2_printf("\n");
    return results[WAY_WRONG] || results[WAY_NOT_TRIED];
}

/* One way, and where the program outlives it, a word on how. Among all, `argument` is set and the parent says it. */
static int run_alone(const struct way *way, const char *argument) {
    int status = way->run(argument);

    if (!argument)
        os2_printf("crash: %s: %s\n", way->name, status == 0 ? "refused each time" : "was not stopped");
    return status;
}

int main(int argc, char **argv) {
    uint64_t rounds = 1;

    if (argc >= 2 && strcmp(argv[1], "all") == 0 && (argc == 2 || os2_string_number(argv[2], &rounds)))
        return crash_all(rounds);
    for (size_t i = 0; argc >= 2 && i < WAYS; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            return run_alone(&ways[i], argc > 2 ? argv[2] : NULL);
    for (size_t i = 0; i < WAYS; i++)
        os2_printf("crash %-9s %s\n", ways[i].name, ways[i].summary);
    os2_printf("crash all [N]   each of them, N times, and check how it ends\n");
    return argc == 1 ? 0 : 2;
}
