/* SPDX-License-Identifier: MIT */
/*
 * Boot, once the port knows the machine: the heap, the final map, the slots, the cores, init.
 *
 * Each step that can fail says what it lacks. Memory that only boot needs (the device tree where firmware put it, the
 * code and constants of boot itself) goes to the heap, and is in init's quota.
 */
#include "core/check.h"
#include "core/log.h"
#include "core/process.h"
#include "core/state.h"
#include "lib/string.h"
#include "sys/init.h"
#include "sys/loop.h"

uint64_t kernel_table_alloc(void) {
    return arch_virt_to_phys(machine_memory(OS2_PAGE_SIZE, "the kernel's page tables"));
}

static void make_core(uint32_t index) {
    struct core *core = machine_memory(sizeof *core, "a core");
    core->index = index;
    core->slots = core->turn_slot = machine.slot;
    core->run_word = state(KIND_RUN, index, 0);
    core->ready_word = state(KIND_RDY, index, 0);
    uint64_t stack = (uint64_t)(uintptr_t)machine_memory(KERNEL_STACK_SIZE, "a kernel stack");
    runqueue_init(&core->shared.queue);
    breath_init(core);
    timer_init(&core->timers);
    arch_core_make(core, index, core->run_word, machine.boot->cpu_id[index], stack + KERNEL_STACK_SIZE);
    cores[index] = core;
}

/* The tree moves into a block of its own, so that it shares no page with anything, and its old place is freed, but for
 * pages where something else is too. */
static void move_tree(struct boot_info *info) {
    if (!info->tree.size)
        return;
    struct boot_range old = info->tree;
    uint8_t *copy = machine_memory(old.size, "the device tree");
    memcpy(copy, arch_phys_to_virt(old.base), old.size);
    info->tree.base = arch_virt_to_phys(copy);
    for (uint64_t page = old.base & ~(OS2_PAGE_SIZE - 1); page < old.base + old.size; page += OS2_PAGE_SIZE) {
        bool shared = !heap_covers(&machine.heap, page >> OS2_PAGE_SHIFT) ||
                      boot_meets(&info->archive, 1, page, page + OS2_PAGE_SIZE) ||
                      boot_meets(info->reserved, info->reserved_count, page, page + OS2_PAGE_SIZE);
        uint32_t number = (uint32_t)(page >> OS2_PAGE_SHIFT);
        if (!shared && heap_frame(&machine.heap, number)->state == OS2_FRAME_KERNEL)
            heap_free(&machine.heap, number);
    }
}

#define ARRIVAL_TICKS_HZ 1    /* wait this long, 1/HZ s, for cores that firmware has started */
#define ARRIVAL_LOOKS_HZ 1000 /* and look this often, asleep between: they may need this very processor */

static void start_cores(struct boot_info *info) {
    uint32_t started = 1;
    for (uint32_t i = 1; i < machine.core_count; i++) {
        if (arch_core_start(cores[i]))
            started++;
        else
            log_line("core %u (cpu %lu): the firmware does not start it", i, info->cpu_id[i]);
    }
    uint64_t limit = arch_clock() + machine.clock_hz / ARRIVAL_TICKS_HZ;
    uint32_t online;
    for (;;) {
        online = 0;
        for (uint32_t i = 0; i < machine.core_count; i++)
            online += __atomic_load_n(&cores[i]->shared.online, __ATOMIC_ACQUIRE);
        if (online >= started || arch_clock() >= limit)
            break;
        cores[0]->timers.nap = arch_clock() + machine.clock_hz / ARRIVAL_LOOKS_HZ;
        timer_program(cores[0]);
        arch_idle(cores[0]);
    }
    for (uint32_t i = 1; i < machine.core_count; i++)
        if (!__atomic_load_n(&cores[i]->shared.online, __ATOMIC_ACQUIRE))
            log_line("core %u (cpu %lu) has not arrived", i, info->cpu_id[i]);
    log_line("%u of %u cores are up", online, machine.core_count);
}

void kernel_main(struct boot_info *info) {
    machine.boot = info;
    machine.clock_hz = info->clock_hz;
    machine.boot_time = arch_clock();
    machine.panic_restarts = boot_argument(info, "os2.panic=restart");
    log_line("OS2 on " ARCH_NAME ", %u cpus, clock %lu Hz", info->cpu_count, info->clock_hz);
    boot_describe(info);
    if (!heap_init(&machine.heap, info))
        panic("no RAM that the kernel can use: the firmware reports %u banks", info->ram_count);
    for (unsigned i = 0; i < info->ram_count; i++)
        if (!heap_covers(&machine.heap, (info->ram[i].base + info->ram[i].size - 1) >> OS2_PAGE_SHIFT))
            log_line("RAM %lx..%lx is too far from the rest to be used", info->ram[i].base,
                     info->ram[i].base + info->ram[i].size);
    arch_kernel_map(info);
    move_tree(info);
    process_table_init();
    machine.core_count = info->cpu_count;
    for (uint32_t i = 0; i < machine.core_count; i++)
        make_core(i);
    arch_core_init(cores[0]);
    struct magazines *magazines[CORES_MAX];
    for (uint32_t i = 0; i < machine.core_count; i++)
        magazines[i] = &cores[i]->magazines;
    heap_open(&machine.heap, magazines, machine.core_count);
    __atomic_store_n(&cores[0]->shared.online, 1, __ATOMIC_RELEASE);
    start_cores(info);
    check_boot();
    init_start(cores[0], info);
    loop_begin(cores[0]);
}

void core_main(struct core *core) {
    /* A core that arrives twice, or under another's number, is sent away. */
    if (__atomic_exchange_n(&core->shared.online, 1, __ATOMIC_ACQ_REL))
        arch_halt();
    arch_core_init(core);
    loop_next(core);
}
