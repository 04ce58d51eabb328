/* SPDX-License-Identifier: MIT */
/* What the x86_64 port finds in a processor, what it sets in one, and which I/O ports are open to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/x86.h"

struct x86_facts x86_facts;
struct x86_fp_state x86_fp_initial;
unsigned x86_leaf_top;
const uint8_t x86_stub_exceptions[1], x86_stub_interrupts[1];

/* ---- The processor. ---- */

static struct x86_cpuid leaf_1, leaf_7, leaf_10, leaf_far; /* the last is 0x80000001 */
static uint64_t set_cr0, set_cr4, set_dr7;
static uint64_t msr[0x400], msr_far[0x200]; /* from 0 and from 0xc0000000 on */

struct x86_cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    (void)subleaf;
    switch (leaf) {
    case 0:
        return (struct x86_cpuid){.a = 13};
    case 1:
        return leaf_1;
    case 7:
        return leaf_7;
    case 10:
        return leaf_10;
    case 0x80000000:
        return (struct x86_cpuid){.a = 0x80000008};
    case 0x80000001:
        return leaf_far;
    case 0x80000008:
        return (struct x86_cpuid){.a = 39};
    default:
        return (struct x86_cpuid){0};
    }
}

void msr_write(uint32_t number, uint64_t value) {
    *(number >= 0xc0000000 ? &msr_far[number - 0xc0000000] : &msr[number]) = value;
}
uint64_t fake_cr0_read(void) {
    return set_cr0;
}
uint64_t fake_cr4_read(void) {
    return set_cr4;
}
void fake_cr0_write(uint64_t value) {
    set_cr0 = value;
}
void fake_cr4_write(uint64_t value) {
    set_cr4 = value;
}
static void fake_dr7_write(uint64_t value) {
    set_dr7 = value;
}

void x86_syscall(void) {}
void x86_syscall_long(void) {}
void x86_fp_clean(void) {}
void x86_space_entered(struct arch_core *here, const struct arch_context *context, struct arch_space *space) {
    (void)here;
    (void)context;
    (void)space;
}
struct arch_space *core_space(struct core *core) {
    (void)core;
    return NULL;
}

#include "cpu.inc"

/* ---- Tests. ---- */

static struct arch_core core;

static int set_up(void **state) {
    (void)state;
    leaf_1 = leaf_7 = leaf_10 = leaf_far = (struct x86_cpuid){0};
    x86_facts = (struct x86_facts){0};
    memset(&core, 0, sizeof(core));
    memset(msr, 0xff, sizeof(msr)); /* as bad firmware leaves it */
    memset(msr_far, 0xff, sizeof(msr_far));
    set_cr0 = set_cr4 = set_dr7 = UINT64_MAX;
    return 0;
}

/* What keeps the kernel off programs' pages, and its tables from them, is used where the processor has it. */
static void test_features(void **state) {
    static const struct {
        uint32_t b, c;
        uint64_t bits;
    } some[] = {
        {0, 0, 0},
        {1u << 7, 0, CR4_SMEP},
        {1u << 20, 0, CR4_SMAP},
        {0, 1u << 2, CR4_UMIP},
        {UINT32_MAX, UINT32_MAX, CR4_SMEP | CR4_SMAP | CR4_UMIP},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        leaf_7 = (struct x86_cpuid){.b = some[i].b, .c = some[i].c};
        cpu_find_features();
        assert_int_equal(x86_facts.cr4 & (CR4_SMEP | CR4_SMAP | CR4_UMIP), some[i].bits);
        assert_int_equal(x86_facts.cr4 & ~some[i].bits, CR4_PAE | CR4_PGE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT);
    }
    assert_int_equal(x86_leaf_top, 1);
    assert_false(x86_facts.pcid || x86_facts.x2apic || x86_facts.tsc_deadline || x86_facts.counters);
    leaf_1.c = 1u << 17 | 1u << 21 | 1u << 24;
    leaf_10.a = 2;
    leaf_far.d = 1u << 26;
    cpu_find_features();
    assert_true(x86_facts.pcid && x86_facts.x2apic && x86_facts.tsc_deadline && x86_facts.counters);
    assert_int_equal(x86_leaf_top, 2);
    assert_int_equal(x86_facts.address_bits, 39);
}

/* Control registers are set as a whole, whatever was in them. */
static void test_registers(void **state) {
    (void)state;
    for (unsigned pcid = 0; pcid < 2; pcid++) {
        set_up(NULL);
        leaf_7 = (struct x86_cpuid){.b = UINT32_MAX, .c = UINT32_MAX};
        leaf_10.a = 2;
        cpu_find_features();
        x86_facts.pcid = pcid;
        set_cr4 = pcid ? 0 : UINT64_MAX;
        cpu_init(&core);
        assert_int_equal(set_cr4, x86_facts.cr4 | (pcid ? CR4_PCIDE : 0));
        assert_int_equal(set_cr0 & (CR0_WP | CR0_NE | CR0_TS), CR0_WP | CR0_NE | CR0_TS);
        assert_int_equal(set_cr0 & (CR0_EM | CR0_AM | CR0_CD | CR0_NW), 0);
        assert_int_equal(msr[MSR_SYSENTER_CS] | msr[MSR_DEBUGCTL] | msr[MSR_PERF_GLOBAL_CTRL], 0);
        assert_int_equal(msr[MSR_PAT], PAT_INITIAL);
        assert_int_equal(msr_far[MSR_EFER - 0xc0000000], EFER_SCE_LME_LMA_NXE);
        assert_int_equal(msr_far[MSR_FMASK - 0xc0000000] & 0x40700, 0x40700); /* AC, DF, IF, TF */
        assert_int_equal(set_dr7, DR7_NONE);
    }
}

static bool open(unsigned port) {
    return core.tss.io_base == offsetof(struct x86_tss, io_map) && !(core.tss.io_map[port / 8] >> port % 8 & 1);
}

/* A process has the ports that it was granted, and none that the one before it had; nobody has the kernel's own. */
static void test_ports(void **state) {
    struct arch_context serial = {0}, keyboard = {0};
    const struct arch_context none = {0};
    (void)state;
    cpu_init(&core);
    assert_false(open(0x3f8));
    assert_true(arch_ports_grant((struct core *)&core, &serial, 0x3f8, 8));
    assert_true(open(0x3f8) && open(0x3ff) && !open(0x3f7) && !open(0x400));
    assert_true(arch_ports_grant((struct core *)&core, &keyboard, 0x60, 1));
    assert_true(open(0x60) && !open(0x3f8) && !open(0x3ff) && !open(0x61));
    x86_load_ports(&core, &none);
    assert_false(open(0x60) || open(0x3f8));
    x86_load_ports(&core, &serial);
    assert_true(open(0x3f8) && !open(0x60));
    assert_true(arch_ports_valid(0x3f8, 8) && arch_ports_valid(0xffff, 1));
    assert_false(arch_ports_valid(0x3f8, 0) || arch_ports_valid(0xffff, 2) || arch_ports_valid(0x10000, 1));
    assert_false(arch_ports_valid(0x20, 1) || arch_ports_valid(0x1f, 2) || arch_ports_valid(0xcf8, 4));
    x86_facts.pm1a = (struct x86_acpi_register){.address = 0x604};
    assert_false(arch_ports_valid(0x600, 8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_features, set_up),
        cmocka_unit_test_setup(test_registers, set_up),
        cmocka_unit_test_setup(test_ports, set_up),
    };
    return cmocka_run_group_tests_name("x86 cpu", tests, NULL, NULL);
}
