/* SPDX-License-Identifier: MIT */
/*
 * What the x86_64 port makes of firmware's tables, also of those that are wrong: the memory map, ACPI, the boot map of
 * RAM above 4 GiB, and what tells how fast the time-stamp counter runs.
 *
 * The port's own sources read made-up tables in the first 4 GiB of a memory that is an array here, and clocks that this
 * test plays: all of them follow its time-stamp counter, each as if that ran at a speed of its own. Each look at the
 * counter or at a port takes time, and now and then, as under a hypervisor, very much time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/x86_64/x86.h"
#include "core/log.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define MEMORY (4 * GIB)

uint8_t *fake_memory;
char boot_start[1], boot_end[1], image_start[1], image_rodata[1], image_data[1], image_end[1];
uint64_t x86_boot_root[512];
static struct boot_info info;

static char lines[4096]; /* all that was logged */
static size_t lines_used;
static jmp_buf panicked;
static bool panic_expected;

void log_line(const char *format, ...) {
    va_list list;
    va_start(list, format);
    lines_used += (size_t)vsnprintf(lines + lines_used, sizeof(lines) - lines_used, format, list);
    va_end(list);
    assert_true(lines_used + 2 < sizeof(lines));
    lines[lines_used++] = '\n';
    lines[lines_used] = 0;
}
static bool said(const char *text) {
    return strstr(lines, text) != NULL;
}

void panic(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(lines, sizeof(lines), format, list);
    va_end(list);
    if (panic_expected)
        longjmp(panicked, 1);
    fail_msg("%s", lines);
    abort();
}

static int setup(void **state) {
    (void)state;
    madvise(fake_memory, MEMORY, MADV_DONTNEED);
    info = (struct boot_info){0};
    x86_facts = (struct x86_facts){0};
    memset(x86_boot_root, 0, sizeof(x86_boot_root));
    lines_used = 0;
    lines[0] = 0;
    panic_expected = false;
    return 0;
}

/* ---- The processor and its clocks. ---- */

enum clock { PM, PIT, CPUID, HYPERVISOR, HPET, CMOS, CLOCKS };
static bool runs[CLOCKS];
static bool crystal_told;
static uint8_t pit_high;
static bool pit_second;
#define HPET_AT UINT64_C(0xfed00000)

static uint64_t tsc, looks;
uint64_t arch_clock(void) {
    tsc += ++looks % 5000 ? 60 : 3000000;
    return tsc;
}

static uint64_t scaled(uint64_t per_s, uint64_t tsc_hz) {
    tsc += 1000;
    return (uint64_t)((unsigned __int128)arch_clock() * per_s / tsc_hz);
}

struct x86_cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    (void)subleaf;
    switch (leaf) {
    case 0:
        return (struct x86_cpuid){.a = runs[CPUID] ? 0x16 : 0xd};
    case 1:
        return (struct x86_cpuid){.c = runs[HYPERVISOR] ? 1u << 31 : 0};
    case 0x15:
        return (struct x86_cpuid){2, 100, crystal_told ? 24000000 : 0, 0};
    case 0x16:
        return (struct x86_cpuid){.a = 1300};
    case 0x40000000:
        return (struct x86_cpuid){.a = 0x40000010};
    case 0x40000010:
        return (struct x86_cpuid){.a = 1100000};
    default:
        return (struct x86_cpuid){0};
    }
}
uint64_t msr_read(uint32_t number) {
    return number == MSR_APIC_BASE ? 0xfee00900 : 0;
}
void msr_write(uint32_t number, uint64_t value) {
    (void)number;
    (void)value;
}
uint8_t port_read8(uint16_t port) {
    if (port == 0x71)
        return runs[CMOS] ? (uint8_t)(scaled(1, 5000000000) % 60) : 0xff;
    if (port == 0x42 && runs[PIT]) {
        pit_second = !pit_second;
        if (!pit_second)
            return pit_high;
        uint16_t count = (uint16_t)~scaled(1193182, 1000000000);
        pit_high = (uint8_t)(count >> 8);
        return (uint8_t)count;
    }
    return 0xff;
}
uint16_t port_read16(uint16_t port) {
    (void)port;
    return 0xffff;
}
uint32_t port_read32(uint16_t port) {
    return port == 0x608 && runs[PM] ? (uint32_t)scaled(3579545, 900000000) : 0xffffffff;
}
void port_write8(uint16_t port, uint8_t value) {
    (void)value;
    if (port == 0x43)
        pit_second = false;
}
void port_write16(uint16_t port, uint16_t value) {
    (void)port;
    (void)value;
}
void port_write32(uint16_t port, uint32_t value) {
    (void)port;
    (void)value;
}
uint32_t memory_read32(const volatile uint32_t *at) {
    switch ((uint64_t)((const volatile uint8_t *)at - fake_memory) - HPET_AT) {
    case 4:
        return 10000000; /* fs */
    case 0xf0:
        return (uint32_t)scaled(100000000, 1200000000);
    default:
        return 0;
    }
}
static bool hpet_on;
void memory_write32(volatile uint32_t *at, uint32_t value) {
    hpet_on = (uint64_t)((volatile uint8_t *)at - fake_memory) == HPET_AT + 0x10 && value == 1;
}
static bool timer_runs;
static uint64_t timer_started, timer_count;
uint32_t lapic_read(unsigned offset) {
    uint64_t gone = (tsc - timer_started) / 2;
    return offset == LAPIC_TIMER_NOW && timer_runs && gone < timer_count ? (uint32_t)(timer_count - gone) : 0;
}
void lapic_write(unsigned offset, uint32_t value) {
    if (offset != LAPIC_TIMER_START)
        return;
    timer_started = tsc;
    timer_count = value;
}

