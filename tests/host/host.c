/* SPDX-License-Identifier: MIT */
/*
 * The host port, out-of-line half, and the simulated machine.
 *
 * Each core is a fiber: a stack and a saved context. The driver (the test's own stack) hands it a job and switches
 * to it; the fiber switches back when the core comes to rest. arch_enter() does not return, so it jumps to the fiber's
 * base loop, which rests; arch_idle() rests where it is and returns when an interrupt has been taken, as on a real
 * machine.
 */
#include "tests/host/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "core/turn.h"
#include "ipc/wait.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#else
#define __sanitizer_start_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define __sanitizer_finish_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#endif

#define STACK_BYTES ((size_t)256 << 10)

enum job { JOB_BOOT, JOB_SYSCALL, JOB_INTERRUPT, JOB_FAULT };

struct fiber {
    ucontext_t context;
    jmp_buf base;
    void *stack;
    enum host_rest rest;
    enum job job;
    unsigned irq;
    unsigned fault;
    uint64_t pc, address;
};

static struct fiber fibers[CORES_MAX];
static ucontext_t driver;
static const void *driver_bottom;
static size_t driver_size;
static int running = -1; /* the core whose fiber executes; -1: the driver */

uintptr_t host_direct;
uint64_t host_clock, host_look = 1;
struct core *host_core;
bool host_disturbed, host_switching;
uint64_t host_stop_in;
unsigned host_irq_more;
struct boot_info host_boot_info;
int host_down;
void (*host_abort)(void);
jmp_buf host_panic_jump;
bool host_panic_expected;
char host_panic[256], host_console[8192];

static struct host_config config;
static struct host_random switch_random;
static bool irq_open[IRQ_MAX];

