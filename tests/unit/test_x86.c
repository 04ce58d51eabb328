/* SPDX-License-Identifier: MIT */
/*
 * What the x86_64 port does with features that QEMU does not show without KVM: PCIDs, x2APIC, TSC-deadline.
 *
 * The port's own sources run on a processor that the test plays. For PCIDs it is two cores whose TLBs keep everything
 * that they are not told to drop; spaces run on one core, then on the other, lose translations while they are current
 * and while they are not, and no core may ever use a translation that its space has lost. The short way of the entry
 * path is played too: where the core's place is the space's, CR3 is loaded and nothing else is done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asm/prctl.h>
#include <cmocka.h>

#include "arch/x86_64/x86.h"
#include "core/log.h"
#include "os2/tree.h"

#define CORES 2u
#define SPACES 6u
#define PAGES 4u
#define PCIDS 4096u
#define STEPS 600000u
#define FIRST_PAGE UINT64_C(0x200000)
#define TABLE_ROOT(i) (UINT64_C(0x10000000) + ((uint64_t)(i) << 12))

/* ---- The processor. ---- */

struct translation {
    uint32_t space, version;
    bool valid;
};

static struct translation tlb[CORES][PCIDS][PAGES];
static uint64_t cr3[CORES], cr4[CORES];
static unsigned here;           /* the core that executes */
static struct arch_core *gs[1]; /* the same, where arch_core() finds it: gs points here */
static uint32_t msr_number;
static uint64_t msr_value;
static unsigned msr_writes, roll_overs;

static void drop_all(void) {
    memset(tlb[here], 0, sizeof(tlb[here]));
}

uint64_t fake_cr0_read(void) {
    return 0;
}
uint64_t fake_cr2_read(void) {
    return 0;
}
uint64_t fake_cr3_read(void) {
    return cr3[here];
}
uint64_t fake_cr4_read(void) {
    return cr4[here];
}
void fake_cr0_write(uint64_t value) {
    (void)value;
}

void fake_cr3_write(uint64_t value) {
    if (!x86_facts.pcid) {
        assert_int_equal(value & CR3_KEEP, 0);
        drop_all();
    } else if (!(value & CR3_KEEP)) {
        memset(tlb[here][value & (PCIDS - 1)], 0, sizeof(tlb[here][0]));
    }
    cr3[here] = value & ~CR3_KEEP;
}

void fake_cr4_write(uint64_t value) {
    if ((value ^ cr4[here]) & CR4_PGE) {
        roll_overs += !(value & CR4_PGE);
        drop_all();
    }
    cr4[here] = value;
}

void invlpg(uint64_t va) {
    tlb[here][x86_facts.pcid ? cr3[here] & (PCIDS - 1) : 0][(va - FIRST_PAGE) >> 12].valid = false;
}

static bool serial_there, hypervisor;
static const uint8_t *firmware_file; /* what the firmware configuration device gives next */

struct x86_cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    (void)subleaf;
    return (struct x86_cpuid){.c = leaf == 1 && hypervisor ? 1u << 31 : 0};
}
uint64_t msr_read(uint32_t number) {
    return number == MSR_APIC_BASE ? 0xfee00100 : 0;
}
void msr_write(uint32_t number, uint64_t value) {
    msr_number = number;
    msr_value = value;
    msr_writes++;
}
uint8_t port_read8(uint16_t port) {
    if (port == 0x511 && firmware_file)
        return *firmware_file++;
    return port == 0x3fd && !serial_there ? 0xff : 0;
}
uint16_t port_read16(uint16_t port) {
    (void)port;
    return 0;
}
/* The PM timer, which follows the clock of a processor of 1 GHz, more or less. */
uint32_t port_read32(uint16_t port) {
    (void)port;
    return (uint32_t)(arch_clock() / 280) & 0xffffff;
}
void port_write8(uint16_t port, uint8_t value) {
    (void)port;
    (void)value;
}
/* Its files: 0 the signature, 0x19 the directory of two, 0x25 the tree. */
static uint8_t firmware_tree[4096], firmware_directory[4 + 2 * 64];
void port_write16(uint16_t port, uint16_t value) {
    if (port == 0x510)
        firmware_file = value == 0x19 ? firmware_directory : value == 0x25 ? firmware_tree : (const uint8_t *)"QEMU";
}
void port_write32(uint16_t port, uint32_t value) {
    (void)port;
    (void)value;
}