uint64_t fake_cr0_read(void) {
    return 0;
}
uint64_t fake_cr2_read(void) {
    return 0;
}
uint64_t fake_cr3_read(void) {
    return 0;
}
uint64_t fake_cr4_read(void) {
    return 0;
}
void fake_cr0_write(uint64_t value) {
    (void)value;
}
void fake_cr3_write(uint64_t value) {
    (void)value;
}
void fake_cr4_write(uint64_t value) {
    (void)value;
}
void invlpg(uint64_t va) {
    (void)va;
}
uint64_t kernel_table_alloc(void) {
    return 0;
}

/* With the clocks from `first` on, and whether it is believed to be exact; what the counter's speed is said to be. */
static uint64_t calibrated(enum clock first) {
    setup(NULL);
    for (unsigned i = 0; i < CLOCKS; i++)
        runs[i] = i >= first;
    timer_runs = true;
    hpet_on = false;
    x86_facts.pm_timer = (struct x86_acpi_register){.address = 0x608};
    x86_facts.hpet = runs[HPET] ? HPET_AT : 0;
    return clock_calibrate();
}

static void near(uint64_t hz, uint64_t right) {
    assert_in_range(hz, right - right / 500, right + right / 500);
    assert_in_range(x86_facts.lapic_hz, right / 2 - right / 1000, right / 2 + right / 1000);
}

static void test_clocks(void **state) {
    (void)state;
    near(calibrated(PM), 900000000);
    assert_true(said("by PM timer"));
    near(calibrated(PIT), 1000000000); /* the PM timer's port is there, and stands still */
    assert_true(said("by PIT"));
    crystal_told = true;
    assert_int_equal(calibrated(CPUID), 1200000000);
    assert_true(said("by CPUID"));
    near(1200000000, 1200000000);
    crystal_told = false;
    assert_int_equal(calibrated(CPUID), 1300000000);
    assert_int_equal(calibrated(HYPERVISOR), 1100000000);
    assert_true(said("by the hypervisor"));
    near(calibrated(HPET), 1200000000);
    assert_true(said("by HPET") && hpet_on);
    near(calibrated(CMOS), 5000000000);
    assert_true(said("by CMOS clock"));
    setup(NULL);
    memset(runs, 0, sizeof(runs));
    panic_expected = true;
    if (!setjmp(panicked)) {
        clock_calibrate();
        fail();
    }
    assert_true(said("nothing tells how fast"));
}

static void test_timer_stands_still(void **state) {
    (void)state;
    runs[PM] = true;
    timer_runs = false;
    x86_facts.pm_timer = (struct x86_acpi_register){.address = 0x608};
    x86_facts.tsc_deadline = true; /* which needs no speed of it */
    clock_calibrate();
    x86_facts.tsc_deadline = false;
    panic_expected = true;
    if (!setjmp(panicked)) {
        clock_calibrate();
        fail();
    }
    assert_true(said("timer at 0 stands still"));
}

/* ---- The memory map. ---- */

struct entry {
    uint64_t base, size;
    uint32_t type, unused;
};

static void put(uint64_t at, const void *bytes, size_t size) {
    memcpy(fake_memory + at, bytes, size);
}