uint64_t host_random(struct host_random *random) {
    /* splitmix64 */
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* ---- Memory. ---- */

static void *memory;
static size_t memory_bytes;

void host_memory(uint64_t base, uint64_t bytes) {
    if (memory && memory_bytes != bytes) {
        munmap(memory, memory_bytes);
        memory = NULL;
    }
    memory_bytes = bytes;
    if (!memory)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    host_direct = (uintptr_t)memory - (uintptr_t)base;
}

/* ---- Fibers. ---- */

/* From a fiber to the driver. Returns when the driver switches to it again. */
static void rest(enum host_rest how) {
    struct fiber *f = &fibers[running];
    void *fake;
    f->rest = how;
    __sanitizer_start_switch_fiber(&fake, driver_bottom, driver_size);
    swapcontext(&f->context, &driver);
    __sanitizer_finish_switch_fiber(fake, &driver_bottom, &driver_size);
}

static struct arch_core *port_core(struct core *core) {
    return (struct arch_core *)core; /* its first member */
}

static void take(struct core *core, bool user) {
    struct arch_core *port = port_core(core);
    struct fiber *f = &fibers[port->index];
    bool ipi = port->ipi && !port->held, alone = !ipi && !f->irq;
    interrupt_enter(core);
    if (ipi) {
        port->ipi = false;
        ipi_arrived(core);
    }
    if (f->irq)
        irq_arrived(core);
    f->irq = 0;
    if (port->timer <= host_clock && (alone || !interrupt_enough(core))) {
        port->timer = UINT64_MAX;
        timer_arrived(core, user);
    }
    interrupt_leave(core, user);
}

/* One that a test has arrive does so whether or not interrupts are held: it came just before. */
unsigned arch_irq_take(struct core *core) {
    struct fiber *f = &fibers[port_core(core)->index];
    unsigned irq = f->irq;
    irq_open[irq] = false;
    if (host_irq_more)
        host_irq_more--;
    else
        f->irq = 0;
    return irq;
}

void arch_interrupts_hold(struct core *core, bool hold) {
    port_core(core)->held = hold;
}

static void base_loop(void) {
    __sanitizer_finish_switch_fiber(NULL, &driver_bottom, &driver_size);
    struct fiber *volatile f = &fibers[running];
    volatile unsigned index = (unsigned)running;
    volatile bool fresh = true;
    setjmp(f->base);
    for (;;) {
        if (!fresh) {
            tlb_walk(index);
            fibers[index].rest = HOST_USER;
            const char *why = tlb_check(index);
            if (why)
                panic("core %u: %s", index, why);
            rest(HOST_USER);
        }
        fresh = false;
        switch (f->job) {
        case JOB_BOOT:
            if (index == 0)
                kernel_main(&host_boot_info);
            else
                core_main(cores[index]);
        case JOB_SYSCALL:
            entry_path(host_core);
            break;
        case JOB_INTERRUPT:
            take(host_core, true);
            break;
        case JOB_FAULT:
            fault_arrived(host_core, f->fault, f->pc, f->address);
            break;
        }
    }
}

static void give_up(void) {
    fputs(host_panic, stderr);
    if (host_abort)
        host_abort();
    abort();
}

void host_continue(unsigned core) {
    struct fiber *f = &fibers[core];
    void *fake;
    running = (int)core;
    host_core = cores[core];
    f->rest = HOST_KERNEL;
    __sanitizer_start_switch_fiber(&fake, f->stack, STACK_BYTES);
    swapcontext(&driver, &f->context);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    running = -1;
    if (host_panic[0])
        give_up();
}

static void start(unsigned core, enum job job) {
    fibers[core].job = job;
    host_continue(core);
}

enum host_rest host_rest(unsigned core) {
    return fibers[core].rest;
}

void host_syscall(unsigned core) {
    cores[core]->current->context.again = false;
    start(core, JOB_SYSCALL);
}

void host_interrupt(unsigned core, unsigned irq) {
    fibers[core].irq = irq;
    start(core, JOB_INTERRUPT);
}

void host_interrupt_later(unsigned core, unsigned irq) {
    fibers[core].irq = irq;
}

bool host_interrupt_due(unsigned core) {
    return (cores[core]->arch.ipi && !cores[core]->arch.held) || cores[core]->arch.timer <= host_clock;
}

void host_fault(unsigned core, unsigned fault, uint64_t pc, uint64_t address) {
    fibers[core].fault = fault;
    fibers[core].pc = pc;
    fibers[core].address = address;
    start(core, JOB_FAULT);
}

void host_settle(void) {
    bool was = host_switching;
    host_switching = false;
    host_stop_in = 0;
    for (bool busy = true; busy;) {
        busy = false;
        for (unsigned i = 0; i < config.cores; i++)
            if (fibers[i].rest == HOST_KERNEL) {
                host_continue(i);
                busy = true;
            }
    }
    host_switching = was;
}

void host_give_way(void) {
    if (running < 0) {
        strcpy(host_panic, "a lock is waited for that nobody will release\n");
        give_up();
    }
    rest(HOST_KERNEL);
    host_core = cores[running];
}

void host_disturb(void) {
    if (running < 0)
        return;
    if (host_below(&switch_random, 4) == 0)
        tlb_walk_anywhere();
    if (host_stop_in && --host_stop_in == 0)
        host_give_way();
    if (host_switching && host_below(&switch_random, config.switch_one_in) == 0)
        host_give_way();
}

/* ---- Booting. ---- */

#define FIRMWARE_BYTES (UINT64_C(2) << 20)
#define ARCHIVE_AT UINT64_C(0x280000)
#define TREE_AT UINT64_C(0x300010) /* firmware aligns it to 8 bytes only */
#define TREE_BYTES 9000            /* three pages of a block of four */

void host_boot(const struct host_config *wanted) {
    config = *wanted;
    switch_random.state = config.seed;
    host_memory(HOST_RAM_BASE, config.ram_bytes);
    host_switching = host_disturbed = false;
    host_clock = 1000;
    host_look = 1;
    host_irq_more = 0;
    host_heap_budget = -1;
    host_down = -1;
    host_panic[0] = host_console[0] = '\0';
    struct tlb_kind kind = space_reset(config.mmu);
    kind.quiet = config.quiet;
    tlb_reset(config.seed, &kind);
    short_counts = (struct short_counts){0};
    check_reset();
    memset(&machine, 0, sizeof machine);
    memset(cores, 0, sizeof cores);
    memset(irq_open, 0, sizeof irq_open);
    for (unsigned i = 0; i < CORES_MAX; i++) {
        struct fiber *f = &fibers[i];
        f->rest = HOST_OFF;
        if (i >= config.cores)
            continue;
        if (!f->stack)
            f->stack = malloc(STACK_BYTES);
        getcontext(&f->context);
        f->context.uc_stack.ss_sp = f->stack;
        f->context.uc_stack.ss_size = STACK_BYTES;
        makecontext(&f->context, base_loop, 0);
    }
    uint64_t archive = HOST_RAM_BASE + ARCHIVE_AT, tree = HOST_RAM_BASE + TREE_AT;
    size_t archive_bytes = host_image(arch_phys_to_virt(archive), 0x40000);
    memset(arch_phys_to_virt(tree), 0xd7, TREE_BYTES);
    host_boot_info = (struct boot_info){
        .ram = {{HOST_RAM_BASE, config.ram_bytes}},
        .ram_count = 1,
        .reserved = {{HOST_RAM_BASE, FIRMWARE_BYTES}},
        .reserved_count = 1,
        .kept = {{archive, archive_bytes}, {tree, TREE_BYTES}},
        .kept_count = 2,
        .archive = {archive, archive_bytes},
        .tree = {tree, TREE_BYTES},
        .arguments = "quiet",
        .clock_hz = HOST_CLOCK_HZ,
        .cpu_count = config.cores,
        .irq_count = 64,
    };
    for (unsigned i = 0; i < config.cores; i++)
        host_boot_info.cpu_id[i] = 100 + i;
    start(0, JOB_BOOT);
    host_settle();
    while (host_rest(0) == HOST_IDLE) { /* it sleeps until its next look at the cores it has started */
        if (host_clock < cores[0]->arch.timer)
            host_clock = cores[0]->arch.timer;
        host_continue(0);
        host_settle();
    }
    host_switching = config.switch_one_in != 0;
    host_disturbed = true;
}

bool arch_core_start(struct core *core) {
    fibers[port_core(core)->index].job = JOB_BOOT;
    fibers[port_core(core)->index].rest = HOST_KERNEL;
    host_give_way();
    return true;
}

struct boot_range arch_boot_part(void) {
    return (struct boot_range){0};
}
void arch_boot_over(void) {}

void arch_kernel_map(const struct boot_info *info) {
    /* Reserved RAM is not in the direct map. */
    for (unsigned i = 0; i < info->reserved_count; i++)
        mprotect(arch_phys_to_virt(info->reserved[i].base), info->reserved[i].size, PROT_NONE);
}

void arch_core_make(struct core *core, unsigned index, uint64_t run_word, uint64_t cpu, uint64_t stack_top) {
    (void)cpu;
    (void)stack_top; /* fibers have larger ones: sanitizers need room */
    *port_core(core) = (struct arch_core){
        .index = index,
        .timer = UINT64_MAX,
        .run_word = run_word,
        .bare_place = UINT64_MAX,
        .place = UINT64_MAX,
        .asid_next = 1,
        .asid_epoch = 1,
        .pcid_next = 1,
        .pcid_epoch = 1,
    };
}

void arch_core_init(struct core *core) {
    host_core = core;
}

/* ---- Running. ---- */

void arch_enter(struct core *core, struct arch_context *context, struct arch_space *space) {
    space_entered(core, context, space);
    longjmp(fibers[port_core(core)->index].base, 1);
}

void arch_idle_look(struct core *core) {
    unsigned index = port_core(core)->index;
    if (host_interrupt_due(index) || fibers[index].irq)
        take(core, false);
}

void arch_idle(struct core *core) {
    rest(HOST_IDLE);
    host_core = core;
    take(core, false);
}

void arch_timer_set(struct core *core, uint64_t when) {
    port_core(core)->timer = when;
}

void arch_ipi_send(struct core *core) {
    port_core(core)->ipi = true;
}

/* Others may see a controller's registers between two stores of a core's, as they see memory. */
void arch_irq_unmask(unsigned irq) {
    host_point();
    irq_open[irq] = true;
}

void arch_irq_mask(unsigned irq) {
    host_point();
    irq_open[irq] = false;
}

bool arch_irq_message(unsigned index, unsigned *ret_irq, uint64_t *ret_address, uint32_t *ret_data) {
    if (index >= HOST_IRQ_MESSAGES)
        return false;
    *ret_irq = host_boot_info.irq_count + index;
    *ret_address = HOST_MESSAGE_ADDRESS | arch_core_index();
    *ret_data = index;
    return true;
}

bool host_irq_open(unsigned irq) {
    return irq_open[irq];
}

/* ---- Contexts, code, ports, devices. ---- */

void arch_context_init(struct arch_context *context, uint64_t pc, uint64_t sp, uint64_t gp, uint64_t tp) {
    *context = (struct arch_context){.pc = pc, .sp = sp, .gp = gp, .tp = tp};
}

/* It takes its time, before a process is published: others go on meanwhile. */
void arch_context_park(struct arch_context *context, struct arch_space *space) {
    (void)context;
    (void)space;
    for (unsigned i = 0; i < 20; i++)
        host_point();
}

bool arch_ports_valid(uint64_t first, uint64_t count) {
    return count && first < 0x10000 && count <= 0x10000 - first;
}

bool arch_ports_grant(struct core *core, struct arch_context *context, uint64_t first, uint64_t count) {
    (void)core;
    (void)context;
    (void)first;
    (void)count;
    return true;
}

/* Everything below RAM is devices, but for the first MiB, which is the interrupt controller's. */
bool arch_device_allowed(uint64_t base, uint64_t size) {
    (void)size;
    return base >= UINT64_C(0x100000);
}

/* ---- Console, power. ---- */

void arch_console_write(const char *text, size_t length) {
    size_t used = strlen(host_console);
    if (used + length < sizeof host_console) {
        memcpy(host_console + used, text, length);
        host_console[used + length] = '\0';
    }
    if (length > 15 && memcmp(text, "\nkernel panic: ", 15) == 0)
        snprintf(host_panic, sizeof host_panic, "%.*s", (int)length, text);
}

/* Firmware's console echoes: what was put last comes back once. */
static int echo = -1;

bool arch_console_put(uint8_t byte) {
    echo = byte;
    return true;
}

int arch_console_get(void) {
    int byte = echo;
    echo = -1;
    return byte;
}

void arch_stop_others(void) {
    for (unsigned i = 0; i < CORES_MAX; i++)
        if (cores[i] && cores[i] != arch_core())
            arch_ipi_send(cores[i]);
}

void arch_halt(void) {
    if (running >= 0)
        for (;;)
            rest(HOST_DOWN);
    if (!host_panic_expected)
        give_up();
    host_panic_expected = false;
    longjmp(host_panic_jump, 1);
}

void arch_power_off(unsigned code) {
    host_down = (int)code;
    for (;;)
        rest(HOST_DOWN);
}

void arch_restart(void) {
    host_down = 256;
    for (;;)
        rest(HOST_DOWN);
}