/* Its one I/O APIC: a register that chooses, and one that is the chosen one. */
#define INPUTS 24u
static uint32_t ioapic_chosen, ioapic_entry[2 * INPUTS];
static unsigned ioapic_offset(const volatile void *at) {
    return (unsigned)(arch_virt_to_phys((const void *)at) - x86_facts.ioapic[0].base);
}
uint32_t memory_read32(const volatile uint32_t *at) {
    assert_int_equal(ioapic_offset(at), 0x10);
    return ioapic_chosen == 1 ? (INPUTS - 1) << 16 | 0x20 : ioapic_entry[ioapic_chosen - 0x10];
}
void memory_write32(volatile uint32_t *at, uint32_t value) {
    if (ioapic_offset(at) == 0) {
        ioapic_chosen = value;
        return;
    }
    assert_int_equal(ioapic_offset(at), 0x10);
    assert_in_range(ioapic_chosen, 0x10, 0x10 + 2 * INPUTS - 1);
    ioapic_entry[ioapic_chosen - 0x10] = value;
}

/* ---- What the port's sources need of others. ---- */

struct x86_facts x86_facts;
char boot_start[1], boot_end[1], image_start[1], image_rodata[1], image_data[1], image_end[1];
uint64_t x86_boot_root[512];

void log_line(const char *format, ...) {
    (void)format;
}
void panic(const char *format, ...) {
    fail_msg("%s", format);
    abort();
}
uint64_t kernel_table_alloc(void) {
    return 0;
}
static uint8_t room[4096]; /* where arch_phys_to_virt() finds it */
uint64_t x86_room(const struct boot_info *info, uint64_t size) {
    (void)info;
    assert_true(size <= sizeof(room));
    memset(room, 0xee, sizeof(room));
    return arch_virt_to_phys(room);
}

/* ---- PCIDs. ---- */

static uint64_t random_state;
static unsigned pick(unsigned count) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % count;
}

static struct arch_core core[CORES];
static struct arch_space space[SPACES];
static struct arch_context context[SPACES];
static uint32_t version[SPACES][PAGES];
static unsigned runs[CORES]; /* the space that runs there; SPACES: none, but CR3 may name one still */
static unsigned short_ways;

static void run(unsigned s) {
    struct core *c = (struct core *)&core[here];
    if (core[here].place == space[s].place && pick(4)) {
        short_ways++;
        cr_write(cr3, space[s].cr3);
    } else {
        arch_space_activate(c, &space[s]);
        if (pick(8)) /* else it is stopped again before it was entered */
            x86_space_entered(&core[here], &context[s], &space[s]);
    }
    assert_true(arch_space_current(&space[s]));
    runs[here] = s;
}

static void use(void) {
    unsigned s = runs[here], page = pick(PAGES);
    if (s == SPACES)
        return;
    struct translation *t = &tlb[here][x86_facts.pcid ? cr3[here] & (PCIDS - 1) : 0][page];
    if (t->valid) {
        assert_int_equal(t->space, s);
        assert_int_equal(t->version, version[s][page]);
    }
    *t = (struct translation){s, version[s][page], true};
}

/* A space that runs here, or one that this core has claimed, loses translations. */
static void lose(unsigned s) {
    if (pick(4)) {
        unsigned page = pick(PAGES);
        version[s][page]++;
        arch_fence_address(&space[s], FIRST_PAGE + ((uint64_t)page << 12));
    } else {
        for (unsigned page = 0; page < PAGES; page++)
            version[s][page]++;
        arch_fence_space(&space[s]);
    }
}

static bool runs_elsewhere(unsigned s) {
    for (unsigned c = 0; c < CORES; c++)
        if (c != here && runs[c] == s)
            return true;
    return false;
}