#define MAP_AT 0x20000u
static void read_pvh(const struct entry *entries, uint32_t count) {
    const struct {
        uint32_t magic, version, flags, modules;
        uint64_t module_list, command_line, rsdp, map;
        uint32_t entries, unused;
    } start = {0x336ec578, 1, 0, 1, 0x11000, 0, 0x1234, MAP_AT, count, 0};
    const uint64_t module[4] = {8 * MIB, 3000};
    put(0x10000, &start, sizeof(start));
    put(0x11000, module, sizeof(module));
    put(MAP_AT, entries, count * sizeof(*entries));
    assert_int_equal(loader_read(0, 0x10000, &info), 0x1234);
    assert_true(info.archive.base == 8 * MIB && info.archive.size == 3000);
    assert_true(info.kept_count == 1 && info.kept[0].base == 8 * MIB);
}
#define READ_PVH(...) read_pvh((const struct entry[]){__VA_ARGS__}, sizeof((struct entry[]){__VA_ARGS__}) / 24)

static uint64_t frames(void) {
    uint64_t bytes = 0;
    for (struct boot_range r = {0}; boot_ram_next(&info, &r);)
        bytes += r.size;
    return bytes / OS2_PAGE_SIZE;
}

static void test_overlapping_entries(void **state) {
    (void)state;
    READ_PVH({1 * MIB, 100 * MIB, 1, 0}, {50 * MIB, 77 * MIB, 1, 0}, {0, 0x9fc00, 1, 0}, {1 * MIB, 100 * MIB, 1, 0},
             {60 * MIB, 1 * MIB, 2, 0}, {0x9fc00, 0x400, 2, 0});
    assert_int_equal(info.ram_count, 2);
    assert_int_equal(frames(), (127 - 1 - 1) * 256 + 0x9f);
}

static void test_multiboot2(void **state) {
    (void)state;
    static const struct {
        uint32_t total, unused;
        uint32_t map_type, map_size, entry_size, version;
        struct entry entry[2];
        uint32_t module_type, module_size, from, to;
        uint32_t end_type, end_size;
    } given = {.total = sizeof(given),
               .map_type = 6,
               .map_size = 16 + 48,
               .entry_size = 24,
               .entry = {{1 * MIB, 10 * MIB, 1, 0}, {2 * MIB, 20 * MIB, 1, 0}},
               .module_type = 3,
               .module_size = 16,
               .from = 4 * MIB,
               .to = 5 * MIB,
               .end_size = 8};
    put(0x10000, &given, sizeof(given));
    assert_int_equal(loader_read(0x36d76289, 0x10000, &info), 0);
    assert_true(info.ram_count == 1 && info.ram[0].base == MIB && info.ram[0].size == 21 * MIB);
    assert_true(info.archive.base == 4 * MIB && info.archive.size == MIB && info.kept_count == 1);
}

static void test_many_entries(void **state) {
    (void)state;
    static struct entry many[400];
    for (unsigned i = 0; i < 400; i++) /* every other MiB is reserved, and one bank is the great one */
        many[i] = (struct entry){(i + 1) * MIB, MIB, i & 1 ? 1 : 2, 0};
    many[17].size = 2 * MIB;
    many[200] = (struct entry){1 * GIB, GIB, 1, 0};
    read_pvh(many, 400);
    assert_true(info.ram_count <= BOOT_RANGES && info.reserved_count <= BOOT_RANGES);
    assert_true(boot_ram_next(&info, &(struct boot_range){1 * GIB - 1, 0}));
    assert_true(frames() >= GIB / OS2_PAGE_SIZE);
    const struct boot_range archive = {8 * MIB, 3000};
    assert_false(boot_holds(info.reserved, info.reserved_count, &archive));
}

static void test_low_page(void **state) {
    (void)state;
    READ_PVH({0, 128 * MIB, 1, 0}, {0x9d800, 0x62800, 2, 0}); /* one entry from 0 on */
    assert_int_equal(loader_low_page(&info), 0x9c000);
    setup(NULL);
    READ_PVH({0x1800, 0x1000, 1, 0}, {0x50000, 0x2000, 1, 0}, {1 * MIB, 127 * MIB, 1, 0});
    assert_int_equal(loader_low_page(&info), 0x51000);
    setup(NULL);
    READ_PVH({0, 0x1800, 1, 0}, {1 * MIB, 127 * MIB, 1, 0}); /* page 0 is the BIOS's, and the next is not whole */
    assert_int_equal(loader_low_page(&info), 0);
}

/* ---- The boot map. ---- */