static void spaces_move(bool pcid) {
    x86_facts = (struct x86_facts){.pcid = pcid, .short_ways = true};
    random_state = 1;
    memset(tlb, 0, sizeof(tlb));
    short_ways = roll_overs = 0;
    for (unsigned c = 0; c < CORES; c++) {
        core[c] = (struct arch_core){
            .index = c, .run_word = (uint64_t)(c + 1) << 44, .pcid_next = 1, .pcid_epoch = 1, .place = X86_NOWHERE};
        cr4[c] = CR4_PGE;
        cr3[c] = 0;
        runs[c] = SPACES;
    }
    for (unsigned s = 0; s < SPACES; s++) {
        space[s] = (struct arch_space){.root = TABLE_ROOT(s)};
        context[s] = (struct arch_context){.port_ranges = s == 0};
    }
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned s = pick(SPACES);
        here = pick(CORES);
        gs[0] = &core[here];
        switch (pick(8)) {
        case 0:
        case 1:
            if (!runs_elsewhere(s))
                run(s);
            break;
        case 2:
            if (!runs_elsewhere(s))
                lose(s);
            break;
        case 3:
            runs[here] = SPACES; /* published: another core may take it, though CR3 names it here */
            break;
        case 4:
            if (pick(8) == 0) {
                arch_space_activate((struct core *)&core[here], NULL);
                runs[here] = SPACES;
            }
            break;
        default:
            use();
        }
    }
    assert_true(short_ways > STEPS / 100);
}

static void test_pcids(void **state) {
    (void)state;
    spaces_move(true);
    assert_true(roll_overs >= 2 * CORES);
}

static void test_no_pcids(void **state) {
    (void)state;
    spaces_move(false);
    assert_int_equal(roll_overs, 0);
}

/* ---- x2APIC. ---- */

static void test_x2apic(void **state) {
    (void)state;
    x86_facts = (struct x86_facts){.x2apic = true};
    msr_writes = 0;
    lapic_send(300, 0x4500); /* a number that xAPIC could not name */
    assert_int_equal(msr_writes, 1);
    assert_int_equal(msr_number, 0x830);
    assert_true(msr_value == (UINT64_C(300) << 32 | 0x4500));
    lapic_end();
    assert_int_equal(msr_number, 0x80b);
    assert_true(msr_value == 0);
    lapic_write(LAPIC_TIMER_START, 5);
    assert_int_equal(msr_number, 0x838);
    assert_true(msr_value == 5);
    core[1].apic = 7;
    arch_ipi_send((struct core *)&core[1]);
    assert_int_equal(msr_number, 0x830);
    assert_true(msr_value == (UINT64_C(7) << 32 | X86_VECTOR_IPI));
}

/* ---- Interrupts. ---- */

#define MASKED(irq) (ioapic_entry[2 * (irq)] >> 16 & 1)
#define GOES_TO(irq) (ioapic_entry[2 * (irq) + 1] >> 24)

static unsigned take(unsigned at, unsigned irq) {
    here = at;
    gs[0] = &core[at];
    core[at].vector = (uint8_t)(X86_VECTOR_IRQ + irq);
    unsigned ends = msr_writes, taken = arch_irq_take((struct core *)&core[at]);
    assert_int_equal(msr_writes, ends + 1);
    assert_int_equal(msr_number, 0x80b);
    assert_int_equal(arch_irq_take((struct core *)&core[at]), 0);
    assert_int_equal(msr_writes, ends + 1);
    return taken;
}

static void let_in(unsigned at, unsigned irq) {
    here = at;
    gs[0] = &core[at];
    arch_irq_unmask(irq);
}

/* An input goes to the core that let it in last, and to no other. */
static void test_irq_moves(void **state) {
    (void)state;
    x86_facts = (struct x86_facts){.x2apic = true, .boot_apic = 3, .ioapic_count = 1};
    x86_facts.ioapic[0].base = arch_virt_to_phys(room);
    core[0].apic = 3;
    core[1].apic = 9;
    ioapic_mode(5, X86_IRQ_LEVEL);
    ioapic_init();
    assert_int_equal(ioapic_irqs(), INPUTS);
    for (unsigned i = 0; i < INPUTS; i++)
        assert_true(MASKED(i));
    for (unsigned i = 0; i < 6; i++) {
        unsigned at = i % CORES;
        let_in(at, 5);
        assert_false(MASKED(5));
        assert_int_equal(GOES_TO(5), core[at].apic);
        assert_int_equal(take(at, 5), 5);
        assert_true(MASKED(5));
        let_in(at, 8); /* on an edge: stays open, and the second is kept */
        assert_int_equal(GOES_TO(8), core[at].apic);
        assert_int_equal(take(at, 8), 8);
        assert_false(MASKED(8));
        assert_int_equal(take(at, 8), 0);
        assert_true(MASKED(8));
        let_in(1 - at, 8);
        assert_int_equal(GOES_TO(8), core[1 - at].apic);
        assert_true(msr_number == 0x830 && msr_value == ((uint64_t)core[1 - at].apic << 32 | (X86_VECTOR_IRQ + 8)));
        assert_int_equal(take(1 - at, 8), 8);
    }
    core[1].apic = 300; /* more than an entry can name */
    let_in(1, 5);
    assert_int_equal(GOES_TO(5), 3);
    core[1].apic = 7;
}

/* Those past the inputs are edges, and come to the core that asked for their address, wherever they are let in. */
static void test_messages(void **state) {
    unsigned irq, other;
    uint64_t address;
    uint32_t word;
    (void)state;
    x86_facts = (struct x86_facts){.x2apic = true, .boot_apic = 3, .ioapic_count = 1};
    x86_facts.ioapic[0].base = arch_virt_to_phys(room);
    for (unsigned i = 0; i < X86_IRQS; i++)
        ioapic_mode(i, X86_IRQ_LEVEL | X86_IRQ_LOW);
    ioapic_init();
    core[0].apic = 3;
    core[1].apic = 9;
    here = 1;
    gs[0] = &core[1];
    assert_false(arch_irq_message(X86_IRQS - INPUTS, &irq, &address, &word));
    assert_true(arch_irq_message(X86_IRQS - INPUTS - 1, &irq, &address, &word));
    assert_int_equal(irq, X86_IRQS - 1);
    assert_true(arch_irq_message(0, &irq, &address, &word) && arch_irq_message(1, &other, &address, &word));
    assert_true(irq == INPUTS && other == INPUTS + 1 && word == X86_VECTOR_IRQ + other);
    assert_true(address == (0xfee00000 | 9u << 12));
    let_in(1, irq);
    assert_int_equal(take(1, irq), irq);
    assert_int_equal(take(1, irq), 0); /* one that comes while it is not let in is kept, */
    assert_int_equal(take(1, irq), 0); /* once */
    let_in(0, irq);
    assert_true(msr_number == 0x830 && msr_value == (UINT64_C(3) << 32 | (X86_VECTOR_IRQ + irq)));
    assert_int_equal(take(0, irq), irq);
    unsigned writes = msr_writes;
    let_in(0, irq);
    assert_int_equal(msr_writes, writes);
    arch_irq_mask(irq);
    assert_int_equal(take(1, irq), 0);
    core[1].apic = 300; /* more than an address can name */
    gs[0] = &core[1];
    assert_true(arch_irq_message(0, &irq, &address, &word) && address == (0xfee00000 | 3u << 12));
    core[1].apic = 7;
}

/* What can be held is: all but the timer's, by the class of its vector. */
static void test_irqs_held(void **state) {
    (void)state;
    arch_interrupts_hold((struct core *)&core[0], true);
    assert_int_equal(msr_number, 0x808);
    assert_true(X86_VECTOR_TIMER >> 4 > msr_value >> 4);
    assert_true(X86_VECTOR_IPI >> 4 <= msr_value >> 4);
    assert_true((X86_VECTOR_IRQ + X86_IRQS - 1) >> 4 <= msr_value >> 4);
    arch_interrupts_hold((struct core *)&core[0], false);
    assert_true(msr_number == 0x808 && msr_value == 0);
}

/* ---- TSC-deadline. ---- */

static void test_deadline(void **state) {
    (void)state;
    x86_facts = (struct x86_facts){.x2apic = true, .tsc_deadline = true};
    clock_core_init();
    assert_int_equal(msr_number, 0x832); /* the timer's entry of the vector table: mode 2, not masked */
    assert_true(msr_value == (X86_VECTOR_TIMER | 2u << 17));
    arch_timer_set(NULL, UINT64_C(0x123456789abc));
    assert_int_equal(msr_number, 0x6e0);
    assert_true(msr_value == UINT64_C(0x123456789abc));
    arch_timer_set(NULL, 0); /* long past: 0 would disarm it */
    assert_true(msr_value == 1);
    arch_timer_set(NULL, UINT64_MAX);
    assert_int_equal(msr_number, 0x6e0);
    assert_true(msr_value == 0);
}