static const uint64_t *table_of(uint64_t entry) {
    uint64_t pa = entry & X86_PTE_ADDRESS;
    return pa < MEMORY ? arch_phys_to_virt(pa) : (const uint64_t *)(uintptr_t)(pa + X86_IMAGE_BASE);
}

static bool boot_mapped(uint64_t pa) {
    const uint64_t *table = x86_boot_root;
    uint64_t va = pa + X86_DIRECT_BASE;
    for (unsigned level = 3;; level--) {
        uint64_t entry = table[va >> (12 + 9 * level) & 511];
        if (!(entry & X86_PTE_P))
            return false;
        if (entry & X86_PTE_LARGE) {
            assert_int_equal((entry & X86_PTE_ADDRESS) >> (12 + 9 * level), pa >> (12 + 9 * level));
            return true;
        }
        table = table_of(entry);
    }
}

static void boot_map(unsigned leaf_top, const struct boot_range *ram, unsigned count) {
    setup(NULL);
    x86_leaf_top = leaf_top;
    x86_boot_root[256] = 0x5000 | 3;
    for (unsigned i = 0; i < count; i++)
        boot_ram(&info, ram[i].base, ram[i].size);
    x86_boot_map(&info);
    for (struct boot_range r = {0}; boot_ram_next(&info, &r);)
        for (uint64_t at = r.base; at < r.base + r.size; at += 512 * MIB)
            assert_true(at < 4 * GIB || boot_mapped(at));
}

static void test_boot_map(void **state) {
    (void)state;
    for (unsigned leaf_top = 1; leaf_top <= 2; leaf_top++) {
        boot_map(leaf_top, (struct boot_range[]){{1 * MIB, GIB}, {4 * GIB, 70 * GIB}}, 2);
        assert_true(frames() > 70 * GIB / OS2_PAGE_SIZE);
        /* Only far banks: their tables are as few as they are. */
        boot_map(leaf_top, (struct boot_range[]){{10000 * GIB, GIB}, {1500 * GIB, GIB}}, 2);
        assert_int_equal(frames(), 2 * GIB / OS2_PAGE_SIZE);
        assert_true(boot_mapped(10000 * GIB) && boot_mapped(1501 * GIB - 1) && !boot_mapped(1499 * GIB));
        assert_false(said("reach"));
        boot_map(leaf_top, (struct boot_range[]){{6 * GIB, 2 * GIB}, {600 * GIB, 50 * GIB}}, 2);
        assert_true(boot_mapped(8 * GIB - 1) && boot_mapped(600 * GIB));
        assert_int_equal(frames(), (leaf_top == 2 ? 52 : 3) * GIB / OS2_PAGE_SIZE);
        assert_int_equal(said("is out of reach: not used"), leaf_top == 1);
    }
}

/* ---- ACPI. ---- */

enum {
    RSDP_AT = 0xe0000,
    RSDT_AT = 0x100000,
    XSDT_AT = 0x101000,
    MADT_AT = 0x102000,
    HPET_TABLE_AT = 0x103000,
    MCFG_AT = 0x104000
};

static void sum(uint64_t at, uint32_t size, unsigned sum_at) {
    uint8_t total = 0;
    fake_memory[at + sum_at] = 0;
    for (uint32_t i = 0; i < size; i++)
        total = (uint8_t)(total + fake_memory[at + i]);
    fake_memory[at + sum_at] = (uint8_t)-total;
}
static void table(uint64_t at, const char *signature, const void *body, uint32_t size) {
    uint32_t length = 36 + size;
    put(at, signature, 4);
    put(at + 4, &length, 4);
    put(at + 36, body, size);
    sum(at, length, 9);
}