/* ---- The device tree. ---- */

/* Makes one, and reads it. */
static struct boot_range pci; /* that firmware told of */
static bool tree_made(struct os2_tree_uart *ret_uart, struct fdt_range *ret_ioapic, bool *ret_has_ioapic) {
    static struct boot_info info;
    struct fdt tree;
    struct fdt_range config;
    info = (struct boot_info){.pci = pci};
    tree_make(&info);
    assert_true(info.tree.base == arch_virt_to_phys(room) && info.kept_count == 1);
    assert_int_equal(fdt_total(room), info.tree.size);
    assert_true(info.tree.size < 1024);
    assert_true(fdt_open(&tree, room, (uint32_t)info.tree.size));
    bool has_pci = fdt_device(&tree, "pci-host-ecam-generic", 0, &config);
    if (!hypervisor || firmware_directory[3] == 1) {
        assert_int_equal(has_pci, pci.size != 0);
        assert_true(!has_pci || (config.base == pci.base && config.size == pci.size));
    }
    *ret_has_ioapic = fdt_device(&tree, "intel,ce4100-ioapic", 0, ret_ioapic);
    return os2_tree_console(&tree, ret_uart);
}

static void test_tree(void **state) {
    (void)state;
    extern const uint8_t x86_tree[], x86_tree_end[], x86_tree_interrupt_cells[];
    struct os2_tree_uart uart;
    struct fdt_range ioapic;
    bool has_ioapic;
    for (unsigned i = 0; i < 4; i++) {
        x86_facts = (struct x86_facts){.ioapic = {{.base = UINT64_C(0x1fec00000)}}, .ioapic_count = i >> 1};
        x86_facts.isa_gsi[4] = 20;
        serial_there = i & 1;
        pci = (struct boot_range){UINT64_C(0x2b0000000), i & 1 ? 0x10000000 : 0};
        assert_int_equal(tree_made(&uart, &ioapic, &has_ioapic), serial_there);
        assert_int_equal(has_ioapic, i >> 1);
        if (has_ioapic)
            assert_true(ioapic.base == UINT64_C(0x1fec00000) && ioapic.size == 0x1000);
        if (!serial_there)
            continue;
        assert_int_equal(uart.kind, OS2_UART_NS16550);
        assert_true(uart.ports && uart.base == 0x3f8 && uart.size == 8);
        assert_int_equal(uart.irq, has_ioapic ? 20 : 0);
    }
    static const uint8_t senses[] = {0, 2, 3, 1}; /* rising edge, high level, falling edge, low level */
    for (unsigned mode = 0; mode < 4; mode++) {
        x86_facts.isa_mode[4] = (uint8_t)mode;
        assert_true(tree_made(&uart, &ioapic, &has_ioapic));
        assert_int_equal(room[x86_tree_interrupt_cells - x86_tree + 7], senses[mode]);
    }

    /* QEMU's own, which ends in room that nothing uses. */
    memcpy(firmware_tree, x86_tree, (size_t)(x86_tree_end - x86_tree));
    firmware_tree[6] = sizeof(firmware_tree) >> 8;
    firmware_tree[7] = 0;
    firmware_tree[x86_tree_interrupt_cells - x86_tree + 3] = 7;
    memcpy(firmware_directory,
           "\0\0\0\2"
           "\0\0\0\5\0\x24\0\0etc/other",
           21);
    memcpy(firmware_directory + 4 + 64, "\0\0\x10\0\0\x25\0\0etc/fdt", 16);
    hypervisor = true;
    assert_true(tree_made(&uart, &ioapic, &has_ioapic));
    assert_int_equal(uart.irq, 7);
    firmware_directory[3] = 1; /* a QEMU whose machine has none */
    assert_true(tree_made(&uart, &ioapic, &has_ioapic));
    assert_int_equal(uart.irq, 20);
    hypervisor = false;
}

int main(void) {
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, gs)) {
        print_message("1..0 # SKIP gs cannot be set\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcids),     cmocka_unit_test(test_no_pcids), cmocka_unit_test(test_x2apic),
        cmocka_unit_test(test_irq_moves), cmocka_unit_test(test_messages), cmocka_unit_test(test_irqs_held),
        cmocka_unit_test(test_deadline),  cmocka_unit_test(test_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