#define NOWHERE UINT64_C(0x123450000) /* above 4 GiB */
static void acpi(uint64_t xsdt, uint32_t lapic, uint32_t ioapic) {
    setup(NULL);
    x86_facts.boot_apic = 0;
    const uint32_t rsdt_at = RSDT_AT, roots[] = {MADT_AT, HPET_TABLE_AT, MCFG_AT};
    const uint64_t long_roots[] = {MADT_AT, HPET_TABLE_AT, MCFG_AT};
    put(RSDP_AT, "RSD PTR ", 8);
    fake_memory[RSDP_AT + 15] = 2;
    put(RSDP_AT + 16, &rsdt_at, 4);
    put(RSDP_AT + 24, &xsdt, 8);
    sum(RSDP_AT, 20, 8);
    table(RSDT_AT, "RSDT", roots, sizeof(roots));
    table(XSDT_AT, "XSDT", long_roots, sizeof(long_roots));
    struct __attribute__((packed)) {
        uint32_t lapic, flags;
        uint8_t cpus[3][8];
        uint8_t io_type, io_size, io_id, unused;
        uint32_t io_base, io_gsi;
    } madt = {lapic, 1, {{0, 8, 0, 0, 1}, {0, 8, 1, 1, 1}, {0, 8, 2, 2, 0}}, 1, 12, 0, 0, ioapic, 0};
    table(MADT_AT, "APIC", &madt, sizeof(madt));
    const struct __attribute__((packed)) {
        uint32_t id;
        uint8_t space, width, offset, size;
        uint64_t address;
        uint32_t rest;
    } hpet = {.address = HPET_AT};
    table(HPET_TABLE_AT, "HPET", &hpet, sizeof(hpet));
    const struct __attribute__((packed)) {
        uint64_t reserved;
        struct __attribute__((packed)) {
            uint64_t base;
            uint16_t segment;
            uint8_t first, last;
            uint32_t unused;
        } place[3];
    } mcfg = {.place = {{0xc0000000, 1, 0, 255, 0}, {0xb0000000, 0, 0, 15, 0}, {0xd0000000, 0, 16, 255, 0}}};
    table(MCFG_AT, "MCFG", &mcfg, sizeof(mcfg));
}

static void test_acpi(void **state) {
    (void)state;
    acpi(XSDT_AT, 0xfee00000, 0xfec00000);
    acpi_read(0, &info);
    assert_true(info.cpu_count == 2 && info.cpu_id[1] == 1 && x86_facts.ioapic_count == 1);
    assert_true(x86_facts.lapic == 0xfee00000 && x86_facts.hpet == HPET_AT && lines_used == 0);
    assert_true(info.pci.base == 0xb0000000 && info.pci.size == 16 << 20);

    acpi(XSDT_AT, 0xfee00000, 0xfec00000);
    info.pci = (struct boot_range){0};
    fake_memory[MCFG_AT + 9]++; /* a bad sum */
    acpi_read(0, &info);
    assert_true(info.pci.size == 0);

    acpi(NOWHERE, 0xfee00000, 0xfec00000);
    acpi_read(RSDP_AT, &info);
    assert_true(info.cpu_count == 2 && x86_facts.ioapic_count == 1 && said("the XSDT at 123450000 cannot be used"));

    acpi(XSDT_AT, 0xfee00000, 0xfec00000);
    fake_memory[XSDT_AT + 9]++;
    acpi_read(0, &info);
    assert_true(info.cpu_count == 2 && said("the XSDT at 101000 cannot be used"));

    acpi(XSDT_AT, 0xfee00000, 0xfec00000); /* a sum that is right, and entries that are not */
    const uint64_t wrong[] = {NOWHERE, UINT64_MAX - 8};
    table(XSDT_AT, "XSDT", wrong, sizeof(wrong));
    acpi_read(0, &info);
    assert_true(info.cpu_count == 2 && x86_facts.ioapic_count == 1);

    acpi(XSDT_AT, 0xfee00000, 0xfec00000);
    fake_memory[MADT_AT + 9]++;
    acpi_read(0, &info);
    assert_true(info.cpu_count == 1 && x86_facts.lapic == 0xfee00000 && x86_facts.ioapic_count == 0);
    assert_true(said("the APIC at 102000") && said("one processor, no device interrupts"));

    acpi(XSDT_AT, 0, 0xfec00000);
    acpi_read(0, &info);
    assert_true(info.cpu_count == 2 && x86_facts.lapic == 0xfee00000);
    assert_true(said("the local APIC is not at 0; the processor has it at fee00000"));

    acpi(XSDT_AT, 0xfee00000, 0);
    acpi_read(0, &info);
    assert_true(info.cpu_count == 2 && x86_facts.ioapic_count == 0 && said("the I/O APIC at 0,"));

    setup(NULL);
    acpi_read(0, &info);
    assert_true(info.cpu_count == 1 && x86_facts.lapic == 0xfee00000 && said("no ACPI tables"));
}

int main(void) {
    fake_memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fake_memory == MAP_FAILED)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_overlapping_entries, setup),
        cmocka_unit_test_setup(test_multiboot2, setup),
        cmocka_unit_test_setup(test_many_entries, setup),
        cmocka_unit_test_setup(test_low_page, setup),
        cmocka_unit_test_setup(test_boot_map, setup),
        cmocka_unit_test_setup(test_acpi, setup),
        cmocka_unit_test_setup(test_clocks, setup),
        cmocka_unit_test_setup(test_timer_stands_still, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
